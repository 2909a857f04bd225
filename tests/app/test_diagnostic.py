"""The diagnostic, clicked through: no feedback in between, a result at the end, and nothing lost or counted twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from questions.schema import ChoiceItem
from quiz.ui import context
from quiz.ui.diagnostic import chance_in_words, in_words, message, readiness_in_words
from quiz.ui.today_charts import level_figure
from quiz.views import LevelLine
from tests.app.learner import DIAGNOSTIC, PRACTICE, STUDY, Open, attempts, carousel, check, give, has_button, right_answer, says, shown_turn, wrong_answer


class Ticking:
    """A clock that moves ten seconds at every look, and can be stopped."""

    def __init__(self) -> None:
        self.now, self.step = datetime(2026, 3, 2, 12, tzinfo=UTC), timedelta(seconds=10)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@pytest.fixture
def open_app() -> Iterator[Open]:
    with carousel() as open_tab:
        context.configure(replace(context.quiz(), clock=Ticking()))
        yield open_tab


@pytest.fixture
def measuring(open_app: Open) -> AppTest:
    """The first item of a diagnostic."""
    open_app(DIAGNOSTIC).button(key="start_diagnostic").click().run()
    return open_app(PRACTICE)


def answer(tab: AppTest, how: Callable = wrong_answer) -> None:
    turn = shown_turn()
    give(tab, turn, how(turn.item))
    check(tab)


def is_open() -> bool:
    return context.quiz().service.open_session(context.quiz().learner) is not None


def answered_through(how: Callable = wrong_answer) -> None:
    """The rest of the diagnostic, through the service."""
    quiz = context.quiz()
    while is_open():
        turn = shown_turn()
        quiz.service.submit(turn.presentation_id, how(turn.item), None, quiz.clock())
        quiz.service.advance(turn.presentation_id, quiz.clock())


def test_before_it_starts_the_page_says_what_it_asks_and_gives(open_app: Open) -> None:
    page = says(open_app(DIAGNOSTIC))
    assert "at least 8" in page
    assert "No feedback in between" in page


def test_an_answer_leads_to_the_next_item_without_feedback(measuring: AppTest) -> None:
    first = shown_turn()
    answer(measuring)
    assert not measuring.exception
    assert shown_turn().presentation_id != first.presentation_id
    assert attempts() == (1, 0)
    assert not measuring.error
    assert not measuring.success
    assert not has_button(measuring, "next")
    assert "Diagnostic, question 2" in measuring.progress[0].text
    assert first.item.explanation.strip() not in says(measuring)


def test_no_certainty_is_asked_for(measuring: AppTest) -> None:
    assert not measuring.get("button_group")
    answer(measuring, right_answer)
    assert attempts() == (1, 1)


def test_i_do_not_know_counts_as_asked_and_goes_on(measuring: AppTest) -> None:
    assert measuring.button(key="skip").label == "I don't know"
    measuring.button(key="skip").click().run()
    assert "Diagnostic, question 2" in measuring.progress[0].text
    found = context.quiz().service.adaptive.diagnostic(context.quiz().learner)
    assert found is not None
    assert (found.overall.answers, attempts()) == (1, (0, 0))


def test_a_double_click_on_i_do_not_know_leaves_one_item(measuring: AppTest) -> None:
    measuring.button(key="skip").click().run()
    clock = context.quiz().clock
    assert isinstance(clock, Ticking)
    clock.step = timedelta(0)
    second = shown_turn()
    measuring.session_state.drawn_at = clock.now
    measuring.button(key="skip").click().run()
    assert shown_turn().presentation_id == second.presentation_id


def test_a_second_tab_that_answers_the_same_item_counts_once(open_app: Open, measuring: AppTest) -> None:
    other, turn = open_app(PRACTICE), shown_turn()
    for tab in (measuring, other):
        give(tab, turn, right_answer(turn.item))
    check(measuring)
    check(other)
    assert not other.exception
    assert attempts() == (1, 1)
    assert "Diagnostic, question 2" in other.progress[0].text


def test_a_refresh_shows_the_same_item_and_a_later_visit_goes_on(open_app: Open, measuring: AppTest) -> None:
    answer(measuring)
    before = says(measuring)
    assert says(open_app(PRACTICE)) == before
    waiting = open_app(DIAGNOSTIC)
    assert "1 question answered so far" in says(waiting)
    waiting.button(key="resume").click().run()
    assert says(waiting) == before


def test_an_answer_that_was_recorded_but_not_left_is_passed_by(open_app: Open, measuring: AppTest) -> None:
    turn, quiz = shown_turn(), context.quiz()
    quiz.service.submit(turn.presentation_id, wrong_answer(turn.item), None, quiz.clock())
    tab = open_app(PRACTICE)
    assert not tab.error
    assert shown_turn().presentation_id != turn.presentation_id
    assert "Diagnostic, question 2" in tab.progress[0].text


def test_it_ends_by_itself_with_a_result(measuring: AppTest) -> None:
    while is_open():
        answer(measuring)
    assert not measuring.exception
    assert measuring.title[0].value == "Not ready yet"
    page = says(measuring)
    assert "Begin with these three" in page
    assert measuring.get("plotly_chart")
    assert has_button(measuring, "practise_weakest")


def test_the_last_item_may_be_one_that_is_not_known(measuring: AppTest) -> None:
    while is_open():
        measuring.button(key="skip").click().run()
    assert not measuring.exception
    assert measuring.title[0].value == "Not ready yet"
    assert attempts() == (0, 0)


def test_it_can_be_stopped_early_and_says_so(measuring: AppTest) -> None:
    answer(measuring)
    measuring.button(key="finish").click().run()
    assert not measuring.exception
    assert "You stopped it early" in says(measuring)
    assert "From 1 answer." in says(measuring)


def test_stopped_before_the_first_answer_it_offers_itself_again(measuring: AppTest) -> None:
    measuring.button(key="finish").click().run()
    assert not measuring.exception
    assert has_button(measuring, "start_diagnostic")


def test_the_three_weakest_are_practised_and_nothing_else(open_app: Open, measuring: AppTest) -> None:
    answered_through()
    quiz = context.quiz()
    found = quiz.service.adaptive.diagnostic(quiz.learner)
    assert found is not None
    open_app(DIAGNOSTIC).button(key="practise_weakest").click().run()
    session = quiz.service.open_session(quiz.learner)
    assert session is not None
    assert (session.kind, session.only, session.length) == ("practice", tuple(line.key for line in found.weakest), 9)


def test_the_feedback_that_was_held_back_is_shown_at_the_end(open_app: Open, measuring: AppTest) -> None:
    measuring.button(key="skip").click().run()
    answered_through()
    quiz = context.quiz()
    found = quiz.service.adaptive.diagnostic(quiz.learner)
    assert found is not None
    turns = quiz.service.review(found.session.id, learner=quiz.learner)
    tab = open_app(DIAGNOSTIC)
    for place, turn in enumerate(turns):
        tab.selectbox(key="review").set_value(place).run()
        assert not tab.exception
        assert turn.item.explanation.strip() in says(tab)
    assert turns[0].feedback is None
    tab.selectbox(key="review").set_value(0).run()
    if isinstance(turns[0].item, ChoiceItem):
        assert all(choice.text in says(tab) for choice in turns[0].item.choices if choice.correct)


def test_an_open_practice_session_is_finished_only_when_asked_to(open_app: Open) -> None:
    quiz = context.quiz()
    practice = quiz.service.start_session(quiz.learner, 5, quiz.clock())
    tab = open_app(DIAGNOSTIC)
    assert not has_button(tab, "start_diagnostic")
    assert "A practice session is open: 0 of 5 questions answered." in says(tab)
    tab.button(key="switch").click().run()
    session = quiz.service.open_session(quiz.learner)
    assert session is not None
    assert session.kind == "diagnostic"
    assert quiz.service.summary(practice.id).session.ended_at is not None


def test_the_study_page_calls_an_open_diagnostic_by_its_name(open_app: Open, measuring: AppTest) -> None:
    assert "A diagnostic is open" in says(open_app(STUDY, question="forget-gate"))


def test_the_last_session_may_be_looked_at_again_also_when_it_was_a_diagnostic(open_app: Open, measuring: AppTest) -> None:
    answered_through()
    tab = open_app(PRACTICE)
    assert "Last time: a diagnostic." in says(tab)
    tab.button(key="last").click().run()
    assert not tab.exception
    assert "Begin with these three" in says(tab)


# --- Words ------------------------------------------------------------------------------------------------------


def line(key: str, mastery: float, reach: float, answers: int = 4) -> LevelLine:
    return LevelLine(key, key.capitalize(), mastery, mastery - reach, mastery + reach, answers)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([line("gates", 0.8, 0.1), line("training", 0.4, 0.1)], "Strongest in gates, weakest in training"),
        ([line("gates", 0.7, 0.3), line("training", 0.5, 0.3)], "Perhaps strongest in gates, weakest in training: the ranges overlap"),
        ([line("gates", 0.7, 0.3), line("training", 0.65, 0.3)], "The groups lie close together"),
        ([line("gates", 0.7, 0.3), line("training", 0.3, 0.3, answers=0)], "Your level by group"),
    ],
)
def test_the_charts_title_says_only_what_the_ranges_allow(groups: list[LevelLine], expected: str) -> None:
    assert message(groups) == expected


@pytest.mark.parametrize(
    ("ready", "expected"),
    [
        (0.98, "You are ready"),
        (0.7, "You are probably ready"),
        (0.5, "You may be ready: it is close"),
        (0.2, "Not ready yet, probably"),
        (0.02, "Not ready yet"),
    ],
)
def test_ready_or_not_is_said_as_surely_as_it_is_known(ready: float, expected: str) -> None:
    assert readiness_in_words(ready) == expected


def test_a_chance_is_never_a_certainty() -> None:
    assert [chance_in_words(one) for one in (0.0, 0.5, 1.0)] == ["under 1%", "50%", "over 99%"]


def test_the_chart_shows_levels_and_intervals_and_says_them_in_words() -> None:
    lines = [line("overall", 0.5, 0.2), line("gates", 0.75, 0.1)]
    [trace] = level_figure(lines).data
    assert (list(trace.x), list(trace.y)) == ([50, 75], ["Overall", "Gates"])
    assert list(trace.error_x.array) == pytest.approx([20, 10])
    assert "Gates: 75%, between 65% and 85%, from 4 answers" in in_words(lines)
