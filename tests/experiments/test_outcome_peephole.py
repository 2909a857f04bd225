"""Which prediction came true in "peephole" is computed from the values, also where they contradict the claim."""

from __future__ import annotations

import pytest

from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("peephole", "none", "outcome", "status"),
    [
        (1.00, 0.55, "needed", Status.SUPPORTED),
        (0.90, 0.55, "ahead", Status.CONTRADICTED),
        (1.00, 0.95, "both", Status.CONTRADICTED),
        (0.55, 0.55, "neither", Status.CONTRADICTED),
    ],
)
def test_peephole(peephole, none, outcome, status):
    values = {"peephole": peephole, "none": none}
    result = judge(find_experiment("peephole"), {}, [values] * 3)
    assert (result.outcome, result.status) == (outcome, status)
