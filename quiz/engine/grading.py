"""Grades a response against an item and says, option by option, what was right and why.

The grade is all-or-nothing for `correct` (what ability and memory learn from) with a partial `score` for the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, assert_never

from questions.schema import Asked, ChoiceItem, MultipleItem, NumberItem, NumberMistake, OneRightItem, OrderItem, TraceItem, TracePart

Mark = Literal["right", "wrong", "missed", "rejected"]


class InvalidResponse(ValueError):
    """The response does not fit the item's format; the message says what is expected and what came."""


@dataclass(frozen=True)
class Response:
    """What the learner gave: option or step keys (in order, for an order item), the text of a number, or the texts of a trace by key."""

    keys: tuple[str, ...] = ()
    text: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """A JSON-able copy."""
        return {"keys": list(self.keys), "text": self.text, **({"texts": dict(self.texts)} if self.texts else {})}

    @staticmethod
    def from_json(data: Mapping[str, object]) -> Response:
        """The response `to_json` wrote."""
        keys, texts = data.get("keys"), data.get("texts")
        return Response(
            tuple(str(key) for key in keys) if isinstance(keys, list) else (),
            str(data.get("text", "")),
            {str(key): str(text) for key, text in texts.items()} if isinstance(texts, dict) else {},
        )


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


def grade(item: Asked, response: Response) -> Grade:
    """Grade `response` to `item`. Errors: InvalidResponse when it does not fit the item's format."""
    match item:
        case OneRightItem():
            return _grade_choices(item, _chosen(item, response, most=1))
        case MultipleItem():
            return _grade_choices(item, _chosen(item, response, most=len(item.choices)))
        case NumberItem():
            return _grade_number(item, response.text)
        case TraceItem():
            return _grade_trace(item, response.texts)
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
    wrong = _judge(item, text, item.mistakes, item.otherwise)
    line = FeedbackLine("", text.strip(), "right" if wrong is None else "wrong", item.solution if wrong is None else wrong)
    return Grade(wrong is None, float(wrong is None), (line,))


def _grade_trace(item: TraceItem, texts: Mapping[str, str]) -> Grade:
    """Right when every number is; the score is the share of right ones."""
    lines = []
    for part in item.answers:
        text = texts.get(part.key, "")
        try:
            wrong = _judge(part, text, part.mistakes, item.otherwise)
        except InvalidResponse as error:
            raise InvalidResponse(f"{part.label}: {error}") from None
        lines.append(FeedbackLine(part.key, text.strip(), "right" if wrong is None else "wrong", wrong or ""))
    right = sum(line.mark == "right" for line in lines)
    return Grade(right == len(lines), right / len(lines), tuple(lines))


def _judge(quantity: NumberItem | TracePart, text: str, mistakes: Sequence[NumberMistake], otherwise: str) -> str | None:
    """None when the number in `text` is right, else what to say about it."""
    value = parse_number(text, quantity.unit)
    if quantity.accepts(value):
        return None
    if quantity.accepts(_with_decimal_comma(text, quantity.unit)):
        raise InvalidResponse(f"{text.strip()!r} can be read in two ways: write it without the comma, or with a point for the decimals")
    known = [mistake for mistake in mistakes if _near(value, mistake.value)]
    return min(known, key=lambda mistake: abs(value - mistake.value)).feedback if known else otherwise


def _near(value: float, mistake: float) -> bool:
    return math.isclose(value, mistake, rel_tol=0.02, abs_tol=1e-12)


# --- Reading a number -------------------------------------------------------------------------------------------

MAX_NUMBER_LENGTH = 60
_EXPECTED = "a number such as 0.05, 5e-2, 5 % or 1/20"
_DASHES = str.maketrans(dict.fromkeys("−‐‑‒–", "-"))
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_POWER_OF_TEN = re.compile(
    r"(?:(?<=[0-9.])\s*(?:[*x×·]|\\times|\\cdot)\s*|(?<![0-9.]))10\s*(?:(?:\^|\*\*)\s*(?P<plain>\{?\s*[+-]?[0-9]+\s*\}?)|(?P<raised>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))"
)
# Thousands may be grouped by commas, spaces, underscores or apostrophes, all of one kind.
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?P<mark>[,\s_'’])[0-9]{3}(?:(?P=mark)[0-9]{3})*(?:\.[0-9]*)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?")


def parse_number(text: str, unit: str = "") -> float:
    """The finite number in `text`: plain, scientific, a fraction or a percentage; `unit` may follow it.

    A comma groups thousands ("4,640"); one that groups nothing is a decimal comma ("0,05").
    Errors: InvalidResponse with what is expected and what came.
    """
    if len(text) > MAX_NUMBER_LENGTH:
        raise InvalidResponse(f"expected {_EXPECTED}, got {len(text)} characters")
    plain = _without_unit(text.translate(_DASHES).replace("$", "").strip().lstrip("≈~=").strip(), unit)
    percent = plain.endswith("%")
    parts = [_read(part) for part in plain.removesuffix("%").split("/", 1)]
    if None in parts:
        raise InvalidResponse(f"expected {_EXPECTED}{f', in {unit}' if unit else ''}, got {text.strip()!r}")
    top, bottom = (*[part for part in parts if part is not None], 1.0)[:2]
    if bottom == 0:
        raise InvalidResponse(f"expected {_EXPECTED}, got a division by zero in {text.strip()!r}")
    # With the unit "%" the answer itself is in percent; elsewhere 5 % means 0.05.
    value = top / bottom / (100 if percent and unit != "%" else 1)
    if not all(map(math.isfinite, (top, bottom, value))):
        raise InvalidResponse(f"expected {_EXPECTED}, got {text.strip()!r}, which is too large")
    return value


def _without_unit(plain: str, unit: str) -> str:
    """`plain` without the unit at its end, in the plural or the singular."""
    for name in (unit, unit.removesuffix("s")):
        if name not in ("", "%") and plain.lower().endswith(name.lower()):
            return plain[: -len(name)].strip()
    return plain


def _read(part: str) -> float | None:
    """One number without percent sign or fraction bar; None when it is none. Infinite when it is too large for a float."""
    plain = _POWER_OF_TEN.sub(_exponent, part.strip())
    plain = re.sub(r"^([+-])\s+", r"\1", re.sub(r"\s*e\s*", "e", plain.lower()))
    grouped = _GROUPED.fullmatch(plain)
    plain = plain.replace(grouped["mark"], "") if grouped else plain.replace(",", ".", 1)
    return float(plain) if _NUMBER.fullmatch(plain) else None


def _exponent(found: re.Match[str]) -> str:
    power = found["plain"].strip("{} \t") if found["plain"] else found["raised"].translate(_SUPERSCRIPTS)
    alone = found.group().startswith("10")
    return f"1e{power}" if alone else f"e{power}"


def _with_decimal_comma(text: str, unit: str) -> float:
    """The number when its only comma is a decimal comma although it could group thousands; NaN when that is no reading."""
    return parse_number(text.replace(",", "."), unit) if text.count(",") == 1 and "." not in text else math.nan
