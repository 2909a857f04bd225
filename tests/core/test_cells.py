"""The hand-made cell equals torch.nn.LSTM in values and gradients, and a held gate is exactly held."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from sandbox.core import cells
from sandbox.core.general_cell import GeneralLSTM


def make_lstm(inputs: int = 3, hidden: int = 5, **options: object) -> nn.LSTM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return nn.LSTM(inputs, hidden, batch_first=True, **options)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("with_state", [False, True])
def test_the_trace_has_the_values_of_nn_lstm(with_state):
    lstm, x = make_lstm(), noise(4, 9, 3)
    state = (noise(1, 4, 5), noise(2, 4, 5)[1:]) if with_state else None
    output, (h, c) = lstm(x, state)
    traced = cells.trace(lstm, x, state)
    torch.testing.assert_close(traced.h, output)
    torch.testing.assert_close(traced.h[:, -1], h[0])
    torch.testing.assert_close(traced.c[:, -1], c[0])
    torch.testing.assert_close(traced.c[:, 1:], traced.f[:, 1:] * traced.c[:, :-1] + traced.i[:, 1:] * traced.g[:, 1:])


def test_the_trace_has_the_gradients_of_nn_lstm():
    lstm, x = make_lstm().double(), noise(4, 9, 3).double().requires_grad_()
    twin, twin_x = copy.deepcopy(lstm), x.detach().clone().requires_grad_()
    weight = noise(4, 9, 5).double()
    (lstm(x)[0] * weight).sum().backward()
    (cells.trace(twin, twin_x).h * weight).sum().backward()
    torch.testing.assert_close(twin_x.grad, x.grad)
    for (name, parameter), other in zip(lstm.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(other.grad, parameter.grad, msg=name)


@pytest.mark.parametrize("options", [{"num_layers": 2}, {"bidirectional": True}, {"proj_size": 2}])
def test_the_trace_refuses_what_it_cannot_show(options):
    with pytest.raises(ValueError, match="one layer, one direction"):
        cells.trace(make_lstm(**options), noise(1, 2, 3))


def test_the_trace_refuses_a_cell_with_other_equations():
    with pytest.raises(ValueError, match="got GeneralLSTM"):
        cells.trace(GeneralLSTM(3, 5), noise(1, 2, 3))


@pytest.mark.parametrize("gate", cells.GATES[:2] + cells.GATES[3:])
def test_a_gate_held_open_is_exactly_one_and_gets_exactly_no_gradient(gate):
    lstm, rows = make_lstm(), cells.gate_rows(5, gate)
    cells.hold_gate(lstm, gate)
    optimizer = torch.optim.Adam(lstm.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        lstm(10 * noise(4, 9, 3))[0].square().sum().backward()
        assert all(parameter.grad[rows].eq(0).all() for parameter in lstm.parameters())
        optimizer.step()
    assert getattr(cells.trace(lstm, 10 * noise(4, 9, 3)), gate).eq(1).all()
    assert not lstm.weight_ih_l0.grad.eq(0).all()


def test_a_wired_reset_empties_the_cell_exactly_where_the_channel_is_one():
    lstm, x = make_lstm(), noise(4, 9, 3)
    x[..., 1] = 0.0
    x[:, [0, 4], 1] = 1.0
    cells.wire_reset(lstm, channel=1)
    lstm(x)[0].sum().backward()
    assert lstm.weight_ih_l0.grad[cells.gate_rows(5, "f")].eq(0).all()
    traced = cells.trace(lstm, x)
    assert torch.equal(traced.f, 1 - x[..., 1:2].expand_as(traced.f))
    assert torch.equal(traced.c[:, 4], (traced.i * traced.g)[:, 4])


def test_a_held_gate_leaves_the_other_gates_as_they_were():
    lstm, before = make_lstm(), make_lstm()
    cells.hold_gate(lstm, "f")
    for gate in ("i", "g", "o"):
        rows = cells.gate_rows(5, gate)
        assert all(torch.equal(new[rows], old[rows]) for new, old in zip(lstm.parameters(), before.parameters(), strict=True))


def test_the_forget_bias_counts_both_biases_in_every_layer_and_direction():
    lstm = make_lstm(num_layers=2, bidirectional=True)
    cells.set_forget_bias(lstm, 1.5)
    for end in ("l0", "l0_reverse", "l1", "l1_reverse"):
        total = getattr(lstm, f"bias_ih_{end}") + getattr(lstm, f"bias_hh_{end}")
        assert total[5:10].eq(1.5).all()
        assert not total[:5].eq(1.5).any()


def test_chrono_sets_opposite_biases_within_the_longest_lag():
    lstm = make_lstm(hidden=400)
    cells.chrono(lstm, 40, torch.Generator().manual_seed(0))
    forget, write = lstm.bias_ih_l0[400:800], lstm.bias_ih_l0[:400]
    spans = forget.exp()
    assert torch.equal(write, -forget)
    assert 1 <= spans.min() < 2 < 38 < spans.max() <= 39.001
    with pytest.raises(ValueError, match="got 2"):
        cells.chrono(lstm, 2, torch.Generator())


def test_chrono_draws_other_spans_for_every_layer():
    lstm = make_lstm(num_layers=2)
    cells.chrono(lstm, 40, torch.Generator().manual_seed(0))
    assert lstm.bias_ih_l1[5:10].ge(0).all()
    assert lstm.bias_hh_l1[5:10].eq(0).all()
    assert not torch.equal(lstm.bias_ih_l0, lstm.bias_ih_l1)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM])
def test_orthogonal_blocks_scale_every_vector_by_the_gain(kind):
    recurrent = kind(2, 6)
    cells.orthogonal(recurrent, 1.2, torch.Generator().manual_seed(0))
    for block in recurrent.weight_hh_l0.detach().split(6):
        torch.testing.assert_close(block @ block.T, 1.44 * torch.eye(6))


def test_the_reader_reads_both_directions():
    model = cells.Reader(make_lstm(bidirectional=True), 4)
    assert model(noise(2, 7, 3))[0].shape == (2, 7, 4)
    assert cells.count_parameters(model) == 2 * 4 * 5 * (3 + 5 + 2) + 4 * (10 + 1)
