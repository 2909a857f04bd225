"""What the items of question 22 say about PyTorch."""

import pytest
import torch
from torch import nn


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("embedded", "hidden"), [(50, 100), (100, 200)])
def test_the_parameters_of_embedding_lstm_and_head_are_counted_rightly(embedded: int, hidden: int) -> None:
    assert _parameters(nn.Embedding(5000, embedded)) == 5000 * embedded
    assert _parameters(nn.LSTM(embedded, hidden)) == 4 * hidden * (embedded + hidden) + 8 * hidden
    assert _parameters(nn.Linear(hidden, 3)) == hidden * 3 + 3


def _travelled(optimizer: type[torch.optim.Optimizer], factor: float) -> float:
    """How far 20 updates move a weight whose gradients are multiplied by `factor`."""
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    steps = optimizer([weight], lr=0.01)  # type: ignore[call-arg]
    for gradient in torch.randn(20, generator=torch.Generator().manual_seed(0), dtype=torch.float64):
        weight.grad = factor * gradient[None]
        steps.step()
    return abs(float(weight.detach()))


def test_adam_moves_as_far_on_gradients_a_tenth_as_large_and_sgd_a_tenth_as_far() -> None:
    assert _travelled(torch.optim.Adam, 0.1) == pytest.approx(_travelled(torch.optim.Adam, 1), rel=1e-4)
    assert _travelled(torch.optim.SGD, 0.1) == pytest.approx(0.1 * _travelled(torch.optim.SGD, 1))


def _after_an_update(lstm: nn.LSTM, embedded: torch.Tensor) -> bool:
    """Whether an update of AdamW with weight decay changes the LSTM."""
    before = [parameter.detach().clone() for parameter in lstm.parameters()]
    optimizer = torch.optim.AdamW([*lstm.parameters(), embedded], lr=0.1, weight_decay=0.1)
    lstm(embedded)[0].square().sum().backward()
    optimizer.step()
    return any(not torch.equal(old, new) for old, new in zip(before, lstm.parameters(), strict=True))


def test_frozen_parameters_stay_fixed_without_blocking_what_lies_below_and_eval_does_not_freeze() -> None:
    torch.manual_seed(0)
    lstm, embedded = nn.LSTM(2, 3, num_layers=2, dropout=0.5), torch.randn(4, 1, 2, requires_grad=True)
    lstm.eval()
    assert _after_an_update(lstm, embedded)
    frozen = nn.LSTM(2, 3, num_layers=2, dropout=0.5).requires_grad_(False)
    embedded.grad = None
    assert not _after_an_update(frozen, embedded)
    assert embedded.grad is not None
    assert float(embedded.grad.abs().sum()) > 0


def test_a_frozen_lstm_in_training_mode_still_drops() -> None:
    torch.manual_seed(0)
    frozen, x = nn.LSTM(2, 3, num_layers=2, dropout=0.5).requires_grad_(False), torch.randn(4, 1, 2)
    assert not torch.equal(frozen(x)[0], frozen(x)[0])
    frozen.eval()
    assert torch.equal(frozen(x)[0], frozen(x)[0])
