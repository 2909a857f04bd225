"""The snippets of question 18 do what their items say."""

from __future__ import annotations

import torch

from tests.questions.proofs import run


def range_of_the_scaler(faulty: str, fixed: str) -> None:
    assert not torch.equal(_inputs(faulty, rise=1.0), _inputs(faulty, rise=5.0))
    assert torch.equal(_inputs(fixed, rise=1.0), _inputs(fixed, rise=5.0))
    for source in (faulty, fixed):  # nothing else is wrong: windows come from training alone, targets follow them
        made = run(source, series=torch.arange(100.0))
        assert made["x"].shape == (70, 10)
        assert torch.equal(made["y"], made["train"][10:])


def _inputs(source: str, rise: float) -> torch.Tensor:
    """The training windows made of a series whose last fifth rises by `rise` a step."""
    series = torch.cat([torch.linspace(0, 1, 80), 1 + rise * torch.arange(20.0)])
    inputs: torch.Tensor = run(source, series=series)["x"]
    return inputs
