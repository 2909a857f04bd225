"""What question 4's items say about PyTorch and about the mathematics."""

import math

import pytest
import torch
from torch import nn


def test_the_second_layer_reads_the_hidden_state_of_the_first() -> None:
    torch.manual_seed(0)
    both, upper = nn.LSTM(3, 4, num_layers=2), nn.LSTM(4, 4)
    lower = nn.LSTM(3, 4)
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            lower.get_parameter(f"{name}_l0").copy_(both.get_parameter(f"{name}_l0"))
            upper.get_parameter(f"{name}_l0").copy_(both.get_parameter(f"{name}_l1"))
    x = torch.randn(5, 2, 3)
    assert torch.allclose(both(x)[0], upper(lower(x)[0])[0])


def test_a_cell_takes_and_returns_the_hidden_state_before_the_cell_state() -> None:
    cell = nn.LSTMCell(1, 1)
    for values in cell.parameters():
        nn.init.zeros_(values)
    h, c = cell(torch.zeros(1, 1), (torch.tensor([[7.0]]), torch.tensor([[2.0]])))
    assert (h.item(), c.item()) == (pytest.approx(0.5 * math.tanh(1.0)), 1.0)


def test_the_cell_state_counts_beyond_one_and_the_hidden_state_does_not() -> None:
    cell = nn.LSTMCell(1, 1)
    for values in cell.parameters():
        nn.init.zeros_(values)
    with torch.no_grad():
        cell.bias_ih.copy_(torch.tensor([30.0, 30.0, 30.0, 30.0]))  # i, f, g and o at 1
    state = (torch.zeros(1, 1), torch.zeros(1, 1))
    for _ in range(12):
        state = cell(torch.zeros(1, 1), state)
    assert state[1].item() == pytest.approx(12.0)
    assert state[0].item() <= 1.0


def test_what_tanh_levels_out_shows_again_after_forgetting() -> None:
    assert [round(math.tanh(c), 4) for c in (6, 12)] == [1.0, 1.0]
    assert [round(math.tanh(0.1 * c), 2) for c in (6, 12)] == [0.54, 0.83]


def test_five_steady_units_stand_in_order_after_ten_steps() -> None:
    cells = []
    for f, i, g in ((0, 1, 0.9), (0.5, 0.9, 0.8), (0.9, 0.5, 0.8), (1, 0.5, 0.7), (1, 1, 0.9)):
        c = 0.0
        for _ in range(10):
            c = f * c + i * g
        cells.append(c)
    assert cells == sorted(cells)
    assert cells == pytest.approx([0.9, 1.44, 2.6, 3.5, 9.0], abs=0.01)
