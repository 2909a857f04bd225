"""Which prediction came true in "activations" is computed from the values, also where they contradict the claim."""

from __future__ import annotations

import math

import pytest

from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("tanh_long", "relu_short", "relu_long", "relu_h", "outcome", "status"),
    [
        (1.00, 1.00, 0.00, math.inf, "breaks", Status.SUPPORTED),
        (1.00, 1.00, 0.70, 300.0, "breaks", Status.CONTRADICTED),  # lost, but nothing exploded
        (1.00, 1.00, 0.99, 12.0, "holds", Status.CONTRADICTED),
        (1.00, 0.60, 0.30, math.inf, "never-learns", Status.CONTRADICTED),
        (0.50, 1.00, 0.00, math.inf, "all-forget", Status.CONTRADICTED),
    ],
)
def test_activations(tanh_long, relu_short, relu_long, relu_h, outcome, status):
    values = {"tanh_long": tanh_long, "tanh_h": 1.0, "relu_short": relu_short, "relu_long": relu_long, "relu_h": relu_h}
    result = judge(find_experiment("activations"), {}, [values] * 3)
    assert (result.outcome, result.status) == (outcome, status)
