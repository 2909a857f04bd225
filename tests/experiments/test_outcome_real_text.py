"""Which prediction came true in "real-text" counts the tasks in which the network is ahead of the best that counts."""

from __future__ import annotations

import pytest

from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("best", "outcome"),
    [((-0.6, 0.15, -0.08), "one"), ((0.1, 0.15, -0.08), "two"), ((0.1, 0.15, 0.02), "three"), ((-0.6, -0.01, -0.08), "none"), ((0.0, 0.0, 0.0), "none")],
)
def test_real_text(best, outcome):
    values = dict(zip(("writer_best", "tagger_best", "names_best"), best, strict=True)) | {"writer_gain": 0.7, "tagger_gain": 0.15, "names_gain": 0.1}
    result = judge(find_experiment("real-text"), {}, [values] * 3)
    assert (result.outcome, result.status) == (outcome, Status.SUPPORTED)


def test_a_network_that_is_no_better_than_simple_counting_contradicts_real_text():
    values = {"writer_best": -2.0, "tagger_best": 0.1, "names_best": -0.3, "writer_gain": 0.2, "tagger_gain": 0.1, "names_gain": -0.1}
    assert judge(find_experiment("real-text"), {}, [values] * 3).status == Status.CONTRADICTED
