"""Figures of what grew: mastery, activity, accuracy, forgetting, predictions. Builders return a figure; they draw nothing.

Names stand above their rows, so that a phone has the whole width for the data. Colours of heat maps come in as a scale from
nothing to much, which the page takes from its theme; wherever colour tells a value, a number nearby tells it too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go

from questions.schema import Group
from quiz.progress_views import Accuracy, Curve, Foretold, ForgettingView, Growth, GrowthRow, Period, PeriodStat, Step
from quiz.ui.charts import LINE, PALE, RIGHT, lengths
from quiz.ui.insight_charts import AXIS_PX, CONFIG, GREY, GRID, LEFT_TEXT, add_dots, dressed, percent_axis
from quiz.views import Chance

__all__ = [
    "CONFIG",
    "accuracy_figure",
    "calendar_figure",
    "first_to_last",
    "foretold_figure",
    "forgetting_figure",
    "mastery_figure",
    "period_name",
    "periods_figure",
]

STRIP_PX = 42  # a row of the heat map: its name and its strip
NAME, HEADING = 0.58, 0.85  # of a row: the name; a group's name
MASTERY = 20, 90  # per cent: where the scale of colours begins and ends
SCALE_PX = 70  # the scale above a heat map
RIGHT_TEXT: dict[str, Any] = {"showarrow": False, "xanchor": "right", "yanchor": "middle", "xref": "paper", "x": 1}
TICKS = 5  # labels of an axis of time: what a phone has room for
WEEKS_A_ROW, DAY_PX = 26, 20  # half as many where half will do
MONTH_WEEKS = 4  # that the name of a month takes, as wide as a phone is
LONG_MINUTES = 180  # from here on hours say it better
BEGINNING: dict[Step, str] = {"day": "Day", "week": "Week beginning", "month": "Month", "quarter": "Quarter", "year": "Year"}


def short_day(day: date) -> str:
    """`3 Dec`."""
    return f"{day.day} {day:%b}"


def period_name(step: Step, period: Period) -> str:
    """What a period is called on an axis: `3 Dec`, `Dec 2026`, `Q4 2026`, `2026`."""
    names: dict[Step, Callable[[date], str]] = {
        "day": short_day,
        "week": short_day,
        "month": lambda day: f"{day:%b %Y}",
        "quarter": lambda day: f"Q{(day.month + 2) // 3} {day.year}",
        "year": lambda day: str(day.year),
    }
    return names[step](period.first)


def time_axis(step: Step, spans: Sequence[Period]) -> dict[str, Any]:
    """An axis of periods by their place, with about five labels."""
    every = max(1, -(-len(spans) // TICKS))
    places = list(range(0, len(spans), every))
    return {
        "title": BEGINNING[step],
        "tickvals": places,
        "ticktext": [period_name(step, spans[place]) for place in places],
        "tickangle": 0,
        "range": [-0.5, max(len(spans), 5) - 0.5],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }


# --- Mastery ----------------------------------------------------------------------------------------------------


def mastery_figure(growth: Growth, colours: Sequence[str]) -> go.Figure:
    """A strip a question, a cell a period: mastery at its end. Beside the name, where it stood first and last; empty: not tried yet."""
    figure = go.Figure()
    edges, cells, texts = [0.0], list[list[float | None]](), list[list[str]]()
    y, group = 0.0, None
    spans = [one.period for one in growth.periods]
    names = [period_name(growth.step, span) for span in spans]
    for row in (row for group in Group for row in growth.rows if row.group is group):
        if row.group is not group:
            y, group = y - HEADING, row.group
            figure.add_annotation(xref="paper", x=0, y=y + 0.32, text=f"<b>{group.label}</b>", font_size=14, **LEFT_TEXT)
        known = any(value is not None for value in row.values)
        figure.add_annotation(xref="paper", x=0, y=y - NAME / 2, text=f"{row.number} {row.title}", font_size=13, **LEFT_TEXT)
        figure.add_annotation(y=y - NAME / 2, text=first_to_last(row) if known else "not tried yet", font_size=13, **RIGHT_TEXT)
        y -= 1 if known else NAME
        for bottom, values in ((y + 1 - NAME, None), (y, row.values)) if known else ((y, None),):  # the name's line, then the strip
            edges.append(bottom)
            cells.append([None] * len(names) if values is None else [None if value is None else 100 * value for value in values])
            texts.append([""] * len(names) if values is None else [f"{row.title}<br>{name}" for name in names])
    figure.add_heatmap(
        x=list(range(len(names))),
        y=edges[::-1],  # from the bottom up
        z=cells[::-1],
        text=texts[::-1],
        zmin=MASTERY[0],
        zmax=MASTERY[1],
        colorscale=list(colours),
        xgap=2,
        hoverongaps=False,
        hovertemplate="%{text}: %{z:.0f} %<extra></extra>",
        colorbar={
            **_scale("Mastery at the end of each period, %"),
            "tickvals": [20, 40, 60, 80, 90],
            "ticktext": ["≤ 20", "40", "60", "80", "≥ 90"],
        },
    )
    figure.update_xaxes(**time_axis(growth.step, spans), side="top")
    figure.update_yaxes(visible=False, range=[y - 0.1, 0], fixedrange=True)
    return _with_scale(figure, round(STRIP_PX * -y))


def first_to_last(row: GrowthRow) -> str:
    """`34 → 62 %`, or `62 %` when only one value is known; there must be one."""
    known = [f"{100 * value:.0f}" for value in row.values if value is not None]
    return f"{known[-1]} %" if len(known) == 1 else f"{known[0]} → {known[-1]} %"


def _scale(title: str) -> dict[str, Any]:
    return {
        "orientation": "h", "thickness": 10, "len": 1.0, "x": 0.5, "xanchor": "center", "yref": "container", "y": 1.0, "yanchor": "top", "ypad": 0,
        "title": {"text": title, "side": "top"}, "outlinewidth": 0, "nticks": 6,
    }  # fmt: skip


def _with_scale(figure: go.Figure, height: int, top: int = SCALE_PX + 46) -> go.Figure:
    return dressed(figure, height + top + 8, legend=False).update_layout(margin={"l": 8, "r": 8, "t": top, "b": 8})


# --- Activity ---------------------------------------------------------------------------------------------------


def calendar_figure(days: Sequence[PeriodStat], last: date, weeks: int, colours: Sequence[str], *, minutes: bool) -> go.Figure:
    """A cell a day, a column a week from Monday down, 26 weeks a row, the last week at the end; darker (on ink: lighter) is more."""
    amount = {one.period.first: one.minutes if minutes else one.answers for one in days}
    monday = last - timedelta(days=last.weekday()) - timedelta(weeks=weeks - 1)
    wide = WEEKS_A_ROW if weeks > WEEKS_A_ROW // 2 else WEEKS_A_ROW // 2
    figure, cells, texts, ticks = go.Figure(), list[list[float | None]](), list[list[str]](), list[int]()
    for begin in range(0, weeks, wide):
        columns = [monday + timedelta(weeks=week) for week in range(begin, min(begin + wide, weeks))]
        _name_months(figure, columns, len(cells))
        cells.append([None] * wide)  # the line of the months' names
        texts.append([""] * wide)
        ticks.append(len(cells))
        for weekday in range(7):
            row = [column + timedelta(days=weekday) for column in columns]
            cells.append([_amount(amount, day, last) for day in row] + [None] * (wide - len(row)))
            texts.append([f"{day:%A} {short_day(day)}" for day in row] + [""] * (wide - len(row)))
    figure.add_heatmap(
        z=cells,
        text=texts,
        zmin=0,
        zmax=max([*amount.values(), 1]),
        colorscale=list(colours),
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate="%{text}: %{z:.0f} " + ("minutes" if minutes else "answers") + "<extra></extra>",
        colorbar=_scale("Minutes a day" if minutes else "Answers a day"),
    )
    weekdays = {tick + place: name for tick in ticks for place, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun"))}
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(
        title="Weekday",
        tickvals=list(weekdays),
        ticktext=list(weekdays.values()),
        range=[len(cells) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        automargin=True,
    )
    return _with_scale(figure, DAY_PX * len(cells), top=SCALE_PX - 8)


def _amount(amount: dict[date, float], day: date, last: date) -> float | None:
    return None if day > last else amount.get(day, 0)


def _name_months(figure: go.Figure, columns: Sequence[date], line: int) -> None:
    """The month's name above the first column that begins in it, the first with its year, where there is room."""
    begins = [place for place, column in enumerate(columns) if place == 0 or column.month != columns[place - 1].month]
    if len(begins) > 1 and begins[1] - begins[0] < MONTH_WEEKS:
        del begins[0]
    for number, place in enumerate(begins):
        month = columns[place]
        figure.add_annotation(x=place - 0.5, y=line, text=f"{month:%b %Y}" if number == 0 else f"{month:%b}", **LEFT_TEXT)


def periods_figure(growth: Growth) -> go.Figure:
    """Over the periods: the share that was right, answers (right below missed), and time. A period without answers leaves a gap."""
    stats = growth.periods
    places = list(range(len(stats)))
    names = [period_name(growth.step, one.period) for one in stats]
    share = [100 * one.right / one.answers if one.answers else None for one in stats]
    figure = go.Figure()
    bar = {"x": places, "customdata": names, "width": 0.8}
    figure.add_scatter(
        x=places, y=share, yaxis="y3", name="Share right", mode="lines+markers", line_color=LINE, marker={"size": 8}, cliponaxis=False,
        customdata=names, hovertemplate="%{customdata}: %{y:.0f} % right<extra></extra>",
    )  # fmt: skip
    figure.add_bar(
        y=[one.right for one in stats], yaxis="y2", name="Right", marker_color=RIGHT, hovertemplate="%{customdata}: %{y} right<extra></extra>", **bar
    )
    missed = lengths(one.answers - one.right for one in stats)
    figure.add_bar(y=missed, yaxis="y2", name="Missed", marker=PALE, hovertemplate="%{customdata}: %{y} missed<extra></extra>", **bar)
    unit, size = ("Hours", 60) if max(one.minutes for one in stats) > LONG_MINUTES else ("Minutes", 1)
    time = [one.minutes / size for one in stats]
    figure.add_bar(y=time, name=unit, marker_color=GREY, hovertemplate=f"%{{customdata}}: %{{y:.3~g}} {unit.lower()}<extra></extra>", **bar)
    amount = {"rangemode": "tozero", "automargin": True, "nticks": 4, "gridcolor": GRID, "fixedrange": True}
    dressed(figure, 440, legend=True).update_layout(
        barmode="stack",
        xaxis={**time_axis(growth.step, [one.period for one in stats]), "anchor": "y"},
        yaxis={**amount, "title": unit, "domain": [0.0, 0.26]},
        yaxis2={**amount, "title": "Answers", "domain": [0.36, 0.64]},
        yaxis3={**percent_axis("Right, %"), "domain": [0.74, 1.0], "tickvals": [0, 50, 100]},
    )
    return figure


# --- Accuracy ---------------------------------------------------------------------------------------------------


def accuracy_figure(growth: Growth) -> go.Figure:
    """The share right of each group and of each format on its 95% interval, its name above it, and the share of all."""
    figure, heights = go.Figure(), list[float]()
    lines: list[Accuracy] = []
    y = 0.0
    for heading, part in (("By group", growth.groups), ("By format", growth.formats)):
        y -= 0.8
        figure.add_annotation(xref="paper", x=0, y=y + 0.1, text=f"<b>{heading}</b>", font_size=14, **LEFT_TEXT)
        for line in part:
            y -= 1
            lines.append(line)
            heights.append(y)
            figure.add_annotation(xref="paper", x=0, y=y + 0.42, text=line.label, font_size=13, **LEFT_TEXT)
            told = f"{line.right} of {line.answers:,}"
            figure.add_annotation(y=y + 0.42, text=told, font_size=13, **RIGHT_TEXT)
    add_dots(figure, [Chance(line.share, *line.interval) for line in lines], heights, "right", RIGHT, "circle")
    figure.add_vline(x=100 * growth.right / growth.answers, line={"dash": "dash", "width": 1.5, "color": LINE})
    figure.update_xaxes(**percent_axis("Right, %; the dashed line is the share of all answers"))
    figure.update_yaxes(visible=False, range=[y - 0.4, 0], fixedrange=True)
    return dressed(figure, round(44 * (0.4 - y)) + AXIS_PX - 20, legend=False)


# --- Forgetting -------------------------------------------------------------------------------------------------


def forgetting_figure(view: ForgettingView, chosen: Curve, earliest: date) -> go.Figure:
    """The chosen question's chance of being remembered over the days, with today, the interview and when it is due; the others in grey."""
    figure = go.Figure()
    others = [curve for curve in view.curves if curve is not chosen]
    if others:
        figure.add_scatter(
            x=[x for curve in others for x in (*(at for at, _ in curve.points), None)],
            y=[y for curve in others for y in (*(100 * chance for _, chance in curve.points), None)],
            mode="lines",
            name="the other questions",
            line={"color": GREY, "width": 1},
            opacity=0.55,
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=[at for at, _ in chosen.points],
        y=[100 * chance for _, chance in chosen.points],
        mode="lines",
        name=chosen.title,
        line={"color": RIGHT, "width": 3},
        hovertemplate="%{x|%-d %b}: %{y:.0f} %<extra></extra>",
    )
    _mark(figure, view.now, chosen.today, "today", RIGHT, "circle")
    if view.interview_at is not None and chosen.on_the_day is not None:
        _mark(figure, view.interview_at, chosen.on_the_day, "the interview", LINE, "star")
    figure.update_yaxes(**percent_axis("Chance of remembering, %"))
    figure.update_xaxes(
        type="date", tickformat="%-d %b", nticks=6, showgrid=False, fixedrange=True, title="Day", range=[earliest.isoformat(), chosen.points[-1][0]]
    )
    return dressed(figure, 400, legend=True)


def _mark(figure: go.Figure, at: object, chance: float, name: str, colour: str, symbol: str) -> None:
    figure.add_scatter(
        x=[at],
        y=[100 * chance],
        mode="markers",
        name=f"{name}: {chance:.0%}",
        cliponaxis=False,
        marker={"color": colour, "size": 15 if symbol == "star" else 12, "symbol": symbol},
        hovertemplate=f"{name}: %{{y:.0f}} %<extra></extra>",
    )


# --- Predictions ------------------------------------------------------------------------------------------------


def foretold_figure(lines: Sequence[Foretold], title_of: Callable[[str], str]) -> go.Figure:
    """A bar an experiment, its name above it: predictions that came true, then those that did not."""
    figure = go.Figure()
    heights = [-place - 0.8 for place in range(len(lines))]
    for height, line in zip(heights, lines, strict=True):
        figure.add_annotation(xref="paper", x=0, y=height + 0.45, text=title_of(line.experiment), font_size=13, **LEFT_TEXT)
        figure.add_annotation(y=height + 0.45, text=f"{line.right} of {line.runs}", font_size=13, **RIGHT_TEXT)
    bar = {"y": heights, "orientation": "h", "width": 0.36}
    figure.add_bar(x=[one.right for one in lines], name="came true", marker_color=RIGHT, hovertemplate="%{x} came true<extra></extra>", **bar)
    wrong = lengths(one.runs - one.right for one in lines)
    figure.add_bar(x=wrong, name="did not", marker=PALE, hovertemplate="%{x} did not<extra></extra>", **bar)
    most = max(one.runs for one in lines)
    figure.update_xaxes(title="Predictions", range=[0, most], dtick=max(1, -(-most // 8)), gridcolor=GRID, zeroline=False, fixedrange=True)
    figure.update_yaxes(visible=False, range=[-len(lines) - 0.2, 0], fixedrange=True)
    return dressed(figure, round(44 * (len(lines) + 0.2)) + AXIS_PX, legend=True).update_layout(barmode="stack")
