"""Which prediction came true in "recurrent-dropout" is computed from the values, also where they contradict the claim."""

from __future__ import annotations

import pytest

from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("cell", "others", "gain", "outcome", "status"),
    [
        (0.25, 1.0, 0.40, "only-c", Status.SUPPORTED),
        (0.25, 1.0, 0.02, "no-gain", Status.CONTRADICTED),
        (0.25, 0.5, 0.40, "more", Status.CONTRADICTED),
        (0.90, 1.0, 0.40, "harmless", Status.CONTRADICTED),
        (float("nan"), 1.0, 0.40, "harmless", Status.CONTRADICTED),
    ],
)
def test_recurrent_dropout(cell, others, gain, outcome, status):
    values = {"cell_accuracy": cell, "others": others, "gain": gain}
    result = judge(find_experiment("recurrent-dropout"), {}, [values] * 3)
    assert (result.outcome, result.status) == (outcome, status)
