"""The plain unidimensional case agrees with catsim, a simulator of computerized adaptive tests.

catsim estimates by maximum likelihood and has no EAP; test_ability.py checks that by direct integration.
"""

import numpy as np
import pytest
from catsim import irt
from catsim.estimation import NumericalSearchEstimator
from catsim.item_bank import ItemBank
from catsim.selection import MaxInfoSelector

from quiz.engine.ability import GRID, NO_EVIDENCE, chance_correct, information, with_answer

SEEDS = range(8)
ITEMS = 40


def items_of(seed):
    """Difficulties as a bank has them, with the guessing of its formats."""
    rng = np.random.default_rng(seed)
    return [(float(b), float(c)) for b, c in zip(rng.normal(0.0, 1.2, ITEMS), rng.choice([0.0, 0.05, 0.2, 0.25, 1 / 3], ITEMS), strict=True)]


def bank_of(items):
    return ItemBank(np.array([(1.0, b, c, 1.0) for b, c in items]))


@pytest.mark.parametrize("theta", np.linspace(-3, 3, 13))
def test_chances_and_information_are_catsims(theta):
    items = items_of(0)
    assert [chance_correct(theta, b, c) for b, c in items] == pytest.approx([irt.icc(theta, 1, b, c) for b, c in items], abs=1e-12)
    assert [information(theta, b, c) for b, c in items] == pytest.approx([irt.inf(theta, 1, b, c) for b, c in items], abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("theta", [-2.0, -0.5, 0.0, 0.7, 2.0])
def test_the_item_of_most_information_is_the_one_catsim_selects(theta, seed):
    items = items_of(seed)
    chosen = MaxInfoSelector().select(item_bank=bank_of(items), administered_items=[], est_theta=theta)
    assert int(np.argmax([information(theta, b, c) for b, c in items])) == chosen


@pytest.mark.parametrize("seed", SEEDS)
def test_the_likelihood_on_the_grid_is_highest_where_catsim_finds_the_ability(seed):
    items = items_of(seed)
    rng = np.random.default_rng(100 + seed)
    answers = [bool(rng.random() < chance_correct(0.4, b, c)) for b, c in items]
    estimate = NumericalSearchEstimator().estimate(item_bank=bank_of(items), administered_items=list(range(ITEMS)), response_vector=answers, est_theta=0.0)
    one_by_one = (with_answer(NO_EVIDENCE, b, c, right, seen_before=False) for (b, c), right in zip(items, answers, strict=True))
    likelihood = np.sum(list(one_by_one), axis=0)
    top = int(likelihood.argmax())
    before, at, after = likelihood[top - 1 : top + 2]
    step = GRID[1] - GRID[0]
    assert GRID[top] + step / 2 * (before - after) / (before - 2 * at + after) == pytest.approx(estimate, abs=0.01)
