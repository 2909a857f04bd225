"""Measures are honest about divergence, and pictures lose no peak."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from sandbox.core import cells, probes
from sandbox.core.tasks import IGNORED


def test_accuracy_counts_only_labelled_steps():
    logits = torch.tensor([[[2.0, 1.0], [0.0, 1.0], [3.0, 0.0]]])  # answers 0, 1, 0
    assert probes.accuracy(logits, torch.tensor([[0, 0, IGNORED]])) == 0.5


def test_a_network_that_answers_nan_is_wrong_though_argmax_names_a_class():
    logits = torch.tensor([[math.nan, math.nan], [1.0, 0.0]])
    assert probes.accuracy(logits, torch.tensor([0, 0])) == 0.5


def test_a_diverged_error_is_infinite():
    assert probes.error_or_inf(math.nan) == math.inf
    assert probes.error_or_inf(0.25) == 0.25


def test_thinning_keeps_every_peak_with_its_place():
    values = [0.0] * 1000
    values[337] = 7.0
    places, kept = probes.thin(values, at_most=50)
    assert len(kept) == 50
    assert (338.0, 7.0) in zip(places, kept, strict=True)


def test_thinning_leaves_out_what_is_not_finite():
    assert probes.thin([1.0, math.inf, math.nan, 2.0]) == ([1.0, 4.0], [1.0, 2.0])
    assert probes.thin([math.nan]) == ([], [])


def test_numbers_for_pictures_have_four_significant_digits():
    assert probes.rounded([123456.0, 0.00123456]) == [123500.0, 0.001235]
    assert probes.plain(torch.tensor([1 / 3])) == [0.3333]


def test_gates_are_recorded_of_lstms_only():
    with pytest.raises(TypeError, match="got GRU"):
        probes.record_gates(cells.Reader(nn.GRU(1, 2, batch_first=True), 1), torch.zeros(1, 2, 1))
