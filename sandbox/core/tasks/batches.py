"""What a task yields: a batch of inputs and targets."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

IGNORED = -100  # torch's cross_entropy skips this label


class Labelled(NamedTuple):
    """A batch of sequences, each with its target."""

    x: Tensor  # (B, T, D), or tokens (B, T)
    target: Tensor  # (B,) or (B, T)

    def to(self, device: str) -> Labelled:
        """The same batch on another device."""
        return Labelled(self.x.to(device), self.target.to(device))


class Pairs(NamedTuple):
    """A batch for sequence-to-sequence learning, all tokens (long). `blank` pads the source and starts the decoder."""

    source: Tensor  # (B, S), blanks first, so that every source ends at the last step
    given: Tensor  # (B, L), what the decoder is fed under teacher forcing: blank, then the target so far
    target: Tensor  # (B, L), IGNORED after the end
    place: Tensor  # (B, L), the source step that each target token is a copy of; IGNORED after the end
    blank: int

    def to(self, device: str) -> Pairs:
        """The same batch on another device."""
        return Pairs(self.source.to(device), self.given.to(device), self.target.to(device), self.place.to(device), self.blank)
