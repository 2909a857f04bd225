"""How far something that takes a while has come: told to a function that is passed in, so that a service knows no page."""

from __future__ import annotations

from collections.abc import Callable

OnProgress = Callable[[float, str], None]  # the share that is done, from 0 to 1, and what is being done in words


def untold(share: float, words: str) -> None:
    """Nobody is told."""
