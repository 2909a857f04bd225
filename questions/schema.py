r"""What a question file may contain, as frozen pydantic models.

A *question* is one of the 24 classic interview questions: a study card plus a family of *items*. An item is
one gradable prompt. The models refuse unknown keys, so a misspelt key in a file is an error with a place, not
a silent omission. Text is Markdown with LaTeX between ``$``; it is rendered by ``st.markdown`` with HTML off.
"""

from __future__ import annotations

import math
from collections import Counter
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z]$")]
SettingValue = bool | int | float | str


class Group(StrEnum):
    """The six topic groups, used for navigation and for pooling ability."""

    FOUNDATIONS = "foundations"
    GATES = "gates"
    TRAINING = "training"
    GENERALISATION = "generalisation"
    ARCHITECTURES = "architectures"
    APPLICATIONS = "applications"

    @property
    def label(self) -> str:
        """The group's name on the page."""
        return "Applications and scale" if self is Group.APPLICATIONS else self.value.capitalize()


class Model(BaseModel):
    """Frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SandboxLink(Model):
    """An experiment to open, with its settings, and what to look at there."""

    experiment: Slug
    settings: dict[str, SettingValue] = Field(default_factory=dict)
    look_for: Text


class Reference(Model):
    """A paper or book an answer rests on."""

    key: Slug
    authors: Text
    year: int = Field(ge=1950, le=2100)
    title: Text
    venue: Text


class KeyPoint(Model):
    """A fact to know (core, expert) or a false belief to catch (wrong)."""

    key: Slug
    level: Literal["core", "expert", "wrong"]
    text: Text


class Equation(Model):
    """A LaTeX equation, without dollar signs, and one sentence that reads it aloud."""

    latex: Text
    says: Text


class Trap(Model):
    """A common wrong belief and the correction."""

    belief: Text
    truth: Text


class StudyCard(Model):
    """How to answer the question in an interview."""

    testing: Text
    build: tuple[Text, ...] = Field(min_length=3, max_length=7)
    model_answer: Text
    expert_adds: tuple[Text, ...] = Field(min_length=2)
    traps: tuple[Trap, ...] = Field(min_length=2)
    equations: tuple[Equation, ...] = Field(min_length=1)


class Choice(Model):
    """One option of an item; its feedback says why it is right or wrong."""

    key: Key
    text: Text
    correct: bool = False
    feedback: Text


class OrderStep(Model):
    """One step of an order-the-steps item; its feedback says why it stands where it stands."""

    key: Key
    text: Text
    feedback: Text


class NumberMistake(Model):
    """A wrong number that a known slip produces, with feedback on the slip."""

    value: float
    feedback: Text


class BaseItem(Model):
    """What every item has, whatever its format.

    `difficulty` is the authored prior on the logit scale (-2.5 easy .. +2.5 hard): an average candidate
    (ability 0) who cannot guess is right with probability 1 / (1 + exp(difficulty)).
    """

    key: Slug
    prompt: Text
    points: tuple[Slug, ...] = Field(min_length=1)
    difficulty: float = Field(ge=-3, le=3)
    explanation: Text
    reference: Slug | None = None
    sandbox: SandboxLink | None = None


def _unique(values: list[str], what: str) -> None:
    repeated = sorted(value for value, count in Counter(values).items() if count > 1)
    if repeated:
        raise ValueError(f"{what} must differ from each other, but {', '.join(repeated)} is used twice")


class ChoiceItem(BaseItem):
    """An item whose options are listed."""

    choices: tuple[Choice, ...] = Field(min_length=3, max_length=6)

    @property
    def correct_keys(self) -> frozenset[str]:
        """Keys of the right options."""
        return frozenset(choice.key for choice in self.choices if choice.correct)

    @model_validator(mode="after")
    def _options_are_distinct(self) -> ChoiceItem:
        _unique([choice.key for choice in self.choices], "option keys")
        _unique([choice.text for choice in self.choices], "option texts")
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


class NumberItem(BaseItem):
    """A number with tolerance and unit.

    An answer x is right when |x - answer| <= max(absolute tolerance, relative tolerance * |answer|).
    `solution` is worked step by step; `mistakes` are numbers known slips lead to; `otherwise` is the
    feedback on any other wrong number.
    """

    format: Literal["number"]
    answer: float
    tolerance_abs: float = Field(default=0.0, ge=0)
    tolerance_rel: float = Field(default=0.0, ge=0, le=0.5)
    unit: str = Field(default="", max_length=40)
    solution: Text
    mistakes: tuple[NumberMistake, ...] = Field(min_length=1)
    otherwise: Text

    @property
    def guessing(self) -> float:
        """A number is not guessed."""
        return 0.0

    def accepts(self, value: float) -> bool:
        """Whether `value` is within tolerance of the answer (exact integers need no tolerance)."""
        return math.isfinite(value) and abs(value - self.answer) <= max(self.tolerance_abs, self.tolerance_rel * abs(self.answer), 1e-9 * abs(self.answer))

    @model_validator(mode="after")
    def _mistakes_are_wrong(self) -> NumberItem:
        if not math.isfinite(self.answer):
            raise ValueError(f"answer must be finite, got {self.answer}")
        for mistake in self.mistakes:
            if self.accepts(mistake.value):
                raise ValueError(f"mistake {mistake.value} is within tolerance of the right answer {self.answer}")
        return self


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
        _unique([step.key for step in self.steps], "step keys")
        _unique([step.text for step in self.steps], "step texts")
        return self


Item = Annotated[SingleItem | MultipleItem | NumberItem | OrderItem | PredictItem, Field(discriminator="format")]

FORMAT_LABELS = {
    "single": "Choose one",
    "multiple": "Choose all that apply",
    "number": "Give a number",
    "order": "Put in order",
    "predict": "Predict the experiment",
}


class Question(Model):
    """One of the 24 questions: study card, key points, references, sandbox link and items."""

    id: Slug
    number: int = Field(ge=1, le=999)
    group: Group
    title: Annotated[str, StringConstraints(min_length=2, max_length=40)]
    asks: Text
    card: StudyCard
    points: tuple[KeyPoint, ...] = Field(min_length=4)
    references: tuple[Reference, ...] = Field(min_length=1)
    sandbox: SandboxLink
    items: tuple[Item, ...] = Field(min_length=3)

    def link_for(self, item: BaseItem) -> SandboxLink:
        """The sandbox link of an item: its own, else the question's."""
        return item.sandbox or self.sandbox

    @model_validator(mode="after")
    def _names_inside_the_question_resolve(self) -> Question:
        _unique([item.key for item in self.items], "item keys")
        _unique([point.key for point in self.points], "point keys")
        points = {point.key for point in self.points}
        references = {reference.key for reference in self.references}
        for item in self.items:
            unknown = sorted(set(item.points) - points)
            if unknown:
                raise ValueError(f"item {item.key}: points {', '.join(unknown)} are not among the question's points ({', '.join(sorted(points))})")
            if item.reference is not None and item.reference not in references:
                raise ValueError(f"item {item.key}: reference {item.reference} is not among the question's references ({', '.join(sorted(references))})")
        return self
