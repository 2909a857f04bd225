"""The faults in the snippets of question 15."""

import torch

from tests.questions.proofs import run


def joined_the_wrong_way(faulty: str, fixed: str) -> None:
    """The score of a sequence depends on its neighbours in the batch, until the directions of each are joined."""
    assert _change_of_the_first(faulty) > 1e-3
    assert _change_of_the_first(fixed) < 1e-6


def _change_of_the_first(source: str) -> float:
    """How much the first score changes when all other sequences of the batch do."""
    torch.manual_seed(0)
    model = run(source)["Reader"](3, 4, 2)
    x = torch.randn(6, 5, 3)
    other = torch.cat([x[:1], torch.randn(5, 5, 3)])
    return float((model(x)[0] - model(other)[0]).abs().max().item())
