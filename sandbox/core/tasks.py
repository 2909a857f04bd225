"""The tasks: small synthetic problems whose answer, chance level and ceiling are known exactly.

Every task is an endless iterator of batches drawn from a CPU generator. Batches hold inputs x (B, T, D) and
targets; nothing is ever repeated, so the training error is an honest error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

# --- Recall on an endless stream (Gers, Schmidhuber & Cummins 2000, in spirit) ----------------------------------


class StreamWindow(NamedTuple):
    """T steps of B endless streams. Channels of x: value (at a segment's start, else 0), start, noise, asked."""

    x: Tensor  # (B, T, 4)
    target: Tensor  # (B, T): the segment's value when asked, 0 otherwise
    start: Tensor  # (B, T) bool: a segment starts, with its value
    asked: Tensor  # (B, T) bool: the segment's last step, where the value is asked for

    def to(self, device: str) -> StreamWindow:
        """The same window on another device."""
        return StreamWindow(*(part.to(device) for part in self))


SHORTEST_SEGMENT, LONGEST_SEGMENT = 6, 14
# Values have variance 1 and one step in (6 + 14) / 2 is asked, so always answering 0 costs this squared error.
STREAM_TARGET_VARIANCE = 2 / (SHORTEST_SEGMENT + LONGEST_SEGMENT)


def endless_segments(batch: int, window: int, generator: torch.Generator, *, binary: bool = False) -> Iterator[StreamWindow]:
    """Consecutive windows of `batch` streams of segments, each 6 to 14 steps long.

    A segment shows a value at its first step and asks for it at its last. Streams never end: a segment may cross
    into the next window. Values are uniform with variance 1, or −1 and +1 when `binary`.
    """
    steps = torch.arange(window)  # (T,)
    left = torch.randint(0, LONGEST_SEGMENT, (batch,), generator=generator)  # (B,) steps until the next segment starts
    current = torch.zeros(batch)  # (B,) value of the segment under way
    count = window // SHORTEST_SEGMENT + 2  # more segments than can start in a window
    while True:
        lengths = torch.randint(SHORTEST_SEGMENT, LONGEST_SEGMENT + 1, (batch, count), generator=generator)
        starts = left[:, None] + F.pad(lengths.cumsum(1), (1, 0))  # (B, K): the steps at which segments start
        fresh = (torch.rand(batch, count + 1, generator=generator) * 2 - 1) * 3**0.5
        values = torch.cat([current[:, None], fresh.sign() if binary else fresh], 1)  # (B, K + 1)
        segment = (starts[:, :, None] <= steps).sum(1)  # (B, T): 0 is the segment from the window before
        value = values.gather(1, segment)  # (B, T)
        start = (starts[:, :, None] == steps).any(1)
        asked = (starts[:, :, None] == steps + 1).any(1)
        noise = torch.randn(batch, window, generator=generator)
        yield StreamWindow(torch.stack([value * start, start.float(), noise, asked.float()], 2), value * asked, start, asked)
        current = value[:, -1]
        left = starts.gather(1, (starts < window).sum(1, keepdim=True))[:, 0] - window


# --- Temporal order (Hochreiter & Schmidhuber 1997, experiment 6a) ----------------------------------------------


class Labelled(NamedTuple):
    """A batch of sequences, each with its target."""

    x: Tensor  # (B, T, D)
    target: Tensor  # (B,) or (B, T)

    def to(self, device: str) -> Labelled:
        """The same batch on another device."""
        return Labelled(self.x.to(device), self.target.to(device))


ORDER_SYMBOLS, ORDER_CLASSES = 6, 4


def temporal_order(batch: int, steps: int, generator: torch.Generator) -> Iterator[Labelled]:
    """Which two marks came, and in what order? Four classes: XX, XY, YX, YY; chance is 1/4.

    Symbols are one-hot: X, Y and four distractors. The first mark comes between 1/10 and 2/10 of the sequence,
    the second between 5/10 and 6/10, so half the sequence lies between the second mark and the answer.
    """
    rows = torch.arange(batch)
    while True:
        symbols = torch.randint(2, ORDER_SYMBOLS, (batch, steps), generator=generator)
        marks = torch.randint(0, 2, (batch, 2), generator=generator)
        first = torch.randint(steps // 10, steps // 5 + 1, (batch,), generator=generator)
        second = torch.randint(steps // 2, 3 * steps // 5 + 1, (batch,), generator=generator)
        symbols[rows, first], symbols[rows, second] = marks[:, 0], marks[:, 1]
        yield Labelled(F.one_hot(symbols, ORDER_SYMBOLS).float(), 2 * marks[:, 0] + marks[:, 1])


# --- The adding problem (Hochreiter & Schmidhuber 1997, experiment 4) -------------------------------------------

ADDING_VARIANCE = 1 / 6  # of the sum of two values uniform on [0, 1]


def adding(batch: int, steps: int, generator: torch.Generator) -> Iterator[Labelled]:
    """Add the two marked values, one in each half of the sequence. Channels: a value uniform on [0, 1], and the mark."""
    rows = torch.arange(batch)
    while True:
        values = torch.rand(batch, steps, generator=generator)
        first = torch.randint(0, steps // 2, (batch,), generator=generator)
        second = torch.randint(steps // 2, steps, (batch,), generator=generator)
        marks = torch.zeros(batch, steps)
        marks[rows, first] = marks[rows, second] = 1.0
        yield Labelled(torch.stack([values, marks], 2), values[rows, first] + values[rows, second])


# --- A label that needs the past and the future -----------------------------------------------------------------

IGNORED = -100  # torch's cross_entropy skips this label


def past_and_future(batch: int, steps: int, reach: int, generator: torch.Generator, *, xor: bool = False) -> Iterator[Labelled]:
    """Random bits; the label of step t is made of the bits at t − `reach` and t + `reach`.

    Four classes (2·past + future), or two when `xor` (past ≠ future). Steps nearer than `reach` to an end have no
    label (IGNORED). The two bits are independent, so whoever knows only one of them is right half of the time.
    x is (B, T, 1) with bits as −1 and +1, target (B, T).
    """
    while True:
        bits = torch.randint(0, 2, (batch, steps), generator=generator)
        past, future = bits[:, : steps - 2 * reach], bits[:, 2 * reach :]
        label = past ^ future if xor else 2 * past + future
        yield Labelled(bits[:, :, None] * 2.0 - 1.0, F.pad(label, (reach, reach), value=IGNORED))
