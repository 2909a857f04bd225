"""The snippets of question 24 do what their items say."""

from __future__ import annotations

import torch

from tests.questions.proofs import run


def weights_of_one(faulty: str, fixed: str) -> None:
    torch.manual_seed(0)
    states = torch.randn(2, 5, 3)
    for steps in (1, 4):
        context, weights = run(fixed)["attend"](torch.randn(2, steps, 3), states)
        torch.testing.assert_close(weights.sum(2), torch.ones(2, steps))
        torch.testing.assert_close(context, weights @ states)
    _, weights = run(faulty)["attend"](torch.randn(2, 1, 3), states)
    assert torch.equal(weights, torch.ones(2, 1, 5))
    _, weights = run(faulty)["attend"](torch.randn(2, 4, 3), states)
    torch.testing.assert_close(weights.sum(1), torch.ones(2, 5))
