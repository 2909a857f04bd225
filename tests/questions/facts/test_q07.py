"""What question 7's items say about PyTorch and about the mathematics."""

import math

import pytest
import torch
from torch import nn


@pytest.mark.parametrize("bias", [0.5, 1.0, 1.5, 2.0])
def test_the_two_bias_vectors_are_added_up(bias: float) -> None:
    lstm = nn.LSTM(3, 5)
    with torch.no_grad():
        for name, values in lstm.named_parameters():
            values.zero_()
            if "bias" in name:
                values[5:10] = bias  # the second of the blocks i, f, g, o
    _, (_, cell) = lstm(torch.zeros(1, 1, 3), (torch.zeros(1, 1, 5), torch.ones(1, 1, 5)))
    assert cell.detach().flatten().tolist() == pytest.approx([1 / (1 + math.exp(-2 * bias))] * 5)


def test_writing_under_no_grad_changes_a_parameter() -> None:
    lstm = nn.LSTM(3, 5)
    with torch.no_grad():
        lstm.bias_ih_l0[:5] = 1.0
    assert lstm.get_parameter("bias_ih_l0")[:5].tolist() == [1.0] * 5


def test_a_bias_of_ten_leaves_the_gate_almost_no_slope() -> None:
    gate = 1 / (1 + math.exp(-10))
    assert round(gate, 5) == 0.99995
    assert gate * (1 - gate) == pytest.approx(0.00005, rel=0.1)


def test_a_reset_stops_the_error_on_the_cell_path() -> None:
    start = torch.tensor(1.0, requires_grad=True)
    cell = start
    for step in range(31, 81):
        cell = (0.0 if step == 50 else 0.99) * cell + 0.1
    cell.backward()
    assert start.grad is not None
    assert start.grad.item() == 0.0


def test_what_is_left_after_the_half_life_is_one_half() -> None:
    assert 0.99 ** (math.log(0.5) / math.log(0.99)) == pytest.approx(0.5)
    assert round(0.99**10, 1) == 0.9  # nine tenths after ten steps


def test_the_bias_that_suits_a_lag_is_its_logarithm() -> None:
    assert [round(math.log(lag)) for lag in (20, 150)] == [3, 5]  # chrono initialisation draws up to about this
    gate = 1 / (1 + math.exp(-math.log(20)))
    assert gate == pytest.approx(1 - 1 / 21)
