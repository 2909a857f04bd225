"""Question 3: which prediction came true, and the number the whole experiment rests on."""

from __future__ import annotations

import math

import pytest
import torch

from sandbox.core import cells
from sandbox.experiments import vanishing_gradient
from sandbox.protocol import Status, judge


@pytest.mark.parametrize(
    ("rnn", "lstm", "outcome", "status"),
    [
        (-0.25, -0.07, "slower", Status.SUPPORTED),
        (-0.25, -0.005, "level", Status.SUPPORTED),
        (-0.25, 0.02, "level", Status.SUPPORTED),
        (-0.25, -0.60, "both-vanish", Status.CONTRADICTED),
        (-0.06, -0.07, "rnn-holds", Status.CONTRADICTED),
        (math.nan, -0.07, "rnn-holds", Status.CONTRADICTED),
    ],
)
def test_outcome_and_status(rnn, lstm, outcome, status):
    values = {"rnn": rnn, "lstm": lstm}
    verdict = judge(vanishing_gradient.EXPERIMENT, {}, [values] * 3)
    assert (verdict.outcome, verdict.status) == (outcome, status)


def test_the_direct_path_of_a_forget_gate_that_sees_nothing_obeys_the_law_exactly():
    lstm = torch.nn.LSTM(2, 3, batch_first=True)
    cells.hold_gate(lstm, "f", bias=1.0)
    assert vanishing_gradient._direct_slope(lstm, 5, seed=0) == pytest.approx(math.log10(1 / (1 + math.exp(-1))), abs=1e-7)
