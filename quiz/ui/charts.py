"""Figures of the progress page. Builders return a figure; they draw nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

import plotly.graph_objects as go

from quiz.views import DayStat

DAY_MS = 86_400_000
RIGHT, MISSED, LINE = "#137D88", "#B9A77F", "#C75000"  # told apart by lightness too, on paper and on ink


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
