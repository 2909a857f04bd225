"""Which prediction came true in "overfitting" is computed from the values, also where they contradict the claim."""

from __future__ import annotations

import math

import pytest

from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("gap", "early", "dropout", "data", "outcome", "status"),
    [
        (0.30, 0.3, 0.4, 0.4, "all", Status.SUPPORTED),
        (0.30, 0.9, 0.8, 0.4, "only-data", Status.CONTRADICTED),
        (0.30, 0.3, 0.9, 0.4, "some", Status.CONTRADICTED),
        (0.30, math.inf, 0.9, 0.9, "some", Status.CONTRADICTED),
        (0.05, 0.3, 0.4, 0.4, "no-gap", Status.CONTRADICTED),
    ],
)
def test_overfitting(gap, early, dropout, data, outcome, status):
    values = {"gap": gap, "early_ratio": early, "dropout_ratio": dropout, "data_ratio": data}
    result = judge(find_experiment("overfitting"), {}, [values] * 3)
    assert (result.outcome, result.status) == (outcome, status)
