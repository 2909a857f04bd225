"""Which prediction came true in "output-gate" is computed from the values, also where they contradict the claim."""

from __future__ import annotations

import math

import pytest

from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("full", "without", "spare", "outcome", "status"),
    [
        (0.01, 0.6, 0.01, "spare-helps", Status.SUPPORTED),
        (0.01, 0.6, 0.30, "fails", Status.SUPPORTED),
        (0.01, 0.1, 0.01, "copes", Status.CONTRADICTED),
        (0.40, 0.6, 0.30, "both-fail", Status.CONTRADICTED),
        (math.inf, math.inf, math.inf, "both-fail", Status.CONTRADICTED),
    ],
)
def test_output_gate(full, without, spare, outcome, status):
    values = {"full": full, "no-output": without, "spare": spare}
    result = judge(find_experiment("output-gate"), {}, [values] * 3)
    assert (result.outcome, result.status) == (outcome, status)
