"""Sections of the progress page that look back: over time, forgetting, misconceptions, predictions; and the messages on their charts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from questions.schema import Group
from quiz.engine.periods import Period
from quiz.progress_views import Accuracy, Curve, Foretold, ForgettingView, Growth, GrowthRow, PeriodStat
from quiz.service import RunBook
from quiz.ui import context
from quiz.ui.growth import accuracy_message, forgetting_message, forgetting_table, mastery_message, predicted
from quiz.ui.growth_charts import (
    accuracy_figure,
    calendar_figure,
    first_to_last,
    foretold_figure,
    forgetting_figure,
    mastery_figure,
    period_name,
    periods_figure,
)
from tests.app.learner import Open, answered_before, charts, has_button, says, section, shown_turn

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
MONDAY = date(2026, 3, 2)
SCALE = ("#FFFFFF", "#000000")


# --- Sections ---------------------------------------------------------------------------------------------------


def test_over_time_tells_what_was_answered_and_its_filters_choose_what(open_app: Open) -> None:
    answered_before(NOW, days=40, length=4)
    quiz = context.quiz()
    tab = section(open_app, "growth")
    assert "160 answers on 40 days" in says(tab)
    mastery, calendar, periods, accuracy = charts(tab)
    assert mastery.startswith("Mastery rose for")
    assert calendar.startswith("A calendar. You practised on 40 days")
    assert "| Day | Answers | Right | Minutes |" in says(tab)
    assert " of 160 answers right" in periods
    found = quiz.service.hindsight.growth(quiz.learner, NOW, UTC)
    assert all(f"{one.label} {one.share:.0%} (" in accuracy for one in (*found.groups, *found.formats))
    tab.get_by_key("time").set_value("4 weeks").run()
    assert "108 answers on 27 days" in says(tab)
    tab.get_by_key("groups").set_value([Group.GATES]).run()
    assert "108 answers" not in says(tab)
    assert "All answers are of one group, Gates" in says(tab)
    tab.get_by_key("time").set_value("between").run()
    tab.get_by_key("to").set_value((NOW - 39 * DAY).date()).run()
    tab.get_by_key("groups").set_value([]).run()
    assert not tab.exception
    assert "8 answers on 2 days" in says(tab)


def test_a_choice_without_answers_says_so(open_app: Open) -> None:
    answered_before(NOW - 60 * DAY, days=2)
    tab = section(open_app, "growth")
    tab.get_by_key("time").set_value("4 weeks").run()
    assert "No answer in this choice of groups and days" in says(tab)
    assert not charts(tab)


def test_forgetting_begins_with_the_faintest_memory_and_shows_any_other(open_app: Open) -> None:
    answered_before(NOW - 20 * DAY, days=6)
    quiz = context.quiz()
    view = quiz.service.hindsight.forgetting(quiz.learner, quiz.service.state(quiz.learner), NOW, UTC)
    faintest, surest = (choose(view.curves, key=lambda curve: curve.today) for choose in (min, max))
    tab = section(open_app, "forgetting")
    assert charts(tab)[0].startswith(f"A curve of forgetting. {faintest.title}: {faintest.today:.0%} today; it is due")
    tab.get_by_key("curve").set_value(f"{surest.number} {surest.title}").run()
    assert charts(tab)[0].startswith(f"A curve of forgetting. {surest.title}: {surest.today:.0%} today")
    assert f"Study {surest.title}" in [link.value for link in tab.page_link]


def test_open_misconceptions_can_be_practised_and_have_their_reasons(open_app: Open) -> None:
    answered_before(NOW, days=6)
    quiz = context.quiz()
    found = quiz.service.hindsight.misconceptions(quiz.learner, UTC)
    still = [one for one in found if one.overcome_at is None]
    tab = section(open_app, "misconceptions")
    numbers = {metric.label: metric.value for metric in tab.metric}
    assert (numbers["Met"], numbers["Overcome"], numbers["Still open"]) == (str(len(found)), str(len(found) - len(still)), str(len(still)))
    assert still[0].text in says(tab)
    assert still[0].why in says(tab)
    assert any(r"\textcolor" in one.value for one in tab.markdown)  # the gates of their formulas
    tab.button(key="practise_open").click().run()
    assert set(shown_turn().session.only) == {one.question_id for one in still}
    assert not has_button(section(open_app, "misconceptions"), "practise_open")


def test_predictions_are_told_with_how_many_came_true(open_app: Open) -> None:
    answered_before(NOW, days=1, length=1)
    assert "No prediction has come to its outcome" in says(section(open_app, "predictions"))
    quiz = context.quiz()
    book = RunBook(quiz.service._database, quiz.learner)
    for number, outcome in enumerate(("hit", "hit", "miss")):
        book.begin(str(number), {"experiment": "forget-gate", "settings": {}, "first_seed": 0, "seeds": 1, "prediction": "hit"})
        book.end(str(number), {"state": "finished", "verdict": {"outcome": outcome}, "record": {}})
    tab = section(open_app, "predictions")
    assert "**You predicted 2 of 3 runs rightly**" in says(tab)
    assert charts(tab) == [f"You predicted 2 of 3 runs rightly. {quiz.experiment_title('forget-gate')} 2 of 3."]


# --- Messages ---------------------------------------------------------------------------------------------------


def row(title: str, *values: float | None) -> GrowthRow:
    return GrowthRow(title.lower(), 7, title, Group.GATES, values)


def test_the_message_on_mastery_counts_who_rose_and_names_who_rose_most() -> None:
    rows = [row("A", 0.3, None, 0.62), row("B", None, 0.5, 0.6), row("C", 0.5, 0.4), row("D", None, 0.9), row("E", None)]
    assert mastery_message(rows) == "Mastery rose for 2 of 3 questions, most for A: from 30% to 62%"
    assert mastery_message(rows[2:3]) == "Mastery rose for none of 1 question"
    assert mastery_message(rows[3:]).startswith("Too early")
    assert [first_to_last(one) for one in (rows[0], rows[3])] == ["30 → 62 %", "90 %"]


def accuracy(label: str, right: int, answers: int) -> Accuracy:
    return Accuracy(label.lower(), label, answers, right, answers * 1.0)


def test_groups_are_called_different_only_where_chance_would_not_do() -> None:
    gates, training, few = accuracy("Gates", 80, 100), accuracy("Training", 40, 100), accuracy("Few", 1, 1)
    assert accuracy_message([gates, training, few], "group") == "Among groups, clearly better at Gates (80%) than at Training (40%)"
    assert accuracy_message([training, few], "group") == "No two groups differ clearly"
    assert accuracy_message([gates], "group") == "All answers are of one group, Gates"


def test_predictions_are_added_up() -> None:
    assert predicted([Foretold("a", 20, 12), Foretold("b", 4, 2)]) == "You predicted 14 of 24 runs rightly"


# --- Charts -----------------------------------------------------------------------------------------------------


def growth(days: int = 3, rows: tuple[GrowthRow, ...] = ()) -> Growth:
    stats = tuple(PeriodStat(Period(MONDAY + n * DAY, MONDAY + n * DAY), 4 * (n != 1), 3 * (n != 1), 5.0 * (n != 1)) for n in range(days))
    return Growth("day", stats, rows, (accuracy("Gates", 6, 8),), (accuracy("Choose one", 6, 8),), tuple(one for one in stats if one.answers), days - 1)


def test_the_heat_map_has_a_strip_a_question_that_was_tried_from_the_top_down() -> None:
    (heat,) = mastery_figure(growth(rows=(row("A", None, 0.5, 0.6), row("B", None, None, None))), SCALE).data
    strips = [list(line) for line in heat.z if any(value is not None for value in line)]
    assert strips == [[None, 50.0, 60.0]]
    assert list(heat.y) == sorted(heat.y)
    assert len(heat.y) == len(heat.z) + 1


def test_the_heat_map_names_every_question_and_where_it_went() -> None:
    figure = mastery_figure(growth(rows=(row("A", None, 0.5, 0.6), row("B", None, None, None))), SCALE)
    assert [note.text for note in figure.layout.annotations] == ["<b>Gates</b>", "7 A", "50 → 60 %", "7 B", "not tried yet"]


def test_the_calendar_has_a_column_a_week_and_nothing_after_the_last_day() -> None:
    (heat,) = calendar_figure(growth().days, MONDAY + 2 * DAY, 2, SCALE, minutes=False).data
    names, *weekdays = heat.z
    assert set(names) == {None}
    assert [line[0] for line in weekdays] == [0] * 7
    assert [line[1] for line in weekdays] == [4, 0, 4, None, None, None, None]
    (heat,) = calendar_figure(growth().days, MONDAY + 2 * DAY, 52, SCALE, minutes=True).data
    assert (len(heat.z), len(heat.z[0])) == (16, 26)
    assert heat.z[9][25] == 5.0


def test_periods_without_answers_leave_a_gap_in_the_share() -> None:
    share, right, missed, minutes = periods_figure(growth()).data
    assert list(share.y) == [75.0, None, 75.0]
    assert (list(right.y), list(missed.y), list(minutes.y), minutes.name) == ([3, 0, 3], [1, None, 1], [5, 0, 5], "Minutes")


def test_accuracy_stands_on_its_interval() -> None:
    (dots,) = accuracy_figure(growth()).data
    low, high = accuracy("Gates", 6, 8).interval
    assert list(dots.x) == [75.0, 75.0]
    assert (dots.error_x.arrayminus[0], dots.error_x.array[0]) == pytest.approx((75 - 100 * low, 100 * high - 75))


def test_the_curve_carries_today_and_the_interview() -> None:
    now = datetime(2026, 3, 6, tzinfo=UTC)
    points = ((now - 2 * DAY, 1.0), (now, 0.9), (now + 9 * DAY, 0.7))
    curves = tuple(Curve(title, 7, title, Group.GATES, now - 2 * DAY, now + DAY, 0.9, 0.75, points) for title in ("A", "B"))
    view = ForgettingView(curves, now, date(2026, 3, 12), now + 6 * DAY)
    others, curve, today, interview = forgetting_figure(view, curves[0], MONDAY).data
    assert (list(curve.y), list(today.y), list(interview.y)) == ([100, 90, 70], [90], [75])
    assert list(others.y) == [100, 90, 70, None]
    assert forgetting_message(view, curves[0], now) == "A: 90% today, 75% on the day of the interview; it is due tomorrow"
    assert forgetting_table(view, now).splitlines()[2] == "| 7 A | 90% | 75% | tomorrow |"


def test_predictions_that_came_true_stand_before_those_that_did_not() -> None:
    right, wrong = foretold_figure([Foretold("a", 20, 12), Foretold("b", 4, 4)], str.upper).data
    assert (list(right.x), list(wrong.x)) == ([12, 4], [8, None])


def test_periods_are_named_by_their_first_day() -> None:
    span = Period(date(2026, 12, 3), date(2026, 12, 31))
    assert [period_name(step, span) for step in ("day", "week", "month", "quarter", "year")] == ["3 Dec", "3 Dec", "Dec 2026", "Q4 2026", "2026"]
