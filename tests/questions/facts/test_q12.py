"""What question 12's items say about `nn.LSTM` and peepholes."""

import inspect

import torch
from torch import nn


def test_nn_lstm_has_neither_an_argument_nor_a_weight_for_peepholes() -> None:
    assert "peephole" not in str(inspect.signature(nn.RNNBase.__init__))
    assert sorted(name for name, _ in nn.LSTM(3, 4).named_parameters()) == ["bias_hh_l0", "bias_ih_l0", "weight_hh_l0", "weight_ih_l0"]


def test_proj_size_narrows_what_is_shown_and_gives_the_gates_no_view_of_the_cell() -> None:
    shapes = {name: tuple(values.shape) for name, values in nn.LSTM(3, 8, proj_size=2).named_parameters()}
    assert shapes["weight_hr_l0"] == (2, 8)  # from the cell's width down to that of h
    assert shapes["weight_hh_l0"] == (32, 2)


def test_with_h_at_zero_the_gates_of_an_lstm_do_not_know_the_cell() -> None:
    torch.manual_seed(0)
    cell, x, h = nn.LSTMCell(3, 4), torch.randn(1, 3), torch.zeros(1, 4)
    with torch.no_grad():  # an affine map of the cell, the same for any cell: gates that read it would bend it
        at = {value: cell(x, (h, torch.full((1, 4), value)))[1] for value in (0.0, 1.0, 2.0)}
    assert torch.allclose(at[2.0] - at[1.0], at[1.0] - at[0.0], atol=1e-6)
    assert ((at[1.0] - at[0.0]) > 0).all()
