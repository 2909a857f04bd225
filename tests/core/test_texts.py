"""The frozen texts are what their README says, whatever the Python that reads them."""

from __future__ import annotations

import hashlib
import io
import tokenize
from collections import Counter

import pytest

from sandbox.core import texts


def test_the_texts_never_change():
    # Stored runs repeat only while this holds.
    digests = [hashlib.sha256(text.encode()).hexdigest()[:12] for text in (texts.english(), texts.python(), repr(texts.names()))]
    assert digests == ["9fcf8d22a173", "a82a91fcc810", "57f6419d7c62"]


def test_there_are_twelve_countries_of_four_hundred_names():
    countries = Counter(country for _, country in texts.names())
    assert len(countries) == 12
    assert set(countries.values()) == {400}
    assert len(set(texts.names())) == 4800


def test_the_source_can_be_tokenized():
    kinds = {token.type for token in tokenize.generate_tokens(io.StringIO(texts.python()).readline)}
    assert {tokenize.NAME, tokenize.STRING, tokenize.COMMENT, tokenize.NUMBER, tokenize.OP} <= kinds


def test_text_survives_its_codes():
    text = texts.english()[:500]
    letters = texts.alphabet(texts.english())
    codes = texts.encode(text, letters)
    assert texts.decode(codes, letters) == text
    assert int(codes.max()) < len(letters) == 94


def test_a_letter_that_is_not_in_the_alphabet_is_named():
    with pytest.raises(ValueError, match="lacks \\['z'\\]"):
        texts.encode("az", "ab")
