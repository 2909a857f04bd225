"""The plan: bounded, replanned without a backlog, and close to the best there is where that can be worked out."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest

from questions.schema import Group
from quiz.engine.forecast import WEIGHTS, Catalogue, Snapshot, day_number
from quiz.engine.planner import AT_ONCE, LEAST_GAIN, Goal, make_plan, practised, worth
from quiz.engine.state import NOTHING_YET, LearnerState, fold
from tests.engine.builders import fact, question, single

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)


def bank_of(count: int, spread: float = 0.5) -> Catalogue:
    groups = list(Group)
    return Catalogue.of(
        [
            question(
                f"q{n}",
                n + 1,
                groups[n % 6],
                tuple(
                    single(key, difficulty=spread * (n - count / 2)).model_copy(update={"points": (point,)})
                    for key, point in (("one", "p1"), ("two", "p2"), ("three", "p3"))
                ),
            )
            for n in range(count)
        ]
    )


CATALOGUE = bank_of(8)


def plan(goal: Goal, now: datetime = MORNING, state: LearnerState = NOTHING_YET, catalogue: Catalogue = CATALOGUE, done: float = 0.0):
    return make_plan(catalogue, state, WEIGHTS, goal, now, UTC, done)


def test_a_plan_fills_every_day_up_to_its_minutes_and_never_beyond():
    found = plan(Goal(date(2026, 3, 9), 10))
    assert [one.day for one in found.days] == [date(2026, 3, 2) + n * DAY for n in range(7)]
    assert all(8 < one.minutes <= 10 for one in found.days[:3])
    assert all(one.minutes <= 10 for one in found.days)
    assert found.score_with > found.score_without + 5


def test_days_off_are_left_free():
    found = plan(Goal(date(2026, 3, 16), 10, frozenset({5, 6})))
    assert {one.day.weekday() for one in found.days} == {0, 1, 2, 3, 4}


def test_minutes_done_today_are_taken_off_today_only():
    found = plan(Goal(date(2026, 3, 9), 10), done=7)
    assert found.days[0].minutes <= 3
    assert found.days[1].minutes > 8


def test_missed_days_leave_no_backlog():
    goal = Goal(date(2026, 3, 12), 10)
    whole, late = plan(goal), plan(goal, MORNING + 6 * DAY)
    assert [one.day for one in late.days] == [one.day for one in whole.days[6:]]
    assert max(one.minutes for one in late.days) <= 10
    assert late.score_with < whole.score_with


def test_after_the_interview_there_is_nothing_to_plan():
    found = plan(Goal(date(2026, 3, 2), 10), MORNING + DAY)
    assert (found.over, found.days, found.today) == (True, (), None)
    assert found.score_with == found.score_without


def test_on_the_morning_of_the_interview_there_is_only_what_is_left_of_it():
    assert [one.day for one in plan(Goal(date(2026, 3, 2), 10)).days] == [date(2026, 3, 2)]


def test_what_does_not_pay_is_left_out():
    """Somebody who knows nearly everything is not kept busy."""
    facts = [replace(fact(f"q{n}", True, MORNING + k * DAY, item, minutes=n), points=(point,), id=f"{k}{n}{item}", guessing=0.0)
             for k in range(0, 60, 6) for n in range(8) for item, point in (("one", "p1"), ("two", "p2"), ("three", "p3"))]  # fmt: skip
    state = fold(NOTHING_YET, sorted(facts, key=lambda one: one.key))
    found = plan(Goal(date(2026, 5, 4), 60), MORNING + 60 * DAY, state)
    assert sum(one.minutes for one in found.days) < 60
    assert all(step.gain / step.minutes >= LEAST_GAIN * 0.99 for one in found.days for step in one.steps)


def test_a_plan_is_a_value_made_from_the_state_alone():
    goal = Goal(date(2026, 3, 9), 15)
    assert plan(goal) == plan(goal)


def test_worth_is_highest_for_what_is_neither_known_nor_out_of_reach():
    values = worth(bank_of(9, spread=0.65), NOTHING_YET, WEIGHTS, MORNING, MORNING + 7 * DAY)
    assert values["q4/one"] > values["q0/one"] > 0
    assert values["q4/one"] > values["q8/one"] > 0


@pytest.mark.parametrize("slots", [3, 4])
def test_greedy_gets_more_than_nine_tenths_of_what_the_best_of_all_plans_gains(slots):
    """Two questions of two items, one item an evening: every sequence is tried."""
    catalogue = Catalogue.of(
        [
            question("q0", 1, Group.GATES, tuple(single(k, 0.0).model_copy(update={"points": (p,)}) for k, p in (("one", "p1"), ("two", "p2"), ("x", "p3")))),
            question(
                "q1", 2, Group.TRAINING, tuple(single(k, 1.0).model_copy(update={"points": (p,)}) for k, p in (("one", "p1"), ("two", "p1"), ("x", "p2")))
            ),
        ]
    )
    evenings = [day_number(MORNING + n * DAY) for n in range(slots)]
    on = day_number(MORNING + slots * DAY)

    def result(sequence) -> float:
        snapshot = Snapshot.of(catalogue, NOTHING_YET, WEIGHTS)
        for at, place in zip(evenings, sequence, strict=True):
            snapshot = practised(snapshot, [place], at)
        return snapshot.score(on)

    start = Snapshot.of(catalogue, NOTHING_YET, WEIGHTS)
    best = max(result(sequence) for sequence in product(catalogue.place.values(), repeat=slots))
    greedy = start
    for at in evenings:
        gains = greedy.gains(at, on)
        greedy = practised(greedy, [divmod(int(gains.argmax()), gains.shape[1])], at)
    assert greedy.score(on) - start.score(on) >= 0.93 * (best - start.score(on))


def test_planning_a_few_at_once_loses_next_to_nothing(monkeypatch):
    goal = Goal(date(2026, 3, 12), 15)
    together = plan(goal).score_with
    monkeypatch.setattr("quiz.engine.planner.AT_ONCE", 1)
    assert AT_ONCE > 1
    assert plan(goal).score_with == pytest.approx(together, abs=0.5)
