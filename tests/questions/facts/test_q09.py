"""What question 9's items say about clipping in PyTorch."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_


def _with_gradient(*entries: float) -> nn.Parameter:
    parameter = nn.Parameter(torch.zeros(len(entries)))
    parameter.grad = torch.tensor(entries)
    return parameter


def test_one_factor_scales_all_tensors_and_the_norm_before_comes_back() -> None:
    first, second = _with_gradient(9.0), _with_gradient(0.0, 12.0)
    assert clip_grad_norm_([first, second], 5.0).item() == pytest.approx(15)
    assert first.grad is not None
    assert second.grad is not None
    assert first.grad.norm().item() == pytest.approx(3, abs=1e-4)
    assert second.grad.norm().item() == pytest.approx(4, abs=1e-4)


def test_below_the_threshold_nothing_changes() -> None:
    parameter = _with_gradient(0.4, 0.0)
    clip_grad_norm_([parameter], 1.0)
    assert parameter.grad is not None
    assert torch.equal(parameter.grad, torch.tensor([0.4, 0.0]))


def test_clipping_by_value_cuts_each_component_by_itself() -> None:
    parameter = _with_gradient(8.0, 3.0)
    clip_grad_value_([parameter], 5.0)
    assert parameter.grad is not None
    assert torch.equal(parameter.grad, torch.tensor([5.0, 3.0]))


def test_an_infinite_entry_becomes_nan_and_the_others_zero() -> None:
    parameter = _with_gradient(1.0, math.inf, -3.0)
    assert math.isinf(clip_grad_norm_([parameter], 1.0))
    assert parameter.grad is not None
    assert parameter.grad[1].isnan()
    assert parameter.grad[0] == parameter.grad[2] == 0
    torch.optim.SGD([parameter], 0.1).step()
    assert parameter[1].isnan()
    assert parameter[0] == 0


def test_an_error_on_a_norm_that_is_not_finite_has_to_be_asked_for() -> None:
    with pytest.raises(RuntimeError, match="non-finite"):
        clip_grad_norm_([_with_gradient(math.inf)], 1.0, error_if_nonfinite=True)


def test_before_backward_there_is_nothing_to_clip() -> None:
    model = nn.Linear(2, 1)
    model(torch.ones(1, 2)).sum().backward()
    torch.optim.SGD(model.parameters(), 0.1).zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert clip_grad_norm_(model.parameters(), 1.0).item() == 0


@pytest.mark.parametrize(("optimizer", "like"), [(torch.optim.Adam, True), (torch.optim.SGD, False)])
def test_a_tenth_of_a_threshold_that_always_cuts_changes_adam_little_and_sgd_much(optimizer: type[torch.optim.Optimizer], like: bool) -> None:
    wide, narrow = _trained(optimizer, 1.0), _trained(optimizer, 0.1)
    distance = ((wide - narrow).norm() / (wide - torch.ones(20)).norm()).item()
    assert distance < 1e-4 if like else distance > 0.5


def _trained(kind: type[torch.optim.Optimizer], threshold: float) -> Tensor:
    torch.manual_seed(0)
    weights, factors = nn.Parameter(torch.ones(20)), torch.randn(20, 20) * 3
    optimizer = kind([weights], lr=0.01)  # type: ignore[call-arg]
    for _ in range(50):
        optimizer.zero_grad()
        (factors @ weights).square().sum().backward()
        assert clip_grad_norm_([weights], threshold).item() > 1  # cut under either threshold
        optimizer.step()
    return weights.detach()


def test_a_norm_of_a_tenth_over_a_million_weights_is_far_above_adams_epsilon() -> None:
    entry = 0.1 / math.sqrt(1_000_000)
    assert entry == pytest.approx(1e-4)
    assert torch.optim.Adam([_with_gradient(0.0)]).defaults["eps"] == 1e-8


def test_a_threshold_of_a_hundredth_makes_steps_a_hundred_times_shorter() -> None:
    lengths = []
    for threshold in (1.0, 0.01):
        parameter = _with_gradient(1.2, 1.6)
        clip_grad_norm_([parameter], threshold)
        torch.optim.SGD([parameter], 0.3).step()
        lengths.append(parameter.detach().norm().item())
    assert lengths[1] == pytest.approx(0.01 * 0.3, rel=1e-3)
    assert lengths[0] / lengths[1] == pytest.approx(100, rel=1e-3)
