"""Training as a generator: `train` yields readings while it goes, `interleave` lets several arms take turns.

An arm is a generator of readings that returns what it trained. Nothing here knows about experiments, pages or
jobs: whoever iterates decides the pace, and stopping is simply not asking for the next reading.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from torch import Tensor, nn

from sandbox.core.devices import Randomness
from sandbox.core.optimizers import Optimizer

READINGS = 50  # about as many live readings an arm yields over its training
NO_CLIPPING = math.inf

R = TypeVar("R")
P = TypeVar("P")


class Reading(NamedTuple):
    """How an arm stands after `update` parameter updates: means over the updates since its last reading."""

    update: int
    values: dict[str, float]


@dataclass
class History:
    """Every metric at every update, in order: `history.of["loss"][k]` belongs to update k + 1."""

    of: dict[str, list[float]] = field(default_factory=dict)
    diverged: bool = False

    def add(self, values: Mapping[str, float]) -> None:
        """Append one update's values."""
        for name, value in values.items():
            self.of.setdefault(name, []).append(value)

    def mean_of_last(self, name: str, count: int) -> float:
        """The mean of a metric over the last `count` updates; NaN or infinite when one of them is."""
        tail = self.of[name][-count:]
        return sum(tail) / len(tail)


Forward = Callable[[], tuple[Tensor, Mapping[str, float]]]
Clip = Callable[[], float]


def train(forward: Forward, parameters: Iterable[nn.Parameter], optimizer: Optimizer, updates: int, clip: float | Clip = 1.0) -> Training:
    """Train for `updates` updates; yield about READINGS readings, the first after one update; return the History.

    `forward()` draws the next batch and returns its loss and further metrics as plain floats. Recorded besides
    them: "loss", and "gradient", the global norm *before* clipping it to `clip` (Pascanu et al. 2013). A function as `clip`
    clips by itself and returns the norm before (banks clip each net by its own).
    A gradient that is not finite ends the training after its update, which has put NaN or infinity into the network;
    the readings then go on as NaN.
    """
    parameters = list(parameters)
    history, every, last = History(), max(1, updates // READINGS), 0
    for update in range(1, updates + 1):
        due = update in (1, updates) or update % every == 0
        if history.diverged:  # nothing more to learn: every value is NaN from here on
            if due:
                yield Reading(update, dict.fromkeys(history.of, math.nan))
            continue
        loss, metrics = forward()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        norm = clip() if callable(clip) else clip_norm(parameters, clip)
        optimizer.step()
        history.add({"loss": float(loss.detach()), "gradient": norm, **metrics})
        history.diverged = not math.isfinite(norm)
        if due or history.diverged:
            yield Reading(update, {name: history.mean_of_last(name, update - last) for name in history.of})
            last = update
    return history


Training = Generator[Reading, None, History]


def clip_norm(parameters: Iterable[nn.Parameter], limit: float) -> float:
    """Scale the gradients down to the global norm `limit` (∞ only measures); return the norm before.

    What torch's clip_grad_norm_ computes, bit for bit, in half its time: gradients below the limit are not multiplied by 1.
    """
    parameters = list(parameters)
    total = nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    norm = float(total)
    if not norm + 1e-6 < limit:  # true of NaN as well, which then reaches every weight
        nn.utils.clip_grads_with_norm_(parameters, limit, total)
    return norm


class Best:
    """The weights of the best moment so far: early stopping without stopping.

    `value` is the lowest offered, `update` when; both are as at the start until something finite is offered.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._weights: dict[str, Tensor] | None = None
        self.value, self.update = math.inf, 0

    def offer(self, value: float, update: int) -> None:
        """Keep the model's weights if `value` (a validation loss) is the lowest yet. NaN never is."""
        if value < self.value:
            self.value, self.update = value, update
            self._weights = {name: one.detach().clone() for name, one in self._model.state_dict().items()}

    def restore(self) -> None:
        """Put the best weights back, if any were kept."""
        if self._weights is not None:
            self._model.load_state_dict(self._weights)


def interleave(
    arms: Mapping[str, Generator[Reading, None, R]], make: Callable[[str, int, Mapping[str, float]], P], seed: int, device: str = "cpu"
) -> Generator[P, None, dict[str, R]]:
    """Let all arms train in turns, one reading each, and yield `make(arm, update, values)`; return what each arm returned.

    Every arm sees torch's global generator freshly seeded with the same `seed`, and only its own draws advance it:
    equal networks start from equal weights, and an arm's numbers do not depend on the other arms or on their order.
    """
    waiting = dict(arms)
    own = {arm: Randomness(seed, device) for arm in arms}
    returned: dict[str, R] = {}
    while waiting:
        for arm, readings in list(waiting.items()):
            try:
                with own[arm]:
                    reading = next(readings)
            except StopIteration as end:
                returned[arm] = end.value
                del waiting[arm]
            else:
                yield make(arm, reading.update, reading.values)
    return {arm: returned[arm] for arm in arms}
