"""Real text, frozen in `corpora` with its origin and licence: see the README there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch import Tensor

_CORPORA = Path(__file__).with_name("corpora")


@cache
def english() -> str:
    """English reference text, 465,000 ASCII characters: what Python's help() says about the language."""
    return (_CORPORA / "english.txt").read_text("utf-8")


@cache
def python() -> str:
    """Python source, 15 modules of the standard library one after another; `tokenize` reads it."""
    return (_CORPORA / "python.txt").read_text("utf-8")


@cache
def names() -> tuple[tuple[str, str], ...]:
    """Surnames with their country: 12 countries, 400 each, by country and then by alphabet: shuffle before splitting."""
    rows = (_CORPORA / "names.tsv").read_text("utf-8").splitlines()
    return tuple((name, country) for name, country in (row.split("\t") for row in rows))


def alphabet(text: str) -> str:
    """Every character of a text once, in order of code point."""
    return "".join(sorted(set(text)))


def encode(text: str, letters: str) -> Tensor:
    """A text (N,) as positions in an alphabet. Errors: ValueError naming a character that is not in it."""
    position = {letter: place for place, letter in enumerate(letters)}
    if missing := set(text) - position.keys():
        raise ValueError(f"the alphabet {letters!r} lacks {sorted(missing)!r}")
    return torch.tensor([position[letter] for letter in text])


def decode(codes: Tensor, letters: str) -> str:
    """Positions (N,) in an alphabet as text."""
    return "".join(letters[code] for code in codes.tolist())
