"""The faults in the snippets of question 5."""

import weakref

import pytest
import torch
from torch import Tensor, nn

from tests.questions.proofs import run


def second_window_fails(faulty: str, fixed: str) -> None:
    """The faulty loop fails in its second window and not in its first; the mended one runs, and its state carries no graph."""
    assert _state_after(fixed, windows=3)[0].grad_fn is None
    assert _state_after(faulty, windows=1)[0].grad_fn is not None
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        _state_after(faulty, windows=2)


def _state_after(source: str, windows: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    lstm, head = nn.LSTM(2, 4), nn.Linear(4, 1)
    optimizer = torch.optim.SGD([*lstm.parameters(), *head.parameters()], 0.1)
    stream = [(torch.randn(3, 2, 2), torch.randn(3, 2, 1)) for _ in range(windows)]
    state: tuple[Tensor, Tensor] = run(source)["train_on_stream"](lstm, head, stream, optimizer)
    return state


class _Watched(nn.Module):
    """A small network that remembers, without keeping them alive, which outputs it has given."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.given: list[weakref.ref[Tensor]] = []

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        self.given.append(weakref.ref(y))
        return y

    @property
    def alive(self) -> int:
        """How many of the outputs are still in memory."""
        return sum(one() is not None for one in self.given)


def validation_fills_the_memory(faulty: str, fixed: str) -> None:
    """After five batches the faulty result keeps five activations alive; the mended one is a plain number and keeps none."""
    batches = [(torch.randn(4, 2), torch.randn(4, 1)) for _ in range(5)]
    models = _Watched(), _Watched()
    wrong, right = (run(source)["validation_loss"](model, batches) for source, model in zip((faulty, fixed), models, strict=True))
    assert wrong.grad_fn is not None
    assert isinstance(right, float)
    assert [model.alive for model in models] == [5, 0]
