"""The faults in the snippets of question 2."""

import torch
from torch import nn

from tests.questions.proofs import run


def a_step_by_hand(faulty: str, fixed: str) -> None:
    """With the weights of an `nn.LSTMCell`, only the mended step gives what that cell gives; the faulty one never writes below 0."""
    torch.manual_seed(0)
    cell = nn.LSTMCell(3, 4)
    x, h, c = torch.randn(64, 3), torch.randn(64, 4), torch.zeros(64, 4)
    weights = (cell.weight_ih.T, cell.weight_hh.T, cell.bias_ih + cell.bias_hh)
    wrong, right = run(faulty)["lstm_step"](x, h, c, *weights), run(fixed)["lstm_step"](x, h, c, *weights)
    expected = cell(x, (h, c))
    assert wrong[1].min() >= 0
    assert not torch.allclose(wrong[0], expected[0], atol=1e-2)
    assert right[1].min() < 0
    assert all(torch.allclose(mine, theirs, atol=1e-6) for mine, theirs in zip(right, expected, strict=True))
