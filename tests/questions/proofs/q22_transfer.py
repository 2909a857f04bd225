"""The snippets of question 22 do what their items say."""

from __future__ import annotations

import copy

import torch

from tests.questions.proofs import run


def released_and_still(faulty: str, fixed: str) -> None:
    assert not _moves(faulty, release_at=2)
    assert _moves(fixed, release_at=2)
    assert not _moves(fixed, release_at=9)


def _moves(source: str, release_at: int) -> bool:
    """Whether four updates change the LSTM; the head changes in any case."""
    torch.manual_seed(0)
    lstm, head = torch.nn.LSTM(3, 4, batch_first=True), torch.nn.Linear(4, 2)
    before, head_before = copy.deepcopy(lstm.state_dict()), head.weight.detach().clone()
    batches = [(torch.randn(8, 5, 3), torch.randint(0, 2, (8,))) for _ in range(4)]
    run(source)["fine_tune"](lstm, head, batches, release_at)
    assert not torch.equal(head.weight, head_before)
    return any(not torch.equal(value, before[name]) for name, value in lstm.state_dict().items())
