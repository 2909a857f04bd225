"""Which prediction came true in "input-gate" is computed from the values, also where they contradict the claim."""

from __future__ import annotations

import math

import pytest

from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("full", "no_input", "large", "large_no_input", "outcome", "status"),
    [
        (0.01, 0.8, 0.01, 0.99, "fails", Status.SUPPORTED),
        (0.01, 0.8, 0.01, 0.1, "size-helps", Status.CONTRADICTED),
        (0.01, 0.02, 0.01, 0.99, "copes", Status.CONTRADICTED),
        (0.01, 0.8, 0.4, 0.99, "both-fail", Status.CONTRADICTED),
        (math.inf, math.inf, math.inf, math.inf, "both-fail", Status.CONTRADICTED),
    ],
)
def test_input_gate(full, no_input, large, large_no_input, outcome, status):
    values = {"full": full, "no-input": no_input, "large": large, "large-no-input": large_no_input}
    result = judge(find_experiment("input-gate"), {}, [values] * 3)
    assert (result.outcome, result.status) == (outcome, status)
