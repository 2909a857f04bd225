"""Real text, frozen in `corpora` with its origin and licence: see the README there."""

from __future__ import annotations

import io
import keyword
import tokenize
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


PYTHON_CLASSES = ("blank", "keyword", "name", "number", "string", "comment", "operator")
_KINDS = {tokenize.NUMBER: 3, tokenize.STRING: 4, tokenize.COMMENT: 5, tokenize.OP: 6}


@cache
def python_classes() -> Tensor:
    """What each character of `python()` is part of, by Python's own `tokenize`: positions in PYTHON_CLASSES (N,)."""
    source = python()
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    classes = torch.zeros(len(source), dtype=torch.long)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.string.strip():  # the rest is indentation and line ends
            kind = _KINDS.get(token.type, 1 if keyword.iskeyword(token.string) else 2)
            (row, column), (last_row, end) = token.start, token.end
            classes[starts[row - 1] + column : starts[last_row - 1] + end] = kind
    return classes


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
