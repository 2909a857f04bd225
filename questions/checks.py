r"""Content checks the schema cannot express: spoken length, markup that would not render, answers that give themselves away.

Each check is a generator of problems over one question; `check_bank` runs them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from questions.loader import Problem, QuestionBank
from questions.schema import ChoiceItem, Question

# A conversational speaker says about 150 words a minute, so 45-90 seconds are about 110-225 words.
WORDS_PER_MINUTE = 150
SPOKEN_SECONDS = (45, 90)
_FORBIDDEN_OPTION = re.compile(r"\b(all|none|both) of (the )?(above|these|them)\b", re.IGNORECASE)
_HTML = re.compile(r"<\s*/?\s*[a-zA-Z][^>]*>")


def check_bank(bank: QuestionBank) -> list[Problem]:
    """Every content problem in the bank."""
    return [
        Problem(bank.files.get(question.id, question.id), place, message)
        for question in bank.questions
        for check in (_spoken_length, _markup, _coverage, _no_catch_all_options)
        for place, message in check(question)
    ]


def spoken_seconds(text: str) -> float:
    """Seconds to say `text` aloud; a LaTeX formula counts as three words."""
    words = len(re.sub(r"\$[^$]*\$", "a short formula", text).split())
    return 60 * words / WORDS_PER_MINUTE


def _spoken_length(question: Question) -> Iterator[tuple[str, str]]:
    seconds = spoken_seconds(question.card.model_answer)
    low, high = SPOKEN_SECONDS
    if not low <= seconds <= high:
        yield (
            "card.model_answer",
            f"takes {seconds:.0f} s to say; expected {low} to {high} s ({low * WORDS_PER_MINUTE // 60} to {high * WORDS_PER_MINUTE // 60} words)",
        )


def _markup(question: Question) -> Iterator[tuple[str, str]]:
    for place, text in _texts(question.model_dump(mode="json"), ""):
        if text.count("$") % 2:
            yield place, "has an odd number of $: a formula is not closed (write \\$ amounts as words)"
        without_formulas = re.sub(r"\$[^$]*\$|`[^`]*`", "", text)
        if _HTML.search(without_formulas):
            yield place, f"has an HTML tag {_HTML.search(without_formulas).group(0)!r}; text is Markdown, and HTML is not rendered"  # type: ignore[union-attr]


def _texts(node: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield place, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _texts(value, f"{place}.{key}".lstrip("."))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _texts(value, f"{place}[{index}]")


def _coverage(question: Question) -> Iterator[tuple[str, str]]:
    covered = {point for item in question.items for point in item.points}
    for point in question.points:
        if point.level == "core" and point.key not in covered:
            yield f"points ({point.key})", "no item covers this core point"


def _no_catch_all_options(question: Question) -> Iterator[tuple[str, str]]:
    for item in question.items:
        for choice in item.choices if isinstance(item, ChoiceItem) else ():
            if _FORBIDDEN_OPTION.search(choice.text):
                yield f"items ({item.key}).choices ({choice.key})", f"{choice.text!r} is a catch-all option; name the claim instead"
