"""Figures of the progress page and of items with recorded curves. Builders return a figure; they draw nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import plotly.graph_objects as go

from questions.recordings import Axis, Recording, Series
from quiz.views import DayStat

DAY_MS = 86_400_000
RIGHT, MISSED, LINE = "#137D88", "#B9A77F", "#C75000"
# A missed bar is twice as light as a right one, for eyes that see no hue. That leaves it too little contrast to paper: its edge has that.
PALE: dict[str, Any] = {"color": MISSED, "line": {"color": "#86734A", "width": 1.5}}

# Of recorded curves: a contrast of at least 3.5 to paper and to ink, so the chart need not know which it is on.
CURVES = ("#137D88", "#C75000", "#8A63B8", "#7A7F2A", "#C0508A")
DASHES = ("solid", "dash", "dot", "dashdot", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
PANEL_PX, AXIS_PX, LEGEND_ROW_PX, GAP = 200, 80, 20, 0.1
FEW_POINTS = 25  # up to here each is marked
DECADES = 2  # a logarithmic axis over more has its numbers at powers of ten


def recording_figure(recording: Recording, gates: Mapping[str, str] | None = None) -> go.Figure:
    """The recorded curves: one panel above the other over a common x axis. A value that was not finite is a gap.

    Curves differ by colour, dashes and, when they have few points, marks; the same name looks the same in both panels.
    `gates`: the colours of gates and states by letter; a curve of the size of one, as `mean |c|`, has its colour.
    """
    figure, panels = go.Figure(), recording.panels
    names = list(dict.fromkeys(series.name for panel in panels for series in panel.series))
    for number, panel in enumerate(panels, 1):
        for series in panel.series:
            _add_curve(figure, series, number, names, gates or {})
    height = (1 - GAP * (len(panels) - 1)) / len(panels)
    for number, panel in enumerate(panels, 1):
        top = 1 - (number - 1) * (height + GAP)
        values = [value for series in panel.series for value in series.y if value is not None]
        figure.update_layout({_axis("yaxis", number): {**_scale(panel.y, values), "domain": [max(top - height, 0), top]}})
    xs = [x for panel in panels for series in panel.series for x in series.x]
    figure.update_layout(
        height=PANEL_PX * len(panels) + AXIS_PX + LEGEND_ROW_PX * len(names),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="x unified",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        showlegend=True,
        xaxis={**_scale(recording.x, xs), "anchor": _axis("y", len(panels))},
    )
    return figure


def _add_curve(figure: go.Figure, series: Series, number: int, names: list[str], gates: Mapping[str, str]) -> None:
    style = names.index(series.name) % len(CURVES)
    state = re.search(r"\|(\w)\|", series.name)
    shown = any(trace.name == series.name for trace in figure.data)
    figure.add_scatter(
        x=series.x,
        y=series.y,
        yaxis=_axis("y", number),
        name=series.name,
        legendgroup=series.name,
        showlegend=not shown,
        mode="lines+markers" if len(series.x) <= FEW_POINTS else "lines",
        line={"color": gates.get(state[1] if state else "", CURVES[style]), "dash": DASHES[style], "width": 2.5},
        marker={"symbol": SYMBOLS[style], "size": 8},
        connectgaps=False,
        hovertemplate=f"{series.name}: %{{y:.4g}}<extra></extra>",
    )


def _axis(name: str, number: int) -> str:
    """Plotly's name of the nth axis."""
    return name if number == 1 else f"{name}{number}"


def _scale(axis: Axis, values: Sequence[float]) -> dict[str, object]:
    """Title, kind and ticks of an axis."""
    scale: dict[str, object] = {"title": axis.label, "type": "log" if axis.log else "linear", "automargin": True, "nticks": 6}
    if axis.log:
        wide = max(values) > 10**DECADES * min(values)
        scale |= {"dtick": 1, "exponentformat": "power"} if wide else {"tickvals": [step * 10**power for power in range(-9, 10) for step in (1, 2, 5)]}
    return scale


def days_figure(days: Sequence[DayStat]) -> go.Figure:
    """Answers a day as stacked bars, right below missed, with the share that was right above them as a line.

    The panels share the axis of days; a day without answers leaves a gap.
    """
    dates = [day.day.isoformat() for day in days]
    share = [100 * day.correct / day.attempts for day in days]
    figure = go.Figure()
    figure.add_bar(x=dates, y=[day.correct for day in days], name="Right", marker_color=RIGHT, hovertemplate="%{y} right<extra></extra>")
    missed = lengths(day.attempts - day.correct for day in days)
    figure.add_bar(x=dates, y=missed, name="Missed", marker=PALE, hovertemplate="%{y} missed<extra></extra>")
    figure.add_scatter(
        x=dates,
        y=share,
        yaxis="y2",
        name="Share right",
        mode="lines+markers",
        line_color=LINE,
        cliponaxis=False,
        marker={"size": 8},
        hovertemplate="%{y:.0f} % right<extra></extra>",
    )
    figure.update_layout(
        barmode="stack",
        height=340,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="x unified",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.04, "x": 0, "traceorder": "normal"},
        xaxis={"title": "Day", "type": "date", "tickformat": "%-d %b", "dtick": _ticks(days) * DAY_MS, "range": _week(days), "anchor": "y"},
        yaxis={"domain": [0.0, 0.55], "title": "Answers", "rangemode": "tozero", "automargin": True, "nticks": 4},
        yaxis2={"domain": [0.65, 1.0], "title": "Right, %", "range": [-4, 104], "tickvals": [0, 50, 100], "automargin": True},
    )
    figure.update_xaxes(showgrid=False)
    return figure


def lengths(values: Iterable[float]) -> list[float | None]:
    """Of bars with an edge: none where the value is 0, or its edge would be drawn as a line."""
    return [value or None for value in values]


def _week(days: Sequence[DayStat]) -> list[str]:
    """From half a day before the first to half a day after the last, a week at least, so that one day is no wall."""
    if not days:
        return []
    first = min(days[0].day, days[-1].day - timedelta(days=6))
    return [f"{first - timedelta(days=1)}T12:00", f"{days[-1].day}T12:00"]


def _ticks(days: Sequence[DayStat]) -> int:
    """Days from tick to tick: whole ones, so that no label names an hour, and about seven labels."""
    span = (days[-1].day - days[0].day).days + 1 if days else 1
    return max(1, math.ceil(span / 7))
