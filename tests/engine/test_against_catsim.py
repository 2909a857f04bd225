"""The plain unidimensional case agrees with catsim 0.21.0, a simulator of computerized adaptive tests.

The figures below came from its `irt.icc`, `irt.inf`, `MaxInfoSelector` and `NumericalSearchEstimator` (maximum likelihood; it has
no EAP, which test_ability.py checks by direct integration). They are kept here as numbers, as catsim brings scikit-learn, SciPy,
Matplotlib, numexpr and eight more packages with it.
"""

import numpy as np
import pytest

from quiz.engine.ability import GRID, NO_EVIDENCE, chance_correct, information, with_answer

DIFFICULTY = (-2.0, -1.2, -0.5, 0.0, 0.3, 0.8, 1.1, 1.9)
GUESSING = (0.25, 0.0, 0.25, 0.05, 0.2, 0.0, 0.25, 1 / 3)
CHANCE = {
    -1.5: (0.7168444984, 0.4255574832, 0.451706066, 0.2233042476, 0.3134808519, 0.091122961, 0.3018538153, 0.3548636431),
    0.0: (0.9105978085, 0.7685247835, 0.7168444984, 0.525, 0.5404459866, 0.3100255189, 0.4373049208, 0.4200723162),
    0.7: (0.952769983, 0.8698915256, 0.8263935876, 0.6847783836, 0.6789501281, 0.4750208125, 0.5509842549, 0.4876501443),
    2.0: (0.9865103425, 0.9608342772, 0.943106365, 0.8867572241, 0.8764277879, 0.7685247835, 0.783212127, 0.6833194583),
}
INFORMATION = {
    -1.5: (0.1530460098, 0.2444583117, 0.0877956321, 0.1157511061, 0.0440663254, 0.082819567, 0.0110557601, 0.0018961517),
    0.0: (0.0761681302, 0.1778944406, 0.1530460098, 0.2261904762, 0.1539929117, 0.2139096965, 0.0802536143, 0.0233701203),
    0.7: (0.0435245126, 0.1131802593, 0.1240779411, 0.2055242144, 0.1694865502, 0.2493760402, 0.131246403, 0.0562946676),
    2.0: (0.0131866492, 0.037631769, 0.0515205219, 0.0990734991, 0.1008016379, 0.1778944406, 0.1399049532, 0.1277267212),
}
SELECTED = {-1.5: 1, 0.0: 3, 0.7: 5, 2.0: 5}
ESTIMATED = {(1, 1, 1, 0, 1, 0, 0, 0): -0.2239661484, (1, 0, 1, 1, 1, 1, 0, 1): 0.9923728576}


@pytest.mark.parametrize("theta", CHANCE)
def test_chances_and_information_are_catsims(theta):
    items = list(zip(DIFFICULTY, GUESSING, strict=True))
    assert [chance_correct(theta, b, c) for b, c in items] == pytest.approx(CHANCE[theta], abs=1e-9)
    assert [information(theta, b, c) for b, c in items] == pytest.approx(INFORMATION[theta], abs=1e-9)


@pytest.mark.parametrize(("theta", "item"), SELECTED.items())
def test_the_item_of_most_information_is_the_one_catsim_selects(theta, item):
    assert int(np.argmax([information(theta, b, c) for b, c in zip(DIFFICULTY, GUESSING, strict=True)])) == item


@pytest.mark.parametrize(("answers", "estimate"), ESTIMATED.items())
def test_the_likelihood_on_the_grid_is_highest_where_catsim_finds_the_ability(answers, estimate):
    one_by_one = (with_answer(NO_EVIDENCE, b, c, bool(right), seen_before=False) for b, c, right in zip(DIFFICULTY, GUESSING, answers, strict=True))
    likelihood = np.sum(list(one_by_one), axis=0)
    top = int(likelihood.argmax())
    before, at, after = likelihood[top - 1 : top + 2]
    assert GRID[top] + 0.1 * (before - after) / (before - 2 * at + after) == pytest.approx(estimate, abs=0.01)
