"""Tasks of symbols: echoes, labels from the neighbourhood, copies, grammars, languages and text."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from sandbox.core.tasks.batches import IGNORED, Labelled, Pairs

# --- A label that needs the past and the future -----------------------------------------------------------------


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


# --- Echo -------------------------------------------------------------------------------------------------------


def echo(batch: int, steps: int, lag: int, symbols: int, generator: torch.Generator) -> Iterator[Labelled]:
    """Say the symbol of `lag` steps ago. One-hot x (B, T, symbols); target (B, T), IGNORED at the first `lag` steps; chance 1/symbols."""
    while True:
        tokens = torch.randint(0, symbols, (batch, steps), generator=generator)
        yield Labelled(F.one_hot(tokens, symbols).float(), F.pad(tokens[:, : steps - lag], (lag, 0), value=IGNORED))


# --- Copying through a state or an attention (Sutskever, Vinyals & Le 2014; Bahdanau, Cho & Bengio 2015) ------------


def copying(batch: int, shortest: int, longest: int, symbols: int, generator: torch.Generator, *, reverse: bool = False) -> Iterator[Pairs]:
    """Write down a random source of `shortest` to `longest` symbols, backwards when `reverse`.

    Tokens are 0 … symbols − 1, and `blank` = symbols. Random sources read the same in both directions, so `reverse` also
    is Sutskever's trick of feeding the source reversed: it decides only whether the first or the last symbol lags least.
    """
    place = torch.arange(longest).expand(batch, longest)
    while True:
        lengths = torch.randint(shortest, longest + 1, (batch, 1), generator=generator)
        tokens = torch.randint(0, symbols, (batch, longest), generator=generator)
        source = torch.where(place >= longest - lengths, tokens, symbols)  # blanks first
        origin = longest - 1 - place if reverse else (place + longest - lengths).clamp(max=longest - 1)
        wanted, real = tokens.gather(1, origin), place < lengths
        given = torch.where(real, wanted, symbols).roll(1, 1)
        given[:, 0] = symbols
        yield Pairs(source, given, torch.where(real, wanted, IGNORED), torch.where(real, origin, IGNORED), symbols)


# --- A grammar whose legal continuations are known ----------------------------------------------------------------


def de_bruijn(batch: int, steps: int, symbols: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Random walks (B, T) on a de Bruijn graph: after v come 2v or 2v + 1 modulo `symbols` (even), each half of the time."""
    while True:
        bits = torch.randint(0, 2, (batch, steps), generator=generator)
        walk = [torch.randint(0, symbols, (batch,), generator=generator)]
        for t in range(1, steps):
            walk.append((2 * walk[-1] + bits[:, t]) % symbols)
        yield torch.stack(walk, 1)


def legal_share(tokens: Tensor, symbols: int) -> float:
    """The share of a text's transitions (B, T) that the de Bruijn graph allows; 2/symbols for random text."""
    return float(((tokens[:, 1:] - 2 * tokens[:, :-1]) % symbols < 2).double().mean())


# --- Text ---------------------------------------------------------------------------------------------------------


def text_windows(codes: Tensor, batch: int, steps: int, generator: torch.Generator) -> Iterator[Labelled]:
    """Windows from random places of a text `codes` (N,): tokens x (B, T) and what comes next, target (B, T)."""
    offsets = torch.arange(steps + 1)
    while True:
        begin = torch.randint(0, len(codes) - steps, (batch, 1), generator=generator)
        window = codes[begin + offsets]
        yield Labelled(window[:, :-1], window[:, 1:])
