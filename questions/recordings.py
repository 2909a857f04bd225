"""Recorded curves of a training run, for items that ask what went wrong in it.

A recording is a JSON file beside the bank, made by `python -m sandbox record`: numbers and words, nothing to run. Its title
and its text describe what is to be seen and do not name the fault.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints, ValidationError, model_validator

from questions.files import UnreadableFile, read_file

RECORDINGS = Path(__file__).parent / "recordings"
MAX_BYTES = 200_000
MAX_POINTS = 150
_Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Axis(_Model):
    """What is drawn along an axis; `log` asks for a logarithmic one."""

    label: _Label
    log: bool = False


class Series(_Model):
    """One curve. A y that is None was no finite number (a run that diverged) and leaves a gap."""

    name: _Label
    x: tuple[FiniteFloat, ...] = Field(min_length=1, max_length=MAX_POINTS)
    y: tuple[FiniteFloat | None, ...] = Field(min_length=1, max_length=MAX_POINTS)

    @model_validator(mode="after")
    def _as_many_x_as_y(self) -> Series:
        if len(self.x) != len(self.y):
            raise ValueError(f"x and y must have the same number of values, got {len(self.x)} and {len(self.y)}")
        return self


class Panel(_Model):
    """Curves over one y axis."""

    y: Axis
    series: tuple[Series, ...] = Field(min_length=1, max_length=4)


class MadeBy(_Model):
    """How to make the recording again."""

    recipe: _Label
    settings: dict[str, bool | int | float | str | None]
    seed: int
    torch: _Label


class Recording(_Model):
    """Curves in one or two panels over a common x axis, and the same in words."""

    title: _Label
    x: Axis
    panels: tuple[Panel, ...] = Field(min_length=1, max_length=2)
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=40, max_length=2000)]
    made_by: MadeBy

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Recording:
        names = [series.name for panel in self.panels for series in panel.series]
        for panel in self.panels:
            if len({series.name for series in panel.series}) < len(panel.series):
                raise ValueError(f"series of one panel must have different names, got {', '.join(names)}")
            for series in panel.series:
                if self.x.log and min(series.x) <= 0:
                    raise ValueError(f"series {series.name}: x must be above 0 on a logarithmic axis")
                if panel.y.log and any(value is not None and value <= 0 for value in series.y):
                    raise ValueError(f"series {series.name}: y must be above 0 on a logarithmic axis")
        return self


class BadRecording(Exception):
    """A recording cannot be used; the message names the file and what is wrong with it."""


def load_recording(path: Path) -> Recording:
    """The recording in a JSON file. Errors: BadRecording."""
    try:
        return Recording.model_validate_json(read_file(path, MAX_BYTES))
    except UnreadableFile as error:
        raise BadRecording(f"{path.name}: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise BadRecording(f"{path.name}: {place}{': ' if place else ''}{first['msg'].removeprefix('Value error, ')}") from None


def find_recording(name: str, folders: tuple[Path, ...]) -> Recording:
    """The recording `name` (without .json) in the first of `folders` that has it. Errors: BadRecording."""
    for folder in folders:
        path = folder / f"{name}.json"
        if not path.exists() and not path.is_symlink():
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BadRecording(f"{path.name}: is a link that leads out of {folder}")
        return load_recording(path)
    raise BadRecording(f"no recording {name}.json in {' or '.join(str(folder) for folder in folders)}")
