"""Figures of the progress page and of items with recorded curves. Builders return a figure; they draw nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

import plotly.graph_objects as go

from questions.schema import Recording
from quiz.views import DayStat

DAY_MS = 86_400_000
RIGHT, MISSED, LINE = "#137D88", "#B9A77F", "#C75000"  # told apart by lightness too, on paper and on ink

DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
PANEL_PX, AXIS_PX, LEGEND_ROW_PX, GAP = 190, 90, 22, 0.16
FEW_POINTS = 25  # up to here each is marked


def recording_figure(recording: Recording) -> go.Figure:
    """The recorded curves: one panel above the other over a common x axis. Curves differ by colour, dashes and marks; a value that was not finite is a gap.

    Colours are the theme's, so that the chart follows a change between light and dark.
    """
    figure, panels = go.Figure(), recording.panels
    height = (1 - GAP * (len(panels) - 1)) / len(panels)
    lines = [(number, series) for number, panel in enumerate(panels, 1) for series in panel.series]
    for place, (number, series) in enumerate(lines):
        marked = len(series.x) <= FEW_POINTS
        figure.add_scatter(
            x=series.x,
            y=series.y,
            yaxis=f"y{number}" if number > 1 else "y",
            name=series.name,
            mode="lines+markers" if marked else "lines",
            line={"dash": DASHES[place % len(DASHES)], "width": 2.5},
            marker={"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 8},
            connectgaps=False,
            hovertemplate=f"{series.name}: %{{y:.4g}}<extra></extra>",
        )
    for number, panel in enumerate(panels, 1):
        top = 1 - (number - 1) * (height + GAP)
        axis = {"title": panel.y.label, "type": "log" if panel.y.log else "linear", "domain": [max(top - height, 0), top], "automargin": True, "nticks": 6}
        figure.update_layout({f"yaxis{number if number > 1 else ''}": axis})
    figure.update_layout(
        height=PANEL_PX * len(panels) + AXIS_PX + LEGEND_ROW_PX * len(lines),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="x unified",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        showlegend=True,
        xaxis={
            "title": recording.x.label,
            "type": "log" if recording.x.log else "linear",
            "anchor": f"y{len(panels)}" if len(panels) > 1 else "y",
            "automargin": True,
        },
    )
    return figure


def days_figure(days: Sequence[DayStat]) -> go.Figure:
    """Answers a day as stacked bars, right below missed, with the share that was right above them as a line.

    The panels share the axis of days; a day without answers leaves a gap.
    """
    dates = [day.day.isoformat() for day in days]
    share = [100 * day.correct / day.attempts for day in days]
    figure = go.Figure()
    figure.add_bar(x=dates, y=[day.correct for day in days], name="Right", marker_color=RIGHT, hovertemplate="%{y} right<extra></extra>")
    figure.add_bar(x=dates, y=[day.attempts - day.correct for day in days], name="Missed", marker_color=MISSED, hovertemplate="%{y} missed<extra></extra>")
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
        legend={"orientation": "h", "y": -0.18, "x": 0},
        xaxis={"type": "date", "tickformat": "%-d %b", "dtick": _ticks(days) * DAY_MS, "range": _week(days), "anchor": "y"},
        yaxis={"domain": [0.0, 0.55], "title": "Answers", "rangemode": "tozero", "automargin": True, "nticks": 4},
        yaxis2={"domain": [0.65, 1.0], "title": "Right, %", "range": [-4, 104], "tickvals": [0, 50, 100], "automargin": True},
    )
    figure.update_xaxes(showgrid=False)
    return figure


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
