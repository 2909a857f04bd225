"""What to practise on which day, so that the expected score on the day of the interview is highest.

Greedy: the next item is always the one whose answer and feedback raise the forecast score on that day most for the time
it takes (quiz/engine/forecast.py). A question that is known, or would be forgotten again, is worth little and waits;
what falls due by memory alone counts for nothing. Knowing one question helps no other in this model, and practice on an
idea pays less and less, which is the kind of problem on which greedy choice does well (Nemhauser, Wolsey and Fisher
1978). A test tries every plan on a small bank: greedy choice gets 94% of the gain of the best one.

A plan is a value, made from the state as it is now. Replanning is making it again: after missed days it is shorter,
not fuller, because no day holds more than the minutes it was given and what no longer pays before the date is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from quiz.engine.forecast import Catalogue, Floats, Snapshot, Weights, day_number
from quiz.engine.ideas import what_if
from quiz.engine.state import LearnerState

PRACTICE_AT = time(19)  # when later days' practice is assumed to begin
INTERVIEW_AT = time(10)
LEAST_GAIN = 0.02  # points of 100 a minute: less is not worth planning
AT_ONCE = 4  # questions planned from one look at all gains; gains of different questions do not touch
LONGEST_DAYS = 60  # what lies further ahead is planned when it is nearer
MOST_MINUTES = 240
WITHOUT_DATE = timedelta(days=14)  # without an interview, what is worth knowing in two weeks


@dataclass(frozen=True)
class Goal:
    """An interview and the time there is for it. `days_off` are weekdays, Monday 0; dates are the learner's."""

    interview: date
    minutes: int
    days_off: frozenset[int] = frozenset()

    def at(self, zone: tzinfo) -> datetime:
        """When the interview is taken to be."""
        return datetime.combine(self.interview, INTERVIEW_AT, zone)


@dataclass(frozen=True)
class Step:
    """One question's share of a day. `gain`: points of 100 on the day of the interview."""

    question_id: str
    items: int
    minutes: float
    gain: float


@dataclass(frozen=True)
class PlanDay:
    """One day's work, the most valuable question first."""

    day: date
    steps: tuple[Step, ...]

    @property
    def minutes(self) -> float:
        """What the day's steps take."""
        return sum(step.minutes for step in self.steps)


@dataclass(frozen=True)
class Plan:
    """Day by day until the interview, and the expected scores (0..100) on its day without and with the plan."""

    goal: Goal
    days: tuple[PlanDay, ...]
    score_without: float
    score_with: float
    left_out: tuple[str, ...]  # questions on which no time is spent
    over: bool = False  # the interview has been

    @property
    def today(self) -> PlanDay | None:
        """The first day of the plan."""
        return self.days[0] if self.days else None


def worth(catalogue: Catalogue, state: LearnerState, weights: Weights, now: datetime, interview: datetime) -> dict[str, float]:
    """Every item's worth now: points of 100 on the day of the interview for each minute it takes."""
    values = Snapshot.of(catalogue, state, weights).gains(day_number(now), day_number(interview)) / catalogue.seconds(state.pace) * 60
    return {name: float(values[place]) for name, place in catalogue.place.items()}


def make_plan(catalogue: Catalogue, state: LearnerState, weights: Weights, goal: Goal, now: datetime, zone: tzinfo, minutes_done: float = 0.0) -> Plan:
    """The plan from `now` on. `minutes_done` were practised today already. Days are those of `zone`."""
    interview = goal.at(zone)
    snapshot, seconds = Snapshot.of(catalogue, state, weights), catalogue.seconds(state.pace)
    on = day_number(interview)
    without = snapshot.score(on)
    if now >= interview:
        return Plan(goal, (), without, without, catalogue.questions, over=True)
    days = []
    for begins in _sessions(goal, now.astimezone(zone), interview):
        done = minutes_done if begins.date() == now.astimezone(zone).date() else 0.0
        steps, snapshot = _day(snapshot, seconds, day_number(begins), on, 60 * max(goal.minutes - done, 0.0))
        days.append(PlanDay(begins.date(), steps))
    planned = {step.question_id for day in days for step in day.steps}
    left_out = tuple(name for name in catalogue.questions if name not in planned)
    return Plan(goal, tuple(days), without, snapshot.score(on), left_out)


def _sessions(goal: Goal, now: datetime, interview: datetime) -> Iterator[datetime]:
    """When each day's practice begins: now, and every later evening that is no day off, before the interview."""
    for ahead in range(min((goal.interview - now.date()).days, LONGEST_DAYS) + 1):
        day = now.date() + timedelta(days=ahead)
        begins = now if ahead == 0 else datetime.combine(day, PRACTICE_AT, now.tzinfo)
        if day.weekday() not in goal.days_off and begins < interview:
            yield begins


def _day(snapshot: Snapshot, seconds: Floats, at: float, on: float, budget_s: float) -> tuple[tuple[Step, ...], Snapshot]:
    """The steps that fill a day, and the state to expect after them."""
    names = snapshot.catalogue.questions
    items: Counter[str] = Counter()
    spent, gained = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    while True:
        gains = snapshot.gains(at, on)
        best = gains.argmax(axis=1)
        rows = np.arange(len(names))
        rate = gains[rows, best] / seconds[rows, best] * 60
        chosen = []
        for row in np.argsort(-rate, kind="stable")[:AT_ONCE]:
            if rate[row] >= LEAST_GAIN and seconds[row, best[row]] <= budget_s:
                chosen.append((int(row), int(best[row])))
                budget_s -= float(seconds[row, best[row]])
        if not chosen:
            break
        for row, column in chosen:
            items[names[row]] += 1
            spent[names[row]] += float(seconds[row, column]) / 60
            gained[names[row]] += float(gains[row, column])
        snapshot = practised(snapshot, chosen, at)
    steps = (Step(name, count, round(spent[name], 2), round(gained[name], 3)) for name, count in items.items())
    return tuple(sorted(steps, key=lambda step: -step.gain)), snapshot


def practised(snapshot: Snapshot, chosen: list[tuple[int, int]], at: float) -> Snapshot:
    """The state to expect when the items at these places are answered at day `at`: between right and wrong, as likely as each is."""
    chance = snapshot.right(at)
    right, wrong = what_if(snapshot.practised, snapshot.stability, snapshot.memory_difficulty, np.maximum(at - snapshot.asked_at, 0.0))
    stability, asked_at, missed, seen = snapshot.stability.copy(), snapshot.asked_at.copy(), snapshot.missed.copy(), snapshot.seen.copy()
    known: NDArray[np.bool_] = snapshot.practised.copy()
    for row, column in chosen:
        tested = snapshot.catalogue.tests[row, column] > 0
        p = chance[row, column]
        stability[row, tested] = np.exp(p * np.log(right[row, tested]) + (1 - p) * np.log(wrong[row, tested]))
        asked_at[row, tested], missed[row, tested], known[row, tested], seen[row, column] = at, 1 - p, True, 1.0
    return replace(snapshot, stability=stability, asked_at=asked_at, missed=missed, practised=known, seen=seen)
