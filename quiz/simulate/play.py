"""Plays simulated learners through days of practice under a policy, by the engine's public interface."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from questions.loader import QuestionBank
from quiz.engine.calibration import Forecast, Track, followed
from quiz.engine.examiner import Shown
from quiz.engine.facts import AttemptFact
from quiz.engine.forecast import READING_S, Catalogue
from quiz.engine.readiness import chances
from quiz.engine.state import fold
from quiz.simulate.learner import DAY_S, Learner, Model, World

FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
EVENING_S, EVENING_SD_S = 19 * 3600.0, 3600.0
INTERVIEW_S = 10 * 3600.0  # at ten in the morning of the day after the last
MISSED_DAY = 0.15


@dataclass(frozen=True)
class Subject:
    """What every policy and learner shares: the bank in its two shapes."""

    bank: QuestionBank
    world: World
    catalogue: Catalogue
    index: dict[str, int]  # item id -> place in the world

    @staticmethod
    def of(bank: QuestionBank) -> Subject:
        """The shapes of a bank."""
        world = World.of(bank)
        return Subject(bank, world, Catalogue.of(bank.questions), {name: place for place, name in enumerate(world.item_ids)})


@dataclass(frozen=True)
class Situation:
    """What a policy may look at when it chooses: everything the app knows. Only the ceiling looks at `learner`."""

    subject: Subject
    track: Track
    shown: list[Shown]  # this session
    now: datetime
    interview: datetime
    answered: int  # since the first day
    rng: random.Random
    learner: Learner
    interview_s: float


Policy = Callable[[Situation], str | None]  # the id of the next item; None ends the session


@dataclass(frozen=True)
class Course:
    """How it went for one learner under one policy: scores 0..100 on the day of the interview.

    `expected` and `covered` are what the app itself would have said of that day, and the share of the questions whose
    true chance lay within the stated interval; they, `made` and the answers are there only when forecasts were asked for.
    """

    score: float
    before: float
    items: int
    minutes: float
    made: tuple[Forecast, ...] = ()
    facts: tuple[AttemptFact, ...] = ()
    expected: float = 0.0
    covered: float = 0.0


def play(subject: Subject, policy: Policy, model: Model, seed: int, days: int, minutes: float, *, forecasting: bool = False) -> Course:
    """One learner, `days` days of `minutes` minutes, the interview on the morning after."""
    learner = Learner.drawn(subject.world, model, seed)
    interview_s = days * DAY_S + INTERVIEW_S
    before = learner.score(interview_s)
    life = random.Random(f"{seed} life")  # which days are missed and when sessions begin: the same for every policy
    rng = random.Random(f"{seed} policy")
    track, items, total_s = Track(), 0, 0.0
    facts: list[AttemptFact] = []
    for day in range(days):
        missed, start = life.random() < MISSED_DAY, day * DAY_S + life.gauss(EVENING_S, EVENING_SD_S)
        if missed:
            continue
        learner.begin_session(start)
        used, shown = 0.0, list[Shown]()
        while used < 60 * minutes:
            now = FIRST_DAY + timedelta(seconds=start + used)
            chosen = policy(Situation(subject, track, shown, now, FIRST_DAY + timedelta(seconds=interview_s), items, rng, learner, interview_s))
            if chosen is None:
                break
            correct, seconds = learner.answer(subject.index[chosen])
            used, items = used + seconds, items + 1
            fact = _fact(subject, chosen, correct, now, seconds, items)
            if forecasting:
                facts.append(fact)
            track = followed(subject.catalogue, track, [fact]) if forecasting else Track(fold(track.state, [fact]))
            shown.append(Shown(fact.question_id, chosen, fact.format, correct))
        total_s += used
    expected, covered = _foreseen(subject, track, learner, interview_s) if forecasting else (0.0, 0.0)
    return Course(learner.score(interview_s), before, items, total_s / 60, track.made, tuple(facts), expected, covered)


def _fact(subject: Subject, chosen: str, correct: bool, now: datetime, seconds: float, number: int) -> AttemptFact:
    """The answer as the app would record it: when it came, before its feedback was read."""
    question, item = subject.bank.items[chosen]
    answering = max(seconds - READING_S, 1.0)
    at = now + timedelta(seconds=answering)
    return AttemptFact(question.id, chosen, item.difficulty, item.guessing, correct, None, at, item.points, item.format, answering, f"{number:06d}")


def _foreseen(subject: Subject, track: Track, learner: Learner, interview_s: float) -> tuple[float, float]:
    found = chances(subject.catalogue, track.state, track.weights, FIRST_DAY + timedelta(seconds=interview_s))
    true = learner.by_question(interview_s)
    said = list(found.values())
    covered = sum(one.low <= chance <= one.high for one, chance in zip(said, true, strict=True)) / len(said)
    return 100 * sum(one.chance for one in said) / len(said), covered
