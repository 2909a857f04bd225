"""What every figure of the lab is made of: colours, panels, reference lines, axes and room for words.

One colour a meaning: every gate and every arm's role has one, in a variant for paper and one for ink, after Okabe and
Ito's palette for colour-blind eyes. Those of the gates are the theme's, so formulas and texts have them too. Lines differ
by dashes as well. A chart carries no title: the page sets its message as text above it, where it wraps on a phone.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from sandbox.ui import words

GATES = "ifgoch"  # gates and states in the order of the theme's chartCategoricalColors (.streamlit/config.toml)

# name: (on paper, on ink). Contrast to its ground is at least 3 everywhere; a test holds it.
COLOURS: Mapping[str, tuple[str, str]] = {
    # the arms of a comparison, by role
    "lstm": ("#0B6E78", "#45BFCB"),
    "rnn": ("#A03E74", "#E58DBD"),
    "ablated": ("#B93A26", "#FF8A73"),
    "oracle": ("#667074", "#A9B4B8"),
    "remedy": ("#946800", "#EDB83D"),
    "variant": ("#6A4C93", "#BFA3E6"),
    "second": ("#3B6CB4", "#8FB6F2"),
    # data
    "input": ("#667074", "#A9B4B8"),
    "target": ("#1E2629", "#E8E6E0"),
}
CONFIG = {"displayModeBar": False, "responsive": True, "scrollZoom": False}  # plotly's, for every chart of the lab
INK = ("#667074", "#9AA6AA")  # reference lines and their words
GROUND = ("#FBFAF6", "#15191C")  # what is behind a chart
FAINT = ("rgba(30,38,41,0.10)", "rgba(232,230,224,0.13)")  # grid
DASHES = ("solid", "dash", "dot", "dashdot", "longdashdot")
RULE = "rule"  # the name of a reference line among the traces
LABEL_PX, LOOKS = 18, 24  # the height of a reference line's name; at how many places it is looked for what it would hide
HEADING_PX, PANEL_PX, AXIS_PX = 40, 160, 46
LEGEND_ROW_PX, LETTER_PX, PHONE_PX = 19, 6.6, 330
HEADING_LETTERS = 60  # what a line of a heading holds on a phone


@dataclass(frozen=True)
class Look:
    """How figures are to look: on paper or, with `dark`, on ink."""

    dark: bool = False

    def colour(self, role: str) -> str:
        """The colour of a gate or role; grey for one that has none."""
        if role and role in GATES:
            colour: str = st.get_option(f"theme.{'dark' if self.dark else 'light'}.chartCategoricalColors")[GATES.index(role)]
            return colour
        return COLOURS.get(role, INK)[self.dark]


def make_panels(headings: Sequence[str]) -> go.Figure:
    """Empty panels one below the other over one x axis, each under its heading."""
    rows = len(headings)
    gap = HEADING_PX / (rows * (PANEL_PX + HEADING_PX)) if rows > 1 else 0
    figure = make_subplots(rows=rows, cols=1, shared_xaxes=True, vertical_spacing=gap)
    for row, heading in enumerate(headings, 1):
        add_heading(figure, row, heading)
    return figure


def add_heading(figure: go.Figure, row: int, text: str) -> None:
    """A panel's name above its left end: it says what the y axis measures and takes no width from a phone."""
    suffix = "" if row == 1 else str(row)
    figure.add_annotation(
        text="<br>".join(wrapped(text, HEADING_LETTERS)),
        align="left",
        x=0,
        xref=f"x{suffix} domain",
        xanchor="left",
        y=1,
        yref=f"y{suffix} domain",
        yanchor="bottom",
        yshift=3,
        showarrow=False,
        font_size=13,
    )


def wrapped(text: str, letters: int) -> list[str]:
    """The text in lines of so many letters; a longer word stays whole."""
    return textwrap.wrap(text, max(1, letters), break_long_words=False, break_on_hyphens=False) or [""]


def add_rules(figure: go.Figure, row: int, rules: Sequence[tuple[float, str]], ends: tuple[float, float], look: Look) -> None:
    """Reference lines are traces, so that the axis makes room for them; `name_rules` names them when everything is drawn."""
    for value, _ in rules:
        line = {"color": INK[look.dark], "width": 1, "dash": "dash"}
        figure.add_scatter(x=list(ends), y=[value, value], mode="lines", line=line, hoverinfo="skip", name=RULE, showlegend=False, row=row, col=1)


def name_rules(figure: go.Figure, row: int, rules: Sequence[tuple[float, str]], *, log_y: bool, look: Look) -> None:
    """The words of a panel's reference lines, each over or under its line, right or left, wherever they hide least of the curves."""
    suffix = "" if row == 1 else str(row)
    scale: Callable[[float], float] = math.log10 if log_y else float
    drawn_here = [trace for trace in figure.data if (trace.yaxis or "y") == f"y{suffix}" and trace.name != RULE and trace.x is not None] if rules else []
    curves = [_points(trace.x, trace.y, scale, log_y=log_y) for trace in drawn_here]
    for value, label in rules:
        x, yanchor = _least_hidden([curve for curve in curves if curve], scale(value), label)
        figure.add_annotation(
            text=label,
            x=x,
            xref=f"x{suffix} domain",
            xanchor="right" if x else "left",
            y=scale(value),
            yref=f"y{suffix}",
            yanchor=yanchor,
            showarrow=False,
            bgcolor=GROUND[look.dark],
            borderpad=1,
            opacity=0.9,
            font={"size": 11, "color": INK[look.dark]},
        )


def _least_hidden(curves: Sequence[Sequence[tuple[float, float]]], height: float, label: str) -> tuple[int, str]:
    """At which end (1: right), and on which side of its line, a label covers the fewest of the curves' points, looked at a few pixels apart."""
    points = [point for curve in curves for point in curve]
    if not points:
        return 1, "bottom"
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    heights = [*(y for _, y in points), height]
    wide = min(0.9, LETTER_PX * len(label) / PHONE_PX) * (last - first)
    high = LABEL_PX / PANEL_PX * (max(heights) - min(heights))

    def hidden(place: tuple[int, str]) -> int:
        right, yanchor = place
        low = height - (0 if yanchor == "bottom" else high)
        looked_at = np.linspace(last - wide, last, LOOKS) if right else np.linspace(first, first + wide, LOOKS)
        count = 0
        for curve in curves:
            seen = np.interp(looked_at, [x for x, _ in curve], [y for _, y in curve], left=math.nan, right=math.nan)
            count += int(((low <= seen) & (seen <= low + high)).sum())
        return count

    return min(((1, "bottom"), (1, "top"), (0, "bottom"), (0, "top")), key=hidden)


def _points(xs: Sequence[float | None], ys: Sequence[float | None], scale: Callable[[float], float], *, log_y: bool) -> list[tuple[float, float]]:
    """Where a curve passes, by x: several seeds' lines, with gaps between them, as one."""
    found = [(float(x), scale(y)) for x, y in zip(xs, ys, strict=True) if x is not None and y is not None and (y > 0 or not log_y)]
    return sorted(found)


def set_y_axis(figure: go.Figure, row: int, *, log_y: bool, y_range: tuple[float, float] | None) -> None:
    """The y axis of a panel that has its traces: logarithmic, over a range, or as the values need it."""
    if log_y:
        low, high = _extent(figure, row)
        decades = math.log10(high / low)
        if decades > 1.5:
            ticks: dict[str, object] = {"dtick": max(1, math.ceil(decades / 5))}
        else:  # plotly would write 2 and 5 for 0.2 and 0.5
            values = _short_log_ticks(low, high)
            ticks = {"tickvals": values, "ticktext": [words.number(value) for value in values]}
        figure.update_yaxes(type="log", exponentformat="power", row=row, col=1, **ticks)
    elif y_range is not None:
        room = 0.04 * (y_range[1] - y_range[0])  # a line at the limit is not cut in half
        figure.update_yaxes(range=[y_range[0] - room, y_range[1] + room], nticks=6, row=row, col=1)
    else:
        figure.update_yaxes(nticks=6, row=row, col=1)


def _short_log_ticks(low: float, high: float) -> list[float]:
    """Round values for a logarithmic axis of less than two decades: as few kinds as put three of them between its ends."""
    values: list[float] = []
    for digits in ((1, 2, 5), range(1, 10), [tenth / 10 for tenth in range(10, 100, 2)]):
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        values = [float(f"{digit * 10.0**power:.2g}") for power in powers for digit in digits]
        if sum(low <= value <= high for value in values) >= 3:
            break
    return values


def _extent(figure: go.Figure, row: int) -> tuple[float, float]:
    """The smallest and the largest positive value of the traces of a panel."""
    axis = "y" if row == 1 else f"y{row}"
    values = [value for trace in figure.data if (trace.yaxis or "y") == axis for value in trace.y or () if value is not None and value > 0]
    return (min(values), max(values)) if values else (1.0, 1.0)


def finish(figure: go.Figure, rows: float, x_label: str, legend: Sequence[str], look: Look, *, extra_px: int = 0) -> go.Figure:
    """The axis' name, the legend under it and the height all this takes; `extra_px` where the ticks' words need more than a line or two."""
    height = round(rows * PANEL_PX + (math.ceil(rows) - 1) * HEADING_PX)
    figure.update_xaxes(title_text=x_label, row=math.ceil(rows), col=1)
    figure.update_xaxes(showgrid=False, zeroline=False, exponentformat="none", separatethousands=True)
    axis = AXIS_PX + max(0, extra_px)
    below = axis + LEGEND_ROW_PX * _legend_rows(legend)
    figure = dress(figure, height + HEADING_PX + below, look, legend=len(legend) > 0)
    figure.update_layout(margin_b=below)
    figure.update_layout(legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -(axis / height), "yanchor": "top", "traceorder": "normal"})
    return figure


def _legend_rows(labels: Sequence[str]) -> int:
    """How many rows the legend takes on a phone: plotly sets it in columns as wide as its longest label."""
    if not labels:
        return 0
    widest = 50 + LETTER_PX * max(map(len, labels))
    return math.ceil(len(labels) / max(1, PHONE_PX // widest))


def dress(figure: go.Figure, height: int, look: Look, *, legend: bool) -> go.Figure:
    """Height, margins, grid and no ground of its own; nothing in it can be dragged or zoomed, as a page scrolls over it."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": HEADING_PX, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="x unified",
        showlegend=legend,
        dragmode=False,
        uirevision="kept",
        hoverlabel_namelength=-1,
    )
    figure.update_yaxes(automargin=True, zeroline=False, gridcolor=FAINT[look.dark], fixedrange=True)
    figure.update_xaxes(automargin=True, zeroline=False, gridcolor=FAINT[look.dark], fixedrange=True)
    return figure


def drawn(figure: go.Figure, label: str) -> bool:
    """Whether the legend names it already."""
    return any(trace.name == label and trace.showlegend is not False for trace in figure.data)


def finite(value: float) -> float | None:
    """The value, or a gap."""
    return value if math.isfinite(value) else None
