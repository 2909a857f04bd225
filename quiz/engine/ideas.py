r"""The memory of each idea: of every key point a question's items test.

A question's card (quiz/engine/memory.py) says when the question is due. Which of its ideas will be known on a later
day needs finer memory: knowledge is learnt and forgotten idea by idea (Koedinger, Corbett and Perfetti 2012). The
formulas are those of FSRS-6 in py-fsrs, with its default parameters; they stand here once more because planning asks
"what if" of all ideas at once, on arrays, thousands of times. A test holds them to the library.

    right: S' = S (1 + e^w8 (11 - D) S^-w9 (e^(w10 (1 - R)) - 1))
    wrong: S' = min(w11 D^-w12 ((S + 1)^w13 - 1) e^(w14 (1 - R)), S / e^(w17 w18))

An answer is laid at the door of every idea its item tests. Right again within `SAME_DAY` changes nothing.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from fsrs.scheduler import DEFAULT_PARAMETERS
from numpy.typing import NDArray

from quiz.engine.memory import SAME_DAY

Floats = NDArray[np.float64]

_W = DEFAULT_PARAMETERS
_DECAY = _W[20]
_FACTOR = 0.9 ** (-1 / _DECAY) - 1
_DAY = timedelta(days=1)
_SAME_DAY_DAYS = SAME_DAY / _DAY
_SHORT = math.exp(_W[17] * _W[18])
_GROWTH = math.exp(_W[8])
_AGAIN, _GOOD, _EASY = 1, 3, 4
_LEAST_STABILITY = 0.001


def _first_difficulty(rating: int) -> float:
    return _W[4] - math.exp(_W[5] * (rating - 1)) + 1


_EASIEST = _W[7] * _first_difficulty(_EASY)
FIRST_STABILITY = {True: _W[_GOOD - 1], False: _W[_AGAIN - 1]}  # days
FIRST_DIFFICULTY = {True: min(max(_first_difficulty(_GOOD), 1.0), 10.0), False: min(max(_first_difficulty(_AGAIN), 1.0), 10.0)}


class IdeaState(NamedTuple):  # a tuple, as ItemState is
    """One idea's memory: FSRS's `stability` in days and `difficulty` 1..10, when it was last asked and how that went."""

    stability: float
    difficulty: float
    asked_at: datetime
    attempts: int
    missed: bool


def after_answer(idea: IdeaState | None, correct: bool, at: datetime) -> IdeaState:
    """The idea after an answer to an item that tests it."""
    if idea is None:
        return IdeaState(FIRST_STABILITY[correct], FIRST_DIFFICULTY[correct], at, 1, not correct)
    days = (at - idea.asked_at) / _DAY
    if days < _SAME_DAY_DAYS and (correct or idea.missed):
        return IdeaState(idea.stability, idea.difficulty, idea.asked_at if correct else at, idea.attempts + 1, not correct)
    recalled = recall(idea.stability, max(days, 0.0))
    if correct:
        stability = after_right(idea.stability, idea.difficulty, recalled)
    else:
        stability = max(min(*after_wrong(idea.stability, idea.difficulty, recalled)), _LEAST_STABILITY)
    difficulty = min(max(next_difficulty(idea.difficulty, correct), 1.0), 10.0)
    return IdeaState(stability, difficulty, at, idea.attempts + 1, not correct)


def recall(stability: float, days: float) -> float:
    """R(t), the chance of remembering `days` after the last answer."""
    return float((1 + _FACTOR * days / stability) ** -_DECAY)


def recalls(stability: Floats, days: Floats) -> Floats:
    """R(t) of many ideas."""
    return np.asarray((1 + _FACTOR * days / stability) ** -_DECAY)


def after_right(stability: float, difficulty: float, recalled: float) -> float:
    """Stability after a right answer on a later day. Works on arrays too."""
    growth: float = _GROWTH * (11 - difficulty) * stability ** -_W[9] * (math.e ** ((1 - recalled) * _W[10]) - 1)
    return stability * (1 + growth)


def after_wrong(stability: float, difficulty: float, recalled: float) -> tuple[float, float]:
    """The two bounds whose smaller one is the stability after a miss. Works on arrays too."""
    return _W[11] * difficulty ** -_W[12] * ((stability + 1) ** _W[13] - 1) * math.e ** ((1 - recalled) * _W[14]), stability / _SHORT


def next_difficulty(difficulty: float, correct: bool) -> float:
    """FSRS's difficulty after an answer, before it is held within 1..10."""
    change = -_W[6] * ((_GOOD if correct else _AGAIN) - 3)
    return _EASIEST + (1 - _W[7]) * (difficulty + (10 - difficulty) * change / 9)


def what_if(practised: NDArray[np.bool_], stability: Floats, difficulty: Floats, days: Floats) -> tuple[Floats, Floats]:
    """Stabilities of many ideas if an item that tests them were answered now: right, and wrong.

    `days` since each was last asked; `stability` and `difficulty` of ideas not `practised` are ignored (but positive).
    """
    recalled = recalls(stability, days)
    later = days >= _SAME_DAY_DAYS
    right = np.where(later, np.asarray(after_right(stability, difficulty, recalled)), stability)  # type: ignore[arg-type]
    wrong = np.maximum(np.minimum(*after_wrong(stability, difficulty, recalled)), _LEAST_STABILITY)  # type: ignore[arg-type]
    return np.where(practised, right, FIRST_STABILITY[True]), np.where(practised, wrong, FIRST_STABILITY[False])
