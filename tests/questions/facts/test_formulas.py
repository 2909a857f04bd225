r"""Numbers in formulas are worked out: of every text of the bank, and of a template's for several draws of its numbers.

``0.9^{100} \approx 2.7 \times 10^{-5}`` has two sides that are arithmetic; so has ``c = \frac{0.3}{0.1} = 3``, after a side that is not.
Neighbours of that kind must agree: after ``=`` exactly, after ``\approx`` as far as the figures shown allow. Nothing has to be listed here:
a formula of a new question is checked as it stands. Numbers in plain words are the business of the files beside this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from questions.checks import texts_of
from questions.expressions import BadExpression, evaluate
from questions.loader import load_bank
from questions.schema import Question
from questions.templates import drawn

DRAWS = 12
_FORMULA = re.compile(r"\$([^$]+)\$")
_RELATION = re.compile(r"(\\approx|=|<|>|\\leq?\b|\\geq?\b)")
_FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
_FUNCTIONS = {"sigma": "sigmoid", "tanh": "tanh", "ln": "log", "exp": "exp", "sqrt": "sqrt"}
_ROUNDED = re.compile(r"\d+\.(\d{3,})")  # what is given has two decimals at most; three or more are a rounded result
_LITERAL = re.compile(r"-?(?:(?P<digits>[\d.]+)(?:\*10\*\*\((?P<power>-?\d+)\))?|10\*\*\((?P<order>-?\d+)\))")


def disagreements(formula: str) -> Iterator[str]:
    """The neighbouring sides of a formula that are arithmetic and have different values."""
    sides = _RELATION.split(formula)
    known: str | None = None
    rounded = ordered = False
    for relation, side in zip(["=", *sides[1::2]], sides[::2], strict=True):
        rounded, ordered = rounded or relation == r"\approx", ordered or relation not in (r"\approx", "=")
        text = arithmetic(side)
        if text is None:
            continue
        if known is not None and not ordered and not _agree(known, text, rounded):
            yield f"{known} is {evaluate(known, {}):.6g} and {text} is {evaluate(text, {}):.6g}"
        known, rounded, ordered = text, False, False


def arithmetic(latex: str) -> str | None:
    r"""A side of a formula as an expression, None where it is no number: ``\sigma(3)^{60}`` as ``sigmoid(3)**(60)``."""
    text = re.sub(r"\\[,;!: ]|\\(?:left|right|[bB]igg?[lrm]?)\b", "", latex)
    text = re.sub(r"\s*([{}])\s*", r"\1", text)
    while _FRACTION.search(text):
        text = _FRACTION.sub(r"((\1)/(\2))", text)
    text = re.sub(r"\\(tanh|sigma)\^\{?2\}?\s*(\([^()]*\)|\d[\d.]*)", r"(\\\1(\2))^2", text)
    text = re.sub(r"\\(tanh|ln)\s*\{?(\d[\d.]*)\}?", r"\\\1(\2)", text)
    text = text.replace("\\cdot", "*").replace("\\times", "*")
    text = re.sub(r"(?<![a-z\\])e\^(\d+|\{[^{}]*\})", r"\\exp(\1)", text)
    text = re.sub(r"\\([a-z]+)", lambda found: _FUNCTIONS.get(found[1], "?"), text)
    text = re.sub(r"\^(-?\d+)", r"**(\1)", text).replace("^", "**").replace("{", "(").replace("}", ")")
    text = re.sub(r"([\d.)])\s*(?=[(a-z])", r"\1*", text).replace(" ", "")
    try:
        evaluate(text, {})
    except BadExpression:
        return None
    return text


def _agree(left: str, right: str, rounded: bool) -> bool:
    value, other = evaluate(left, {}), evaluate(right, {})
    allowed = _doubt(left) + _doubt(right) if rounded else 0.0
    return abs(value - other) <= allowed + 1e-9 * max(1e-9, abs(value))


def _doubt(text: str) -> float:
    """How far off rounding may have left a side: half a step in the last figure of a plain number, and what is passed on of those worked with."""
    literal = _LITERAL.fullmatch(text)
    if literal:
        decimals = len(literal["digits"].partition(".")[2]) if literal["digits"] else 0
        return float(0.5 * 10.0 ** (int(literal["power"] or literal["order"] or 0) - decimals))
    moved = (f"{text[: found.start()]}({found[0]}+{0.5 * 10.0 ** -len(found[1])}){text[found.end() :]}" for found in _ROUNDED.finditer(text))
    return sum(abs(evaluate(other, {}) - evaluate(text, {})) for other in moved)


def formulas(question: Question) -> Iterator[tuple[str, str]]:
    """Every formula of a question with its place; those of templates as several learners see them."""
    for seed in range(DRAWS):
        asked = question.model_copy(update={"items": tuple(drawn(item, seed) for item in question.items)})
        for place, text in texts_of(asked):
            yield from ((place, formula) for formula in ([text] if place.endswith("latex") else _FORMULA.findall(text)))


@pytest.mark.parametrize("question", load_bank().questions, ids=lambda question: question.id)
def test_what_a_formula_says_is_equal_is_equal(question: Question) -> None:
    wrong = {f"{place}: {formula}: {found}" for place, formula in set(formulas(question)) for found in disagreements(formula)}
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize(
    "formula",
    [
        r"0.9^{100} \approx 2.7 \times 10^{-5}",
        r"\sigma(3)^{60} \approx 0.05",
        r"1 - \tanh^2 12 \approx 1.5 \times 10^{-10}",
        r"c = \frac{ 0.5 \cdot 0.6 }{ 0.10 } = 3",
        r"\sqrt{ 3^2 + 4^2 } = 5",
        r"2 \cdot 4(3 + 1) = 32",
        r"f = 1 / (1 + e^{-2}) \approx 0.881",
        r"0.881 \cdot 2 + 0.731 \cdot 0.762 \approx 2.318",  # from figures that were rounded themselves
        r"0.5^{50} \approx 10^{-15}",
        "a = 3",
        r"0.5^n < 0.001",
    ],
)
def test_a_right_formula_passes(formula: str) -> None:
    assert not list(disagreements(formula))


@pytest.mark.parametrize(
    "formula",
    [
        r"0.9^{100} \approx 2.6 \times 10^{-5}",
        r"\sigma(-2) = 0.12",  # rounded, so not equal
        r"c = \frac{0.3}{0.2} = 3",
        r"\tanh(1) \approx 0.763",
        r"4 \cdot 20 = 90",
        r"c = 0.5 \cdot \tanh(1) \approx x \approx 0.5",  # a side that is not arithmetic stands in between
    ],
)
def test_a_wrong_formula_is_found(formula: str) -> None:
    assert len(list(disagreements(formula))) == 1
