r"""What a question file may contain, as frozen pydantic models.

A *question* is one of the 24 classic interview questions: a study card plus a family of *items*. An item is
one gradable prompt. The models refuse unknown keys, so a misspelt key in a file is an error with a place, not
a silent omission. Text is Markdown with LaTeX between ``$``; it is rendered by ``st.markdown`` with HTML off.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from questions.items import (
    Asked,
    Choice,
    ChoiceItem,
    CodeItem,
    DiagnoseItem,
    MultipleItem,
    NumberItem,
    NumberMistake,
    OneRightItem,
    OrderItem,
    OrderStep,
    PredictItem,
    SingleItem,
    TraceItem,
    TracePart,
)
from questions.parts import BaseItem, Model, SandboxLink, SettingValue, Slug, Text, unique
from questions.recordings import Recording
from questions.templates import NumberTemplate, Template, TraceTemplate

__all__ = [
    "FORMAT_LABELS",
    "TEMPLATE",
    "Asked",
    "BaseItem",
    "Choice",
    "ChoiceItem",
    "CodeItem",
    "DiagnoseItem",
    "Equation",
    "Group",
    "Item",
    "KeyPoint",
    "MultipleItem",
    "NumberItem",
    "NumberMistake",
    "NumberTemplate",
    "OneRightItem",
    "OrderItem",
    "OrderStep",
    "PredictItem",
    "Question",
    "Recording",
    "Reference",
    "SandboxLink",
    "SettingValue",
    "SingleItem",
    "StudyCard",
    "Template",
    "TraceItem",
    "TracePart",
    "TraceTemplate",
    "Trap",
]


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


FORMAT_LABELS = {
    "single": "Choose one",
    "multiple": "Choose all that apply",
    "number": "Give a number",
    "order": "Put in order",
    "predict": "Predict the experiment",
    "trace": "Trace it by hand",
    "code": "Find the fault in the code",
    "diagnose": "Diagnose the run",
}
TEMPLATE = "-template"  # after a format's name, it names the branch of the union


def branch(data: Any) -> str | None:
    """Which model of the union `data` is for: its format, and "-template" when its numbers are drawn or worked out."""
    if isinstance(data, BaseItem):
        return f"{getattr(data, 'format', '')}{TEMPLATE if isinstance(data, Template) else ''}"
    if not isinstance(data, dict):
        return None
    format_ = data.get("format")
    if format_ not in ("number", "trace"):
        return format_ if format_ in FORMAT_LABELS else None
    parts = [data, *(part for part in _listed(data, "answers") if isinstance(part, dict))]
    values = [value for part in parts for value in (part.get("answer"), *(m.get("value") for m in _listed(part, "mistakes") if isinstance(m, dict)))]
    is_template = any(name in data for name in ("variables", "where", "derive")) or any(isinstance(value, str) for value in values)
    return f"{format_}{TEMPLATE if is_template else ''}"


def _listed(data: dict[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    return list(value) if isinstance(value, (list, tuple)) else []


Item = Annotated[
    Annotated[SingleItem, Tag("single")]
    | Annotated[MultipleItem, Tag("multiple")]
    | Annotated[NumberItem, Tag("number")]
    | Annotated[NumberTemplate, Tag("number-template")]
    | Annotated[OrderItem, Tag("order")]
    | Annotated[PredictItem, Tag("predict")]
    | Annotated[TraceItem, Tag("trace")]
    | Annotated[TraceTemplate, Tag("trace-template")]
    | Annotated[CodeItem, Tag("code")]
    | Annotated[DiagnoseItem, Tag("diagnose")],
    Discriminator(branch, custom_error_type="format", custom_error_message=f"format must be one of {', '.join(FORMAT_LABELS)}"),
]


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
    items: tuple[Item, ...] = Field(min_length=3, max_length=60)

    def link_for(self, item: BaseItem) -> SandboxLink:
        """The sandbox link of an item: its own, else the question's."""
        return item.sandbox or self.sandbox

    @model_validator(mode="after")
    def _names_inside_the_question_resolve(self) -> Question:
        unique([item.key for item in self.items], "item keys")
        unique([point.key for point in self.points], "point keys")
        points = {point.key for point in self.points}
        references = {reference.key for reference in self.references}
        for item in self.items:
            unknown = sorted(set(item.points) - points)
            if unknown:
                raise ValueError(f"item {item.key}: points {', '.join(unknown)} are not among the question's points ({', '.join(sorted(points))})")
            if item.reference is not None and item.reference not in references:
                raise ValueError(f"item {item.key}: reference {item.reference} is not among the question's references ({', '.join(sorted(references))})")
        return self
