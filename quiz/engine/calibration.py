"""How good the app's own forecasts are, on the learner's own history.

Every recorded answer has the forecast made just before it: the history is folded again, and before each answer the
chance of a right one is worked out from the state so far. Brier score (mean squared error) and log loss are compared with a
moving average of the learner's own results, which knows nothing of items: a forecast that does not beat it knows no more.
The reliability bins show whether what was said to happen with 80% did so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from quiz.engine.facts import AttemptFact
from quiz.engine.forecast import FIT_ANSWERS, WEIGHTS, Catalogue, Snapshot, Weights, adapted, day_number, mean_abilities
from quiz.engine.state import NOTHING_YET, LearnerState, fold

WINDOW = 20  # answers of the moving average; two more, one right and one wrong, keep it from 0 and 1
BINS = 10
ENOUGH = 30
REFIT = 10  # answers between two fits of the weights


@dataclass(frozen=True)
class Forecast:
    """What was forecast for one answer (`chance` of a right one), what the moving average was, and what came."""

    chance: float
    average: float
    correct: bool
    answered_at: datetime
    features: tuple[float, ...] = ()
    guessing: float = 0.0
    question_id: str = ""


@dataclass(frozen=True)
class Losses:
    """Mean losses; less is better. A coin: Brier 0.25, log loss 0.693."""

    brier: float
    log_loss: float


@dataclass(frozen=True)
class Bin:
    """Forecasts between `low` and `high`: how many, their mean, the share that came true and its 95% interval (Wilson)."""

    low: float
    high: float
    count: int
    forecast: float
    observed: float
    observed_low: float
    observed_high: float


@dataclass(frozen=True)
class Calibration:
    """How good forecasts were; the losses are None without any."""

    count: int
    ours: Losses | None
    moving_average: Losses | None
    bins: tuple[Bin, ...]  # empty ones left out

    @property
    def enough(self) -> bool:
        """Whether there are enough answers to judge by."""
        return self.count >= ENOUGH

    @property
    def base_rate(self) -> Losses | None:
        """The losses of always saying the share that was right, which is known only in hindsight."""
        if not self.count:
            return None
        share = sum(one.observed * one.count for one in self.bins) / self.count
        entropy = -sum(part * math.log(part) for part in (share, 1 - share) if part > 0)
        return Losses(share * (1 - share), entropy)


@dataclass(frozen=True)
class Track:
    """A learner's state, every forecast made on the way to it, and the forecast's weights as fitted to the learner so far."""

    state: LearnerState = NOTHING_YET
    made: tuple[Forecast, ...] = ()
    weights: Weights = WEIGHTS


def followed(catalogue: Catalogue, track: Track, facts: Iterable[AttemptFact]) -> Track:
    """`track` with further facts, in canonical order: for each the forecast made just before it. Following in pieces is
    following at once, exactly. Answers to items that left the bank have no forecast. Errors: OutOfOrder.
    """
    state, made, weights = track.state, list(track.made), track.weights
    for fact in facts:
        place = catalogue.place.get(fact.item_id)
        if place is not None:
            (row, column), at = place, day_number(fact.answered_at)
            snapshot = Snapshot.of(catalogue.alone[row], state, weights, mean_abilities(catalogue, state)[row : row + 1])
            features = tuple(snapshot.features(at)[0, column].tolist())
            chance, guessing = float(snapshot.right(at)[0, column]), float(catalogue.guessing[place])
            made.append(Forecast(chance, _average(made[-WINDOW:]), fact.correct, fact.answered_at, features, guessing, fact.question_id))
            if len(made) % REFIT == 0:
                weights = fitted(made)
        state = fold(state, [fact])
    return Track(state, tuple(made), weights)


def fitted(made: Sequence[Forecast]) -> Weights:
    """The weights fitted to the latest answers."""
    latest = made[-FIT_ANSWERS:]
    return adapted(np.array([one.features for one in latest]), np.array([one.guessing for one in latest]), np.array([float(one.correct) for one in latest]))


def _average(recent: Sequence[Forecast]) -> float:
    return (sum(one.correct for one in recent) + 1) / (len(recent) + 2)


def calibration(made: Sequence[Forecast]) -> Calibration:
    """Losses and reliability of forecasts."""
    if not made:
        return Calibration(0, None, None, ())
    bins: list[list[Forecast]] = [[] for _ in range(BINS)]
    for one in made:
        bins[min(int(one.chance * BINS), BINS - 1)].append(one)
    return Calibration(
        count=len(made),
        ours=losses([(one.chance, one.correct) for one in made]),
        moving_average=losses([(one.average, one.correct) for one in made]),
        bins=tuple(_bin(place, content) for place, content in enumerate(bins) if content),
    )


def losses(pairs: Sequence[tuple[float, bool]]) -> Losses:
    """Brier score and log loss of chances (at least one) and what came."""
    brier = sum((chance - correct) ** 2 for chance, correct in pairs) / len(pairs)
    return Losses(brier, -sum(math.log(max(chance if correct else 1 - chance, 1e-12)) for chance, correct in pairs) / len(pairs))


def _bin(place: int, content: Sequence[Forecast]) -> Bin:
    right, count = sum(one.correct for one in content), len(content)
    low, high = wilson(right, count)
    return Bin(place / BINS, (place + 1) / BINS, count, sum(one.chance for one in content) / count, right / count, low, high)


def wilson(right: int, count: int) -> tuple[float, float]:
    """95% interval of a share (Wilson 1927)."""
    z, share = 1.96, right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return max(middle - half, 0.0), min(middle + half, 1.0)
