"""Looking back through the service: growth, accuracy and days, forgetting, misconceptions, predictions; by groups, days and zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from questions.loader import QuestionBank
from questions.schema import Group
from quiz.engine.memory import recall
from quiz.progress_views import Foretold, Period, Within
from quiz.service import QuizService, RunBook
from quiz.storage.database import Database
from tests.engine.builders import NOON, bank, question
from tests.storage.builders import BANK, practise

DAY = timedelta(days=1)
MARCH_2 = NOON.date()


def session(service: QuizService, outcomes: str, at: datetime, only: tuple[str, ...] = ()) -> None:
    """A session of right (r) and wrong (w) answers, a minute apart, 20 seconds each."""
    begun = service.start_session(1, len(outcomes), at, only)
    practise(service, begun.id, [letter == "r" for letter in outcomes], at)


@pytest.fixture
def practised(service: QuizService) -> QuizService:
    """Three days: the gates on the first, clipping on the second, both on the fourth."""
    session(service, "rw", NOON, ("forget-gate",))
    session(service, "rww", NOON + DAY, ("clipping",))
    session(service, "rrr", NOON + 3 * DAY, ("forget-gate",))
    return service


# --- Growth -----------------------------------------------------------------------------------------------------


def test_growth_counts_by_period_group_and_day(practised: QuizService) -> None:
    found = practised.hindsight.growth(1, NOON + 4 * DAY, UTC)
    assert (found.step, found.answers, found.right, found.days_active) == ("day", 8, 5, 3)
    assert [(one.answers, one.right) for one in found.periods] == [(2, 1), (3, 1), (0, 0), (3, 3), (0, 0)]
    assert found.periods[0].period == Period(MARCH_2, MARCH_2)
    assert [(one.label, one.right, one.answers) for one in found.groups] == [("Gates", 4, 5), ("Training", 1, 3)]
    assert sum(one.answers for one in found.formats) == 8
    assert [(one.period.first, one.answers) for one in found.days] == [(MARCH_2, 2), (MARCH_2 + DAY, 3), (MARCH_2 + 3 * DAY, 3)]
    assert found.minutes == pytest.approx(8 * (20 + 20) / 60)


def test_mastery_stands_as_it_was_known_at_the_end_of_each_day_and_ends_where_it_is_now(practised: QuizService) -> None:
    now = NOON + 4 * DAY
    rows = {row.question_id: row.values for row in practised.hindsight.growth(1, now, UTC).rows}
    assert [value is None for value in rows["clipping"]] == [True, False, False, False, False]
    assert rows["overfitting"] == (None,) * 5
    cells = {cell.question_id: cell.mastery for cell in practised.progress(1, now, UTC).cells}
    assert {name: values[-1] for name, values in rows.items() if values[-1] is not None} == pytest.approx(
        {name: mastery for name, mastery in cells.items() if mastery is not None}
    )
    assert rows["forget-gate"][-1] > rows["forget-gate"][0]


def test_groups_and_days_choose_what_is_counted(practised: QuizService) -> None:
    now, growth = NOON + 4 * DAY, practised.hindsight.growth
    gates = growth(1, now, UTC, Within(frozenset({Group.GATES})))
    assert (gates.answers, [one.key for one in gates.groups], {row.group for row in gates.rows}) == (5, ["gates"], {Group.GATES})
    second = growth(1, now, UTC, Within(first=MARCH_2 + DAY, last=MARCH_2 + DAY))
    assert (second.answers, len(second.periods)) == (3, 1)
    nothing = growth(1, now, UTC, Within(frozenset({Group.APPLICATIONS})))
    assert (nothing.answers, nothing.groups, nothing.days, nothing.rows) == (0, (), (), ())
    with pytest.raises(ValueError, match="on or after the first"):
        growth(1, now, UTC, Within(first=MARCH_2, last=MARCH_2 - DAY))


def test_days_begin_at_the_learners_midnight_also_where_clocks_change(service: QuizService) -> None:
    berlin = ZoneInfo("Europe/Berlin")  # summer time began on 29 March 2026 at 1:00 UTC
    for at in (datetime(2026, 3, 28, 22, 30, tzinfo=UTC), datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 22, 30, tzinfo=UTC)):
        session(service, "r", at)
    days = service.progress(1, datetime(2026, 3, 30, tzinfo=UTC), berlin).days
    assert [one.day for one in days] == [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]


def test_without_an_answer_there_is_one_empty_day(service: QuizService) -> None:
    found = service.hindsight.growth(1, NOON, UTC)
    assert (found.answers, [one.period for one in found.periods], found.days_active) == (0, [Period(MARCH_2, MARCH_2)], 0)
    assert service.hindsight.first_day(1, NOON, UTC) == MARCH_2


def test_answers_from_before_the_last_look_are_put_in_their_place(practised: QuizService, database: Database) -> None:
    late = NOON - 2 * DAY
    assert practised.hindsight.first_day(1, NOON, UTC) == MARCH_2
    session(practised, "r", late)
    found = practised.hindsight.growth(1, NOON + 4 * DAY, UTC)
    assert (found.answers, found.days[0].period.first) == (9, late.date())
    assert found == QuizService(database, BANK).hindsight.growth(1, NOON + 4 * DAY, UTC)


# --- Forgetting -------------------------------------------------------------------------------------------------


def test_curves_fall_through_today_to_the_interview(practised: QuizService) -> None:
    now = NOON + 6 * DAY
    practised.adaptive.set_interview(1, (now + 5 * DAY).date(), 20, now, UTC)
    view = practised.hindsight.forgetting(1, practised.state(1), now, UTC)
    assert [curve.question_id for curve in view.curves] == ["forget-gate", "clipping"]
    curve = view.curves[0]
    memory = practised.state(1).questions["forget-gate"].memory
    assert (curve.today, curve.due_at) == (recall(memory, now), memory.due_at)
    assert curve.on_the_day == recall(memory, datetime(2026, 3, 13, 10, tzinfo=UTC))
    chances = [chance for _, chance in curve.points]
    assert (curve.points[0], curve.points[-1][0]) == ((memory.reviewed_at, 1.0), now + 14 * DAY)
    assert chances == sorted(chances, reverse=True)
    assert curve.today > curve.on_the_day


def test_without_an_interview_ahead_no_curve_has_its_day(practised: QuizService) -> None:
    view = practised.hindsight.forgetting(1, practised.state(1), NOON + 6 * DAY, UTC, Within(frozenset({Group.TRAINING})))
    assert (view.interview, view.interview_at, [curve.on_the_day for curve in view.curves]) == (None, None, [None])


# --- Misconceptions ---------------------------------------------------------------------------------------------

OPTIONS = bank(question("forget-gate", 7, Group.GATES), question("clipping", 9, Group.TRAINING))


def test_wrong_options_are_told_in_words_open_ones_first(database: Database) -> None:
    service = QuizService(database, OPTIONS)
    session(service, "w", NOON, ("forget-gate",))
    session(service, "w", NOON + DAY, ("clipping",))
    session(service, "rrr", NOON + 2 * DAY, ("forget-gate",))  # all its items
    still, past = service.hindsight.misconceptions(1, UTC)
    assert (still.question_id, still.text, still.why, still.times, still.overcome_at) == ("clipping", "Option b", "On b.", 1, None)
    assert still.prompt in {"Prompt one", "Prompt two", "Prompt three"}
    assert (past.question_title, past.last_at.date(), past.overcome_at.date()) == ("Title forget-gate", MARCH_2, MARCH_2 + 2 * DAY)
    assert service.hindsight.misconceptions(1, UTC, Within(frozenset({Group.TRAINING}))) == (still,)
    assert service.hindsight.misconceptions(1, UTC, Within(last=MARCH_2)) == (past,)


def test_a_misconception_keeps_its_words_when_the_question_leaves_the_bank(database: Database) -> None:
    session(QuizService(database, OPTIONS), "w", NOON, ("clipping",))
    (found,) = QuizService(database, QuestionBank(OPTIONS.questions[:1])).hindsight.misconceptions(1, UTC)
    assert (found.question_title, found.text, found.link) == ("clipping", "Option b", None)


def test_number_and_order_items_have_no_options_to_misbelieve(service: QuizService) -> None:
    session(service, "wwwwww", NOON, ("forget-gate", "overfitting"))
    assert {one.text for one in service.hindsight.misconceptions(1, UTC)} == {"Option b"}


# --- Predictions ------------------------------------------------------------------------------------------------


def test_predictions_are_counted_by_experiment_where_there_was_one_and_an_outcome(service: QuizService, database: Database) -> None:
    clock = [NOON]
    book = RunBook(database, 1, clock=lambda: clock[0])
    for number, (experiment, prediction, outcome) in enumerate(
        [("forget-gate", "a", "a"), ("forget-gate", "a", "b"), ("gone", "a", "a"), ("forget-gate", None, "a"), ("forget-gate", "a", None)]
    ):
        clock[0] = NOON + number * DAY
        book.begin(str(number), {"experiment": experiment, "settings": {}, "first_seed": 0, "seeds": 1, "prediction": prediction})
        book.end(str(number), {"state": "finished", "verdict": {"outcome": outcome} if outcome else None, "record": {}})
    assert service.hindsight.foretold(1, UTC) == (Foretold("forget-gate", 2, 1), Foretold("gone", 1, 1))
    assert service.hindsight.foretold(1, UTC, Within(last=MARCH_2)) == (Foretold("forget-gate", 1, 1),)
    assert service.hindsight.foretold(1, UTC, Within(frozenset(Group))) == (Foretold("forget-gate", 2, 1),)
