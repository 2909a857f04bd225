"""The items a learner is asked, one frozen pydantic model a format.

A file may also hold templates, whose numbers are drawn anew for each presentation: see questions/templates.py.
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, FiniteFloat, field_validator, model_validator

from questions.parts import BaseItem, Key, Model, Slug, Text, Unit, unique
from questions.recordings import Recording

# --- Options and steps ------------------------------------------------------------------------------------------


class Choice(Model):
    """One option of an item; its feedback says why it is right or wrong."""

    key: Key
    text: Text
    correct: bool = False
    feedback: Text


class ChoiceItem(BaseItem):
    """An item whose options are listed."""

    choices: tuple[Choice, ...] = Field(min_length=3, max_length=6)

    @property
    def correct_keys(self) -> frozenset[str]:
        """Keys of the right options."""
        return frozenset(choice.key for choice in self.choices if choice.correct)

    @model_validator(mode="after")
    def _options_are_distinct(self) -> ChoiceItem:
        unique([choice.key for choice in self.choices], "option keys")
        unique([choice.text for choice in self.choices], "option texts")
        return self


class OneRightItem(ChoiceItem):
    """A choice item with exactly one right option."""

    @property
    def guessing(self) -> float:
        """Probability that a blind guess is right."""
        return 1 / len(self.choices)

    @model_validator(mode="after")
    def _one_is_right(self) -> OneRightItem:
        if len(self.correct_keys) != 1:
            raise ValueError(f"exactly one option must have correct = true, found {len(self.correct_keys)}")
        return self


class SingleItem(OneRightItem):
    """Single choice: exactly one option is right."""

    format: Literal["single"]


class PredictItem(OneRightItem):
    """Predict what an experiment of the sandbox will show; it must name the experiment."""

    format: Literal["predict"]

    @model_validator(mode="after")
    def _names_its_experiment(self) -> PredictItem:
        if self.sandbox is None:
            raise ValueError("a predict item needs [items.sandbox] with the experiment it is about")
        return self


CODE_LINES = (4, 22)
CODE_WIDTH = 64  # fits a laptop's column; a phone scrolls inside the code


class CodeItem(OneRightItem):
    """Find what is wrong in a short PyTorch snippet; `fixed` is the snippet mended, shown with the feedback.

    The app and the checks never run a snippet. Tests run those of the bank that ships.
    """

    format: Literal["code"]
    code: str
    fixed: str

    @field_validator("code", "fixed")
    @classmethod
    def _fits_the_page(cls, code: str) -> str:
        lines = code.strip("\n").splitlines()
        low, high = CODE_LINES
        if not low <= len(lines) <= high:
            raise ValueError(f"a snippet has {low} to {high} lines, this one has {len(lines)}")
        for place, line in enumerate(lines, start=1):
            if len(line) > CODE_WIDTH:
                raise ValueError(f"line {place} has {len(line)} characters; at most {CODE_WIDTH} fit")
            if not line.isprintable():
                raise ValueError(f"line {place} holds a tab or another character that does not print; indent with spaces")
        return "\n".join(line.rstrip() for line in lines)

    @model_validator(mode="after")
    def _something_was_mended(self) -> CodeItem:
        if self.code == self.fixed:
            raise ValueError("fixed is the same as code; it must show the snippet without its fault")
        return self


class DiagnoseItem(OneRightItem):
    """Read recorded curves and find the fault. `recording` names a file; the loader puts what it holds into `curves`.

    So the curves belong to the wording: an old answer is shown with the curves it was given to.
    """

    format: Literal["diagnose"]
    recording: Slug
    curves: Recording | None = None


class MultipleItem(ChoiceItem):
    """Several right: at least two options are right, at least one is wrong."""

    format: Literal["multiple"]

    @property
    def guessing(self) -> float:
        """Probability that a blind guess over all non-empty subsets is right."""
        return 1.0 / float(2 ** len(self.choices) - 1)

    @model_validator(mode="after")
    def _several_are_right(self) -> MultipleItem:
        right = len(self.correct_keys)
        if right < 2 or right == len(self.choices):
            raise ValueError(f"at least two options must be right and one wrong, found {right} right of {len(self.choices)}")
        return self


class OrderStep(Model):
    """One step of an order-the-steps item; its feedback says why it stands where it stands."""

    key: Key
    text: Text
    feedback: Text


class OrderItem(BaseItem):
    """Put the steps in order; the file lists them in the right order."""

    format: Literal["order"]
    steps: tuple[OrderStep, ...] = Field(min_length=3, max_length=7)

    @property
    def guessing(self) -> float:
        """Probability that a random order is right."""
        return 1 / math.factorial(len(self.steps))

    @model_validator(mode="after")
    def _steps_are_distinct(self) -> OrderItem:
        unique([step.key for step in self.steps], "step keys")
        unique([step.text for step in self.steps], "step texts")
        return self


# --- Numbers ----------------------------------------------------------------------------------------------------


class NumberMistake(Model):
    """A wrong number that a known slip produces, with feedback on the slip."""

    value: FiniteFloat
    feedback: Text


class Quantity(Model):
    """A number with tolerance and unit. x is right when |x - answer| <= max(absolute tolerance, relative tolerance * |answer|)."""

    answer: FiniteFloat
    tolerance_abs: FiniteFloat = Field(default=0.0, ge=0)
    tolerance_rel: float = Field(default=0.0, ge=0, le=0.5)
    unit: Unit = ""

    def accepts(self, value: float) -> bool:
        """Whether `value` is within tolerance of the answer (exact integers need no tolerance)."""
        return math.isfinite(value) and abs(value - self.answer) <= max(self.tolerance_abs, self.tolerance_rel * abs(self.answer), 1e-9 * abs(self.answer))

    def refuse_right(self, mistakes: tuple[NumberMistake, ...]) -> None:
        """Errors: ValueError when one of the mistakes would be accepted."""
        for mistake in mistakes:
            if self.accepts(mistake.value):
                raise ValueError(f"mistake {mistake.value} is within tolerance of the right answer {self.answer}")


class Worked(Model):
    """What an item with numbers to give explains: `solution` step by step, `otherwise` on a wrong number that no known slip produces."""

    solution: Text
    otherwise: Text

    @property
    def guessing(self) -> float:
        """A number is not guessed."""
        return 0.0


class NumberItem(Worked, Quantity, BaseItem):
    """A number with tolerance and unit; `mistakes` are numbers known slips lead to."""

    format: Literal["number"]
    mistakes: tuple[NumberMistake, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _mistakes_are_wrong(self) -> NumberItem:
        self.refuse_right(self.mistakes)
        return self


class TracePart(Quantity):
    """One of the numbers of a trace, with the label of its field."""

    key: Slug
    label: Text
    mistakes: tuple[NumberMistake, ...] = ()

    @model_validator(mode="after")
    def _mistakes_are_wrong(self) -> TracePart:
        self.refuse_right(self.mistakes)
        return self


class TraceItem(Worked, BaseItem):
    """Follow given values by hand: several numbers, and all of them must be right."""

    format: Literal["trace"]
    answers: tuple[TracePart, ...] = Field(min_length=2, max_length=6)

    @model_validator(mode="after")
    def _parts_are_distinct(self) -> TraceItem:
        unique([part.key for part in self.answers], "answer keys")
        return self


Asked = SingleItem | MultipleItem | NumberItem | OrderItem | PredictItem | TraceItem | CodeItem | DiagnoseItem
