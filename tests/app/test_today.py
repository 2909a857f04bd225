"""The page Today: the first visit, the day's plan, the interview's date, missed days, and afterwards."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from time import monotonic

import pytest
from sqlalchemy import make_url
from streamlit.testing.v1 import AppTest

from quiz.service import QuizService, RunBook
from quiz.settings import Settings
from quiz.ui import components, context
from quiz.ui.going import GOING
from quiz.ui.interview import WENT, days_left_in_words
from quiz.ui.introduction import cell_message, left_after
from quiz.ui.text import duration, long_day
from quiz.ui.today import minutes_of, practised_in_words
from quiz.ui.today_charts import calendar, plan_figure
from tests.app.learner import PRACTICE, Open, answered_before, carousel, has_button, right_answer, says, shown_turn, wrong_answer

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def open_app() -> Iterator[Open]:
    with carousel() as open_tab:
        put_clock(MONDAY)
        yield open_tab


def put_clock(now: datetime) -> None:
    """From now on it is this late."""
    context.configure(replace(context.quiz(), clock=lambda: now))


def service() -> QuizService:
    return context.quiz().service


def set_interview(days: int = 10, minutes: int = 20, off: tuple[int, ...] = (), now: datetime = MONDAY) -> None:
    service().adaptive.set_interview(context.quiz().learner, (now + days * DAY).date(), minutes, now, UTC, off)


def practise(length: int, now: datetime, answer: Callable = right_answer) -> None:
    """A session of this many answers, a minute each."""
    session = service().start_session(context.quiz().learner, length, now)
    while (turn := service().current(session.id, now, random.Random(1))) is not None:
        now += timedelta(minutes=1)
        service().submit(turn.presentation_id, answer(turn.item), None, now)
        service().advance(turn.presentation_id, now)


def metrics(tab: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in tab.metric}


# --- The first visit --------------------------------------------------------------------------------------------


def test_the_first_visit_has_two_ways_on_and_nothing_to_configure(open_app: Open) -> None:
    tab = open_app()
    assert not tab.exception
    assert [button.label for button in tab.button if button.key != "shortcuts"] == ["Try 3 questions", "Find my level"]
    fields = [*tab.text_input, *tab.number_input, *tab.date_input, *tab.selectbox, *tab.metric]
    assert fields == []


@pytest.mark.parametrize(
    ("chosen", "told"),
    [("37%", "**Right.**] What the steps keep"), ("99%", "That is left after one step."), ("0%", "a step loses 1% of what is left by then")],
)
def test_the_introductions_question_is_answered_seen_and_not_counted(open_app: Open, chosen: str, told: str) -> None:
    tab = open_app()
    tab.get_by_key("introduction_answer").set_value(chosen).run()
    page = says(tab)
    assert not tab.exception
    assert told in page
    assert "$0.99^{100} = 0.37$" in page
    assert "half is left after 69 steps, a hundredth after 458" in page
    assert service().today.view(context.quiz().learner, MONDAY, UTC).attempts == 0
    assert has_button(tab, "begin")


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (0.9, "**At 0.900** half is left after 7 steps, a hundredth after 44."),
        (1.0, "**At 1 nothing is ever lost:** the constant error carousel, which this app is named after."),
    ],
)
def test_the_introduction_says_how_long_a_cell_remembers(gate: float, message: str) -> None:
    assert cell_message(gate) == message
    assert left_after(gate, 0) == 1
    assert left_after(1, 300) == 1


def test_trying_it_opens_a_session_of_three_questions(open_app: Open) -> None:
    tab = open_app().button(key="begin").click().run()
    assert shown_turn().session.length == 3
    assert "Question 1 of 3" in tab.progress[0].text


def test_finding_the_level_opens_a_diagnostic(open_app: Open) -> None:
    tab = open_app().button(key="first_diagnostic").click().run()
    assert shown_turn().session.kind == "diagnostic"
    assert "Diagnostic, question 1" in tab.progress[0].text


@pytest.mark.parametrize(
    ("arrived_ago_s", "page"),
    [(None, "Practice"), (0.0, "Practice"), (60.0, "Today")],
    ids=["before it has left", "just after", "later"],
)
def test_the_second_half_of_a_double_click_follows_the_first_and_nothing_later_does(open_app: Open, arrived_ago_s: float | None, page: str) -> None:
    tab = open_app()
    service().start_session(context.quiz().learner, 3, MONDAY)
    tab.session_state[GOING] = (components.PRACTICE, None if arrived_ago_s is None else monotonic() - arrived_ago_s)
    tab.run()  # Today again, by the second click
    assert (len(tab.progress) == 1 and "Question 1 of 3" in tab.progress[0].text) is (page == "Practice")
    assert has_button(tab, "begin") is (page == "Today")


def test_a_session_that_could_not_start_leads_nowhere(open_app: Open) -> None:
    tab = open_app()
    with closing(sqlite3.connect(str(make_url(Settings.from_environment().database_url).database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        tab.button(key="begin").click().run()
    assert "another program keeps it locked" in says(tab)
    assert GOING not in tab.session_state
    assert has_button(tab.run(), "begin")


# --- The day ----------------------------------------------------------------------------------------------------


def test_an_open_session_is_what_the_one_button_goes_on_with(open_app: Open) -> None:
    session = service().start_session(context.quiz().learner, 10, MONDAY)
    tab = open_app()
    assert tab.button(key="begin").label == "Go on practising"
    assert "0 of 10 questions answered" in says(tab)
    tab.button(key="begin").click().run()
    assert "Question 1 of 10" in tab.progress[0].text
    assert shown_turn().session.id == session.id


def test_without_a_date_what_is_due_sets_the_length(open_app: Open) -> None:
    practise(8, MONDAY - 30 * DAY)
    tab = open_app()
    due = len(service().state(context.quiz().learner).questions)
    assert metrics(tab)["Due"] == str(due)
    assert tab.title[0].value == f"{due} questions due today"
    tab.button(key="begin").click().run()
    assert shown_turn().session.length == max(5, due)


def test_a_question_that_was_missed_brings_its_experiment_with_its_settings(open_app: Open) -> None:
    practise(1, MONDAY - DAY, wrong_answer)
    [missed] = service().state(context.quiz().learner).questions
    suggestion = service().today.view(context.quiz().learner, MONDAY, UTC).suggestion
    assert suggestion is not None
    assert (suggestion.question_id, suggestion.link) == (missed, context.quiz().bank.by_id[missed].sandbox)
    [link] = [link for link in open_app().page_link if "See it happen" in link.value]
    assert context.quiz().experiment_title(suggestion.link.experiment) in link.value


def run_experiment(name: str) -> None:
    """As if the learner had run it."""
    book = RunBook(service()._database, context.quiz().learner)
    book.begin(f"run-{name}-{len(book.history({}, 0, 1000)[1])}", {"experiment": name, "settings": {}, "first_seed": 0, "seeds": 1})


def test_with_nothing_missed_an_experiment_never_run_is_suggested_with_the_reason(open_app: Open) -> None:
    practise(3, MONDAY - DAY)
    learner, by_id = context.quiz().learner, context.quiz().bank.by_id
    known = service().state(learner).questions
    weakest = service().today.view(learner, MONDAY, UTC).suggestion
    assert weakest is not None
    assert (weakest.why, weakest.seen, weakest.question_id in known) == ("weakest", False, True)
    assert f"Of the experiments you have not run, this one belongs to the topic you know least, “{weakest.question_title}”." in says(open_app())
    for name in known:
        run_experiment(by_id[name].sandbox.experiment)
    new = service().today.view(learner, MONDAY, UTC).suggestion
    assert new is not None
    assert (new.why, new.seen, new.question_id in known) == ("new", False, False)
    assert f"it belongs to “{new.question_title}”, a topic you have not met yet." in says(open_app())
    for question in by_id.values():
        run_experiment(question.sandbox.experiment)
    assert service().today.view(learner, MONDAY, UTC).suggestion is None


# --- How regularly ----------------------------------------------------------------------------------------------


def test_days_of_practice_are_counted_in_the_learners_zone_and_a_missed_one_is_no_matter(open_app: Open) -> None:
    for ago in (40, 13, 5, 4):
        practise(2, MONDAY - ago * DAY)
    assert "You practised on 3 of the last 14 days." in says(open_app())
    east = timezone(timedelta(hours=13))  # it is Tuesday there, so the fourteenth day back has passed
    view = service().today.view(context.quiz().learner, MONDAY, east)
    assert (view.days_practised, view.days_looked_at) == (3, 14)
    practise(1, MONDAY - 14 * DAY + timedelta(hours=11, minutes=30))
    assert [service().today.view(context.quiz().learner, MONDAY, zone).days_practised for zone in (UTC, east)] == [3, 3]


@pytest.mark.parametrize(
    ("days", "of", "said"),
    [
        (0, 0, ""),
        (1, 1, "Your first day of practice."),
        (2, 3, "You practised on 2 of your first 3 days."),
        (9, 14, "You practised on 9 of the last 14 days."),
        (1, 14, "You practised on 1 of the last 14 days, and each one counts."),
        (0, 14, "Good to see you again. All you learnt is still here, and the day starts from there."),
    ],
)
def test_a_pause_is_met_kindly(days: int, of: int, said: str) -> None:
    assert practised_in_words(days, of) == said


# --- The interview ----------------------------------------------------------------------------------------------


def fill(tab: AppTest, day: date, minutes: int, off: list[int]) -> AppTest:
    tab.date_input(key="interview_day").set_value(day)
    tab.number_input(key="interview_minutes").set_value(minutes)
    tab.get_by_key("interview_off").set_value(off)
    return tab.button(key="interview_save").click().run()


def test_setting_a_date_brings_a_plan_with_days_off(open_app: Open) -> None:
    practise(1, MONDAY - DAY)
    tab = fill(open_app(), date(2026, 3, 12), 15, [5, 6])
    assert not tab.exception
    assert metrics(tab)["Until the interview"] == "10 days"
    assert "Thursday 12 March, 15 minutes a day, Saturdays and Sundays off" in says(tab)
    assert tab.get("plotly_chart")
    plan = service().adaptive.plan(context.quiz().learner, MONDAY, UTC)
    assert plan is not None
    assert {one.day.weekday() for one in plan.plan.days} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("day", "minutes", "off", "problem"),
    [
        (date(2026, 3, 1), 15, [], "the interview must be today or within 366 days, got 2026-03-01 (today is 2026-03-02)"),
        (date(2026, 3, 12), 2, [], "minutes a day must be 5 to 240, got 2"),
        (date(2026, 3, 12), 15, [0, 1, 2, 3, 4, 5, 6], "at least one day of the week must be left for practice"),
    ],
)
def test_a_date_that_cannot_be_is_refused_with_the_reason(open_app: Open, day: date, minutes: int, off: list[int], problem: str) -> None:
    practise(1, MONDAY - DAY)
    tab = fill(open_app(), day, minutes, off)
    assert tab.error[0].value == f"Nothing was changed: {problem}."
    assert service().adaptive.interview(context.quiz().learner, MONDAY, UTC) is None
    fill(tab, date(2026, 3, 12), 15, [])
    assert not tab.error


def test_the_date_can_be_changed_or_left_as_it_is(open_app: Open) -> None:
    set_interview(10, 20)
    tab = open_app().button(key="interview_change").click().run()
    assert tab.number_input(key="interview_minutes").value == 20
    tab.button(key="interview_leave").click().run()
    assert not tab.number_input
    tab.button(key="interview_change").click().run()
    fill(tab, date(2026, 3, 4), 30, [])
    assert metrics(tab)["Until the interview"] == "2 days"
    assert "30 minutes a day" in says(tab)


def test_a_missed_day_is_replanned_quietly_and_no_day_gets_fuller(open_app: Open) -> None:
    set_interview(10, 20)
    practise(4, MONDAY)
    before = open_app()
    put_clock(MONDAY + 4 * DAY)
    tab = open_app()
    assert metrics(before)["Until the interview"] == "10 days"
    assert metrics(tab)["Until the interview"] == "6 days"
    view = service().today.view(context.quiz().learner, MONDAY + 4 * DAY, UTC)
    assert view.plan is not None
    assert all(one.minutes <= 20 for one in view.plan.plan.days)
    assert view.plan.plan.days[0].day == date(2026, 3, 6)
    assert "missed day" not in says(tab).lower()
    left = max(1, round(view.minutes))
    assert tab.progress[0].text == f"0 of {left} minutes done today"
    assert tab.title[0].value == f"{left} minutes for today"


def test_all_of_a_short_day_fills_the_bar_and_the_rest_of_the_minutes_has_a_use(open_app: Open) -> None:
    set_interview(2, 240)
    view = service().today.view(context.quiz().learner, MONDAY, UTC)
    left, plan = round(view.minutes), view.plan
    assert plan is not None
    tab = open_app()
    assert tab.title[0].value == f"{duration(left).capitalize()} for today"
    assert tab.progress[0].text == f"0 of {left} minutes done today"
    assert f"The plan leaves {240 - left} of the 240 minutes you set aside. This experiment is a good use of them" in says(tab)
    half = replace(view, minutes=7.4, plan=replace(plan, done_minutes=12.6))
    assert minutes_of(half, half.plan, MONDAY.date()) == (13, 20, 220)
    done = replace(half, steps=(), minutes=0.0)
    assert minutes_of(done, done.plan, MONDAY.date()) == (13, 13, 227)


def test_what_was_done_today_is_taken_off_and_the_day_ends(open_app: Open) -> None:
    set_interview(10, 10)
    planned = round(service().today.view(context.quiz().learner, MONDAY, UTC).minutes)
    assert open_app().progress[0].text == f"0 of {planned} minutes done today"
    practise(12, MONDAY)
    put_clock(MONDAY + timedelta(minutes=30))
    tab = open_app()
    assert tab.title[0].value == "Done for today"
    assert tab.progress[0].text == "16 minutes done today"
    assert tab.button(key="begin").label == "5 questions, if you like"


def test_a_day_off_asks_for_nothing(open_app: Open) -> None:
    set_interview(10, 20, off=(0,))
    tab = open_app()
    assert tab.title[0].value == "A day off"
    tab.button(key="begin").click().run()
    assert shown_turn().session.length == 5


def test_on_the_day_itself_there_is_a_good_word_and_no_pressure(open_app: Open) -> None:
    set_interview(3)
    for hour in (8, 15):
        put_clock(datetime(2026, 3, 5, hour, tzinfo=UTC))
        tab = open_app()
        assert not tab.exception
        assert tab.title[0].value == "Today is the day"
        assert metrics(tab)["Until the interview"] == "Today"


@pytest.mark.parametrize("place", range(1, len(WENT) + 1))
def test_afterwards_it_asks_how_it_went_and_starts_over(open_app: Open, place: int) -> None:
    set_interview(3)
    put_clock(MONDAY + 5 * DAY)
    tab = open_app()
    assert "How did your interview go on 5 March?" in says(tab)
    tab.button(key=f"went_{place}").click().run()
    assert not tab.exception
    assert tab.success
    assert [one.went for one in service().adaptive.past_interviews(context.quiz().learner)] == [list(WENT)[place - 1]]
    fill(tab, date(2026, 3, 20), 15, [])
    assert metrics(tab)["Until the interview"] == "13 days"


def test_how_it_went_need_not_be_told(open_app: Open) -> None:
    set_interview(3)
    put_clock(MONDAY + 5 * DAY)
    tab = open_app().button(key="went_untold").click().run()
    assert [one.went for one in service().adaptive.past_interviews(context.quiz().learner)] == [None]
    assert has_button(tab, "begin")


def test_day_by_day_names_every_day_until_the_interview(open_app: Open) -> None:
    set_interview(4, 20, off=(2,))
    tab = open_app()
    tab.session_state.day_by_day = True
    page = says(tab.run())
    assert "| Wed 4 Mar |  | off |" in page
    assert "| Fri 6 Mar |" in page
    assert "**Interview**" in page


def test_the_plan_is_made_once_until_something_changes(open_app: Open) -> None:
    set_interview(10, 20)
    learner, look = context.quiz().learner, service().today.view
    first = look(learner, MONDAY, UTC).plan
    assert look(learner, MONDAY + timedelta(minutes=5), UTC).plan is first
    practise(1, MONDAY + timedelta(minutes=5))
    assert look(learner, MONDAY + timedelta(minutes=10), UTC).plan is not first


def test_after_weeks_of_answers_the_page_stands(open_app: Open) -> None:
    answered_before(MONDAY, days=6)
    set_interview(60, 60)
    tab = open_app()
    assert not tab.exception
    assert metrics(tab)["Until the interview"] == "60 days"


# --- Pieces -----------------------------------------------------------------------------------------------------


def test_the_figure_has_a_bar_a_day_and_marks_days_off_and_the_interview(open_app: Open) -> None:
    set_interview(7, 20, off=(5, 6))
    plan = service().adaptive.plan(context.quiz().learner, MONDAY, UTC)
    assert plan is not None
    figure = plan_figure(plan, MONDAY.date())
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name) == ["Planned", "Day off", "Interview"]
    assert len(by_name["Planned"].x) == len(calendar(plan, MONDAY.date())) == 8
    assert list(by_name["Day off"].x) == ["2026-03-07", "2026-03-08"]
    assert list(by_name["Interview"].x) == ["2026-03-09"]


def test_times_and_days_read_as_a_person_says_them() -> None:
    assert [duration(one) for one in (0.2, 1, 59.4, 60, 80.2, 185)] == ["1 minute", "1 minute", "59 minutes", "1 h", "1 h 20 min", "3 h 5 min"]
    assert [days_left_in_words(one) for one in (0, 1, 2)] == ["Today", "Tomorrow", "2 days"]
    assert long_day(date(2026, 3, 5), date(2026, 1, 1)) == "Thursday 5 March"
    assert long_day(date(2027, 3, 5), date(2026, 1, 1)) == "Friday 5 March 2027"


def test_the_practice_page_keeps_its_own_welcome(open_app: Open) -> None:
    assert has_button(open_app(PRACTICE), "start")
