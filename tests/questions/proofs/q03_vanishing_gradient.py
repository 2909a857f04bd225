"""The faults in the snippets of question 3."""

import torch
from torch import nn

from tests.questions.proofs import run


def exactly_zero(faulty: str, fixed: str) -> None:
    """The faulty measurement gives exactly 0 before the last step; the mended one finds a small gradient at each of 20 steps."""
    torch.manual_seed(0)
    cell, x = nn.LSTMCell(3, 8), torch.randn(20, 4, 3)
    wrong, right = run(faulty)["gradient_by_step"](cell, x), run(fixed)["gradient_by_step"](cell, x)
    assert wrong[-1] > 0
    assert (wrong[:-1] == 0).all()
    assert (right > 0).all()
    assert right[0] < right[-1]
