"""What question 11's items say about the output gate in PyTorch."""

import pytest
import torch
from torch import Tensor, nn


def _cell(o: float) -> nn.LSTMCell:
    """A unit with f = 1 and i = 0 whatever comes in, and an output gate with the pre-activation `o`."""
    cell = nn.LSTMCell(1, 1)
    for values in cell.parameters():
        nn.init.zeros_(values)
    with torch.no_grad():
        cell.bias_ih.copy_(torch.tensor([-200.0, 200.0, 0.0, o]))  # i, f, g, o
    return cell


def _step(o: float, c: float) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        h, new = _cell(o)(torch.zeros(1, 1), (torch.zeros(1, 1), torch.full((1, 1), c)))
    return h, new


def test_a_shut_output_gate_leaves_the_cell_and_hides_it() -> None:
    h, c = _step(-200.0, 2.0)
    assert c.item() == 2
    assert h.item() == 0


def test_an_open_output_gate_shows_tanh_of_the_cell() -> None:
    h, c = _step(200.0, 2.0)
    assert c.item() == 2
    assert torch.equal(h, torch.tanh(c))


def test_nn_lstm_does_not_return_its_gates() -> None:
    out, states = nn.LSTM(32, 64)(torch.randn(3, 1, 32))
    assert out.shape == (3, 1, 64)
    assert [state.shape for state in states] == [(1, 1, 64)] * 2


def test_a_cell_far_out_on_tanh_gets_hardly_any_error_through_an_open_gate() -> None:
    c = torch.tensor(12.0, dtype=torch.float64, requires_grad=True)
    o = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    h = o * torch.tanh(c)
    h.backward()
    assert c.grad is not None
    assert o.grad is not None
    assert c.grad.item() == pytest.approx(1.5e-10, rel=0.02)
    assert o.grad.item() == pytest.approx(1)
