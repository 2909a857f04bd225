"""Which prediction came true is computed from the values, also where they contradict the claim."""

from __future__ import annotations

import math

import pytest

from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


def verdict(experiment_id: str, *seeds: dict[str, float]):
    return judge(find_experiment(experiment_id), {}, seeds)


def forget(full: float, none: float, reset: float = 0.01, cell_ratio: float = 3000.0) -> dict[str, float]:
    return {"full": full, "none": none, "reset": reset, "cell_ratio": cell_ratio}


@pytest.mark.parametrize(
    ("values", "outcome", "status"),
    [
        (forget(0.01, 0.99), "drowns", Status.SUPPORTED),
        (forget(0.01, 0.99, cell_ratio=5.0), "fails-small", Status.CONTRADICTED),
        (forget(0.01, 0.04), "copes", Status.CONTRADICTED),
        (forget(0.60, 0.99), "both-fail", Status.CONTRADICTED),
        (forget(0.60, 0.05), "copes", Status.CONTRADICTED),
        (forget(math.inf, math.inf, math.inf, math.nan), "both-fail", Status.CONTRADICTED),
        (forget(0.01, math.inf, cell_ratio=math.inf), "drowns", Status.SUPPORTED),
    ],
)
def test_forget_gate(values, outcome, status):
    result = verdict("forget-gate", values, values, values)
    assert (result.outcome, result.status) == (outcome, status)


@pytest.mark.parametrize(
    ("unclipped", "clipped", "outcome", "status"),
    [
        (0.25, 1.00, "rescues", Status.SUPPORTED),
        (0.99, 1.00, "both", Status.CONTRADICTED),
        (0.90, 0.94, "both", Status.CONTRADICTED),
        (0.90, 0.40, "hurts", Status.CONTRADICTED),
        (0.25, 0.30, "neither", Status.CONTRADICTED),
        (0.00, 0.25, "neither", Status.CONTRADICTED),
    ],
)
def test_gradient_clipping(unclipped, clipped, outcome, status):
    values = {"unclipped": unclipped, "clipped": clipped}
    result = verdict("gradient-clipping", values, values, values)
    assert (result.outcome, result.status) == (outcome, status)


@pytest.mark.parametrize(
    ("forward", "backward", "delayed", "both", "outcome", "status"),
    [
        (0.5, 0.5, 1.0, 1.0, "both-and-late", Status.SUPPORTED),
        (0.5, 0.5, 0.5, 1.0, "only-both", Status.CONTRADICTED),
        (0.5, 0.5, 1.0, 0.5, "none", Status.CONTRADICTED),
        (0.5, 0.8, 1.0, 1.0, "all", Status.CONTRADICTED),
    ],
)
def test_bilstm(forward, backward, delayed, both, outcome, status):
    values = {"forward": forward, "backward": backward, "delayed": delayed, "both": both}
    result = verdict("bilstm", values, values, values)
    assert (result.outcome, result.status) == (outcome, status)


def test_the_outcome_follows_the_median_seed_not_the_odd_one():
    assert verdict("forget-gate", forget(0.01, 0.99), forget(0.9, 0.01), forget(0.01, 0.98)).outcome == "drowns"


def test_a_bilstm_of_equal_size_has_just_fewer_parameters():
    from sandbox.core import cells
    from sandbox.experiments import bilstm

    settings = {"hidden": 32, "layers": 1, "rule": "pair"}
    size = bilstm._matching_size(settings)
    assert size == 22
    assert cells.count_parameters(bilstm._network(32, False, settings)) == 4612
    assert cells.count_parameters(bilstm._network(size, True, settings)) == 4580


def test_a_diverged_seed_counts_as_the_worst_in_any_order():
    good, diverged = forget(0.01, 0.99), forget(0.01, 0.99, cell_ratio=math.nan)
    for seeds in ([diverged, good, good], [good, diverged, good], [good, good, diverged]):
        result = verdict("forget-gate", *seeds)
        assert (result.outcome, result.passed, result.checks[-1].median) == ("drowns", 2, 3000.0)
