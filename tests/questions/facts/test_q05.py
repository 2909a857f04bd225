"""What question 5's items say about PyTorch and about the mathematics."""

import pytest
import torch
from torch import nn


def test_detach_keeps_the_values_and_stops_the_gradient() -> None:
    x = torch.ones(2, requires_grad=True)
    y = 3 * x
    assert torch.equal(y.detach(), y)
    assert not y.detach().requires_grad


def test_a_window_loop_with_retained_graphs_fails_because_the_weights_have_changed() -> None:
    torch.manual_seed(0)
    lstm, state = nn.LSTM(2, 4), None
    optimizer = torch.optim.SGD(lstm.parameters(), 0.1)

    def one_window() -> None:
        nonlocal state
        out, state = lstm(torch.randn(3, 2, 2), state)
        optimizer.zero_grad()
        out.square().mean().backward(retain_graph=True)
        optimizer.step()

    one_window()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        one_window()


def test_clearing_gradients_between_forward_and_backward_leaves_the_graph_alone() -> None:
    layer = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(layer.parameters(), 0.1)
    loss = layer(torch.ones(1, 2)).sum()
    optimizer.zero_grad()
    loss.backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.tolist() == [[1.0, 1.0]]


def test_a_shared_weight_collects_the_gradients_of_its_uses() -> None:
    u = torch.tensor(0.7, requires_grad=True)
    c = torch.tensor(0.0)
    for _ in range(3):
        c = 0.5 * c + u * 1.0
    c.backward()
    assert u.grad is not None
    assert u.grad.item() == pytest.approx(1.75)


def test_the_error_reaches_the_cell_by_two_routes() -> None:
    c = torch.tensor(0.5, requires_grad=True)
    hidden, following = 0.9 * torch.tanh(c), 0.6 * c
    (0.4 * hidden + 1.0 * following).backward()
    assert c.grad is not None
    assert c.grad.item() == pytest.approx(0.4 * 0.9 * (1 - torch.tanh(torch.tensor(0.5)).item() ** 2) + 0.6)


def test_without_a_backward_there_are_no_gradients_to_pile_up() -> None:
    layer = nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum()
    assert layer.weight.grad is None


def test_a_window_of_twice_the_lag_holds_half_of_the_pairs_and_one_as_long_as_the_lag_none() -> None:
    def inside(window: int, lag: int) -> float:
        return sum(place + lag <= window for place in range(1, window + 1)) / window

    assert (inside(40, 20), inside(20, 20)) == (0.5, 0)
    assert all(inside(2 * lag + more, lag) >= 0.5 for lag in range(1, 30) for more in range(20))
