"""The faults in the snippets of question 6."""

from collections.abc import Callable

import torch
from torch import Tensor

from tests.questions.proofs import run


def same_answer_for_each_input(faulty: str, fixed: str) -> None:
    """Fresh and after training, the faulty forecaster tells rising prices from falling ones no better than by rounding; the mended one does."""
    prices = torch.stack([torch.linspace(start, end, 12) for start, end in ((20_000, 40_000), (40_000, 20_000), (30_000, 30_000), (22_000, 38_000))])
    wrong, right = _spreads(run(faulty), prices), _spreads(run(fixed), prices)
    assert max(wrong) < 1e-5
    assert min(right) > 1e-2


def _spreads(names: dict[str, object], prices: Tensor) -> tuple[float, float]:
    """The spread of the answers, before and after 15 updates towards the prices' direction."""
    forecast: Callable[[Tensor], Tensor] = names["forecast"]  # type: ignore[assignment]
    lstm, head = names["lstm"], names["head"]
    assert isinstance(lstm, torch.nn.Module)
    assert isinstance(head, torch.nn.Module)
    before = float(forecast(prices).detach().std())
    optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], 0.02)
    for _ in range(15):
        optimizer.zero_grad()
        (forecast(prices) - (prices[:, -1:] - prices[:, :1]) / 20_000).square().mean().backward()
        optimizer.step()
    return before, float(forecast(prices).detach().std())
