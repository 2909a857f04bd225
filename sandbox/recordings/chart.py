"""What a recording holds: one or two panels of curves, the same in words, and what is needed to make it again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.protocol import Setting

MOST_POINTS, DIGITS = 150, 4  # of a series; significant digits of a value
SAMPLES = 8  # values told of each series in words

Values = Mapping[str, Setting]


@dataclass(frozen=True)
class Series:
    """One curve. A value that is not finite is a gap: JSON has no NaN, and no axis a place for it."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Panel:
    """Curves over one vertical axis."""

    label: str
    series: Sequence[Series]
    log: bool = False


@dataclass(frozen=True)
class Chart:
    """What a recipe draws. `title` and `shows` describe, and do not name the fault."""

    title: str
    shows: str  # one or two sentences that open the text alternative; the values follow by themselves
    x_label: str
    panels: Sequence[Panel]
    x_log: bool = False


@dataclass(frozen=True)
class Recipe:
    """A sabotaged training: `make(settings, seed)` runs it. Torch's global generator is seeded with `seed` before."""

    name: str
    settings: Values
    make: Callable[[Values, int], Chart]
    seed: int = 0


def document(recipe: Recipe, chart: Chart, torch_version: str) -> dict[str, object]:
    """A chart as the plain JSON of a recording. Errors: ValueError naming a series with too many points or none."""
    return {
        "title": chart.title,
        "x": {"label": chart.x_label, "log": chart.x_log},
        "panels": [{"y": {"label": panel.label, "log": panel.log}, "series": [_plain(recipe, one) for one in panel.series]} for panel in chart.panels],
        "text": in_words(chart),
        "made_by": {"recipe": recipe.name, "settings": dict(recipe.settings), "seed": recipe.seed, "torch": torch_version},
    }


def _plain(recipe: Recipe, series: Series) -> dict[str, object]:
    if not 0 < len(series.x) == len(series.y) <= MOST_POINTS:
        raise ValueError(f"{recipe.name}: series {series.name!r} must have 1 to {MOST_POINTS} points, as many x as y, got {len(series.x)} and {len(series.y)}")
    return {"name": series.name, "x": [_short(value) for value in series.x], "y": [_short(value) for value in series.y]}


def _short(value: float) -> float | int | None:
    """A number of DIGITS significant digits, whole where it is whole, None where it is not finite."""
    if not math.isfinite(value):
        return None
    if value == int(value) and abs(value) < 1e6:
        return int(value)
    return float(f"{value:.{DIGITS}g}")


# --- In words -----------------------------------------------------------------------------------------------------


def in_words(chart: Chart) -> str:
    """The text alternative: what is drawn, and of each curve a few values along the way with its extremes."""
    panels = [f"{panel.label}{' (logarithmic axis)' if panel.log else ''}: " + " ".join(_told(one) for one in panel.series) for panel in chart.panels]
    return f"{chart.shows} Values by {chart.x_label[0].lower()}{chart.x_label[1:]}. " + " ".join(panels)


def _told(series: Series) -> str:
    """Of one curve: values at about equal distances, the lowest and the highest, and where it stops being finite."""
    finite = [(x, y) for x, y in zip(series.x, series.y, strict=True) if math.isfinite(y)]
    gaps = [x for x, y in zip(series.x, series.y, strict=True) if not math.isfinite(y)]
    places = sorted({round(k * (len(finite) - 1) / (SAMPLES - 1)) for k in range(SAMPLES)})
    said = ", ".join(f"{finite[place][1]:.2g} at {finite[place][0]:g}" for place in places)
    low, high = (choose(finite, key=lambda pair: pair[1]) for choose in (min, max))
    ends = f", not a finite number from {gaps[0]:g} on" if gaps else ""
    return f"{series.name}: {said}; lowest {low[1]:.2g} at {low[0]:g}, highest {high[1]:.2g} at {high[0]:g}{ends}."
