"""The faults in the snippets of question 8."""

import torch
from torch import Tensor

from tests.questions.proofs import run


def gating_in_the_wrong_place(faulty: str, fixed: str) -> None:
    """With the input gate at 0 and the forget gate at 1, the faulty cell drifts and the mended one stays as it is."""
    assert _drift(faulty) > 0.1
    assert _drift(fixed) == 0


def _drift(source: str) -> float:
    torch.manual_seed(0)
    size = 4
    cell = run(source)["Cell"](size)
    with torch.no_grad():
        cell.gates.weight.zero_()
        cell.gates.bias[:size] = -200.0  # the input gate: exactly 0 in float32
        cell.gates.bias[size : 2 * size] = 200.0  # the forget gate: exactly 1
        before: Tensor = torch.randn(3, size)
        _, after = cell(torch.randn(3, size), torch.randn(3, size), before)
    return float((after - before).abs().max())
