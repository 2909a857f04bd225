"""What question 3's items say about PyTorch and about the mathematics."""

import math

import pytest
import torch
from torch import nn


def test_a_fresh_forget_gate_is_near_one_half() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 16)
    bias = (lstm.bias_ih_l0 + lstm.bias_hh_l0)[16:32]
    gates = torch.sigmoid(bias)
    assert gates.min() > 0.37
    assert gates.max() < 0.63


def test_autograd_keeps_a_gradient_for_an_input_that_requires_one() -> None:
    x = torch.randn(5, 2, 3).requires_grad_(True)
    nn.LSTM(3, 4)(x)[0].sum().backward()
    assert x.grad is not None
    assert (x.grad.abs().sum((1, 2)) > 0).all()


def test_the_factor_of_a_step_back_takes_the_slope_at_the_new_state() -> None:
    old = torch.tensor(0.3, requires_grad=True)
    new = torch.tanh(1.5 * old + 0.2)
    new.backward()
    assert old.grad is not None
    assert old.grad.item() == pytest.approx(1.5 * (1 - new.item() ** 2))


def test_a_linear_recurrence_vanishes_and_explodes_at_the_same_time() -> None:
    start = torch.ones(3, dtype=torch.float64, requires_grad=True)
    state = start
    for _ in range(50):
        state = state * torch.tensor([0.5, 1.0, 1.2], dtype=torch.float64)
    state.sum().backward()
    assert start.grad is not None
    assert start.grad.tolist() == pytest.approx([0.5**50, 1.0, 1.2**50])
    assert 9000 < 1.2**50 < 9200


def test_the_figures_of_the_usual_forget_bias() -> None:
    kept = 1 / (1 + math.exp(-1))
    assert kept**50 == pytest.approx(1.6e-7, rel=0.03)
    assert kept**100 == pytest.approx(2.5e-14, rel=0.03)
