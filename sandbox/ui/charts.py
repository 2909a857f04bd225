"""Figures of the lab. Builders return a figure; they draw nothing.

One colour a meaning: every gate and every arm's role has one, in a variant for paper and one for ink, after Okabe and
Ito's palette for colour-blind eyes. Lines differ by dashes as well. A chart carries no title: the page sets its message
as text above it, where it wraps on a phone.
"""

from __future__ import annotations

import math
import statistics
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from sandbox.protocol import Arm, Axis, Bars, CheckResult, Curve, HeatMap, Lines, Panel, Parallel, Picture, Point, Series
from sandbox.records import SeedView
from sandbox.ui import words

# name: (on paper, on ink). Contrast to its ground is at least 3 everywhere; a test holds it.
COLOURS: Mapping[str, tuple[str, str]] = {
    # the gates and states of an LSTM
    "i": ("#A87000", "#E69F00"),
    "f": ("#0072B2", "#4BA3DB"),
    "g": ("#00805F", "#2BBF95"),
    "o": ("#B0568A", "#DE97BE"),
    "c": ("#C75000", "#F07B2E"),
    "h": ("#2E86BA", "#7CC4EC"),
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
HEAT = (
    ("#F1EEE5", "#BFDDDC", "#5FA5A8", "#12666F", "#063A40"),
    ("#1F262A", "#1B4F55", "#277C84", "#71B2B8", "#D6F1F2"),
)
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
HEADING_PX, PANEL_PX, AXIS_PX = 34, 160, 46
LEGEND_ROW_PX, LETTER_PX, PHONE_PX = 19, 6.6, 330
HEADING_LETTERS = 56  # what a line of a heading holds on a phone
STRIP_PX, STRIP_GAP_PX = 30, 62
ROOM_ABOVE = 1e3  # how far above the others a diverging line is followed


@dataclass(frozen=True)
class Look:
    """How figures are to look: on paper or, with `dark`, on ink."""

    dark: bool = False

    def colour(self, role: str) -> str:
        """The colour of a gate or role; grey for one that has none."""
        return COLOURS.get(role, INK)[self.dark]


def curves_figure(arms: Sequence[Arm], curves: Sequence[Curve], seeds: Sequence[SeedView], updates: int | None, look: Look) -> go.Figure:
    """The live curves: a panel a metric, a thin line a seed, a thick one through the medians.

    `updates` fixes the length of the x axis, so that lines grow into it. Where a line stops being finite it ends in a cross.
    """
    figure = _panels([curve.label for curve in curves])
    for row, curve in enumerate(curves, 1):
        if curve.rules:
            _rules(figure, row, curve.rules, (0, updates or _last_update(seeds)), log_y=curve.log_y, look=look)
        for number, arm in enumerate(arms):
            own = [metric_line(one.points, arm.key, curve.metric) for one in seeds]
            if any(own):
                _arm_lines(figure, row, arm, number, [one for one in own if one], look, first=not _drawn(figure, arm.label))
        _y_axis(figure, row, log_y=curve.log_y, y_range=curve.y_range)
        if curve.log_y:
            _frame_the_calm(figure, row)
    figure.update_xaxes(range=[0, updates] if updates else None)
    return _finish(figure, len(curves), "parameter updates", [arm.label for arm in arms], look)


def preview_figure(arms: Sequence[Arm], curves: Sequence[Curve], updates: int | None, look: Look) -> go.Figure:
    """What a run will draw into: the axes and reference lines of the main curve, and every arm's line in the legend."""
    figure = curves_figure(arms, [main_curve(curves)], (), updates, look)
    for number, arm in enumerate(arms):
        line = {"color": look.colour(arm.role), "dash": DASHES[number % len(DASHES)], "width": 2.4}
        figure.add_scatter(x=[None], y=[None], mode="lines", line=line, name=arm.label, row=1, col=1)
    return figure


def main_curve(curves: Sequence[Curve]) -> Curve:
    """The one to show where there is room for one: the first with reference lines, else the first."""
    return next((curve for curve in curves if curve.rules), curves[0])


def picture_figure(picture: Picture, look: Look) -> go.Figure:
    """A picture that an experiment made of its trained networks."""
    if isinstance(picture, HeatMap):
        return _heat_map(picture, look)
    if isinstance(picture, Parallel):
        return _parallel(picture, look)
    return _bars(picture, look) if isinstance(picture, Bars) else _lines(picture, look)


def strip_figure(checks: Sequence[CheckResult], look: Look) -> go.Figure:
    """Every seed's value against each threshold: a row a check, with an axis of its own; the shaded side satisfies it."""
    height = len(checks) * STRIP_PX + (len(checks) - 1) * STRIP_GAP_PX
    figure = make_subplots(rows=len(checks), cols=1, vertical_spacing=STRIP_GAP_PX / height if len(checks) > 1 else 0)
    for row, check in enumerate(checks, 1):
        finite = [value for value in check.values if math.isfinite(value)]
        log_x = min([*finite, check.threshold]) > 0 and max([*finite, check.threshold]) / min([*finite, check.threshold]) > 30
        _strip(figure, row, check, finite, log_x=log_x, look=look)
        _heading(figure, row, f"{check.label} {check.relation}\u00a0{words.threshold(check.threshold)}")
    figure.update_yaxes(visible=False, range=[-1, 1], fixedrange=True)
    figure = _dress(figure, height + HEADING_PX + AXIS_PX, look, legend=False)
    figure.update_layout(margin_b=AXIS_PX, hovermode="closest")
    return figure


# --- Curves -----------------------------------------------------------------------------------------------------


def metric_line(points: Iterable[Point], arm: str, metric: str) -> dict[int, float]:
    """One arm's values of a metric by update, as far as its points have it."""
    return {point.update: point.values[metric] for point in points if point.arm == arm and metric in point.values}


def _last_update(seeds: Sequence[SeedView]) -> int:
    return max((point.update for one in seeds for point in one.points), default=1)


def median_line(lines: Sequence[Mapping[int, float]]) -> tuple[list[int], list[float]]:
    """The median over the seeds that have reached each update; a seed that diverged counts as infinite."""
    updates = sorted({update for line in lines for update in line})
    medians = []
    for update in updates:
        here = [line[update] for line in lines if update in line]
        medians.append(statistics.median(math.inf if math.isnan(value) else value for value in here))
    return updates, medians


def _arm_lines(figure: go.Figure, row: int, arm: Arm, number: int, lines: Sequence[Mapping[int, float]], look: Look, *, first: bool) -> None:
    line = {"color": look.colour(arm.role), "dash": DASHES[number % len(DASHES)], "width": 2.4}
    if len(lines) > 1:
        x: list[float | None] = []
        y: list[float | None] = []
        for one in lines:
            x += [*one, None]
            y += [*map(_finite, one.values()), None]
        figure.add_scatter(
            x=x, y=y, mode="lines", line={**line, "width": 1}, opacity=0.35, hoverinfo="skip", showlegend=False, legendgroup=arm.label, row=row, col=1
        )
    updates, medians = median_line(lines)
    name = {"name": arm.label, "legendgroup": arm.label, "showlegend": first}
    figure.add_scatter(x=updates, y=[_finite(one) for one in medians], mode="lines", line=line, hovertemplate="%{y:.3g}", **name, row=row, col=1)
    broken = next((index for index, value in enumerate(medians) if not math.isfinite(value)), 0)
    if broken:
        cross = {"symbol": "x", "size": 10, "color": line["color"]}
        where = {"x": [updates[broken - 1]], "y": [medians[broken - 1]]}
        figure.add_scatter(**where, mode="markers", marker=cross, hovertemplate="no longer finite after this", name=arm.label, showlegend=False, row=row, col=1)


def _frame_the_calm(figure: go.Figure, row: int) -> None:
    """Where an arm diverged, give the axis to the others: its line leaves through the top, with its cross at the edge."""
    traces = [trace for trace in figure.data if (trace.yaxis or "y") == ("y" if row == 1 else f"y{row}")]
    crosses = [trace for trace in traces if trace.mode == "markers"]
    wild = {trace.name for trace in crosses} | {trace.legendgroup for trace in traces if trace.name in {one.name for one in crosses}}
    calm = [value for trace in traces if trace.legendgroup not in wild and trace.name not in wild for value in trace.y if value is not None and value > 0]
    if not crosses or not calm or max(calm) * ROOM_ABOVE > max(cross.y[0] for cross in crosses):
        return
    low, high = math.log10(min(calm) / 2), math.log10(max(calm) * ROOM_ABOVE)
    for cross in crosses:
        cross.y = [min(cross.y[0], 10**high)]
        cross.cliponaxis = False
    figure.update_yaxes(range=[low, high], dtick=max(1, math.ceil((high - low) / 5)), row=row, col=1)


def _drawn(figure: go.Figure, label: str) -> bool:
    return any(trace.name == label and trace.showlegend is not False for trace in figure.data)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


# --- Pictures ---------------------------------------------------------------------------------------------------


def _lines(picture: Lines, look: Look) -> go.Figure:
    figure = _panels([_panel_heading(panel) for panel in picture.panels])
    for row, panel in enumerate(picture.panels, 1):
        ends = [x for series in panel.series for x in series.x] or [0.0, 1.0]
        if panel.rules:
            _rules(figure, row, panel.rules, (min(ends), max(ends)), log_y=panel.log_y, look=look)
        plain = [series.label for series in panel.series if not series.dash]
        for series in panel.series:
            _series_line(figure, row, series, plain.index(series.label) if series.label in plain else 0, look)
        _events(figure, row, panel, look)
        _y_axis(figure, row, log_y=panel.log_y, y_range=panel.y_range)
    labels = dict.fromkeys(
        [*(series.label for panel in picture.panels for series in panel.series), *(label for panel in picture.panels for _, label in panel.events)]
    )
    return _finish(figure, len(picture.panels), picture.x_label, list(labels), look)


def _panel_heading(panel: Panel) -> str:
    return f"{panel.title} ({panel.y_label})" if panel.y_label and panel.y_label.lower() not in panel.title.lower() else panel.title


def _series_line(figure: go.Figure, row: int, series: Series, number: int, look: Look) -> None:
    dash = "longdash" if series.dash else "solid" if series.role in "ifgoch" else DASHES[number % len(DASHES)]
    line = {"color": look.colour(series.role), "width": 2, "dash": dash, "shape": "hv" if series.steps else "linear"}
    alone = [value for value in series.y if math.isfinite(value)]
    figure.add_scatter(
        x=list(series.x),
        y=[_finite(value) for value in series.y],
        mode="lines+markers" if len(alone) <= 12 else "lines",
        marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7},
        line=line,
        name=series.label,
        legendgroup=series.label,
        showlegend=not _drawn(figure, series.label),
        hovertemplate="%{y:.3g}",
        row=row,
        col=1,
    )


def _events(figure: go.Figure, row: int, panel: Panel, look: Look) -> None:
    """Vertical marks, one look a label, named in the legend."""
    styles = {label: DASHES[(number + 1) % len(DASHES)] for number, label in enumerate(dict.fromkeys(label for _, label in panel.events))}
    for x, label in panel.events:
        line = {"color": look.colour("input"), "width": 1, "dash": styles[label]}
        figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="y domain", line=line, opacity=0.7, layer="below", row=row, col=1)
    for label, dash in styles.items():
        if not _drawn(figure, label):
            figure.add_scatter(x=[None], y=[None], mode="lines", name=label, line={"color": look.colour("input"), "width": 1, "dash": dash}, row=row, col=1)


def _heat_map(picture: HeatMap, look: Look) -> go.Figure:
    figure = go.Figure()
    low, high = picture.z_range or (None, None)
    scale = [[index / (len(HEAT[look.dark]) - 1), colour] for index, colour in enumerate(HEAT[look.dark])]
    figure.add_heatmap(
        x=list(picture.x),
        y=list(picture.y),
        z=[[_finite(value) for value in row] for row in picture.z],
        zmin=low,
        zmax=high,
        colorscale=scale,
        colorbar={"title": {"text": picture.z_label, "side": "right"}, "thickness": 12, "outlinewidth": 0},
        hovertemplate="%{x}, %{y}: %{z:.3g}<extra></extra>",
    )
    figure.update_xaxes(title_text=picture.x_label, showgrid=False)
    figure.update_yaxes(title_text=picture.y_label, showgrid=False, autorange="reversed")
    return _dress(figure, min(520, 120 + 26 * len(picture.y)), look, legend=False)


def _bars(picture: Bars, look: Look) -> go.Figure:
    """Reference lines are named in the legend: words beside them would stand on a bar."""
    figure = _panels([picture.y_label])
    groups = ["<br>".join(_wrapped(group, int(PHONE_PX / LETTER_PX / len(picture.groups)))) for group in picture.groups]
    for number, series in enumerate(picture.series):
        pattern = {"shape": ("", "/", "\\", "x")[number % 4], "solidity": 0.2, "fillmode": "overlay", "fgcolor": GROUND[look.dark], "fgopacity": 0.45}
        figure.add_bar(
            x=groups,
            y=[_finite(value) for value in series.y],
            name=series.label,
            marker={"color": look.colour(series.role), "pattern": pattern},
            text=[words.number(value) if math.isfinite(value) else "" for value in series.y],
            textposition="outside",
            textangle=0,
            cliponaxis=False,
            hovertemplate="%{y:.3g}",
        )
    for number, (value, label) in enumerate(picture.rules):
        line = {"color": INK[look.dark], "dash": DASHES[1 + number % 3], "width": 1.5}
        figure.add_hline(y=value, line=line)
        figure.add_scatter(x=[None], y=[None], mode="lines", line=line, name=label)
    _y_axis(figure, 1, log_y=picture.log_y, y_range=None)
    figure.update_xaxes(tickangle=0)
    figure.update_layout(barmode="group", bargap=0.25)
    legend = [*(series.label for series in picture.series if len(picture.series) > 1), *(label for _, label in picture.rules)]
    figure = _finish(figure, 1.6, "", legend, look, extra_px=LEGEND_ROW_PX * max(group.count("<br>") - 1 for group in groups))
    return figure.update_traces(showlegend=len(picture.series) > 1, selector={"type": "bar"})


def _parallel(picture: Parallel, look: Look) -> go.Figure:
    """Plain lines, not plotly's own parallel coordinates: those need WebGL and code made up at run time, which the page forbids."""
    figure, count = go.Figure(), len(picture.axes)
    heights = [[_height(axis, value) for axis, value in zip(picture.axes, row, strict=True)] for row in picture.rows]
    for row, height in sorted(zip(picture.rows, heights, strict=True), key=lambda pair: pair[1][-1], reverse=True):  # the lowest on top
        told = "<br>".join(f"{axis.label}: {value:.3g}" for axis, value in zip(picture.axes, row, strict=True))
        colour = _shade(1 - height[-1], look)
        line = {"color": colour, "width": 1 + 2 * (1 - height[-1])}
        figure.add_scatter(x=list(range(count)), y=height, mode="lines", line=line, text=[told] * count, hovertemplate="%{text}<extra></extra>")
    for place, axis in enumerate(picture.axes):
        figure.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, line={"color": INK[look.dark], "width": 1})
        for y, value, anchor in ((0, axis.low, "top"), (1, axis.high, "bottom")):
            figure.add_annotation(text=f"{value:.3g}", x=place, y=y, yanchor=anchor, showarrow=False, font={"size": 11, "color": INK[look.dark]})
    labels = ["<br>".join(axis.label.split()) for axis in picture.axes]
    figure.update_xaxes(tickvals=list(range(count)), ticktext=labels, ticklabelstandoff=18, tickangle=0, showgrid=False, range=[-0.35, count - 0.65])
    figure = _dress(figure, 2 * PANEL_PX + AXIS_PX, look, legend=False)
    figure.update_yaxes(visible=False, range=[-0.02, 1.02])
    return figure.update_layout(hovermode="closest")


def _height(axis: Axis, value: float) -> float:
    """Where a value stands on its axis, 0 to 1; what is out of bounds, or NaN, at the upper end."""
    if not axis.low <= value <= axis.high:
        return 0.0 if value < axis.low else 1.0
    low, high, value = (math.log(one) if axis.log else one for one in (axis.low, axis.high, value))
    return (value - low) / (high - low) if high > low else 0.5


def _shade(share: float, look: Look) -> str:
    """A colour of the heat scale, faint to strong; the faintest is skipped, as a line of it would be lost on its ground."""
    scale = HEAT[look.dark][1:]
    return scale[min(len(scale) - 1, int(share * len(scale)))]


# --- Strip ------------------------------------------------------------------------------------------------------


def _strip(figure: go.Figure, row: int, check: CheckResult, finite: Sequence[float], *, log_x: bool, look: Look) -> None:
    low, high = _strip_range([*finite, check.threshold], log_x=log_x)
    good, bad = look.colour("g"), look.colour("ablated")
    passes = [value < check.threshold if check.relation == "<" else value > check.threshold for value in check.values]
    side = (low, check.threshold) if check.relation == "<" else (check.threshold, high)
    figure.add_shape(type="rect", x0=side[0], x1=side[1], y0=0, y1=1, yref="y domain", fillcolor=good, opacity=0.12, line_width=0, row=row, col=1)
    figure.add_shape(
        type="line", x0=check.threshold, x1=check.threshold, y0=0, y1=1, yref="y domain", line={"color": INK[look.dark], "width": 2}, row=row, col=1
    )
    places = [_clip(value, low, high, check.relation) for value in check.values]
    last = max(1, len(check.values) - 1)  # one below the other, so that equal ones can be counted
    spread = [0.0 if len(check.values) == 1 else 0.65 - 1.3 * index / last for index in range(len(check.values))]
    figure.add_scatter(
        x=places,
        y=spread,
        mode="markers+text",
        cliponaxis=False,  # what is not finite stands at the edge
        text=["" if math.isfinite(value) else words.number(value) for value in check.values],
        textposition=[f"middle {'left' if x == high else 'right'}" for x in places],
        marker={"size": 11, "color": [good if ok else bad for ok in passes], "symbol": ["circle" if ok else "x" for ok in passes]},
        hovertext=["diverged" if math.isnan(value) else f"{value:.4g}" for value in check.values],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
        row=row,
        col=1,
    )
    axis: dict[str, object] = {"range": [low, high], "nticks": 6}
    if log_x:
        decades = math.log10(high / low)
        axis = {"type": "log", "range": [math.log10(low), math.log10(high)], "dtick": max(1, math.ceil(decades / 6)), "exponentformat": "power"}
    figure.update_xaxes(**axis, row=row, col=1)


def _strip_range(values: Sequence[float], *, log_x: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if log_x:
        return low / 2, high * 2
    room = (high - low or abs(high) or 1.0) * 0.15
    return low - room, high + room


def _clip(value: float, low: float, high: float, relation: str) -> float:
    """Where a value is drawn: what is not finite stands at the end of the axis it belongs to."""
    if math.isnan(value):
        return high if relation == "<" else low
    return min(max(value, low), high)


# --- What all share ---------------------------------------------------------------------------------------------


def _panels(headings: Sequence[str]) -> go.Figure:
    rows = len(headings)
    gap = HEADING_PX / (rows * (PANEL_PX + HEADING_PX)) if rows > 1 else 0
    figure = make_subplots(rows=rows, cols=1, shared_xaxes=True, vertical_spacing=gap)
    for row, heading in enumerate(headings, 1):
        _heading(figure, row, heading)
    return figure


def _heading(figure: go.Figure, row: int, text: str) -> None:
    """A panel's name above its left end: it says what the y axis measures and takes no width from a phone."""
    suffix = "" if row == 1 else str(row)
    figure.add_annotation(
        text="<br>".join(_wrapped(text, HEADING_LETTERS)),
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


def _wrapped(text: str, letters: int) -> list[str]:
    """The text in lines of so many letters; a longer word stays whole."""
    return textwrap.wrap(text, max(1, letters), break_long_words=False, break_on_hyphens=False) or [""]


def _rules(figure: go.Figure, row: int, rules: Sequence[tuple[float, str]], ends: tuple[float, float], *, log_y: bool, look: Look) -> None:
    """Reference lines are traces, so that the axis makes room for them; their words stand at the right end."""
    for value, label in rules:
        line = {"color": INK[look.dark], "width": 1, "dash": "dash"}
        figure.add_scatter(x=list(ends), y=[value, value], mode="lines", line=line, hoverinfo="skip", showlegend=False, row=row, col=1)
        _rule_label(figure, row, value, label, log_y=log_y, look=look)


def _rule_label(figure: go.Figure, row: int, value: float, label: str, *, log_y: bool, look: Look) -> None:
    suffix = "" if row == 1 else str(row)
    figure.add_annotation(
        text=label,
        x=1,
        xref=f"x{suffix} domain",
        xanchor="right",
        y=math.log10(value) if log_y else value,
        yref=f"y{suffix}",
        yanchor="bottom",
        showarrow=False,
        bgcolor=GROUND[look.dark],
        borderpad=1,
        opacity=0.9,
        font={"size": 11, "color": INK[look.dark]},
    )


def _y_axis(figure: go.Figure, row: int, *, log_y: bool, y_range: tuple[float, float] | None) -> None:
    if log_y:
        decades = _decades(figure, row)
        ticks = {"dtick": max(1, math.ceil(decades / 5))} if decades > 1.5 else {"nticks": 5}
        figure.update_yaxes(type="log", exponentformat="power", row=row, col=1, **ticks)
    elif y_range is not None:
        room = 0.04 * (y_range[1] - y_range[0])  # a line at the limit is not cut in half
        figure.update_yaxes(range=[y_range[0] - room, y_range[1] + room], nticks=6, row=row, col=1)
    else:
        figure.update_yaxes(nticks=6, row=row, col=1)


def _decades(figure: go.Figure, row: int) -> float:
    """How many powers of ten the traces of a panel span."""
    axis = "y" if row == 1 else f"y{row}"
    values = [value for trace in figure.data if (trace.yaxis or "y") == axis for value in trace.y or () if value is not None and value > 0]
    return math.log10(max(values) / min(values)) if values else 0.0


def _finish(figure: go.Figure, rows: float, x_label: str, legend: Sequence[str], look: Look, *, extra_px: int = 0) -> go.Figure:
    """The axis' name, the legend under it and the height all this takes; `extra_px` where the ticks' words need more than a line or two."""
    height = round(rows * PANEL_PX + (math.ceil(rows) - 1) * HEADING_PX)
    figure.update_xaxes(title_text=x_label, row=math.ceil(rows), col=1)
    figure.update_xaxes(showgrid=False, zeroline=False, exponentformat="none", separatethousands=True)
    axis = AXIS_PX + max(0, extra_px)
    below = axis + LEGEND_ROW_PX * _legend_rows(legend)
    figure = _dress(figure, height + HEADING_PX + below, look, legend=len(legend) > 0)
    figure.update_layout(margin_b=below)
    figure.update_layout(legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -(axis / height), "yanchor": "top", "traceorder": "normal"})
    return figure


def _legend_rows(labels: Sequence[str]) -> int:
    """How many rows the legend takes on a phone: plotly sets it in columns as wide as its longest label."""
    if not labels:
        return 0
    widest = 50 + LETTER_PX * max(map(len, labels))
    return math.ceil(len(labels) / max(1, PHONE_PX // widest))


def _dress(figure: go.Figure, height: int, look: Look, *, legend: bool) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": HEADING_PX, "b": 8},
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
