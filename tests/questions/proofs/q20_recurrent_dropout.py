"""The snippets of question 20 do what their items say."""

from __future__ import annotations

import torch

from tests.questions.proofs import run

UNITS, STEPS = 100, 40


def where_the_mask_falls(faulty: str, fixed: str) -> None:
    assert _left_after_training_steps(faulty, p=0.25) < 0.05
    assert _left_after_training_steps(fixed, p=0.25) == 1
    assert _left_after_training_steps(faulty, p=0.0) == 1


def _left_after_training_steps(source: str, p: float) -> float:
    """The share of units that still hold their value when the gates say: keep, and write nothing."""
    torch.manual_seed(0)
    step = run(source)["step"]
    i, f, g, o = (torch.full((UNITS,), bias) for bias in (-30.0, 30.0, 0.0, 30.0))
    none = torch.zeros(UNITS, 4 * UNITS)
    h, c = torch.zeros(1, UNITS), torch.ones(1, UNITS)
    for _ in range(STEPS):
        h, c = step(torch.zeros(1, UNITS), h, c, none, none, torch.cat([i, f, g, o]), p, True)
    return float((c != 0).double().mean())
