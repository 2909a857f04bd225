"""Grades a response against an item and says, option by option, what was right and why.

The grade is all-or-nothing for `correct` (what ability and memory learn from) with a partial `score` for the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, assert_never

from questions.schema import ChoiceItem, Item, MultipleItem, NumberItem, OrderItem, PredictItem, SingleItem

Mark = Literal["right", "wrong", "missed", "rejected"]


class InvalidResponse(ValueError):
    """The response does not fit the item's format; the message says what is expected and what came."""


@dataclass(frozen=True)
class Response:
    """What the learner gave: option or step keys (in order, for an order item), or the text of a number."""

    keys: tuple[str, ...] = ()
    text: str = ""

    def to_json(self) -> dict[str, object]:
        """A JSON-able copy."""
        return {"keys": list(self.keys), "text": self.text}

    @staticmethod
    def from_json(data: Mapping[str, object]) -> Response:
        """The response `to_json` wrote."""
        keys = data.get("keys")
        return Response(tuple(str(key) for key in keys) if isinstance(keys, list) else (), str(data.get("text", "")))


@dataclass(frozen=True)
class FeedbackLine:
    """Feedback on one option, step or number.

    Marks: `right` chosen and right; `wrong` chosen and wrong; `missed` right but not chosen; `rejected` wrong
    and rightly left alone.
    """

    key: str
    text: str
    mark: Mark
    feedback: str


@dataclass(frozen=True)
class Grade:
    """The outcome: `correct` all or nothing, `score` in 0..1, and feedback line by line."""

    correct: bool
    score: float
    lines: tuple[FeedbackLine, ...]


def grade(item: Item, response: Response) -> Grade:
    """Grade `response` to `item`. Errors: InvalidResponse when it does not fit the item's format."""
    match item:
        case SingleItem() | PredictItem():
            return _grade_choices(item, _chosen(item, response, most=1))
        case MultipleItem():
            return _grade_choices(item, _chosen(item, response, most=len(item.choices)))
        case NumberItem():
            return _grade_number(item, response.text)
        case OrderItem():
            return _grade_order(item, response.keys)
        case _:
            assert_never(item)


def _chosen(item: ChoiceItem, response: Response, most: int) -> frozenset[str]:
    known = {choice.key for choice in item.choices}
    chosen = frozenset(response.keys)
    if not chosen or not chosen <= known or len(response.keys) > most or len(chosen) != len(response.keys):
        expected = "one option" if most == 1 else "one or more different options"
        raise InvalidResponse(f"{item.key}: choose {expected} out of {', '.join(sorted(known))}, got {list(response.keys)}")
    return chosen


def _grade_choices(item: ChoiceItem, chosen: frozenset[str]) -> Grade:
    lines = tuple(FeedbackLine(choice.key, choice.text, _mark(choice.correct, choice.key in chosen), choice.feedback) for choice in item.choices)
    correct = chosen == item.correct_keys
    if len(item.correct_keys) == 1:
        return Grade(correct, float(correct), lines)
    agreeing = sum(choice.correct == (choice.key in chosen) for choice in item.choices)
    return Grade(correct, agreeing / len(item.choices), lines)


def _mark(is_right: bool, is_chosen: bool) -> Mark:
    if is_right:
        return "right" if is_chosen else "missed"
    return "wrong" if is_chosen else "rejected"


def _grade_order(item: OrderItem, keys: Sequence[str]) -> Grade:
    right = [step.key for step in item.steps]
    if sorted(keys) != sorted(right):
        raise InvalidResponse(f"{item.key}: give each of the steps {', '.join(sorted(right))} once, got {list(keys)}")
    lines = tuple(FeedbackLine(step.key, step.text, "right" if keys[place] == step.key else "wrong", step.feedback) for place, step in enumerate(item.steps))
    pairs = [(a, b) for a in range(len(right)) for b in range(a + 1, len(right))]
    position = {key: place for place, key in enumerate(keys)}
    in_order = sum(position[right[a]] < position[right[b]] for a, b in pairs)
    return Grade(list(keys) == right, in_order / len(pairs), lines)


def _grade_number(item: NumberItem, text: str) -> Grade:
    value = parse_number(text, item.unit)
    if item.accepts(value):
        return Grade(True, 1.0, (FeedbackLine("", text.strip(), "right", item.solution),))
    known = next((mistake for mistake in item.mistakes if _near(value, mistake.value)), None)
    return Grade(False, 0.0, (FeedbackLine("", text.strip(), "wrong", known.feedback if known else item.otherwise),))


def _near(value: float, mistake: float) -> bool:
    return math.isclose(value, mistake, rel_tol=0.02, abs_tol=1e-12)


_TIMES_TEN = re.compile(r"(?<=[0-9.])\s*(?:[*x×·]|\\times|\\cdot)\s*10\s*(?:\^|\*\*)\s*\{?\s*([+-−]?\s*\d+)\s*\}?", re.IGNORECASE)
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
_FORM = re.compile(rf"(?P<top>{_NUMBER})(?:/(?P<bottom>{_NUMBER}))?(?P<percent>%)?", re.IGNORECASE)
_EXPECTED = "a number such as 0.05, 5e-2, 5 % or 1/20"
MAX_NUMBER_LENGTH = 60


def parse_number(text: str, unit: str = "") -> float:
    """The number in `text`: plain, scientific, a fraction or a percentage; `unit` may follow it.

    A comma groups thousands ("4,640"); one that groups nothing is a decimal comma ("0,05").
    Errors: InvalidResponse with what is expected and what came.
    """
    if len(text) > MAX_NUMBER_LENGTH:
        raise InvalidResponse(f"expected {_EXPECTED}, got {len(text)} characters")
    plain = text.strip().replace("−", "-").replace("$", "")
    plain = plain.removeprefix("≈").removeprefix("~").strip()
    plain = _TIMES_TEN.sub(lambda found: "e" + found.group(1).replace(" ", ""), plain)
    if unit and plain.lower().endswith(unit.lower()) and unit != "%":
        plain = plain[: -len(unit)]
    plain = re.sub(r"[\s_]", "", plain)
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", plain) if re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", plain) else plain.replace(",", ".", 1)
    form = _FORM.fullmatch(plain)
    if form is None:
        raise InvalidResponse(f"expected {_EXPECTED}, got {text.strip()[:40]!r}")
    bottom = Fraction(form["bottom"]) if form["bottom"] and len(form["bottom"]) < 20 else Fraction(1)
    if bottom == 0:
        raise InvalidResponse(f"expected {_EXPECTED}, got a division by zero in {text.strip()!r}")
    value = float(form["top"]) / float(bottom)
    # With the unit "%" the answer itself is in percent; elsewhere 5 % means 0.05.
    return value / 100 if form["percent"] and unit != "%" else value
