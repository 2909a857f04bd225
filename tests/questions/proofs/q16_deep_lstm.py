"""The faults in the snippets of question 16."""

import torch
from torch import nn

from tests.questions.proofs import run


def a_bypass_in_vain(faulty: str, fixed: str) -> None:
    """Layers with all weights at 0 put out 0: only the mended stack then hands its input on. And only there a gradient gets down."""
    x = torch.randn(2, 5, 4)
    assert torch.equal(_silent(faulty)(x), torch.zeros_like(x))
    assert torch.equal(_silent(fixed)(x), x)
    assert _gradient_at_the_input(faulty) < 0.05 * _gradient_at_the_input(fixed)


def _stack(source: str) -> nn.Module:
    torch.manual_seed(0)
    stack: nn.Module = run(source)["Stack"](4, 8)
    return stack


def _silent(source: str) -> nn.Module:
    stack = _stack(source)
    for values in stack.parameters():
        nn.init.zeros_(values)
    return stack


def _gradient_at_the_input(source: str) -> float:
    stack = _stack(source)
    x = torch.randn(2, 5, 4, requires_grad=True)
    stack(x).sum().backward()
    assert x.grad is not None
    return float(x.grad.norm())
