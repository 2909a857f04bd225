"""What question 2's items say about PyTorch."""

import pytest
import torch
from torch import nn


@pytest.mark.parametrize(("width", "hidden"), [(10, 20), (5, 16), (12, 50)])
def test_an_lstm_has_four_blocks_and_two_biases_a_block(width: int, hidden: int) -> None:
    counted = sum(values.numel() for values in nn.LSTM(width, hidden).parameters())
    assert counted == 4 * (hidden * width + hidden * hidden + 2 * hidden)


def test_the_shapes_that_come_back_with_batch_first() -> None:
    lstm = nn.LSTM(10, 20, batch_first=True)
    out, (h, c) = lstm(torch.randn(4, 7, 10))
    assert out.shape == (4, 7, 20)
    assert h.shape == c.shape == (1, 4, 20)
    assert torch.equal(out[:, -1], h[0])
    assert lstm.weight_hh_l0.shape == (80, 20)


def test_a_unit_with_pre_activations_of_zero_halves_its_cell() -> None:
    cell = nn.LSTMCell(1, 1)
    for values in cell.parameters():
        nn.init.zeros_(values)
    h, c = cell(torch.zeros(1, 1), (torch.zeros(1, 1), torch.tensor([[2.0]])))
    assert c.item() == 1.0
    assert h.item() == pytest.approx(0.380797, abs=1e-6)


def test_three_units_keep_erase_and_halve_in_one_step() -> None:
    old, f = torch.tensor([4.0, 2.0, -2.0]), torch.tensor([1.0, 0.0, 0.5])
    assert (f * old).tolist() == [4, 0, -1]
    assert float(f @ old) == 3


def test_doubling_the_cell_from_2_to_4_hardly_moves_what_is_shown() -> None:
    shown = torch.tanh(torch.tensor([2.0, 4.0]))
    assert shown[1] / shown[0] < 1.04
