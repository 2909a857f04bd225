"""What the items of question 21 say about PyTorch."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits


@pytest.mark.parametrize("p", [0.01, 0.04, 0.5])
def test_the_best_output_under_pos_weight_raises_the_odds_by_the_weight(p: float) -> None:
    weight = torch.tensor(24.0, dtype=torch.float64)
    best = 24 * p / (24 * p + 1 - p)
    logit = torch.logit(torch.tensor(best, dtype=torch.float64)).requires_grad_()
    loss = p * binary_cross_entropy_with_logits(logit, torch.ones_like(logit), pos_weight=weight)
    loss = loss + (1 - p) * binary_cross_entropy_with_logits(logit, torch.zeros_like(logit), pos_weight=weight)
    (slope,) = torch.autograd.grad(loss, logit)
    assert float(slope) == pytest.approx(0, abs=1e-12)
