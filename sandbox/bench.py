"""`python -m sandbox bench`: what can be timed without a page, as ratios within one run, each beside its target."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

STEPS, BATCH, INPUTS, HIDDEN = 50, 64, 4, 32
WARM_UP, REPETITIONS = 10, 60


@dataclass(frozen=True)
class Figure:
    """One measured figure; `target` is the most it may be, None when it is only reported."""

    what: str
    value: float
    unit: str
    target: float | None = None
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether the target is met."""
        return self.target is None or self.value <= self.target


def cell_figures(repetitions: int) -> list[Figure]:
    """The general cell's training step ÷ torch.nn.LSTM's, on one thread, and of its options.

    A step is what `core.training.train` does: forward through layer and read-out, backward, clipping, Adam.
    """
    took = _interleaved(_training_steps(), repetitions)
    reference = statistics.median(took.pop("torch.nn.LSTM"))
    size = f"T={STEPS} B={BATCH} H={HIDDEN}, one thread, median of {repetitions} in turns"
    figures = [Figure("torch.nn.LSTM: training step", reference * 1e3, "ms CPU", detail=size)]
    for name, times in took.items():
        target = 2.5 if name == "general cell" else None
        figures.append(Figure(f"{name}: training step ÷ torch.nn.LSTM's", statistics.median(times) / reference, "×", target))
    return figures


def _training_steps() -> Mapping[str, Callable[[], object]]:
    """One training step of each kind of layer, on the same data."""
    import torch

    from sandbox.core import cells, devices, optimizers, training
    from sandbox.core.general_cell import Design, GeneralLSTM, Masked

    devices.use_one_thread()
    draws = devices.generator(0, "bench")
    x, target = torch.randn(BATCH, STEPS, INPUTS, generator=draws), torch.randn(BATCH, STEPS, 1, generator=draws)
    masks: Mapping[Masked, torch.Tensor] = {"h": torch.ones(BATCH, HIDDEN)}

    def step(layer: torch.nn.LSTM, **how: object) -> Callable[[], object]:
        model = cells.Reader(layer, 1)
        optimizer = optimizers.Adam(model.parameters(), 1e-3)

        def forward() -> tuple[torch.Tensor, Mapping[str, float]]:
            return (model(x, **how)[0] - target).square().mean(), {}

        return lambda: list(training.train(forward, model.parameters(), optimizer, updates=1))

    return {
        "torch.nn.LSTM": step(torch.nn.LSTM(INPUTS, HIDDEN, batch_first=True)),
        "general cell": step(GeneralLSTM(INPUTS, HIDDEN)),
        "with peepholes": step(GeneralLSTM(INPUTS, HIDDEN, Design(peepholes=True))),
        "with softsign and hard-sigmoid": step(GeneralLSTM(INPUTS, HIDDEN, Design(candidate="softsign", output="softsign", gates="hard-sigmoid"))),
        "with a mask on h": step(GeneralLSTM(INPUTS, HIDDEN), masks=masks),
    }


def _interleaved(actions: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, list[float]]:
    """Process seconds of each action, taken in turns, so that all meet the same machine."""
    took: dict[str, list[float]] = {name: [] for name in actions}
    for repetition in range(WARM_UP + repetitions):
        for name, action in actions.items():
            begun = time.process_time()
            action()
            if repetition >= WARM_UP:
                took[name].append(time.process_time() - begun)
    return took
