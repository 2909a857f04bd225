"""The faults in the snippets of question 1."""

import torch

from tests.questions.proofs import run


def drop_in_replacement(faulty: str, fixed: str) -> None:
    """The faulty head reads the cell state, layer axis and all; the mended one reads the last hidden state."""
    torch.manual_seed(0)
    x = torch.randn(5, 4, 3)
    wrong, right = run(faulty)["Reader"](), run(fixed)["Reader"]()
    _, (_, cell) = wrong.core(x)
    assert wrong(x).shape == (1, 5, 2)
    assert torch.equal(wrong(x), wrong.head(cell))
    out, _ = right.core(x)
    assert right(x).shape == (5, 2)
    assert torch.allclose(right(x), right.head(out[:, -1]))
