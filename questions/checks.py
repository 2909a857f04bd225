r"""Content checks the schema cannot express: spoken length, markup that would not render, plain English, tells, doubles, coverage.

Each check is a generator of problems over one question or over the bank; `check_bank` runs them all. What any bank must hold to
is always checked; what only a bank that measures people needs (ten items a family, every point covered) is checked with `strict`.
"""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from rapidfuzz import fuzz, process

from questions.expressions import parse
from questions.formulas import formula_problem
from questions.loader import Problem, QuestionBank
from questions.measures import EASY, HARD, count_formats, family, tells, visible
from questions.placeholders import placeholders
from questions.schema import ChoiceItem, CodeItem, Item, NumberTemplate, OrderItem, Question, Template, TraceTemplate
from questions.templates import CannotDraw, check_template, drawn

# A conversational speaker says about 150 words a minute, so 45-90 seconds are about 110-225 words.
WORDS_PER_MINUTE = 150
SPOKEN_SECONDS = (45, 90)
# Plain English is judged by the length of sentences, which readability formulas rest on; their other half, long words, would only
# find the terms of the subject. 20 words on average and 40 at most leave room beside the 15 to 20 of plain-language guides.
MOST_WORDS, MOST_WORDS_ON_AVERAGE = 40, 20
HEAVY = {
    "utilize": "use", "utilise": "use", "commence": "start", "facilitate": "help", "endeavour": "try", "whilst": "while", "aforementioned": "this",
    "notwithstanding": "despite", "henceforth": "from now on", "thereby": "so", "therein": "in it", "heretofore": "so far", "ascertain": "find out",
    "in order to": "to", "prior to": "before", "subsequent to": "after", "with regard to": "about", "due to the fact that": "because",
}  # fmt: skip
_HEAVY = re.compile(rf"\b({'|'.join(HEAVY)})\b", re.IGNORECASE)
_CATCH_ALL = re.compile(
    r"\b(all|none|any|both|neither|two|each) of (the )?(above|below|these|them|those|others?|other options|options)\b"
    r"|\b(both|neither|only) [a-f] (and|nor) [a-f]\b|^(all|none|both|neither)\W*$|\bnot enough information\b",
    re.IGNORECASE,
)
_HTML = re.compile(r"<\s*/?\s*[a-zA-Z][^>]*>")
_FORMULA = re.compile(r"\$([^$]*)\$")
_CODE = re.compile(r"`[^`]*`")
MOST_ALIKE = 85  # of 100, by the words of question and options, in any order

LEAST_ITEMS, LEAST_FORMATS, LEAST_HARD, LEAST_FORMATS_IN_BANK = 10, 4, 2, 5

Found = Iterator[tuple[str, str]]


def check_bank(bank: QuestionBank, *, strict: bool = False, beside: QuestionBank | None = None) -> list[Problem]:
    """Every content problem in the bank; its items may not be doubles of those of the bank `beside` either."""
    checks = (_spoken_length, _markup, _plain_english, _coverage, _options, _snippets, _templates, *((_family,) if strict else ()))
    found = [
        Problem(bank.files.get(question.id, question.id), place, message)
        for question in bank.questions
        for check in checks
        for place, message in check(question)
    ]
    found += [Problem(file, place, message) for file, place, message in _doubles(bank, beside)]
    found += [Problem("the bank", tell.name, f"{tell.figure:.2f} of at most {tell.limit:.2f}: {tell.remedy}") for tell in tells(bank) if tell.fails]
    return found + ([Problem("the bank", "formats", message) for message in _formats(bank)] if strict else [])


def spoken_seconds(text: str) -> float:
    """Seconds to say `text` aloud; a LaTeX formula counts as three words."""
    words = len(re.sub(r"\$[^$]*\$", "a short formula", text).split())
    return 60 * words / WORDS_PER_MINUTE


# --- One question -----------------------------------------------------------------------------------------------


def _spoken_length(question: Question) -> Found:
    seconds = spoken_seconds(question.card.model_answer)
    low, high = SPOKEN_SECONDS
    if not low <= seconds <= high:
        yield (
            "card.model_answer",
            f"takes {seconds:.0f} s to say; expected {low} to {high} s ({low * WORDS_PER_MINUTE // 60} to {high * WORDS_PER_MINUTE // 60} words)",
        )


def _markup(question: Question) -> Found:
    for place, text in texts_of(question):
        if place.endswith(".latex"):
            problem = formula_problem(text)
            if problem:
                yield place, f"the formula {problem}"
            continue
        if text.count("$") % 2:
            yield place, "has an odd number of $: a formula is not closed (write \\$ amounts as words)"
        for formula in _FORMULA.findall(_CODE.sub("", text)):
            problem = formula_problem(formula)
            if problem:
                yield place, f"the formula ${formula}$ {problem}"
        tag = _HTML.search(_CODE.sub("", _FORMULA.sub("", text)))
        if tag:
            yield place, f"has an HTML tag {tag.group(0)!r}; text is Markdown, and HTML is not rendered"


def texts_of(question: Question) -> Iterator[tuple[str, str]]:
    """Every text of a question with its place, numbers of templates drawn."""
    data = question.model_dump(mode="json", exclude={"items"})
    yield from _inside(data, "")
    for item in question.items:
        yield from _inside(_drawn(item).model_dump(mode="json", exclude={"code", "fixed", "curves"}), f"items ({item.key})")


def _drawn(item: Item) -> Any:
    """An item as it may be asked; a template that cannot be drawn is reported by its own check."""
    try:
        return drawn(item, 0)
    except CannotDraw:
        return item


def _inside(node: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield place, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _inside(value, f"{place}.{key}".lstrip("."))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            name = f" ({value['key']})" if isinstance(value, dict) and isinstance(value.get("key"), str) else ""
            yield from _inside(value, f"{place}[{index}]{name}")


def _plain_english(question: Question) -> Found:
    lengths = []
    for place, text in texts_of(question):
        if "." not in place or place.endswith((".latex", ".key", ".authors", ".title", ".venue")):
            continue
        for sentence in sentences(text):
            words = len(sentence.split())
            lengths.append(words)
            if words > MOST_WORDS:
                yield place, f"a sentence has {words} words; at most {MOST_WORDS} are read in one go: {sentence[:60]!r} …"
        for heavy in {found.lower() for found in _HEAVY.findall(text)}:
            yield place, f"{heavy!r} is hard on readers whose first language is another: write {HEAVY[heavy]!r}"
    average = statistics.mean(lengths) if lengths else 0
    if average > MOST_WORDS_ON_AVERAGE:
        yield "", f"sentences have {average:.0f} words on average; at most {MOST_WORDS_ON_AVERAGE} are plain English"


def sentences(text: str) -> list[str]:
    """The sentences of a text; a formula or piece of code counts as one word."""
    plain = _FORMULA.sub("x", _CODE.sub("x", text))
    return [sentence for sentence in re.split(r"(?<=[.!?:;])\s+|\n\s*\n", plain) if sentence.strip()]


def _coverage(question: Question) -> Found:
    for key in family(question).uncovered["core"]:
        yield f"points ({key})", "no item covers this core point: add it to the points of an item that tests it"


def _options(question: Question) -> Found:
    for item in question.items:
        for choice in item.choices if isinstance(item, ChoiceItem) else ():
            if _CATCH_ALL.search(choice.text):
                yield f"items ({item.key}).choices ({choice.key})", f"{choice.text!r} is a catch-all option; name the claim instead"


def _snippets(question: Question) -> Found:
    for item in question.items:
        for name, code in (("code", item.code), ("fixed", item.fixed)) if isinstance(item, CodeItem) else ():
            try:
                ast.parse(code)  # read only: nothing of it runs
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                line = getattr(error, "lineno", None)
                yield f"items ({item.key}).{name}", f"is no Python{f', see line {line}' if line else ''}: the fault must be one that shows when it runs"


def _templates(question: Question) -> Found:
    for item in question.items:
        if not isinstance(item, NumberTemplate | TraceTemplate):
            continue
        try:
            check_template(item)
        except CannotDraw as error:
            yield f"items ({item.key})", str(error)
            continue
        for name in sorted(item.variables.keys() - _seen(item)):
            yield f"items ({item.key}).variables.{name}", f"the learner never sees it: write {{{{{name}}}}} in the prompt"


def _seen(item: Template) -> set[str]:
    """The names whose values the texts show, directly or in what is derived from them."""
    seen = {name for text in item.texts() for name, _ in placeholders(text)}
    for name in reversed(item.derive):
        if name in seen:
            seen |= parse(item.derive[name]).names
    return seen


def _family(question: Question) -> Found:
    own = family(question)
    if own.items < LEAST_ITEMS:
        yield "items", f"{own.items} items; at least {LEAST_ITEMS} are needed to tell how able somebody is"
    if len(own.formats) < LEAST_FORMATS:
        yield "items", f"{len(own.formats)} formats ({', '.join(own.formats)}); at least {LEAST_FORMATS} are expected"
    if own.hard < LEAST_HARD:
        yield "items", f"{own.hard} items with a difficulty of {HARD} or more; at least {LEAST_HARD} that only a strong candidate gets are expected"
    if not own.easy:
        yield "items", f"no item with a difficulty of {EASY} or less: add one that nearly everybody gets"
    for level, what in (("expert", "no item covers this expert point"), ("wrong", "no item catches this wrong belief")):
        for key in own.uncovered[level]:
            yield f"points ({key})", f"{what}: add it to the points of an item that does"


# --- The bank ---------------------------------------------------------------------------------------------------


def _formats(bank: QuestionBank) -> Iterator[str]:
    formats = count_formats(item for _, item in bank.items.values())
    if len(formats) < LEAST_FORMATS_IN_BANK:
        yield f"{len(formats)} formats ({', '.join(formats)}); at least {LEAST_FORMATS_IN_BANK} are expected"


def _doubles(bank: QuestionBank, beside: QuestionBank | None) -> Iterator[tuple[str, str, str]]:
    """Items that ask nearly the same as an earlier one, or as one of the bank `beside`."""
    own = {name: _asked(item) for name, (_, item) in bank.items.items()}
    others = {name: _asked(item) for name, (question, item) in beside.items.items() if question.id not in bank.by_id} if beside else {}
    names, texts = [*others, *own], [*others.values(), *own.values()]
    alike = process.cdist(texts, texts, scorer=fuzz.token_sort_ratio, score_cutoff=MOST_ALIKE)
    for first, second in combinations(range(len(names)), 2):
        if second >= len(others) and alike[first][second] > MOST_ALIKE:
            question, item = bank.items[names[second]]
            message = f"asks nearly the same as {names[first]} ({alike[first][second]:.0f} of 100 alike, at most {MOST_ALIKE}): change one or leave one out"
            yield bank.files.get(question.id, question.id), f"items ({item.key})", message


def _asked(item: Item) -> str:
    """The words of prompt and options."""
    options = [choice.text for choice in item.choices] if isinstance(item, ChoiceItem) else []
    steps = [step.text for step in item.steps] if isinstance(item, OrderItem) else []
    code = [item.code] if isinstance(item, CodeItem) else []
    return visible(" ".join([item.prompt, *options, *steps, *code])).lower()
