"""What question 18's items say about searching, by arithmetic."""

import random

import pytest


def test_sixty_random_trials_meet_the_best_twentieth_in_95_cases_of_100() -> None:
    assert round(1 - (1 - 1 / 20) ** 60, 2) == 0.95


def test_of_rates_drawn_uniformly_nine_tenths_lie_in_the_uppermost_tenfold() -> None:
    assert pytest.approx(0.9) == (0.1 - 0.01) / (0.1 - 0.0)
    assert pytest.approx(0.01) == 0.001 / 0.1  # below a thousandth


def test_the_lowest_of_200_noisy_scores_is_too_low_and_a_fresh_one_is_not() -> None:
    draw = random.Random(0)
    chosen = [min(draw.gauss(4.6, 0.2) for _ in range(200)) for _ in range(50)]
    assert max(chosen) < 4.4
