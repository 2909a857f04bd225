"""The snippets of question 21 do what their items say."""

from __future__ import annotations

import torch

from tests.questions.proofs import run


def recall_too_good(faulty: str, fixed: str) -> None:
    assert _seen_in_training(faulty) > 0.9
    assert _seen_in_training(fixed) == 0


def _seen_in_training(source: str) -> float:
    """The share of validation's positives that are in training as well. Each sequence holds its own number."""
    x = torch.arange(200.0)[:, None, None].expand(200, 3, 1)
    y = (torch.arange(200) % 10 == 0).long()
    (train, train_y), (valid, valid_y) = run(source)["prepare"](x, y, torch.Generator().manual_seed(0))
    assert float(train_y.double().mean()) > 0.4
    assert torch.equal(valid_y, (valid[:, 0, 0] % 10 == 0).long())
    assert torch.equal(train_y, (train[:, 0, 0] % 10 == 0).long())
    positives = valid[valid_y == 1, 0, 0]
    assert len(positives) > 0
    return float(torch.isin(positives, train[:, 0, 0]).double().mean())
