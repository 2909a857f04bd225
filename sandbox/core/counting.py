"""Baselines that only count: n-grams, the most frequent label of a context, naive Bayes. What a network has to beat."""

from __future__ import annotations

import torch
from torch import Tensor


def _windows(codes: Tensor, width: int, symbols: int) -> Tensor:
    """Every window of `width` neighbouring codes (…, N) as one number: (…, N − width + 1)."""
    count = codes.shape[-1] - width + 1
    keys = torch.zeros_like(codes[..., :count])
    for place in range(width):
        keys = keys * symbols + codes[..., place : place + count]
    return keys


def _look_up(known: Tensor, values: Tensor, asked: Tensor, missing: float = 0.0) -> Tensor:
    """The values of `asked` keys in a table with sorted keys `known`; `missing` where there is none."""
    place = torch.searchsorted(known, asked).clamp(max=len(known) - 1)
    return torch.where(known[place] == asked, values[place], torch.as_tensor(missing, dtype=values.dtype))


def ngram_bits(train: Tensor, held: Tensor, symbols: int, longest: int) -> Tensor:
    """The bits each character of `held` (N,) costs models that know the 0 … `longest` − 1 characters before it: (longest, N).

    Each model mixes its counts with the next shorter model's, which weighs as much as there are kinds of
    continuation (Witten & Bell 1991); the shortest is mixed with equal chances.
    """
    chance = torch.full((len(held),), 1 / symbols, dtype=torch.float64)
    models = []
    for width in range(1, longest + 1):
        seen, counts = _windows(train, width, symbols).unique(return_counts=True)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        before, of = seen.div(symbols, rounding_mode="floor").unique(return_inverse=True)
        total, kinds = torch.zeros(2, len(before), dtype=torch.float64)
        total.index_add_(0, of, counts.double())
        kinds.index_add_(0, of, torch.ones(len(seen), dtype=torch.float64))
        asked = _windows(held, width, symbols)
        context = asked.div(symbols, rounding_mode="floor")
        count, all_counts, all_kinds = _look_up(seen, counts.double(), asked), _look_up(before, total, context), _look_up(before, kinds, context)
        shorter = chance[width - 1 :]
        mixed = (count + all_kinds * shorter) / (all_counts + all_kinds).clamp(min=1)
        chance = torch.cat([chance[: width - 1], torch.where(all_counts > 0, mixed, shorter)])
        models.append(-chance.log2())
    return torch.stack(models)


def labels_of_contexts(train: Tensor, labels: Tensor, asked: Tensor, reach: int, symbols: int, classes: int) -> Tensor:
    """For each code of `asked` (B, T) the most frequent label of the same code with `reach` neighbours on either side.

    train and labels (R, N). Where that context was never seen, or does not fit at an edge, a shorter one decides.
    """
    guesses = labels.new_full(asked.shape, int(labels.flatten().bincount(minlength=classes).argmax()))
    for near in range(reach + 1):
        inner = slice(near, train.shape[1] - near)
        seen, of = _windows(train, 2 * near + 1, symbols).flatten().unique(return_inverse=True)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        counts = torch.bincount(of * classes + labels[:, inner].flatten(), minlength=len(seen) * classes).view(-1, classes)
        best = _look_up(seen, counts.argmax(1), _windows(asked, 2 * near + 1, symbols), missing=-1)
        middle = guesses[:, near : asked.shape[1] - near]
        middle.copy_(torch.where(best >= 0, best, middle))
    return guesses


def naive_bayes(train: Tensor, labels: Tensor, asked: Tensor, width: int, symbols: int, classes: int, smoothing: float = 0.5) -> Tensor:
    """The likeliest class of each word of `asked` (B, L) if its n-grams of `width` were independent: (B,).

    train (N, L) and labels (N,); code 0 is blank and stands before a word. Every class is as likely beforehand, and
    `smoothing` is added to every count.
    """

    def grams(words: Tensor) -> tuple[Tensor, Tensor]:
        """The n-grams of every word, its ends included, and which of them hold a letter."""
        padded = torch.nn.functional.pad(words, (width - 1, width - 1))
        keys = _windows(padded, width, symbols)
        return keys, keys > 0

    keys, real = grams(train)
    seen, of = keys[real].unique(return_inverse=True)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    owner = labels[:, None].expand_as(keys)[real]
    counts = torch.bincount(owner * len(seen) + of, minlength=classes * len(seen)).view(classes, -1) + smoothing
    sizes = counts.sum(1, keepdim=True) + smoothing  # one more for what was never seen
    known = torch.cat([counts, counts.new_full((classes, 1), smoothing)], 1).div(sizes).log()  # (classes, seen + 1)
    keys, real = grams(asked)
    place = _look_up(seen, torch.arange(len(seen)), keys, missing=len(seen))
    return (known[:, place] * real).sum(-1).argmax(0)
