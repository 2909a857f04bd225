"""Checkpointed gradients are the whole sequence's, and what is kept is counted."""

from __future__ import annotations

import pytest
import torch

from sandbox.core import costs
from sandbox.core.cells import Reader


def parts(steps: int) -> tuple[Reader, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    model = Reader(torch.nn.LSTM(2, 4, batch_first=True), 3).double()
    return model, torch.randn(5, steps, 2, dtype=torch.float64), torch.randint(0, 3, (5, steps))


def summed(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="sum")


@pytest.mark.parametrize(("steps", "segments"), [(12, 1), (12, 3), (12, 5), (3, 7)])
def test_reading_in_segments_gives_the_gradient_of_the_whole_sequence(steps: int, segments: int) -> None:
    model, x, target = parts(steps)
    (2.5 * summed(model(x)[0], target)).backward()
    whole = {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}
    costs.fill_in_segments(model, x, target, segments, summed, 2.5)
    assert {name for name, one in model.named_parameters() if one.grad is not None} == set(whole)
    for name, one in model.named_parameters():
        torch.testing.assert_close(one.grad, whole[name])


def test_what_is_kept_grows_with_the_sequence_and_less_so_in_segments() -> None:
    short, long = (costs.kept_in_segments(*parts(steps), 1, summed) for steps in (40, 80))
    assert long == pytest.approx(2 * short, rel=0.05)
    assert costs.kept_in_segments(*parts(80), 8, summed) < long / 4


def test_kept_bytes_counts_a_storage_once_and_no_parameter() -> None:
    model = torch.nn.Linear(3, 1, bias=False)
    x = torch.zeros(10, 3, requires_grad=True)
    assert costs.kept_bytes(model, lambda: model(x) + model(x[:5]).sum()) == 10 * 3 * 4


def test_jobs_take_turns_and_a_first_round_does_not_count() -> None:
    done: list[str] = []
    times = costs.shortest([lambda: done.append("a"), lambda: done.append("b")], 2)
    assert done == ["a", "b"] * 3
    assert all(0 <= one < 1 for one in times)
