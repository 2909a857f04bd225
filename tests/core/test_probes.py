"""Measures are honest about divergence, and pictures lose no peak."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from sandbox.core import cells, probes
from sandbox.core.general_cell import Design, GeneralLSTM
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


def test_an_lstm_with_options_is_recorded_as_it_computes():
    lstm, x = GeneralLSTM(1, 3, Design(peepholes=True)), torch.randn(2, 5, 1)
    traced = probes.record_gates(cells.Reader(lstm, 1), x, held={"o": 0.5})
    assert traced.o.eq(0.5).all()
    assert torch.equal(traced.h, lstm(x, held={"o": 0.5})[0].detach())


def test_examining_switches_dropout_and_gradients_off_and_back():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    with probes.examining(model):
        assert not model.training
        assert not model(torch.ones(1, 2)).requires_grad
    assert model.training
    assert torch.is_grad_enabled()


def test_a_scaled_rotation_hands_back_its_gain_at_every_step():
    rnn = nn.RNN(1, 8, batch_first=True).double()
    cells.orthogonal(rnn, 0.8, torch.Generator().manual_seed(0))
    with torch.no_grad():
        rnn.weight_ih_l0.zero_()
        rnn.bias_ih_l0.zero_()
        rnn.bias_hh_l0.zero_()  # h stays 0, where tanh has slope 1
    norms = probes.gradients_by_step(rnn, torch.zeros(1, 10, 1).double(), torch.eye(8)[:1].double())
    assert norms.tolist() == pytest.approx([0.8**distance for distance in range(9, -1, -1)])
    assert probes.decades_per_step(norms) == pytest.approx(math.log10(0.8))


def test_an_lstm_hands_back_what_its_forget_gate_lets_through():
    lstm = nn.LSTM(1, 4, batch_first=True).double()
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.zero_()
    cells.set_forget_bias(lstm, 2.0)
    norms = probes.gradients_by_step(lstm, torch.zeros(3, 20, 1).double(), torch.ones(3, 4).double())
    assert probes.decades_per_step(norms[:-1]) == pytest.approx(math.log10(1 / (1 + math.exp(-2))))
    assert all(parameter.grad is None for parameter in lstm.parameters())
