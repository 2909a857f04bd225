"""The faults in the snippets of question 4."""

import torch
from torch import nn

from tests.questions.proofs import run


def a_loop_that_forgets(faulty: str, fixed: str) -> None:
    """The mended loop gives what an `nn.LSTM` with the same weights gives; the faulty one starts each step from an empty cell."""
    torch.manual_seed(0)
    cell, x = nn.LSTMCell(3, 4), torch.randn(6, 2, 3)
    lstm = nn.LSTM(3, 4)
    with torch.no_grad():
        for name, values in cell.named_parameters():
            lstm.get_parameter(f"{name}_l0").copy_(values)
    expected, _ = lstm(x)
    wrong, right = run(faulty)["last_hidden"](cell, x), run(fixed)["last_hidden"](cell, x)
    assert torch.allclose(right, expected[-1], atol=1e-6)
    assert not torch.allclose(wrong, expected[-1], atol=1e-3)
    h = torch.zeros(2, 4)
    for step in x:
        h, _ = cell(step, (h, torch.zeros(2, 4)))
    assert torch.equal(wrong, h)
