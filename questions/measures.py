r"""What can be measured in a bank: how the items are spread, and whether an answer can be found without knowing the subject.

A *tell* is a strategy of somebody who knows nothing but how tests are made: take the longest option; take the one that repeats
most words of the question; cross out what says "always". (Haladyna, Downing and Rodriguez, 2002, list these among their
guidelines for writing items.) Each is played on the whole bank, and its rate of success has a limit. Ties count by chance.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from questions.loader import QuestionBank
from questions.schema import Choice, ChoiceItem, Item, KeyPoint, OneRightItem, Question

HARD, EASY = 1.0, -0.8  # logits: "only a strong candidate", and "nearly everybody"
LONGEST_LIMIT, SIMILAR_LIMIT, ABSOLUTE_LIMIT = 0.30, 0.35, 1.25
ENOUGH = 20  # items, or options with an absolute word: below that a rate is chance

ABSOLUTE = re.compile(r"\b(always|never|only|all|every|everything|must|none|nothing|cannot|impossible|entirely|completely)\b", re.IGNORECASE)
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by can did do does each for from had has have how if in into is it its may more most no not of on one or over so than "
        "that the their them then there these they this to was were what when which will with you your would",
    )
)


@dataclass(frozen=True)
class Tell:
    """One strategy: its figure over `of` items or options, the limit, and what to do beyond it."""

    name: str
    figure: float
    limit: float
    of: int
    remedy: str

    @property
    def fails(self) -> bool:
        """Whether the figure is beyond the limit, measured on enough to mean something."""
        return self.of >= ENOUGH and self.figure > self.limit


def tells(bank: QuestionBank) -> tuple[Tell, ...]:
    """Every tell, measured on the bank."""
    items = [item for _, item in bank.items.values()]
    four = [item for item in items if isinstance(item, OneRightItem) and len(item.choices) == 4]
    options = [choice for item in items if isinstance(item, ChoiceItem) for choice in item.choices]
    return (
        Tell(
            "longest option",
            _success(four, lambda item, choice: len(visible(choice.text))),
            LONGEST_LIMIT,
            len(four),
            "always taking the longest of four options is right too often: shorten right options or say more in wrong ones",
        ),
        Tell(
            "option most like the question",
            _success(four, lambda item, choice: overlap(item.prompt, choice.text)),
            SIMILAR_LIMIT,
            len(four),
            "always taking the option that shares most words with the question is right too often: use the question's words in wrong options, too",
        ),
        Tell(
            "absolute words in wrong options",
            _ratio(options),
            ABSOLUTE_LIMIT,
            sum(bool(ABSOLUTE.search(choice.text)) for choice in options),
            "words such as always, never, only and all mark wrong options more often than right ones: say how far a claim goes instead",
        ),
    )


def _success(items: Sequence[OneRightItem], score: Callable[[OneRightItem, Choice], float]) -> float:
    """How often the option with the highest score is right; of several with the same score one is drawn."""
    total = 0.0
    for item in items:
        scores = [score(item, choice) for choice in item.choices]
        best = max(scores)
        total += sum(choice.correct for choice, own in zip(item.choices, scores, strict=True) if own == best) / scores.count(best)
    return total / len(items) if items else 0.0


def _ratio(options: Sequence[Choice]) -> float:
    """The share of wrong options with an absolute word over that of right ones; one occurrence is added to both, so that it is never a division by 0."""
    rates = []
    for correct in (False, True):
        own = [choice for choice in options if choice.correct is correct]
        rates.append((sum(bool(ABSOLUTE.search(choice.text)) for choice in own) + 1) / (len(own) + 1))
    return rates[0] / rates[1]


def visible(text: str) -> str:
    """About what is seen of a text: formulas without their commands, Markdown without its marks."""
    return re.sub(r"[$`*{}]", "", re.sub(r"\\[a-zA-Z]+ ?", "x", text))


def overlap(question: str, option: str) -> float:
    """Shared words as a part of all words (Jaccard), without the common ones and without plural endings."""
    first, second = _words(question), _words(option)
    return len(first & second) / max(1, len(first | second))


def _words(text: str) -> frozenset[str]:
    return frozenset(word.rstrip("s") for word in re.findall(r"[a-z_]{2,}", visible(text).lower()) if word not in _COMMON)


# --- Spread and coverage ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Family:
    """The items of one question in numbers. `uncovered` lists the keys of points that no item names, by level."""

    items: int
    formats: Counter[str]
    easiest: float
    hardest: float
    easy: int
    hard: int
    uncovered: dict[str, tuple[str, ...]]

    def to_json(self) -> dict[str, object]:
        """A JSON-able copy."""
        difficulty = {"easiest": self.easiest, "hardest": self.hardest, "easy": self.easy, "hard": self.hard}
        return {"items": self.items, "formats": dict(self.formats), "difficulty": difficulty, "uncovered": {k: list(v) for k, v in self.uncovered.items()}}


def family(question: Question) -> Family:
    """A question's items in numbers."""
    difficulties = [item.difficulty for item in question.items]
    covered = {point for item in question.items for point in item.points}
    return Family(
        items=len(question.items),
        formats=count_formats(question.items),
        easiest=min(difficulties),
        hardest=max(difficulties),
        easy=sum(value <= EASY for value in difficulties),
        hard=sum(value >= HARD for value in difficulties),
        uncovered={level: _keys(question.points, level, covered) for level in ("core", "expert", "wrong")},
    )


def _keys(points: Iterable[KeyPoint], level: str, covered: set[str]) -> tuple[str, ...]:
    return tuple(point.key for point in points if point.level == level and point.key not in covered)


def count_formats(items: Iterable[Item]) -> Counter[str]:
    """How many items of each format."""
    return Counter(sorted(item.format for item in items))
