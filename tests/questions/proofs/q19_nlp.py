"""The snippets of question 19 do what their items say."""

from __future__ import annotations

import torch

from tests.questions.proofs import run


def tags_change_with_the_batch(faulty: str, fixed: str) -> None:
    assert _change_of_a_neighbour(faulty) > 1e-3
    assert _change_of_a_neighbour(fixed) == 0


def _change_of_a_neighbour(source: str) -> float:
    """How much the scores of the second sentence change when the first one is another."""
    torch.manual_seed(0)
    tagger = run(source)["Tagger"](vocabulary=20, tags=4).eval()
    words = torch.randint(0, 20, (3, 6))
    others = words.clone()
    others[0] = (words[0] + 1) % 20
    with torch.no_grad():
        return float((tagger(words)[1] - tagger(others)[1]).abs().max())
