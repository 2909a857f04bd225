"""Figures of the pages Today and Diagnostic. Builders return a figure; they draw nothing.

Bars are told apart by lightness too, and every kind of mark has a shape of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go

from quiz.ui.charts import LINE, PALE, RIGHT, lengths
from quiz.views import LevelLine, PlanView

READY_SHARE = 70  # per cent: what "ready" means, quiz/engine/ability.py
_PLAIN: dict[str, Any] = {"margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}


def calendar(view: PlanView, today: date) -> list[date]:
    """Every day from today to the interview's; when it is far away, to the last day that is planned."""
    planned = [one.day for one in view.plan.days]
    last = view.interview.day if not planned or (view.interview.day - planned[-1]).days <= 7 else planned[-1]
    return [today + timedelta(days=ahead) for ahead in range((last - today).days + 1)]


def plan_figure(view: PlanView, today: date) -> go.Figure:
    """Minutes a day until the interview: done today, planned, days off and the interview marked."""
    days = calendar(view, today)
    minutes = {one.day: one.minutes for one in view.plan.days}
    off = [day for day in days if day.weekday() in view.interview.days_off and day != view.interview.day]
    figure = go.Figure()
    if view.done_minutes:
        figure.add_bar(x=[today.isoformat()], y=[view.done_minutes], name="Done", marker_color=RIGHT, hovertemplate="%{y:.0f} min done<extra></extra>")
    figure.add_bar(
        x=[day.isoformat() for day in days],
        y=lengths(minutes.get(day, 0) for day in days),
        name="Planned",
        marker=PALE,
        hovertemplate="%{x|%a %-d %b}: %{y:.0f} min<extra></extra>",
    )
    if off:
        figure.add_scatter(
            x=[day.isoformat() for day in off],
            y=[0] * len(off),
            name="Day off",
            mode="markers",
            cliponaxis=False,
            marker={"symbol": "circle-open", "size": 9, "color": RIGHT, "line": {"width": 2}},
            hovertemplate="%{x|%a %-d %b}: off<extra></extra>",
        )
    if days and days[-1] == view.interview.day:
        figure.add_scatter(
            x=[view.interview.day.isoformat()],
            y=[minutes.get(view.interview.day, 0)],
            name="Interview",
            mode="markers",
            cliponaxis=False,
            marker={"symbol": "star", "size": 15, "color": LINE},
            hovertemplate="%{x|%a %-d %b}: interview<extra></extra>",
        )
    step = max(1, -(-len(days) // 7))  # about seven labels
    figure.update_layout(
        **_PLAIN,
        barmode="stack",
        height=260,
        showlegend=True,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.08, "x": 0, "traceorder": "normal"},
        xaxis={
            "title": "Day",
            "type": "date",
            "tickvals": [day.isoformat() for day in days[::step]],
            "tickformat": "%-d %b",
            "showgrid": False,
            "range": [f"{days[0] - timedelta(days=1)}T12:00", f"{max(days[-1], days[0] + timedelta(days=4))}T12:00"],
        },
        yaxis={"title": "Minutes", "rangemode": "tozero", "automargin": True, "nticks": 5},
    )
    return figure


def level_figure(lines: Sequence[LevelLine]) -> go.Figure:
    """A level a line with its 95% interval, the first on top, and where ready begins."""
    values = [100 * line.mastery for line in lines]
    figure = go.Figure()
    figure.add_scatter(
        x=values,
        y=[line.label for line in lines],
        mode="markers",
        marker={
            "size": 12,
            "color": [LINE if line.key == "overall" else RIGHT for line in lines],
            "symbol": ["diamond" if line.key == "overall" else "circle" for line in lines],
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [100 * (line.high - line.mastery) for line in lines],
            "arrayminus": [100 * (line.mastery - line.low) for line in lines],
            "thickness": 3,
            "width": 6,
            "color": RIGHT,
        },
        customdata=[[100 * line.low, 100 * line.high] for line in lines],
        hovertemplate="%{y}: %{x:.0f} % (%{customdata[0]:.0f} to %{customdata[1]:.0f})<extra></extra>",
        showlegend=False,
    )
    ready = {"text": f"ready: {READY_SHARE} %", "yanchor": "bottom", "y": 1}
    figure.add_vline(x=READY_SHARE, line={"dash": "dash", "width": 2, "color": LINE}, layer="below", annotation=ready)
    figure.update_layout(
        **{**_PLAIN, "margin": {"l": 8, "r": 16, "t": 28, "b": 8}},
        height=70 + 46 * len(lines),
        xaxis={"title": "Chance of a good answer, %", "range": [0, 100], "tickvals": [0, 25, 50, 75, 100]},
        yaxis={"title": "Group", "autorange": "reversed", "automargin": True, "showgrid": False},
    )
    return figure
