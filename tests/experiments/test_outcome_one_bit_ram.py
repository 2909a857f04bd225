"""Which prediction came true in "one-bit-ram" is computed from the values; the matrix of tasks comes when asked for."""

from __future__ import annotations

import math

import pytest

from sandbox.protocol import HeatMap, Measured, Status, judge, parse_settings
from sandbox.registry import find_experiment

EXPERIMENT = find_experiment("one-bit-ram")


@pytest.mark.parametrize(
    ("full", "without", "outcome", "status"),
    [
        (0.01, (0.6, 0.4, 0.7), "all-needed", Status.SUPPORTED),
        (0.01, (0.6, 0.1, 0.7), "some-needed", Status.CONTRADICTED),
        (0.01, (0.02, 0.01, 0.01), "none-needed", Status.CONTRADICTED),
        (0.40, (0.6, 0.4, 0.7), "whole-fails", Status.CONTRADICTED),
        (math.inf, (math.inf,) * 3, "whole-fails", Status.CONTRADICTED),
    ],
)
def test_one_bit_ram(full, without, outcome, status):
    values = {"full": full} | dict(zip(("no-input", "no-forget", "no-output"), without, strict=True))
    result = judge(EXPERIMENT, {}, [values] * 3)
    assert (result.outcome, result.status) == (outcome, status)


def test_three_tasks_give_a_matrix_of_what_was_measured():
    settings = parse_settings(EXPERIMENT.controls, {"tasks": "three", "updates": 50, "steps": 5})
    steps = list(EXPERIMENT.run(settings, 0, "cpu"))
    (matrix,) = [step for step in steps if isinstance(step, HeatMap)]
    (measured,) = [step.values for step in steps if isinstance(step, Measured)]
    suffixes = ("", "_marked", "_release")
    assert matrix.z == [[float(f"{measured[arm.key + suffix]:.4g}") for arm in EXPERIMENT.arms] for suffix in suffixes]
