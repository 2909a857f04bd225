"""Difficulty: what an answer says about an item and about the learner's level."""

import math
import random

import numpy as np
import pytest

from quiz.engine.difficulty import LEVEL_PRIOR, LEVEL_VARIANCE, Belief, authored, sharpened


def exact_means(item: Belief, level: Belief, guessing: float, correct: bool) -> tuple[float, float]:
    """Posterior means of level and difficulty, by summing over a grid of both and of the question's own ability."""
    x = np.linspace(-5, 5, 401)
    density_level, density_item = (np.exp(-((x - belief.mean) ** 2) / (2 * belief.var)) for belief in (level, item))
    density_level, density_item = density_level / density_level.sum(), density_item / density_item.sum()
    own = np.array([-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5])
    weight = np.exp(-(own**2))
    known = sum(w / (1 + np.exp(-(x[:, None] + o - x[None, :]))) for o, w in zip(own, weight / weight.sum(), strict=True))
    right = guessing + (1 - guessing) * known
    joint = density_level[:, None] * density_item[None, :] * (right if correct else 1 - right)
    joint /= joint.sum()
    return float(joint.sum(axis=1) @ x), float(joint.sum(axis=0) @ x)


@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize(("difficulty", "guessing"), [(0.0, 0.0), (1.0, 0.25), (-1.5, 0.25)])
def test_one_step_is_close_to_the_exact_posterior(difficulty, guessing, correct):
    level, item = sharpened(LEVEL_PRIOR, authored(difficulty), guessing, correct)
    assert (level.mean, item.mean) == pytest.approx(exact_means(authored(difficulty), LEVEL_PRIOR, guessing, correct), abs=0.05)
    assert item.var < authored(difficulty).var


def test_answers_of_many_people_find_the_difficulty():
    rng = random.Random(3)
    misses = []
    for true in (-1.0, 0.0, 1.5):
        item = authored(true + 0.8)  # the author was wrong by more than a standard deviation
        for _ in range(400):
            ability = rng.gauss(0, 1)
            chance = 0.25 + 0.75 / (1 + math.exp(true - ability))
            _, item = sharpened(LEVEL_PRIOR, item, 0.25, rng.random() < chance)
        misses.append((item.mean - true) / math.sqrt(item.var))
        assert item.var < 0.07
    assert max(abs(miss) for miss in misses) < 2.5


def test_the_level_never_becomes_surer_than_drift_allows_nor_less_sure_than_at_first():
    level = LEVEL_PRIOR
    for place in range(500):
        level, _ = sharpened(level, authored(0.0), 0.25, place % 2 == 0)
    assert 0.01 < level.var < LEVEL_VARIANCE
