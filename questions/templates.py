"""Items whose numbers are drawn from a seed, so that they differ each time, each with its worked solution.

The same template and seed give the same item for all time and on any machine: places in the lists of values come from
SHA-256 over seed, try and the variable's name, not from a generator that may change with a Python version.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, StrictInt, StringConstraints, ValidationError, model_validator

from questions.expressions import FUNCTIONS, MAX_LENGTH, BadExpression, Value, evaluate, parse
from questions.items import Asked, NumberItem, TraceItem, Worked
from questions.parts import BaseItem, Model, Slug, Text, Unit, unique
from questions.placeholders import fill, placeholders, shown

# --- Templates --------------------------------------------------------------------------------------------------

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,19}$")]
Expression = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LENGTH)]
Amount = FiniteFloat | Expression
Drawable = Annotated[StrictInt, Field(ge=-(10**12), le=10**12)] | FiniteFloat | Annotated[str, StringConstraints(min_length=1, max_length=40)]
LEAST_COMBINATIONS = 4


class TemplateMistake(Model):
    """A slip, with the expression that gives the number it leads to."""

    value: Amount
    feedback: Text


class TemplatePart(Model):
    """One of the numbers of a trace, as an expression."""

    key: Slug
    label: Text
    answer: Amount
    tolerance_abs: FiniteFloat = Field(default=0.0, ge=0)
    tolerance_rel: float = Field(default=0.0, ge=0, le=0.5)
    unit: Unit = ""
    mistakes: tuple[TemplateMistake, ...] = ()


class Template(Worked, BaseItem):
    """An item whose numbers are drawn: `variables` are drawn from their values as long as `where` does not hold, `derive` follows from them.

    ``{{name}}`` or ``{{name:.3g}}`` in a text stands for a value. Expressions are arithmetic (see questions/expressions.py).
    """

    variables: dict[Name, Annotated[tuple[Drawable, ...], Field(min_length=1, max_length=40)]] = Field(default_factory=dict, max_length=12)
    where: tuple[Expression, ...] = Field(default=(), max_length=12)
    derive: dict[Name, Expression] = Field(default_factory=dict, max_length=24)

    def amounts(self) -> Iterator[Amount]:
        """Answers and mistakes."""
        raise NotImplementedError

    def texts(self) -> Iterator[str]:
        """Every text in which names may stand."""
        yield from (self.prompt, self.explanation, self.solution, self.otherwise)

    @model_validator(mode="after")
    def _every_name_is_known(self) -> Template:
        known: set[str] = set()
        for name in (*self.variables, *self.derive):
            if name in FUNCTIONS:
                raise ValueError(f"{name} is a function; choose another name")
            if name in known:
                raise ValueError(f"{name} stands in variables and in derive; choose another name")
            if name in self.derive:
                _uses(self.derive[name], known, f"derive.{name}")
            known.add(name)
        for number, condition in enumerate(self.where):
            _uses(condition, known, f"where[{number}]")
        for amount in self.amounts():
            if isinstance(amount, str):
                _uses(amount, known, "an answer or mistake")
        for text in self.texts():
            for name, _ in placeholders(text):
                if name not in known:
                    raise ValueError(f"{{{{{name}}}}} stands in a text, but is neither in variables nor in derive ({', '.join(sorted(known)) or 'both empty'})")
        return self

    @model_validator(mode="after")
    def _differs_each_time(self) -> Template:
        combinations = math.prod(len(set(values)) for values in self.variables.values())
        if self.variables and combinations < LEAST_COMBINATIONS:
            raise ValueError(f"variables have {combinations} combinations; at least {LEAST_COMBINATIONS} are expected")
        return self


def _uses(expression: str, known: set[str], place: str) -> None:
    try:
        unknown = sorted(parse(expression).names - known)
    except BadExpression as error:
        raise ValueError(f"{place}: {error}") from None
    if unknown:
        raise ValueError(f"{place}: {expression!r} uses {', '.join(unknown)}, but only {', '.join(sorted(known)) or 'no name'} is known there")


class NumberTemplate(Template):
    """A number item whose numbers are drawn."""

    format: Literal["number"]
    answer: Amount
    tolerance_abs: FiniteFloat = Field(default=0.0, ge=0)
    tolerance_rel: float = Field(default=0.0, ge=0, le=0.5)
    unit: Unit = ""
    mistakes: tuple[TemplateMistake, ...] = Field(min_length=1)

    def amounts(self) -> Iterator[Amount]:
        """Answer and mistakes."""
        yield self.answer
        yield from (mistake.value for mistake in self.mistakes)

    def texts(self) -> Iterator[str]:
        """Every text in which names may stand."""
        yield from super().texts()
        yield from (mistake.feedback for mistake in self.mistakes)


class TraceTemplate(Template):
    """A trace whose numbers are drawn, or at least worked out."""

    format: Literal["trace"]
    answers: tuple[TemplatePart, ...] = Field(min_length=2, max_length=6)

    def amounts(self) -> Iterator[Amount]:
        """Answers and mistakes."""
        for part in self.answers:
            yield part.answer
            yield from (mistake.value for mistake in part.mistakes)

    def texts(self) -> Iterator[str]:
        """Every text in which names may stand."""
        yield from super().texts()
        for part in self.answers:
            yield part.label
            yield from (mistake.feedback for mistake in part.mistakes)

    @model_validator(mode="after")
    def _parts_are_distinct(self) -> TraceTemplate:
        unique([part.key for part in self.answers], "answer keys")
        return self


AnyTemplate = NumberTemplate | TraceTemplate


# --- Drawing ----------------------------------------------------------------------------------------------------

MOST_TRIES = 1000  # to find a combination that `where` allows; check_template sees to it that far fewer do
LEAST_ALLOWED = 0.1  # of the combinations
CHECKED = 500
_WORK = 400_000  # characters to calculate for one template, a placeholder counting as many: some tens of milliseconds
_PLACEHOLDER_WORK = 20


class CannotDraw(ValueError):
    """A template gives no usable item for some of its values; the message says for which, and why."""


def drawn(item: Asked | AnyTemplate, seed: int) -> Asked:
    """The item to ask: a template with the values that `seed` draws, any other item as it is. Errors: CannotDraw."""
    if not isinstance(item, Template):
        return item
    for attempt in range(MOST_TRIES):
        names = _derived(item, {name: values[_place(seed, attempt, name, len(values))] for name, values in item.variables.items()})
        if names is not None:
            return _filled(item, names)
    raise CannotDraw(f"{item.key}: where refuses nearly every combination")


def check_template(item: AnyTemplate, most: int = CHECKED) -> None:
    """Draw every combination, or `most` of them when there are more, or fewer when the template is very long. Errors: CannotDraw.

    A look at a few (`most` below CHECKED) says nothing of how many `where` allows, so it is not judged by that.
    """
    work = sum(map(len, (*item.derive.values(), *item.where))) + _PLACEHOLDER_WORK * sum(text.count("{{") for text in item.texts())
    combinations = list(_combinations(item, max(1, min(most, _WORK // max(work, 1)))))
    allowed = 0
    for values in combinations:
        names = _derived(item, values)
        if names is not None:
            allowed += 1
            _filled(item, names)
    if len(combinations) < min(CHECKED, math.prod(map(len, item.variables.values()))) and most < CHECKED:
        return
    if allowed < LEAST_ALLOWED * len(combinations) or (item.variables and allowed < LEAST_COMBINATIONS <= len(combinations)):
        raise CannotDraw(
            f"where allows {allowed} of {len(combinations)} combinations tried; at least {LEAST_COMBINATIONS} and {LEAST_ALLOWED:.0%} of them are expected"
        )


def _combinations(item: Template, most: int) -> Iterator[Mapping[str, Value]]:
    """All of them in the order of the lists, or the first `most` draws."""
    names, lists = list(item.variables), list(item.variables.values())
    if math.prod(map(len, lists)) <= most:
        yield from (dict(zip(names, values, strict=True)) for values in product(*lists))
    else:
        for seed in range(most):
            yield {name: values[_place(seed, 0, name, len(values))] for name, values in item.variables.items()}


def _place(seed: int, attempt: int, name: str, length: int) -> int:
    digest = hashlib.sha256(f"{seed}/{attempt}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % length


def _derived(item: Template, values: Mapping[str, Value]) -> dict[str, Value] | None:
    """The values with what follows from them; None when `where` refuses them. A condition on variables alone is looked at first."""
    names = dict(values)
    try:
        early = [condition for condition in item.where if parse(condition).names <= names.keys()]
        late = [condition for condition in item.where if condition not in early]
        if not all(evaluate(condition, names) for condition in early):
            return None
        for name, expression in item.derive.items():
            names[name] = evaluate(expression, names)
        return names if all(evaluate(condition, names) for condition in late) else None
    except BadExpression as error:
        raise CannotDraw(f"{_with(names)}{error}") from None


def _filled(item: AnyTemplate, names: Mapping[str, Value]) -> Asked:
    try:
        return _number(item, names) if isinstance(item, NumberTemplate) else _trace(item, names)
    except ValidationError as error:
        raise CannotDraw(f"{_with(names)}{error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    except ValueError as error:
        raise CannotDraw(f"{_with(names)}{error}") from None


def _with(names: Mapping[str, Value]) -> str:
    return f"with {', '.join(f'{name} = {shown(value)}' for name, value in names.items())}: " if names else ""


def _number(item: NumberTemplate, names: Mapping[str, Value]) -> NumberItem:
    return NumberItem(**_common(item, names), **_quantity(item, names))


def _trace(item: TraceTemplate, names: Mapping[str, Value]) -> TraceItem:
    parts = [{"key": part.key, "label": fill(part.label, names), **_quantity(part, names)} for part in item.answers]
    return TraceItem.model_validate({**_common(item, names), "answers": parts})


def _common(item: Template, names: Mapping[str, Value]) -> dict[str, Any]:
    texts = {name: fill(getattr(item, name), names) for name in ("prompt", "explanation", "solution", "otherwise")}
    kept = {name: getattr(item, name) for name in ("key", "points", "difficulty", "reference", "sandbox", "format")}
    return {**kept, **texts}


def _quantity(item: NumberTemplate | TemplatePart, names: Mapping[str, Value]) -> dict[str, Any]:
    return {
        "answer": _worked_out(item.answer, names),
        "mistakes": [{"value": _worked_out(mistake.value, names), "feedback": fill(mistake.feedback, names)} for mistake in item.mistakes],
        **{name: getattr(item, name) for name in ("tolerance_abs", "tolerance_rel", "unit")},
    }


def _worked_out(amount: Amount, names: Mapping[str, Value]) -> float:
    return float(evaluate(amount, names)) if isinstance(amount, str) else amount
