"""Operating on a trained network does to it exactly what was said, and to nothing else."""

from __future__ import annotations

import copy
import io
import math
import os
import pickle
from dataclasses import replace

import pytest
import torch
from torch import nn

from sandbox.core import cells, surgery
from sandbox.core.general_cell import Design, GeneralLSTM
from sandbox.core.tasks import IGNORED

torch.set_num_threads(1)
BATCH, STEPS, WIDTH, HIDDEN, CLASSES = 6, 9, 3, 5, 4


def reader(seed=0, outputs=CLASSES, design=None, **how):
    torch.manual_seed(seed)
    lstm = nn.LSTM(WIDTH, HIDDEN, batch_first=True, **how) if design is None else GeneralLSTM(WIDTH, HIDDEN, design)
    with torch.no_grad():
        lstm.weight_ih_l0.mul_(3)  # gates that move
    return cells.Reader(lstm, outputs)


def sequences(seed=1, batch=BATCH):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, STEPS, WIDTH, generator=generator), torch.randint(0, CLASSES, (batch,), generator=generator)


def packed(model, x, target, **how):
    return surgery.unpack(surgery.pack(model, x, target, **how).payload)


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


# --- There and back ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [None, Design(peepholes=True, candidate="softsign"), Design(coupled=True)])
def test_a_packed_network_answers_as_it_did(design):
    model, (x, target) = reader(design=design), sequences()
    close(surgery.operate(packed(model, x, target)).answers, model(x)[0].detach())


def test_packing_and_operating_change_nothing_of_the_network_nor_draw_random_numbers():
    model, (x, target) = reader(), sequences()
    weights, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    subject = packed(model, x, target)
    surgery.operate(subject, gate="f", hold="coupled")
    surgery.operate(subject, gate="f", hold="1", exchange="both", at=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    close(surgery.operate(subject).answers, model(x)[0].detach())


def test_the_same_network_packs_to_the_same_bytes():
    model, (x, target) = reader(), sequences()
    assert surgery.pack(model, x, target) == surgery.pack(copy.deepcopy(model), x, target)


def test_at_most_64_sequences_travel_and_long_ones_are_fewer():
    x, target = sequences(batch=200)
    assert len(packed(reader(), x, target).x) == 64
    long = torch.zeros(64, 10_000, WIDTH)  # 120 kB a sequence
    pack = surgery.pack(reader(), long, target[:64])
    assert len(surgery.unpack(pack.payload).x) == 4
    assert len(pack.payload) < surgery.MAX_BYTES


def test_log_odds_of_one_output_become_two_classes():
    model, (x, _) = reader(outputs=1), sequences()
    target = torch.tensor([0, 1, 1, 0, 1, 0])
    subject = packed(model, x, target)
    answers = surgery.operate(subject).answers
    close(answers[..., 1] - answers[..., 0], model(x)[0][..., 0].detach())
    said = (model(x)[0][:, -1, 0] > 0).long()
    assert surgery.score(answers, subject.target, subject.judged) == float((said == target).double().mean())


@pytest.mark.parametrize(
    ("recurrent", "error"),
    [
        (nn.RNN(WIDTH, HIDDEN, batch_first=True), TypeError),
        (nn.LSTM(WIDTH, HIDDEN, 2, batch_first=True), ValueError),
        (nn.LSTM(WIDTH, HIDDEN, batch_first=True, bidirectional=True), ValueError),
    ],
)
def test_only_one_lstm_layer_in_one_direction_is_taken(recurrent, error):
    with pytest.raises(error):
        surgery.pack(cells.Reader(recurrent, 1), *sequences())


class Evil:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_hostile_bytes_are_refused_and_not_run(tmp_path):
    trap = tmp_path / "sprung"
    saved = io.BytesIO()
    torch.save({"lstm": Evil(trap)}, saved)
    good = surgery.pack(reader(), *sequences()).payload
    for bad in (pickle.dumps(Evil(trap)), saved.getvalue(), b"", b"PK\x03\x04 nothing", good[:-300], pickle.dumps({"x": 1})):
        with pytest.raises(ValueError, match="these bytes are no network packed for surgery"):
            surgery.unpack(bad)
    assert not trap.exists()
    with pytest.raises(ValueError, match=r"at most 2,000,000 bytes, got 2,000,001"):
        surgery.unpack(bytes(surgery.MAX_BYTES + 1))


# --- Gates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gate", ["i", "f", "o"])
@pytest.mark.parametrize(("hold", "bias"), [("1", cells.HELD_OPEN), ("0", cells.HELD_SHUT)])
def test_a_held_gate_is_that_of_hold_gate_on_the_same_network(gate, hold, bias):
    model, (x, target) = reader(), sequences()
    after = surgery.operate(packed(model, x, target), gate=gate, hold=hold)
    cells.hold_gate(model.recurrent, gate, bias)
    close(after.answers, model(x)[0].detach())
    assert (getattr(after.trace, gate) == float(hold)).all()


@pytest.mark.parametrize("design", [Design(), Design(peepholes=True), Design(gates="hard-sigmoid")])
def test_an_input_gate_of_one_minus_f_is_the_coupled_design(design):
    model, (x, target) = reader(design=design), sequences()
    after = surgery.operate(packed(model, x, target), gate="i", hold="coupled")
    twin = cells.Reader(GeneralLSTM.like(model.recurrent, replace(design, coupled=True)), CLASSES)
    twin.readout.load_state_dict(model.readout.state_dict())
    close(after.answers, twin(x)[0].detach())
    close(after.trace.i, 1 - after.trace.f)


@pytest.mark.parametrize("design", [Design(), Design(peepholes=True), Design(gates="hard-sigmoid")])
def test_a_forget_gate_of_one_minus_i_leaves_the_input_gate_its_own_weights(design):
    model, (x, target) = reader(design=design), sequences()
    subject = packed(model, x, target)
    after = surgery.operate(subject, gate="f", hold="coupled")
    close(after.trace.f, 1 - after.trace.i)
    # At the first step nothing differs yet but f: the input gate is as it was.
    close(after.trace.i[:, 0], surgery.operate(subject).trace.i[:, 0])
    # Later, a cell told to hold f at those values goes the same way, its own input gate free.
    again = subject.lstm.trace(subject.x, held={"f": after.trace.f})
    close(again.i, after.trace.i)
    close(again.h, after.trace.h)


@pytest.mark.parametrize("gate", ["g", "o"])
def test_only_input_and_forget_gate_can_be_coupled(gate):
    with pytest.raises(ValueError, match=f"only the gates i and f can be coupled, got {gate}"):
        surgery.operate(packed(reader(), *sequences()), gate=gate, hold="coupled")


# --- Exchanges --------------------------------------------------------------------------------------------------


def test_an_exchange_with_oneself_changes_nothing():
    model, (x, target) = reader(), sequences()
    same = packed(model, x[:1].expand(4, -1, -1), target[:1].expand(4))
    for exchange in ("c", "h", "both"):
        close(surgery.operate(same, exchange=exchange, at=4).answers, surgery.operate(same).answers)


def test_with_both_states_exchanged_a_sequence_goes_on_exactly_as_its_donor_would():
    model, (x, target) = reader(), sequences()
    at = 4
    after = surgery.operate(packed(model, x, target), exchange="both", at=at)
    spliced = torch.cat([x.roll(1, 0)[:, :at], x[:, at:]], 1)  # the donor's past, one's own future
    close(after.answers[:, at:], model(spliced)[0].detach()[:, at:])
    close(after.answers[:, :at], model(x)[0].detach()[:, :at])


def test_c_and_h_are_exchanged_one_by_one():
    model, (x, target) = reader(), sequences()
    _, (h, c) = model(x[:, :4])
    for exchange, state in (("c", (h, c.roll(1, 1))), ("h", (h.roll(1, 1), c))):
        after = surgery.operate(packed(model, x, target), exchange=exchange, at=4)
        close(after.answers[:, 4:], model(x[:, 4:], state)[0].detach())


def test_an_exchange_happens_with_the_gate_held_on_both_sides_of_it():
    model, (x, target) = reader(), sequences()
    after = surgery.operate(packed(model, x, target), gate="o", hold="1", exchange="h", at=5)
    assert (after.trace.o == 1).all()
    close(after.trace.h, after.trace.c.tanh())


@pytest.mark.parametrize("at", [0, STEPS])
def test_an_exchange_outside_the_sequence_is_refused(at):
    with pytest.raises(ValueError, match=f"after 1 to {STEPS - 1} steps, got {at}"):
        surgery.operate(packed(reader(), *sequences()), exchange="c", at=at)


def test_where_sequences_are_asked_at_different_steps_no_exchange_is_offered():
    model, (x, target) = reader(), sequences()
    assert surgery.pack(model, x, target).last_exchange == STEPS - 1
    by_step = target[:, None].expand(-1, STEPS)
    judged = torch.zeros(BATCH, STEPS, dtype=torch.bool)
    judged[:, 5] = True
    assert surgery.pack(model, x, by_step, judged).last_exchange == 5
    judged[2] = judged[2].roll(1)
    assert surgery.pack(model, x, by_step, judged).last_exchange == 0
    assert surgery.pack(model, x, by_step).last_exchange == STEPS - 1
    assert surgery.pack(model, x, torch.where(judged, by_step, IGNORED)).last_exchange == 0


# --- Judging ----------------------------------------------------------------------------------------------------


def subject_of(target, judged=None):
    steps = target.shape[1]
    return surgery.Subject(reader(), torch.zeros(len(target), steps, WIDTH), target, torch.ones_like(target, dtype=torch.bool) if judged is None else judged)


def test_after_an_exchange_only_later_answers_count_and_only_where_the_donor_s_differ():
    target = torch.tensor([[0, 1, 2], [0, 1, 3], [0, 1, 3]])
    subject = subject_of(target)
    assert surgery.counted(subject).all()
    assert surgery.counted(subject, "c", 2).tolist() == [[False, False, True], [False, False, True], [False, False, False]]


def test_scores_are_accuracy_for_classes_and_error_over_variance_for_values():
    target = torch.tensor([[0, 1], [1, 1]])
    logits = torch.nn.functional.one_hot(torch.tensor([[0, 0], [1, 1]]), 2).float()
    everything, last = torch.ones(2, 2, dtype=torch.bool), torch.tensor([[False, True], [False, True]])
    assert surgery.score(logits, target, everything) == 0.75
    assert surgery.score(logits, target, last) == 0.5
    values = torch.tensor([[1.0, 3.0]])
    assert surgery.score(torch.tensor([[[2.0], [2.0]]]), values, everything[:1]) == 1.0  # always the mean
    assert surgery.score(torch.tensor([[[1.0], [2.0]]]), values, everything[:1]) == 0.5
    assert surgery.score(torch.full((1, 2, 1), math.nan), values, everything[:1]) == math.inf
    assert math.isnan(surgery.score(logits, target, ~everything))


def test_who_has_not_read_the_sequence_names_the_commonest_class_or_the_mean():
    target = torch.tensor([[0, 2, 2, 1]])
    assert surgery.guess(target, torch.ones(1, 4, dtype=torch.bool)) == 0.5
    assert surgery.guess(target, torch.tensor([[False, True, True, False]])) == 1.0
    assert surgery.guess(target.float(), torch.ones(1, 4, dtype=torch.bool)) == 1.0


def test_the_answer_due_is_the_one_asked_for_next():
    judged = torch.tensor([[False, True, False, True, False]])
    wanted, exists = surgery.due(subject_of(torch.tensor([[9, 5, 9, 7, 9]]), judged), torch.tensor([[9, 5, 9, 7, 9]]))
    assert wanted[exists].tolist() == [5, 5, 7, 7]
    assert exists.tolist() == [[True, True, True, True, False]]


def test_the_unit_shown_is_the_one_changed_most_and_the_sequence_one_that_was_lost():
    model, (x, _) = reader(), sequences()
    nn.init.zeros_(model.readout.bias)  # with o = 0 it will always name class 0
    target = model(x)[0][:, -1].argmax(-1)  # the network is right, by definition
    subject = packed(model, x, target)
    before, after = surgery.operate(subject), surgery.operate(subject, gate="o", hold="0")
    shown = surgery.telling_sequence(subject, before, after, subject.judged)
    lost = after.answers[:, -1].argmax(-1) != target
    assert lost.any()
    assert shown == int(lost.int().argmax())
    assert surgery.telling_unit(before, after, "o") == int(before.trace.h.abs().mean((0, 1)).argmax())
    assert surgery.telling_unit(before, before, "f") == int(before.trace.f.flatten(0, 1).std(0).argmax())
