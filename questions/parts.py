r"""What every item has, whatever its format, and the small types that question files are made of."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z]$")]
Unit = Annotated[str, StringConstraints(max_length=40)]
SettingValue = bool | int | float | str


class Model(BaseModel):
    """Frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SandboxLink(Model):
    """An experiment to open, with its settings, and what to look at there."""

    experiment: Slug
    settings: dict[str, SettingValue] = Field(default_factory=dict)
    look_for: Text


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


def unique(values: list[str], what: str) -> None:
    """Errors: ValueError when one of `values` comes twice."""
    repeated = sorted(value for value, count in Counter(values).items() if count > 1)
    if repeated:
        raise ValueError(f"{what} must differ from each other, but {', '.join(repeated)} is used twice")
