"""Tasks of remembering: something is shown, time passes, it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from sandbox.core.tasks.batches import IGNORED, Labelled

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


# --- One value, to be kept through time (Hochreiter & Schmidhuber 1997; variants after Greff et al. 2017) ---------

WRITE, READ = 0.15, 0.2  # chances of a cue at a step


def one_bit_ram(batch: int, steps: int, generator: torch.Generator) -> Iterator[Labelled]:
    """A memory of one bit. Channels: a value −1 or +1 at every step, write cue, read cue.

    The target (B, T) is the value last written at reads (one written at the same step counts), 0 otherwise and
    before the first write. Its variance is `ram_variance(steps)`.
    """
    time = torch.arange(steps)
    while True:
        value = torch.randint(0, 2, (batch, steps), generator=generator) * 2.0 - 1.0
        write, read = (torch.rand(batch, steps, generator=generator) < chance for chance in (WRITE, READ))
        written = torch.where(write, time, -1).cummax(1).values  # (B, T): when last, −1 for never
        kept = value.gather(1, written.clamp(min=0)) * (written >= 0)
        yield Labelled(torch.stack([value, write.float(), read.float()], 2), kept * read)


def ram_variance(steps: int) -> float:
    """The variance of `one_bit_ram`'s target: a read, of something written at one of the t steps so far."""
    return READ * sum(1 - (1 - WRITE) ** t for t in range(1, steps + 1)) / steps


def store_and_release(batch: int, steps: int, generator: torch.Generator) -> Iterator[Labelled]:
    """Hold a bit and say it only when asked. Channels: the bit as −1 or +1 at the first step, read cue (never then).

    The target (B, T) is the bit at read cues, 0 otherwise; its variance is READ · (steps − 1) / steps.
    """
    while True:
        bit = torch.randint(0, 2, (batch, 1), generator=generator) * 2.0 - 1.0
        read = (torch.rand(batch, steps, generator=generator) < READ).float()
        read[:, 0] = 0.0
        yield Labelled(torch.stack([F.pad(bit, (0, steps - 1)), read], 2), bit * read)


def marked_value(batch: int, steps: int, generator: torch.Generator) -> Iterator[Labelled]:
    """Recall the one marked value among distractors. Channels: a value from N(0, 1) at every step, the mark.

    The mark is in the first half, so distractors follow. The target (B,) has variance 1.
    """
    rows = torch.arange(batch)
    while True:
        values = torch.randn(batch, steps, generator=generator)
        place = torch.randint(0, max(1, steps // 2), (batch,), generator=generator)
        marks = torch.zeros(batch, steps)
        marks[rows, place] = 1.0
        yield Labelled(torch.stack([values, marks], 2), values[rows, place])


def recall(batch: int, steps: int, bits: int, generator: torch.Generator, *, noise: float = 0.0) -> Iterator[Labelled]:
    """Name at the end the bits shown at the first step; one channel a bit, −1 or +1, then noise N(0, `noise`²).

    The target (B,) is one of 2^bits classes, bit k counting 2^k; chance is 2^−bits.
    """
    while True:
        shown = torch.randint(0, 2, (batch, bits), generator=generator)
        x = torch.randn(batch, steps, bits, generator=generator) * noise
        x[:, 0] = shown * 2.0 - 1.0
        yield Labelled(x, (shown * 2 ** torch.arange(bits)).sum(1))


def late_questions(batch: int, window: int, lag: int, period: int, generator: torch.Generator) -> Iterator[Labelled]:
    """Consecutive windows of endless streams: every `period` steps a bit, asked for `lag` steps later.

    Channels: the bit as −1 or +1 when shown, shown, asked. The target (B, window) is 0 or 1 where asked, else IGNORED.
    Streams start at random phases; chance is 1/2. Errors: ValueError unless 1 ≤ lag < period.
    """
    if not 1 <= lag < period:
        raise ValueError(f"lag must be from 1 to period − 1 = {period - 1}, got {lag}")
    left = torch.randint(0, period, (batch,), generator=generator)  # (B,) steps until the next bit
    current = torch.zeros(batch)  # (B,) the bit under way, 0 before the first
    while True:
        since = torch.arange(window) - left[:, None]  # (B, window), since the window's first bit
        fresh = torch.randint(0, 2, (batch, window // period + 1), generator=generator) * 2.0 - 1.0
        bits = torch.cat([current[:, None], fresh], 1).gather(1, since.div(period, rounding_mode="floor") + 1)
        shown, asked = since % period == 0, (since % period == lag) & (bits != 0)
        yield Labelled(torch.stack([bits * shown, shown.float(), asked.float()], 2), torch.where(asked, (bits > 0).long(), IGNORED))
        current, left = bits[:, -1], (left - window) % period


# --- Counting modulo two ----------------------------------------------------------------------------------------

PULSE = 0.4  # chance of a pulse at a step


def parity(batch: int, steps: int, generator: torch.Generator) -> Iterator[Labelled]:
    """Were there an odd number of pulses? One channel, 0 or 1; the target (B,) is 0 or 1, chance is 1/2."""
    while True:
        pulses = (torch.rand(batch, steps, generator=generator) < PULSE).long()
        yield Labelled(pulses[..., None].float(), pulses.sum(1) % 2)
