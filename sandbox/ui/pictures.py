"""Figures of the pictures that experiments make of their trained networks. Builders return a figure; they draw nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import plotly.graph_objects as go

from sandbox.protocol import Axis, Bars, HeatMap, Lines, Panel, Parallel, Picture, Series
from sandbox.ui import words
from sandbox.ui.figures import (
    AXIS_PX,
    DASHES,
    GROUND,
    INK,
    LEGEND_ROW_PX,
    LETTER_PX,
    PANEL_PX,
    PHONE_PX,
    Look,
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

HEAT = (
    ("#F1EEE5", "#BFDDDC", "#5FA5A8", "#12666F", "#063A40"),
    ("#1F262A", "#1B4F55", "#277C84", "#71B2B8", "#D6F1F2"),
)
FEW_BARS = 6  # of more, each has room for two digits on a phone, not for three
NUMBER_PX = 22  # of height that the number on a bar takes, with what is around it
FINE_DASH = "4px,3px"  # for a line to hold others against: told from the dashes of an arm, and no turn of it is lost between two
SYMBOLS = ("circle", "square", "diamond", "triangle-up")


def picture_figure(picture: Picture, look: Look) -> go.Figure:
    """A picture that an experiment made of its trained networks."""
    if isinstance(picture, HeatMap):
        return _heat_map(picture, look)
    if isinstance(picture, Parallel):
        return _parallel(picture, look)
    return _bars(picture, look) if isinstance(picture, Bars) else _lines(picture, look)


def _lines(picture: Lines, look: Look) -> go.Figure:
    figure = make_panels([_panel_heading(panel) for panel in picture.panels])
    for row, panel in enumerate(picture.panels, 1):
        ends = [x for series in panel.series for x in series.x] or [0.0, 1.0]
        if panel.rules:
            add_rules(figure, row, panel.rules, (min(ends), max(ends)), look)
        plain = [series.label for series in panel.series if not series.dash]
        for series in panel.series:
            _series_line(figure, row, series, plain.index(series.label) if series.label in plain else 0, look)
        _events(figure, row, panel, look)
        set_y_axis(figure, row, log_y=panel.log_y, y_range=panel.y_range)
        name_rules(figure, row, panel.rules, log_y=panel.log_y, look=look)
    labels = dict.fromkeys(
        [*(series.label for panel in picture.panels for series in panel.series), *(label for panel in picture.panels for _, label in panel.events)]
    )
    return finish(figure, len(picture.panels), picture.x_label, list(labels), look)


def _panel_heading(panel: Panel) -> str:
    return f"{panel.title} ({panel.y_label})" if panel.y_label and panel.y_label.lower() not in panel.title.lower() else panel.title


def _series_line(figure: go.Figure, row: int, series: Series, number: int, look: Look) -> None:
    dash = FINE_DASH if series.dash else "solid" if series.role in "ifgoch" else DASHES[number % len(DASHES)]
    line = {"color": look.colour(series.role), "width": 2, "dash": dash, "shape": "hv" if series.steps else "linear"}
    alone = [value for value in series.y if math.isfinite(value)]
    figure.add_scatter(
        x=list(series.x),
        y=[finite(value) for value in series.y],
        mode="lines+markers" if len(alone) <= 12 else "lines",
        marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7},
        line=line,
        name=series.label,
        legendgroup=series.label,
        showlegend=not drawn(figure, series.label),
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
        if not drawn(figure, label):
            figure.add_scatter(x=[None], y=[None], mode="lines", name=label, line={"color": look.colour("input"), "width": 1, "dash": dash}, row=row, col=1)


def _heat_map(picture: HeatMap, look: Look) -> go.Figure:
    figure = go.Figure()
    low, high = picture.z_range or (None, None)
    scale = [[index / (len(HEAT[look.dark]) - 1), colour] for index, colour in enumerate(HEAT[look.dark])]
    figure.add_heatmap(
        x=list(picture.x),
        y=list(picture.y),
        z=[[finite(value) for value in row] for row in picture.z],
        zmin=low,
        zmax=high,
        colorscale=scale,
        colorbar={"title": {"text": picture.z_label, "side": "right"}, "thickness": 12, "outlinewidth": 0},
        hovertemplate="%{x}, %{y}: %{z:.3g}<extra></extra>",
    )
    figure.update_xaxes(title_text=picture.x_label, showgrid=False)
    figure.update_yaxes(title_text=picture.y_label, showgrid=False, autorange="reversed")
    return dress(figure, min(520, 120 + 26 * len(picture.y)), look, legend=False)


def _bars(picture: Bars, look: Look) -> go.Figure:
    """Reference lines are named in the legend: words beside them would stand on a bar."""
    figure = make_panels([picture.y_label])
    digits = 3 if len(picture.groups) * len(picture.series) <= FEW_BARS else 2
    groups = ["<br>".join(wrapped(group, int(PHONE_PX / LETTER_PX / len(picture.groups)))) for group in picture.groups]
    for number, series in enumerate(picture.series):
        pattern = {"shape": ("", "/", "\\", "x")[number % 4], "solidity": 0.2, "fillmode": "overlay", "fgcolor": GROUND[look.dark], "fgopacity": 0.45}
        figure.add_bar(
            x=groups,
            y=[finite(value) for value in series.y],
            name=series.label,
            marker={"color": look.colour(series.role), "pattern": pattern},
            text=[words.number(float(f"{value:.{digits}g}")) if math.isfinite(value) else "" for value in series.y],
            textposition=_where_numbers_stand(picture, series.y),
            insidetextfont={"color": GROUND[look.dark]},
            outsidetextfont={"color": INK[look.dark]},
            insidetextanchor="end",
            textangle=0,
            cliponaxis=False,
            hovertemplate="%{y:.3g}",
        )
    for number, (value, label) in enumerate(picture.rules):
        line = {"color": INK[look.dark], "dash": DASHES[1 + number % 3], "width": 1.5}
        figure.add_hline(y=value, line=line)
        figure.add_scatter(x=[None], y=[None], mode="lines", line=line, name=label)
    set_y_axis(figure, 1, log_y=picture.log_y, y_range=None)
    figure.update_xaxes(tickangle=0)
    figure.update_layout(barmode="group", bargap=0.25, uniformtext={"minsize": 9, "mode": "hide"})  # rather none than one nobody can read
    legend = [*(series.label for series in picture.series if len(picture.series) > 1), *(label for _, label in picture.rules)]
    figure = finish(figure, 1.6, "", legend, look, extra_px=LEGEND_ROW_PX * max(group.count("<br>") - 1 for group in groups))
    figure.update_yaxes(showgrid=False)  # every bar carries its number, which a line would strike out
    return figure.update_traces(showlegend=len(picture.series) > 1, selector={"type": "bar"})


def _where_numbers_stand(picture: Bars, values: Sequence[float]) -> list[str]:
    """Over the bars; where a reference line would strike a number out, inside every bar that has room for its own at its end."""
    scale: Callable[[float], float] = (lambda value: math.log(value) if value > 0 else math.nan) if picture.log_y else float
    rules = [scale(value) for value, _ in picture.rules]
    heights = [height for series in picture.series for height in map(scale, series.y) if math.isfinite(height)]
    bottom = min([*heights, *rules], default=0.0) if picture.log_y else 0.0
    number = NUMBER_PX / PANEL_PX * (max([*heights, *rules], default=bottom) - bottom)

    def struck(low: float) -> bool:
        return any(low <= rule <= low + number for rule in rules)

    if not any(map(struck, heights)):
        return ["outside"] * len(values)
    return ["inside" if height - number > bottom and not struck(height - number) else "outside" for height in map(scale, values)]


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
            figure.add_annotation(text=words.threshold(value), x=place, y=y, yanchor=anchor, showarrow=False, font={"size": 11, "color": INK[look.dark]})
    labels = ["<br>".join(wrapped(axis.label, int(PHONE_PX / LETTER_PX / count))) for axis in picture.axes]
    figure.update_xaxes(tickvals=list(range(count)), ticktext=labels, ticklabelstandoff=18, tickangle=0, showgrid=False, range=[-0.35, count - 0.65])
    figure = dress(figure, 2 * PANEL_PX + AXIS_PX, look, legend=False)
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
