"""The faults in the snippets of question 11."""

import math

import torch
from torch import nn

from tests.questions.proofs import run


def hiding_is_not_erasing(faulty: str, fixed: str) -> None:
    """A memory of 2 is held with the output gate shut for three steps and then open: only the mended cell still shows it."""
    hidden, shown = _shown(faulty)
    assert abs(hidden) < 1e-6
    assert abs(shown) < 1e-6
    hidden, shown = _shown(fixed)
    assert abs(hidden) < 1e-6
    assert abs(shown - math.tanh(2)) < 1e-6
    _is_a_standard_cell(fixed)


def _shown(source: str) -> tuple[float, float]:
    """What is shown at the third hidden step, and at the open step after it; the input sets the output gate."""
    W, U, b = torch.tensor([[0.0, 0.0, 0.0, 40.0]]), torch.zeros(1, 4), torch.tensor([-40.0, 40.0, 0.0, 0.0])
    h, c, said = torch.zeros(1, 1), torch.full((1, 1), 2.0), []
    for gate in (-1.0, -1.0, -1.0, 1.0):
        h, c = run(source)["step"](torch.tensor([[gate]]), h, c, W, U, b)
        said.append(h.item())
    return said[2], said[3]


def _is_a_standard_cell(source: str) -> None:
    torch.manual_seed(0)
    cell = nn.LSTMCell(3, 4)
    x, h, c = torch.randn(5, 3), torch.randn(5, 4), torch.randn(5, 4)
    mine = run(source)["step"](x, h, c, cell.weight_ih.T, cell.weight_hh.T, cell.bias_ih + cell.bias_hh)
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(mine, cell(x, (h, c)), strict=True))
