"""Question 1: which prediction came true, and how the rectified RNN starts."""

from __future__ import annotations

import math

import pytest
import torch

from sandbox.experiments import lstm_vs_rnn
from sandbox.protocol import Status, judge


@pytest.mark.parametrize(
    ("short_rnn", "short_lstm", "rnn", "lstm", "outcome", "status"),
    [
        (0.017, 0.001, 0.170, 0.002, "long-only", Status.SUPPORTED),
        (0.160, 0.001, 0.170, 0.002, "lstm-everywhere", Status.CONTRADICTED),
        (0.017, 0.160, 0.170, 0.002, "long-only", Status.CONTRADICTED),
        (0.017, 0.001, 0.050, 0.002, "both", Status.CONTRADICTED),
        (0.017, 0.001, 0.170, 0.167, "neither", Status.CONTRADICTED),
        (math.inf, 0.001, math.inf, math.inf, "neither", Status.CONTRADICTED),
        (0.017, 0.001, math.inf, 0.002, "long-only", Status.SUPPORTED),
    ],
)
def test_outcome_and_status(short_rnn, short_lstm, rnn, lstm, outcome, status):
    values = {"short_rnn": short_rnn, "short_lstm": short_lstm, "rnn": rnn, "lstm": lstm}
    verdict = judge(lstm_vs_rnn.EXPERIMENT, {}, [values] * 3)
    assert (verdict.outcome, verdict.status) == (outcome, status)


def test_the_rectified_rnn_starts_by_keeping_what_it_has():
    rnn = lstm_vs_rnn._layer("rnn", {"hidden": 3, "rnn": "relu"}, seed=0)
    held = torch.tensor([[[1.0, 0.0, 2.5]]])
    with torch.no_grad():
        assert torch.equal(rnn(torch.zeros(1, 9, 2), held)[1], held)


def test_no_long_sequence_can_be_shorter_than_a_short_one():
    controls = {control.name: control for control in lstm_vs_rnn.EXPERIMENT.controls}
    assert controls["short"].high < controls["steps"].low
