"""Figures of what the app knows about the learner: readiness, calibration, certainty. Builders return a figure; they draw nothing.

A chart carries no title: the page sets its message above it, where it wraps on a phone. Colours have contrast to paper and
to ink alike, and never tell anything alone: marks differ in shape, lines in dashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from quiz.ui.charts import LINE, RIGHT
from quiz.views import Calibration, Certainty, Chance, ReadinessLine

CONFIG = {"displayModeBar": False, "responsive": True, "scrollZoom": False}
GREY, GRID = "#7D8488", "rgba(125,132,136,0.25)"
ROW_PX, AXIS_PX, HEADING_ROWS = 46, 84, 0.8
LEFT_TEXT: dict[str, Any] = {"showarrow": False, "xanchor": "left", "yanchor": "middle"}
SQUARE_PX = 380
CERTAINTIES = {"guess": "Guess", "unsure": "Fairly sure", "sure": "Sure"}


def readiness_figure(lines: Sequence[ReadinessLine]) -> go.Figure:
    """A row a question, its name above it: today's chance as a dot, the day's as a diamond below, each on its 95% interval.

    Questions stand under the names of their groups; `lines` has those of a group together.
    """
    figure, heights = go.Figure(), list[float]()
    y, group = 0.0, None
    for line in lines:
        if line.group is not group:
            y, group = y - HEADING_ROWS, line.group
            figure.add_annotation(x=0, y=y + 0.05, text=f"<b>{group.label}</b>", font_size=14, **LEFT_TEXT)
        y -= 1
        heights.append(y)
        figure.add_annotation(x=0, y=y + 0.4, text=f"{line.number} {line.title}", font_size=13, **LEFT_TEXT)
    add_dots(figure, [line.today for line in lines], heights, "today", RIGHT, "circle")
    later = [(at, line.on_the_day) for at, line in zip(heights, lines, strict=True) if line.on_the_day is not None]
    if later:
        add_dots(figure, [chance for _, chance in later], [at - 0.22 for at, _ in later], "on the interview's day, without practice", LINE, "diamond")
    figure.update_xaxes(**percent_axis("Chance of a good answer, %"))
    figure.update_yaxes(visible=False, range=[y - 0.5, 0])
    return dressed(figure, round(ROW_PX * (0.5 - y)) + AXIS_PX, legend=bool(later))


def reliability_figure(found: Calibration) -> go.Figure:
    """How often answers were right, over the chance that was forecast; on the diagonal the forecasts are as good as their word."""
    figure = go.Figure()
    line = {"color": GREY, "dash": "dash", "width": 1.5}
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", name="as forecast", line=line, hoverinfo="skip")
    figure.add_scatter(
        x=[100 * one.forecast for one in found.bins],
        y=[100 * one.observed for one in found.bins],
        error_y=reach([(one.observed, one.observed_low, one.observed_high) for one in found.bins]),
        mode="markers",
        name="what came, with 95% intervals",
        marker={"color": RIGHT, "size": 10},
        customdata=[one.count for one in found.bins],
        hovertemplate="said %{x:.0f} %, right %{y:.0f} % of %{customdata}<extra></extra>",
    )
    figure.update_xaxes(**percent_axis("Chance forecast of a right answer, %"))
    figure.update_yaxes(**percent_axis("Right, %"))
    return dressed(figure, SQUARE_PX, legend=True)


def certainty_figure(found: Certainty) -> go.Figure:
    """How often each certainty was right, on its 95% interval, and in grey the chances for which it is the best thing to say."""
    figure = go.Figure()
    names = [CERTAINTIES[line.confidence] for line in found.lines]
    best = {"color": "rgba(125,132,136,0.28)", "line": {"color": GREY, "width": 1}}
    figure.add_bar(
        y=names,
        base=[100 * line.best_low for line in found.lines],
        x=[100 * (line.best_high - line.best_low) for line in found.lines],
        orientation="h",
        name="where saying so pays most",
        marker=best,
        width=0.5,
        hoverinfo="skip",
    )
    given = [line for line in found.lines if line.share is not None]
    figure.add_scatter(
        x=[100 * (line.share or 0) for line in given],
        y=[CERTAINTIES[line.confidence] for line in given],
        error_x=reach([(line.share or 0, line.low or 0, line.high or 0) for line in given]),
        mode="markers",
        name="how often you were right, with 95% intervals",
        marker={"color": RIGHT, "size": 11},
        customdata=[[line.right, line.answers] for line in given],
        hovertemplate="%{customdata[0]} of %{customdata[1]} right<extra></extra>",
    )
    figure.update_xaxes(**percent_axis("Right, %"))
    figure.update_yaxes(showgrid=False, automargin=True, fixedrange=True, categoryorder="array", categoryarray=names, title="You said")
    return dressed(figure, 260, legend=True)


def add_dots(figure: go.Figure, chances: Sequence[Chance], y: Sequence[float], name: str, colour: str, symbol: str) -> None:
    """Dots at heights `y`, each on its 95% interval, in percent."""
    figure.add_scatter(
        x=[100 * one.chance for one in chances],
        y=list(y),
        error_x=reach([(one.chance, one.low, one.high) for one in chances]),
        mode="markers",
        name=name,
        marker={"color": colour, "size": 10, "symbol": symbol},
        customdata=[[100 * one.low, 100 * one.high] for one in chances],
        hovertemplate=f"{name}: %{{x:.0f}} % (%{{customdata[0]:.0f}} to %{{customdata[1]:.0f}})<extra></extra>",
    )


def reach(triples: Sequence[tuple[float, float, float]]) -> dict[str, Any]:
    """Error bars from (value, low, high), in percent."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (high - value) for value, _, high in triples],
        "arrayminus": [100 * (value - low) for value, low, _ in triples],
        "thickness": 2,
        "width": 4,
    }


def cell_figure(lefts: Sequence[float], marked: int, colour: str) -> go.Figure:
    """What is left of a cell, in percent, after 0, 1, 2, … steps, in the colour of its gate; the step `marked` with its value."""
    figure, left = go.Figure(), lefts[marked]
    line = {"color": colour, "width": 3}
    figure.add_scatter(x=list(range(len(lefts))), y=list(lefts), mode="lines", line=line, hovertemplate="after %{x}: %{y:.3g} %<extra></extra>")
    words = {
        "text": [f"{left:.0f}% after {marked} steps" if left >= 1 else f"{left:.1g}% after {marked} steps"],
        "textposition": "top right" if left < 80 else "bottom center",
    }
    figure.add_scatter(x=[marked], y=[left], mode="markers+text", marker={"color": colour, "size": 12}, textfont={"color": colour}, hoverinfo="skip", **words)
    figure.update_xaxes(title="Steps", showgrid=False, fixedrange=True, automargin=True)
    figure.update_yaxes(**percent_axis("Left of the cell, %"))
    return dressed(figure, 280, legend=False)


def percent_axis(title: str) -> dict[str, Any]:
    """An axis from 0 to 100%."""
    return {
        "title": title,
        "range": [-3, 103],
        "tickvals": [0, 20, 40, 60, 80, 100],
        "zeroline": False,
        "gridcolor": GRID,
        "showgrid": True,
        "fixedrange": True,
        "automargin": True,
    }


def dressed(figure: go.Figure, height: int, *, legend: bool) -> go.Figure:
    """The figure with what all of them have: its height, thin margins, no ground of its own, the legend on top."""
    return figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="closest",
        dragmode=False,
        showlegend=legend,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "traceorder": "normal"},
    )
