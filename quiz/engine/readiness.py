"""How ready the learner is: the chance of a good answer to each question, today and on the day of the interview.

The chance is the mean over the question's items of knowing what they ask, in a form not practised (quiz/engine/forecast.py).
Its interval covers what is not known: the ability, by its standard error, and what one answer more or less says about the
ideas behind it, by `IDEAS_SD`, which was set so that for simulated learners 95% intervals cover about as often as they
say (docs/adaptive.md has the measured figure). Below `ENOUGH` answers to a question its chance rests on other questions
and on the author's guess: it is marked so, and a page should say "too little data".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from quiz.engine.ability import GRID, beliefs
from quiz.engine.forecast import Catalogue, Floats, Snapshot, Weights, day_number
from quiz.engine.state import LearnerState

ENOUGH = 3
IDEAS_SD = 0.8  # on the scale of ability


@dataclass(frozen=True)
class Chance:
    """A chance with its 95% interval."""

    chance: float
    low: float
    high: float


@dataclass(frozen=True)
class QuestionReadiness:
    """One question's chances of a good answer; `on_the_day` is None without an interview date."""

    question_id: str
    today: Chance
    on_the_day: Chance | None
    answers: int

    @property
    def enough(self) -> bool:
        """Whether there are enough answers to say so."""
        return self.answers >= ENOUGH


def readiness(catalogue: Catalogue, state: LearnerState, weights: Weights, now: datetime, interview: datetime | None) -> tuple[QuestionReadiness, ...]:
    """Every question's readiness, in the catalogue's order."""
    today = chances(catalogue, state, weights, now)
    later = chances(catalogue, state, weights, interview) if interview is not None and interview >= now else {}
    return tuple(
        QuestionReadiness(name, today[name], later.get(name), state.questions[name].attempts if name in state.questions else 0) for name in catalogue.questions
    )


def chances(catalogue: Catalogue, state: LearnerState, weights: Weights, at: datetime) -> Mapping[str, Chance]:
    """Every question's chance of a good answer at `at`, with nothing practised until then."""
    grid, posterior = np.array(GRID), beliefs(state.evidence, catalogue.groups).questions
    mean = posterior @ grid
    se = np.sqrt((posterior * (grid - mean[:, None]) ** 2).sum(axis=1))
    reach = 1.96 * np.sqrt(se**2 + IDEAS_SD**2)
    middle, low, high = (_by_question(Snapshot.of(catalogue, state, weights, ability), at) for ability in (mean, mean - reach, mean + reach))
    return {name: Chance(float(m), float(lo), float(hi)) for name, m, lo, hi in zip(catalogue.questions, middle, low, high, strict=True)}


def _by_question(snapshot: Snapshot, at: datetime) -> Floats:
    share = snapshot.catalogue.share_of_score * len(snapshot.catalogue.questions)
    return np.asarray((snapshot.know(day_number(at)) * share).sum(axis=1))
