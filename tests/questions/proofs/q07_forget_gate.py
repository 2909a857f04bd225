"""The faults in the snippets of question 7."""

import torch
from torch import nn

from tests.questions.proofs import run


def remember_by_default(faulty: str, fixed: str) -> None:
    """From a cell of 1, with nothing coming in, one step keeps a half after the faulty function and σ(1) after the mended one."""
    assert torch.allclose(_kept(faulty), torch.tensor(0.5), atol=1e-6)
    assert torch.allclose(_kept(fixed), torch.sigmoid(torch.tensor(1.0)), atol=1e-6)


def _kept(source: str) -> torch.Tensor:
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 5)
    run(source)["remember_by_default"](lstm)
    _, (_, cell) = lstm(torch.zeros(1, 1, 3), (torch.zeros(1, 1, 5), torch.ones(1, 1, 5)))
    kept: torch.Tensor = cell
    return kept
