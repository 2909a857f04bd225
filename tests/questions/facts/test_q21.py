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


def test_a_weight_of_24_moves_the_cut_to_a_twenty_fifth_and_makes_four_per_cent_look_like_half() -> None:
    def output(p: float) -> float:
        return 24 * p / (24 * p + 1 - p)

    assert output(0.04) == pytest.approx(0.5)
    assert output(0.5) == pytest.approx(24 / 25)
    assert round(0.5 / 24, 2) == 0.02


def test_focal_loss_leaves_a_hundredth_of_an_easy_example() -> None:
    assert pytest.approx(0.01) == (1 - 0.9) ** 2
    assert round(0.9**2, 1) == 0.8  # four fifths, with the factor turned round
