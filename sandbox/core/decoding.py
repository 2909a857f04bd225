"""Letting a network go on by itself: each answer becomes the next input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

S = TypeVar("S")
Choose = Callable[[Tensor], Tensor]


def go_on(step: Callable[[Tensor, S], tuple[Tensor, S]], first: Tensor, state: S, count: int, choose: Choose | None = None) -> tuple[Tensor, S]:
    """`count` answers chosen one after another, (B, count, ...), and the state after them; without gradients.

    `step(input, state)` answers one input: logits (B, V) for a token (B,), or values (B, D) for values (B, D).
    `choose` makes the next input of an answer: the likeliest token when None, `sampling(...)`, or `as_it_is` for values.
    """
    chosen, pick = [], choose or likeliest
    with torch.no_grad():
        current = first
        for _ in range(count):
            answer, state = step(current, state)
            current = pick(answer)
            chosen.append(current)
    return torch.stack(chosen, 1), state


def likeliest(logits: Tensor) -> Tensor:
    """Greedy decoding: the likeliest token (B,) of logits (B, V)."""
    return logits.argmax(-1)


def as_it_is(values: Tensor) -> Tensor:
    """The answer itself, for networks that predict values."""
    return values


def sampling(generator: torch.Generator, temperature: float = 1.0) -> Choose:
    """Tokens drawn from softmax(logits / temperature), on the CPU so that they are the same on every device."""

    def choose(logits: Tensor) -> Tensor:
        chances = (logits.cpu().double().nan_to_num() / temperature).softmax(-1)  # who diverged babbles
        return torch.multinomial(chances, 1, generator=generator)[:, 0].to(logits.device)

    return choose
