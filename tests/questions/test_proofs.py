"""Every snippet of the bank that ships is run: its fault shows in `code` and is gone in `fixed`.

The proof of an item stands in tests/questions/proofs/<its bank file>.py, a function named like the item.
"""

import importlib
from collections.abc import Callable

import pytest

from questions.loader import load_bank
from questions.schema import CodeItem

BANK = load_bank()
SNIPPETS = {name: (BANK.files[question.id], item) for name, (question, item) in BANK.items.items() if isinstance(item, CodeItem)}


def proof_of(file: str, item: CodeItem) -> Callable[[str, str], None]:
    module = importlib.import_module(f"tests.questions.proofs.{file.removesuffix('.toml')}")
    proof: Callable[[str, str], None] = getattr(module, item.key.replace("-", "_"))
    return proof


@pytest.mark.parametrize("name", SNIPPETS)
def test_the_fault_of_a_snippet_shows_and_is_gone_once_mended(name: str) -> None:
    file, item = SNIPPETS[name]
    proof_of(file, item)(item.code, item.fixed)


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_proof_fails_when_the_mended_snippet_is_taken_for_the_faulty_one(name: str) -> None:
    file, item = SNIPPETS[name]
    with pytest.raises(Exception):  # noqa: B017, PT011  # how it fails is its own affair
        proof_of(file, item)(item.fixed, item.code)
