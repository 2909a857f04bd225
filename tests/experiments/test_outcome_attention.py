"""Question 24: the outcome follows the values, and the alignment is counted exactly."""

import pytest
import torch

from sandbox.core.tasks import Pairs
from sandbox.experiments.attention import _alignment, _lengths
from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("short", "long", "alignment", "outcome", "status"),
    [
        ((0.99, 1.0), (0.35, 0.97), 0.95, "long-only", Status.SUPPORTED),
        ((0.99, 1.0), (0.35, 0.97), 0.15, "long-only", Status.CONTRADICTED),
        ((0.50, 1.0), (0.35, 0.97), 0.95, "everywhere", Status.SUPPORTED),
        ((0.99, 1.0), (0.92, 0.99), 0.95, "equal", Status.CONTRADICTED),
        ((0.99, 0.5), (0.90, 0.20), 0.30, "behind", Status.CONTRADICTED),
    ],
)
def test_what_happened_is_read_off_short_and_long_sources(short, long, alignment, outcome, status):
    values = {"plain_short": short[0], "attention_short": short[1], "gap": long[1] - long[0], "alignment": alignment}
    result = judge(find_experiment("attention"), {}, [values, values, values])
    assert (result.outcome, result.status) == (outcome, status)


def test_alignment_counts_exact_places_and_neighbours():
    peaks = torch.tensor([[0, 2, 2, 0]])
    weights = torch.nn.functional.one_hot(peaks, 4).float()
    blank = torch.zeros(1, 4, dtype=torch.long)
    assert _alignment(weights, Pairs(blank, blank, blank, torch.arange(4)[None], 8)) == (0.5, 0.75)


def test_lengths_end_with_the_longest_and_one_never_met():
    assert _lengths({"longest": 20}) == [4, 8, 12, 16, 20, 26]
    assert _lengths({"longest": 6}) == [4, 6, 8]
