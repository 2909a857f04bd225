"""What question 6's items say about PyTorch and about the mathematics."""

import pytest
import torch
from torch import nn


def test_the_hard_sigmoid_is_a_line_cut_off_at_both_ends() -> None:
    a = torch.tensor([-4.0, -3.5, -1.5, 1.5, 3.5, 4.0], requires_grad=True)
    hard = nn.functional.hardsigmoid(a)
    assert torch.allclose(hard, (a / 6 + 0.5).clamp(0, 1))
    hard.sum().backward()
    assert a.grad is not None
    assert a.grad.tolist() == pytest.approx([0, 0, 1 / 6, 1 / 6, 0, 0])


def test_tanh_is_a_sigmoid_with_range_and_steepness_doubled() -> None:
    a = torch.linspace(-4, 4, 33, dtype=torch.float64)
    assert torch.allclose(2 * torch.sigmoid(2 * a) - 1, torch.tanh(a))
    assert torch.allclose(2 * torch.sigmoid(a) - 1, torch.tanh(a / 2))


def test_an_rnn_takes_another_activation_and_an_lstm_does_not() -> None:
    assert nn.RNN(2, 3, nonlinearity="relu").nonlinearity == "relu"
    with pytest.raises(TypeError, match="nonlinearity"):
        nn.LSTM(2, 3, nonlinearity="relu")


def test_large_inputs_saturate_the_gates_and_bound_nothing_else() -> None:
    torch.manual_seed(0)
    cell = nn.LSTMCell(1, 16)
    x = torch.tensor([[30_000.0]])
    gates = torch.sigmoid(x @ cell.weight_ih.T + cell.bias_ih + cell.bias_hh)
    assert ((gates < 1e-6) | (gates > 1 - 1e-6)).float().mean() > 0.95


def test_a_relu_candidate_makes_the_state_grow_exponentially_and_a_tanh_candidate_linearly() -> None:
    linear = exponential = torch.tensor(0.1)
    for _ in range(1000):
        linear = linear + torch.tanh(2 * linear.relu())
        exponential = exponential + (2 * exponential.relu()).relu()
    assert linear <= 1001
    assert exponential.isinf()
