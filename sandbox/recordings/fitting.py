"""Training for a recording: to the end, looking now and then at whatever the chart will show."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor, nn

from sandbox.core import training
from sandbox.recordings.chart import MOST_POINTS, Series

R = TypeVar("R")


@dataclass
class Log:
    """What was seen at which update, by name; `every` holds loss and gradient norm of each update."""

    at: list[int] = field(default_factory=list)
    of: dict[str, list[float]] = field(default_factory=dict)
    every: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def add(self, update: int, values: Mapping[str, float]) -> None:
        """Append one look."""
        self.at.append(update)
        for name, value in values.items():
            self.of.setdefault(name, []).append(value)

    def series(self, *names: str, start: int = 0) -> list[Series]:
        """Curves of what was looked at, from look number `start` on."""
        return [Series(name, self.at[start:], self.of[name][start:]) for name in names]


def fit(
    loss: Callable[[], Tensor],
    parameters: Iterable[nn.Parameter],
    optimizer: torch.optim.Optimizer,
    updates: int,
    *,
    look: Callable[[], Mapping[str, float]] = dict,
    every: int = 10,
    clip: float = 1.0,
) -> Log:
    """Train to the end; `look()` is called before the first update, then every `every` updates, and at the end."""
    log, done = Log(), 0

    def forward() -> tuple[Tensor, Mapping[str, float]]:
        nonlocal done
        if done % every == 0:
            log.add(done, look())
        done += 1
        return loss(), {}

    history = exhaust(training.train(forward, parameters, optimizer, updates, clip))
    log.add(updates, look())
    log.every = history.of
    return log


def exhaust(generator: Generator[object, None, R]) -> R:
    """Run a generator to its end for what it returns."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            returned: R = end.value
            return returned


def thinned(name: str, values: Sequence[float], *, extreme: Callable[[Sequence[float]], float] | None = None) -> Series:
    """A value an update as a series of at most MOST_POINTS: of each stretch its mean, or its `extreme` (max keeps every peak)."""
    size = max(1, math.ceil(len(values) / MOST_POINTS))
    stretches = [values[start : start + size] for start in range(0, len(values), size)]
    take = extreme or (lambda stretch: sum(stretch) / len(stretch))
    return Series(name, [min(len(values), (k + 1) * size) for k in range(len(stretches))], [take(stretch) for stretch in stretches])
