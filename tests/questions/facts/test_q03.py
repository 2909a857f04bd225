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


def test_what_is_left_of_the_error_after_99_steps_back_and_after_a_hundred() -> None:
    assert round(0.9**99, 5) == 0.00003  # also three hundred-thousandths
    assert round(0.9**100, 5) == 0.00003


def test_the_units_stand_in_the_order_of_what_survives() -> None:
    left = [f**steps for f, steps in ((0.5, 20), (0.9, 100), (1 / (1 + math.exp(-1)), 20), (0.95, 40), (0.99, 100))]
    assert left == sorted(left)
    assert left[-1] > 1 / 3


def test_forget_biases_of_2_and_3_start_the_gate_at_0_88_and_0_95() -> None:
    kept = {bias: 1 / (1 + math.exp(-bias)) for bias in (2, 3)}
    assert {bias: round(value, 2) for bias, value in kept.items()} == {2: 0.88, 3: 0.95}
    assert round(kept[3] ** 60, 2) == 0.05


def test_the_usual_recurrent_weights_are_at_most_one_over_the_root_of_the_width() -> None:
    weights = nn.RNN(3, 64).get_parameter("weight_hh_l0").abs()
    assert 0.12 < weights.max() <= 1 / math.sqrt(64)


def test_a_thousand_times_smaller_a_limit_takes_twice_the_steps() -> None:
    assert math.log(1e-6) / math.log(1e-3) == pytest.approx(2)


def test_the_three_factors_have_a_product_below_1_and_a_mean_near_1() -> None:
    assert math.prod((0.5, 1, 1.2)) == pytest.approx(0.6)
    assert sum((0.5, 1, 1.2)) / 3 == pytest.approx(0.9)
