"""What holds for every figure of the quiz's pages: each axis says what it measures, and each mark is seen on paper and on ink."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import plotly.graph_objects as go
import pytest

from questions.recordings import Recording
from questions.schema import Group
from quiz.engine.calibration import Losses
from quiz.engine.planner import Goal, Plan, PlanDay, Step
from quiz.engine.points import certainty_of
from quiz.progress_views import Curve, Foretold, ForgettingView
from quiz.ui.charts import MISSED, RIGHT, days_figure, recording_figure
from quiz.ui.growth_charts import accuracy_figure, calendar_figure, foretold_figure, forgetting_figure, mastery_figure, periods_figure
from quiz.ui.insight_charts import cell_figure, certainty_figure, readiness_figure, reliability_figure
from quiz.ui.today_charts import level_figure, plan_figure
from quiz.views import Calibration, Chance, DayStat, InterviewView, LevelLine, PlanView, ReadinessLine
from tests.app.contrast import GROUNDS, contrast
from tests.app.test_growth import growth, row
from tests.app.test_insights import BINS
from tests.engine.builders import RECORDING

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY, INTERVIEW = NOW.date(), date(2026, 3, 6)
CHANCE, SCALE = Chance(0.6, 0.4, 0.75), ("#FFFFFF", "#000000")


def plan() -> go.Figure:
    days = tuple(PlanDay(TODAY + ahead * DAY, (Step("gates", 4, 8.0, 1.0),)) for ahead in (0, 1))
    interview = InterviewView(INTERVIEW, 20, (2,), NOW, over=False)
    return plan_figure(PlanView(interview, Plan(Goal(INTERVIEW, 20, frozenset({2})), days, 50.0, 60.0, ()), 5.0, 4), TODAY)


def forgetting() -> go.Figure:
    points = ((NOW, 0.9), (NOW + 9 * DAY, 0.7))
    curves = tuple(Curve(title, 7, title, Group.GATES, NOW, NOW + DAY, 0.9, 0.75, points) for title in ("A", "B"))
    return forgetting_figure(ForgettingView(curves, NOW, INTERVIEW, NOW + 4 * DAY), curves[0], TODAY)


FIGURES: dict[str, Callable[[], go.Figure]] = {
    "days": lambda: days_figure([DayStat(TODAY, 4, 3), DayStat(TODAY + DAY, 4, 4)]),
    "recording": lambda: recording_figure(Recording.model_validate(RECORDING)),
    "plan": plan,
    "level": lambda: level_figure([LevelLine(key, key, 0.5, 0.3, 0.7, 4) for key in ("overall", "gates")]),
    "readiness": lambda: readiness_figure([ReadinessLine("q", 7, "A", Group.GATES, 5, True, CHANCE, CHANCE)]),
    "reliability": lambda: reliability_figure(Calibration(40, Losses(0.2, 0.6), Losses(0.2, 0.6), BINS)),
    "certainty": lambda: certainty_figure(certainty_of({("sure", True): 18, ("sure", False): 2})),
    "cell": lambda: cell_figure([100.0, 90.0, 81.0], 1, RIGHT),
    "mastery": lambda: mastery_figure(growth(rows=(row("A", 0.4, 0.5, 0.6),)), SCALE),
    "calendar": lambda: calendar_figure(growth().days, TODAY, 2, SCALE, minutes=False),
    "periods": lambda: periods_figure(growth()),
    "accuracy": lambda: accuracy_figure(growth()),
    "forgetting": forgetting,
    "foretold": lambda: foretold_figure([Foretold("a", 20, 12)], str.upper),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_axis_that_is_shown_has_a_title(name: str) -> None:
    figure = FIGURES[name]()
    axes = {f"{kind}axis{(trace[f'{kind}axis'] or kind)[1:]}" for trace in figure.data for kind in "xy"}
    assert [axis for axis in sorted(axes) if figure.layout[axis].visible is not False and not figure.layout[axis].title.text] == []


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in ("mastery", "calendar")])  # heat maps, which tell their values in words
def test_every_mark_stands_out_from_paper_and_from_ink(name: str) -> None:
    colours = {colour for trace in FIGURES[name]().data for colour in seen(trace)}
    assert colours
    assert {colour for colour in colours if min(contrast(colour, ground) for ground in GROUNDS) < 3} == set()


def seen(trace: go.Bar | go.Scatter) -> Iterator[str]:
    """The colours that set a trace off from its ground: a bar's edge where it has one, else its face; a line's and its marks'."""
    if trace.type == "bar":
        yield trace.marker.line.color if trace.marker.line.width else trace.marker.color
        return
    if "lines" in trace.mode and trace.line.color:
        yield trace.line.color
    if "markers" in trace.mode and trace.marker.color:
        yield from [trace.marker.color] if isinstance(trace.marker.color, str) else trace.marker.color


def test_missed_and_right_differ_by_lightness() -> None:
    assert contrast(RIGHT, MISSED) >= 2


def test_a_bar_of_nothing_has_no_edge_to_draw() -> None:
    missed = next(trace for trace in FIGURES["days"]().data if trace.name == "Missed")
    assert list(missed.y) == [1, None]
