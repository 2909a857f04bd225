"""Which prediction came true in "bptt" is computed from the values, also where they contradict the claim."""

from __future__ import annotations

import math

import pytest

from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("windows", "outcome", "status"),
    [
        ((0.50, 0.51, 0.52, 1.00), "longest", Status.SUPPORTED),
        ((0.50, 0.51, 0.90, 1.00), "as-long", Status.SUPPORTED),
        ((0.50, 0.80, 0.90, 1.00), "shorter", Status.CONTRADICTED),
        ((0.50, 0.51, 0.52, 0.76), "none", Status.CONTRADICTED),
        ((math.nan,) * 4, "none", Status.CONTRADICTED),
    ],
)
def test_bptt(windows, outcome, status):
    values = {f"window-{k}": accuracy for k, accuracy in zip((5, 10, 20, 40), windows, strict=True)} | {"autograd": 1e-16, "differences": 1e-10}
    result = judge(find_experiment("bptt"), {}, [values] * 3)
    assert (result.outcome, result.status) == (outcome, status)


def test_gradients_that_differ_contradict_bptt_whatever_the_windows_do():
    values = {"window-5": 0.5, "window-10": 0.5, "window-20": 0.5, "window-40": 1.0, "autograd": 1e-6, "differences": 1e-6}
    assert judge(find_experiment("bptt"), {}, [values] * 3).status == Status.CONTRADICTED
