"""The lab's own figures: curves while a run goes on, and every seed against the rule. Builders return a figure; they draw nothing."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from sandbox.protocol import Arm, CheckResult, Curve, Point
from sandbox.records import SeedView
from sandbox.ui import words
from sandbox.ui.figures import (
    AXIS_PX,
    DASHES,
    HEADING_LETTERS,
    HEADING_PX,
    INK,
    LEGEND_ROW_PX,
    Look,
    add_heading,
    add_rules,
    drawn,
    dress,
    finish,
    finite,
    make_panels,
    name_rules,
    set_y_axis,
    wrapped,
)

STRIP_PX, STRIP_GAP_PX = 30, 62
ROOM_ABOVE = 1e3  # how far above the others a diverging line is followed
AS_GOOD_AS = 0.97  # of the way: a seed that has come so far has come to the end


def curves_figure(arms: Sequence[Arm], curves: Sequence[Curve], seeds: Sequence[SeedView], updates: int | None, look: Look) -> go.Figure:
    """The live curves: a panel a metric, a thin line a seed, a thick one through the medians.

    `updates` fixes the length of the x axis, so that lines grow into it; a line that goes beyond makes it longer.
    Where a line stops being finite it ends in a cross.
    """
    figure = make_panels([curve.label for curve in curves])
    end = max(updates or 0, _last_update(seeds))  # some arms go on, as when fine-tuning follows pretraining
    for row, curve in enumerate(curves, 1):
        if curve.rules:
            add_rules(figure, row, curve.rules, (0, end), look)
        for number, arm in sorted(enumerate(arms), key=lambda pair: pair[0] % len(DASHES)):  # what is broken over what is whole
            own = [metric_line(one.points, arm.key, curve.metric) for one in seeds]
            if any(own):
                _arm_lines(figure, row, arm, number, [one for one in own if one], look, first=not drawn(figure, arm.label))
        set_y_axis(figure, row, log_y=curve.log_y, y_range=curve.y_range)
        if curve.log_y:
            _frame_the_calm(figure, row)
        name_rules(figure, row, curve.rules, log_y=curve.log_y, look=look)
    figure.update_xaxes(range=[0, end] if updates else None)
    return finish(figure, len(curves), "parameter updates", [arm.label for arm in arms], look)


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


def strip_figure(checks: Sequence[CheckResult], look: Look) -> go.Figure:
    """Every seed's value against each threshold: a row a check, with an axis of its own; the shaded side satisfies it."""
    headings = [f"{check.label} {check.relation}\u00a0{words.threshold(check.threshold)}" for check in checks]
    gap = STRIP_GAP_PX + (LEGEND_ROW_PX if any(len(wrapped(one, HEADING_LETTERS)) > 1 for one in headings) else 0)
    height = len(checks) * STRIP_PX + (len(checks) - 1) * gap
    figure = make_subplots(rows=len(checks), cols=1, vertical_spacing=gap / height if len(checks) > 1 else 0)
    for row, check in enumerate(checks, 1):
        finite = [value for value in check.values if math.isfinite(value)]
        log_x = min([*finite, check.threshold]) > 0 and max([*finite, check.threshold]) / min([*finite, check.threshold]) > 30
        _strip(figure, row, check, finite, log_x=log_x, look=look)
        add_heading(figure, row, headings[row - 1])
    figure.update_yaxes(visible=False, range=[-1, 1], fixedrange=True)
    figure = dress(figure, height + HEADING_PX + AXIS_PX, look, legend=False)
    figure.update_layout(margin_b=AXIS_PX, hovermode="closest")
    return figure


# --- Curves -----------------------------------------------------------------------------------------------------


def metric_line(points: Iterable[Point], arm: str, metric: str) -> dict[int, float]:
    """One arm's values of a metric by update, as far as its points have it."""
    return {point.update: point.values[metric] for point in points if point.arm == arm and metric in point.values}


def _last_update(seeds: Sequence[SeedView]) -> int:
    return max((point.update for one in seeds for point in one.points), default=1)


def median_line(lines: Sequence[Mapping[int, float]]) -> tuple[list[int], list[float]]:
    """The median over the seeds that have reached each update; a seed that diverged counts as infinite.

    Between two readings a seed stands where it stood last, and one that has come as good as to the end (AS_GOOD_AS) stands there to the end.
    """
    updates = sorted({update for line in lines for update in line})
    ends = [max(line, default=0) for line in lines]
    reach = [updates[-1] if end >= AS_GOOD_AS * updates[-1] else end for end in ends] if updates else []
    stands: list[float | None] = [None] * len(lines)
    medians = []
    for update in updates:
        stands = [line.get(update, stood) if update <= far else None for line, stood, far in zip(lines, stands, reach, strict=True)]
        medians.append(statistics.median(math.inf if math.isnan(value) else value for value in stands if value is not None))
    return updates, medians


def _arm_lines(figure: go.Figure, row: int, arm: Arm, number: int, lines: Sequence[Mapping[int, float]], look: Look, *, first: bool) -> None:
    line = {"color": look.colour(arm.role), "dash": DASHES[number % len(DASHES)], "width": 2.4}
    if len(lines) > 1:
        x: list[float | None] = []
        y: list[float | None] = []
        for one in lines:
            x += [*one, None]
            y += [*map(finite, one.values()), None]
        figure.add_scatter(
            x=x, y=y, mode="lines", line={**line, "width": 1}, opacity=0.35, hoverinfo="skip", showlegend=False, legendgroup=arm.label, row=row, col=1
        )
    updates, medians = median_line(lines)
    name = {"name": arm.label, "legendgroup": arm.label, "showlegend": first, "legendrank": 1 + number}
    figure.add_scatter(x=updates, y=[finite(one) for one in medians], mode="lines", line=line, hovertemplate="%{y:.3g}", **name, row=row, col=1)
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
