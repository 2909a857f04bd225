r"""How hard an item really is: the author's guess, sharpened by answers.

Each item's difficulty is a normal belief, N(authored, 0.7^2) before any answer. An answer moves it by one step of assumed
density filtering (the moments of the exact posterior, to first order): with V the variance of ability plus that of
difficulty, kappa = 1 / sqrt(1 + pi V / 8) (MacKay 1992) and P = c + (1 - c) sigma(kappa (ability - difficulty)),

    mean' = mean - var d ln P(answer) / dx        var' = var (1 - var J)        J the information of the answer

The learner's level, against which a difficulty is measured, moves by the same step the other way. Only the first
answer to an item counts: later ones come after its feedback. From one learner's answers the belief mixes how hard the
item is with how well this learner happens to know it; only answers of several people tell the two apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

AUTHORED_SD = 0.7
LEVEL_VARIANCE = 0.5  # of the learner's overall ability, as in quiz/engine/ability.py
WITHIN_VARIANCE = 0.5  # of one question's ability around it: group and own
DRIFT = 0.002  # learners change: the level's variance grows by this with every answer


@dataclass(frozen=True, slots=True)
class Belief:
    """A normal belief about a number on the logit scale."""

    mean: float
    var: float


LEVEL_PRIOR = Belief(0.0, LEVEL_VARIANCE)


def authored(difficulty: float) -> Belief:
    """The belief before any answer."""
    return Belief(difficulty, AUTHORED_SD**2)


def sharpened(level: Belief, item: Belief, guessing: float, correct: bool) -> tuple[Belief, Belief]:
    """The beliefs about the learner's level and the item's difficulty after an answer."""
    spread = level.var + WITHIN_VARIANCE + item.var
    kappa = 1 / math.sqrt(1 + math.pi * spread / 8)
    known = 1 / (1 + math.exp(-kappa * (level.mean - item.mean)))
    chance = guessing + (1 - guessing) * known
    slope = kappa * (1 - guessing) * known * (1 - known)
    pull = slope / chance if correct else -slope / (1 - chance)
    information = slope**2 / (chance * (1 - chance))
    return (
        Belief(level.mean + level.var * pull, min(level.var * (1 - level.var * information) + DRIFT, LEVEL_VARIANCE)),
        Belief(item.mean - item.var * pull, item.var * (1 - item.var * information)),
    )
