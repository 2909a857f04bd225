"""The faults in the snippets of question 9."""

import torch
from torch import nn

from tests.questions.proofs import run


def where_the_clip_stands(faulty: str, fixed: str) -> None:
    """One step of SGD at rate 1 moves the weights by the length of the gradient: at most 1 if it was clipped."""
    assert _moved(faulty) > 10
    assert abs(_moved(fixed) - 1) < 1e-3


def _moved(source: str) -> float:
    torch.manual_seed(0)
    model, x = nn.Linear(3, 1), torch.randn(8, 3)
    before = nn.utils.parameters_to_vector(model.parameters()).clone()
    optimizer = torch.optim.SGD(model.parameters(), 1.0)
    run(source)["update"](model, optimizer, nn.functional.mse_loss, x, 100 + torch.randn(8, 1))
    return (nn.utils.parameters_to_vector(model.parameters()) - before).norm().item()
