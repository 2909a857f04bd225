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


def test_the_slope_of_a_sigmoid_is_a_quarter_at_most_and_a_hundredth_at_0_99() -> None:
    a = torch.linspace(-8, 8, 1601, dtype=torch.float64, requires_grad=True)
    torch.sigmoid(a).sum().backward()
    assert a.grad is not None
    assert a.grad.max().item() == a.grad[800].item() == 0.25  # at zero, where the slope of tanh is 1
    assert pytest.approx(0.01, abs=0.0002) == 0.99 * (1 - 0.99)


def test_the_hard_sigmoid_is_exactly_0_and_1_from_3_on_either_side() -> None:
    assert nn.functional.hardsigmoid(torch.tensor([-3.0, 3.0])).tolist() == [0, 1]


def test_prices_make_pre_activations_of_many_thousands() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(1, 16)
    weights = lstm.weight_ih_l0.abs()
    assert 0.24 < weights.max() <= 0.25  # one over the root of 16
    assert (30_000 * weights).mean() > 3000
