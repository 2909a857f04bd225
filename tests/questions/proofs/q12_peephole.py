"""The faults in the snippets of question 12."""

import torch

from tests.questions.proofs import run


def one_step_late(faulty: str, fixed: str) -> None:
    """A cell counts up by a tenth of tanh(1) a step, and its output gate opens above a level: the faulty cell does so one step later."""
    assert _first_open_step(faulty) == _first_open_step(fixed) + 1


def _first_open_step(source: str) -> int:
    """The step at which h first exceeds half of tanh(c), that is, the output gate one half."""
    tenth = -torch.log(torch.tensor(9.0))  # sigmoid of it is a tenth
    a = torch.stack([tenth, torch.tensor(40.0), torch.tensor(1.0), torch.tensor(-20.0)])[:, None]
    c, p = torch.zeros(1), torch.tensor([[0.0], [0.0], [50.0]])
    for step in range(1, 20):
        h, c = run(source)["step"](a, c, p)
        if h > 0.5 * torch.tanh(c):
            return step
    raise AssertionError("the gate did not open")
