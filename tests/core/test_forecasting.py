"""Forecasting answers: what is known before each one, that nothing looks ahead, and that what can be learnt is learnt."""

from __future__ import annotations

import math

import pytest
import torch

from sandbox.core.forecasting import SURE, Training, bounded, chains, log_loss, lstm_forecasts, moving_average, rescaled, weights


def test_the_moving_average_knows_the_twenty_answers_before() -> None:
    right = torch.tensor([1.0, 0.0, 1.0] + [0.0] * 25)
    found = moving_average(right)
    assert found[:4].tolist() == pytest.approx([1 / 2, 2 / 3, 2 / 4, 3 / 5])
    assert float(found[22]) == pytest.approx(2 / 22)  # of answers 2 to 21 one is right, at place 2
    assert float(found[23]) == pytest.approx(1 / 22)


def test_a_questions_answers_are_one_row_with_gap_last_outcome_and_average() -> None:
    rows = chains([7, 3, 7], [0.0, 1.0, 3.0], torch.tensor([1.0, 0.0, 1.0]))
    assert rows.place.tolist() == [[0, 2], [1, -1]]
    assert rows.right.tolist() == [[1, 1], [0, 0]]
    assert rows.x[0].tolist() == [pytest.approx([0, 0, 0]), pytest.approx([math.log(4), 1, 0], abs=1e-6)]
    assert rows.x[1, 0].tolist() == pytest.approx([0, 0, math.log(2)], abs=1e-6)


def alternating(answers: int) -> tuple[list[int], list[float], torch.Tensor]:
    """Two questions asked in turns; each is right after a miss and missed after a right answer."""
    return (
        [place % 2 for place in range(answers)],
        [float(place) for place in range(answers)],
        torch.tensor([(place // 2) % 2 for place in range(answers)]).double(),
    )


def test_the_lstm_learns_a_law_that_an_average_cannot_see() -> None:
    question, day, right = alternating(200)
    found = lstm_forecasts(chains(question, day, right), 120, 200, 0, Training(updates=80))
    assert float(log_loss(found, right[120:]).mean()) < 0.1
    assert float(log_loss(moving_average(right)[120:], right[120:]).mean()) > 0.6


def test_a_forecast_does_not_know_its_own_answer_nor_any_later_one() -> None:
    question, day, right = alternating(60)
    changed = right.clone()
    changed[45:] = 1 - changed[45:]
    before, after = (lstm_forecasts(chains(question, day, one), 40, 60, 0, Training(updates=10)) for one in (right, changed))
    assert before[:6].tolist() == after[:6].tolist()
    assert before[8:].tolist() != after[8:].tolist()


def test_the_same_seed_gives_the_same_forecasts_and_leaves_torchs_generator_alone() -> None:
    question, day, right = alternating(60)
    rows, state = chains(question, day, right), torch.get_rng_state()
    one, same, other = (lstm_forecasts(rows, 40, 60, seed, Training(updates=5)).tolist() for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert torch.equal(torch.get_rng_state(), state)


def test_rescaling_finds_the_share_right_that_goes_with_a_recall() -> None:
    recall = torch.tensor([0.9, 0.5]).double().repeat(500)
    right = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]).double().repeat(100, 1).flatten()  # 60% and 20%
    assert rescaled(recall, right, torch.tensor([0.9, 0.5]).double()).tolist() == pytest.approx([0.6, 0.2], abs=0.01)


def test_rescaling_nothing_leaves_recalls_as_they_are_but_for_the_bounds() -> None:
    none = torch.empty(0, dtype=torch.float64)
    later = torch.tensor([0.7, 1.0]).double()
    assert rescaled(none, none, later).tolist() == pytest.approx([0.7, SURE]) == bounded(later).tolist()


def test_log_loss_is_that_of_what_came() -> None:
    assert log_loss(torch.tensor([0.8, 0.8]), torch.tensor([1.0, 0.0])).tolist() == pytest.approx([-math.log(0.8), -math.log(0.2)], rel=1e-6)


def test_the_network_learns_the_numbers_of_eight_cells_and_a_read_out() -> None:
    assert weights(Training(hidden=8)) == 4 * 8 * (3 + 8 + 2) + 8 + 1
