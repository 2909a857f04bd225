"""Tasks with chance in them: what is best possible is below perfect, and known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from sandbox.core.tasks.batches import Labelled

# --- A small noisy set, to overfit --------------------------------------------------------------------------------


def noisy_sums(batch: int, steps: int, channels: int, generator: torch.Generator, *, flips: float = 0.1) -> Iterator[Labelled]:
    """Is the sum of the first channel above 0? x from N(0, 1), (B, T, channels); target (B,) 0 or 1, wrong with chance `flips`.

    Who knows the rule is right with 1 − flips. For a training set of fixed size draw one batch.
    """
    while True:
        x = torch.randn(batch, steps, channels, generator=generator)
        flipped = torch.rand(batch, generator=generator) < flips
        yield Labelled(x, ((x[..., 0].sum(1) > 0) ^ flipped).long())


# --- Rare positives with a known posterior ------------------------------------------------------------------------


class Screened(NamedTuple):
    """A batch with the probability that nobody can improve on."""

    x: Tensor  # (B, T, 2): values, mark
    target: Tensor  # (B,) 0 or 1
    posterior: Tensor  # (B,) P(target = 1 | x), exactly

    def to(self, device: str) -> Screened:
        """The same batch on another device."""
        return Screened(*(part.to(device) for part in self))


def rare_positives(batch: int, steps: int, generator: torch.Generator, *, rate: float = 0.04, shift: float = 1.8) -> Iterator[Screened]:
    """Positives are rare. One value at a random, marked step is s ~ N(shift · y, 1); all others are N(0, 1).

    The posterior is σ(log(rate / (1 − rate)) + shift · s − shift²/2), by Bayes' rule.
    """
    rows = torch.arange(batch)
    while True:
        target = (torch.rand(batch, generator=generator) < rate).long()
        values = torch.randn(batch, steps, generator=generator)
        place = torch.randint(0, steps, (batch,), generator=generator)
        values[rows, place] += shift * target
        marks = torch.zeros(batch, steps)
        marks[rows, place] = 1.0
        evidence = math.log(rate / (1 - rate)) + shift * values[rows, place] - shift**2 / 2
        yield Screened(torch.stack([values, marks], 2), target, evidence.sigmoid())


# --- Languages of hidden Markov models ----------------------------------------------------------------------------


class Languages:
    """Languages that share their words and differ in word order: hidden Markov models with the same emissions.

    Each hidden state mostly emits two symbols of its own (chance `clear`), else any. A language is a random cycle
    through the states, followed with chance `strict` and left for any state otherwise. Every language visits all
    states equally often, so counting symbols tells nothing: chance is 1/languages for who ignores the order.
    """

    def __init__(self, generator: torch.Generator, *, languages: int = 4, states: int = 6, clear: float = 0.9, strict: float = 0.8) -> None:
        self.symbols = 2 * states
        own = torch.eye(states).repeat_interleave(2, 1) / 2  # (states, symbols)
        self.emission = clear * own + (1 - clear) / self.symbols
        cycles = torch.zeros(languages, states, states)
        for cycle in cycles:
            order = torch.randperm(states, generator=generator)
            cycle[order, order.roll(-1)] = 1.0
        self.transition = strict * cycles + (1 - strict) / states  # (languages, states, states)

    def sentences(self, batch: int, steps: int, generator: torch.Generator) -> Iterator[Labelled]:
        """Tokens x (B, T), and the language of each as target (B,)."""
        languages, states, _ = self.transition.shape
        while True:
            language = torch.randint(0, languages, (batch,), generator=generator)
            state = torch.randint(0, states, (batch,), generator=generator)
            tokens = []
            for _ in range(steps):
                tokens.append(torch.multinomial(self.emission[state], 1, generator=generator)[:, 0])
                state = torch.multinomial(self.transition[language, state], 1, generator=generator)[:, 0]
            yield Labelled(torch.stack(tokens, 1), language)

    def posterior(self, tokens: Tensor) -> Tensor:
        """P(language | tokens) for tokens (B, T) on the CPU, exactly: (B, languages). The forward algorithm."""
        seen = self.emission.T.double()[tokens]  # (B, T, states)
        forward = seen[:, 0, None, :].expand(-1, len(self.transition), -1)  # (B, languages, states)
        for t in range(1, tokens.shape[1]):
            forward = torch.einsum("bls,lsr->blr", forward, self.transition.double()) * seen[:, t, None, :]
        likelihood = forward.sum(2)
        return likelihood / likelihood.sum(1, keepdim=True)


# --- A signal to be continued -------------------------------------------------------------------------------------


def sines(batch: int, steps: int, generator: torch.Generator, *, shortest_period: float = 10.0, longest_period: float = 30.0) -> Iterator[Tensor]:
    """Sines (B, T, 1) of amplitude 1, random phase and a period uniform between the two."""
    time = torch.arange(steps)
    while True:
        period = shortest_period + torch.rand(batch, 1, generator=generator) * (longest_period - shortest_period)
        phase = torch.rand(batch, 1, generator=generator)
        yield (2 * math.pi * (time / period + phase)).sin()[..., None]
