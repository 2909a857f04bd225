"""Which prediction came true in "seq2seq" is computed from the values, also where they contradict the claim."""

from __future__ import annotations

import pytest

from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("drop", "gain", "outcome", "status"),
    [
        (0.30, 0.10, "falls-helps", Status.SUPPORTED),
        (0.30, 0.00, "falls-same", Status.CONTRADICTED),
        (0.30, -0.10, "falls-hurts", Status.CONTRADICTED),
        (0.10, 0.10, "width-cures", Status.CONTRADICTED),
    ],
)
def test_seq2seq(drop, gain, outcome, status):
    values = {"drop": drop, "gain": gain}
    result = judge(find_experiment("seq2seq"), {}, [values] * 3)
    assert (result.outcome, result.status) == (outcome, status)
