"""The snippets of question 23 do what their items say."""

from __future__ import annotations

import torch

from tests.questions.proofs import run


class _Kept:
    """A tensor that autograd keeps for the backward pass; counts how many bytes are kept at once, and at most."""

    now = most = 0

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        self.size = tensor.nelement() * tensor.element_size()
        _Kept.now += self.size
        _Kept.most = max(_Kept.most, _Kept.now)

    def __del__(self) -> None:
        _Kept.now -= self.size


def accumulated_and_still_too_large(faulty: str, fixed: str) -> None:
    whole, _ = _most_kept(fixed, parts=1)
    cut, weight = _most_kept(fixed, parts=8)
    kept, same = _most_kept(faulty, parts=8)
    assert cut < whole / 4
    assert kept > whole * 0.9
    torch.testing.assert_close(same, weight)


def _most_kept(source: str, parts: int) -> tuple[int, torch.Tensor]:
    """The most bytes kept at once during an update, and the weights after it."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    batch, target = torch.randn(64, 4), torch.randn(64, 1)
    _Kept.now = _Kept.most = 0
    with torch.autograd.graph.saved_tensors_hooks(_Kept, lambda kept: kept.tensor):
        run(source)["update"](model, optimizer, batch, target, parts=parts)
    return _Kept.most, model[0].weight.detach()
