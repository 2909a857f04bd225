"""The progress page: empty, after some weeks; and the small functions behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from questions.schema import Group
from quiz.progress_views import Within
from quiz.ui import context
from quiz.ui.charts import days_figure
from quiz.ui.progress import LEVELS, days_message, level
from quiz.views import DayStat, MasteryCell
from tests.app.learner import PRACTICE, PROGRESS, Open, answered_before, charts, check, give, has_button, links, right_answer, says, shown_turn, skip_to

NOW = datetime.now(UTC)


def metrics(tab: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in tab.metric}


def test_the_empty_page_says_what_will_be_here_and_how_to_begin(open_app: Open) -> None:
    tab = open_app(PROGRESS)
    assert not tab.exception
    assert "Nothing here yet" in says(tab)
    assert "Start practising" in links(tab)
    assert says(tab).count("Not tried yet") == len(context.quiz().bank.questions)


def test_one_answer_shows_in_every_number(open_app: Open) -> None:
    practice = open_app(PRACTICE).button(key="start").click().run()
    turn = skip_to(practice, "single")
    give(practice, turn, right_answer(turn.item))
    check(practice)
    tab = open_app(PROGRESS)
    assert not tab.exception
    assert metrics(tab) == {"Questions met": f"1 of {len(context.quiz().bank.questions)}", "Answers, all time": "1", "Right, all time": "100%", "Due now": "0"}
    assert f"Next comes **{turn.question_title}**" in says(tab)
    assert tab.get("plotly_chart")


def test_every_question_has_a_cell_that_leads_to_its_card(open_app: Open) -> None:
    answered_before(NOW, days=3)
    tab = open_app(PROGRESS)
    for question in context.quiz().bank.questions:
        assert f"{question.number} {question.title}" in links(tab)


def test_what_is_due_is_listed_and_can_be_practised_at_once(open_app: Open) -> None:
    answered_before(NOW - timedelta(days=60), days=4)
    tab = open_app(PROGRESS)
    quiz = context.quiz()
    due = {cell.question_id for cell in quiz.service.progress(quiz.learner, NOW, UTC).cells if cell.due}
    assert len(due) > 1
    assert metrics(tab)["Due now"] == str(len(due))
    tab.button(key="practise_due").click().run()
    assert set(shown_turn().session.only) == due
    assert shown_turn().question_id in due


def test_a_group_chosen_on_the_overview_chooses_what_is_due_the_cells_and_the_days(open_app: Open) -> None:
    answered_before(NOW, days=6)
    tab = open_app(PROGRESS)
    bank, everything = context.quiz().bank, charts(tab)
    tab.get_by_key("groups").set_value([Group.GATES]).run()
    assert not tab.exception
    cells = [link for link in links(tab) if link[0].isdigit()]
    assert cells == [f"{question.number} {question.title}" for question in bank.questions if question.group is Group.GATES]
    quiz = context.quiz()
    answers = sum(one.answers for one in quiz.service.hindsight.days(quiz.learner, UTC, Within(frozenset({Group.GATES}))))
    assert 0 < answers < 60
    assert f"{answers} answers" in charts(tab)[0]
    assert charts(tab) != everything


def test_an_open_session_is_offered_before_the_due_ones(open_app: Open) -> None:
    answered_before(NOW - timedelta(days=60), days=4)
    open_app(PRACTICE).button(key="start").click().run()
    tab = open_app(PROGRESS)
    assert not has_button(tab, "practise_due")
    assert "Go on with the open session" in links(tab)


def cell(mastery: float | None) -> MasteryCell:
    return MasteryCell("q", 1, "Q", Group.GATES, 0, 0, mastery, mastery, mastery, None, None, False)


@pytest.mark.parametrize(("mastery", "expected"), [(None, 0), (0.0, 1), (0.39, 1), (0.4, 2), (0.6, 3), (0.79, 3), (0.8, 4), (1.0, 4)])
def test_levels_follow_the_bounds_the_legend_names(mastery: float | None, expected: int) -> None:
    assert level(cell(mastery)) == expected
    assert LEVELS[expected]


def test_the_chart_stacks_right_and_missed_and_draws_the_share() -> None:
    figure = days_figure([DayStat(date(2026, 3, 1), 4, 3), DayStat(date(2026, 3, 3), 5, 0)])
    right, missed, share = figure.data
    assert list(right.x) == ["2026-03-01", "2026-03-03"]
    assert list(right.y) == [3, 0]
    assert list(missed.y) == [1, 5]
    assert list(share.y) == [75, 0]


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ([("2026-11-03", 4, 3), ("2026-11-05", 3, 3), ("2026-11-10", 30, 20)], "Most on Tuesdays: 34 of 37 answers"),
        ([("2026-11-03", 4, 3)], "4 answers on 1 day, 75% right"),  # one Tuesday is no habit
        ([("2026-11-03", 4, 3), ("2026-11-04", 4, 1), ("2026-11-10", 1, 1), ("2026-11-11", 1, 1)], "10 answers on 4 days, 60% right"),  # a tie
    ],
)
def test_the_latest_days_are_told_in_a_sentence(days: list[tuple[str, int, int]], message: str) -> None:
    assert days_message([DayStat(date.fromisoformat(day), answers, right) for day, answers, right in days]) == message


def test_a_single_day_is_drawn_on_a_week_of_room() -> None:
    figure = days_figure([DayStat(date(2026, 3, 8), 4, 3)])
    assert list(figure.layout.xaxis.range) == ["2026-03-01T12:00", "2026-03-08T12:00"]
