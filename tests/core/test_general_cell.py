"""The hand-written cell equals torch.nn.LSTM, its equations step by step, and finite differences, for every option."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sandbox.core import cells
from sandbox.core.general_cell import Design, GeneralLSTM, Watch, dropout_mask

BATCH, STEPS, WIDTH, HIDDEN = 3, 6, 2, 4
ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "softsign": F.softsign,
    "identity": lambda x: x,
    "sigmoid": torch.sigmoid,
    "hard-sigmoid": lambda x: (x / 6 + 0.5).clamp(0, 1),
}


def noise(*shape: int, seed: int = 2) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def make(design: Design | None = None, seed: int = 1) -> GeneralLSTM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GeneralLSTM(WIDTH, HIDDEN, design).double()


def last_step_only() -> Tensor:
    """o held at 0 until the last step, where it is free."""
    return torch.tensor([0.0] * (STEPS - 1) + [math.nan])


def some(shape: tuple[int, ...]) -> Tensor:
    """Half of the values held, half free."""
    return torch.where(noise(*shape, seed=7) > 0, noise(*shape, seed=8).sigmoid(), math.nan)


ALL, MASK = (BATCH, STEPS, HIDDEN), (noise(BATCH, STEPS, HIDDEN, seed=5) > 0).double() * 2
EVERYTHING = Design(peepholes=True, coupled=True, candidate="softsign", output="identity", gates="hard-sigmoid")
OPTIONS = {
    "plain": (Design(), {}),
    "peepholes": (Design(peepholes=True), {}),
    "coupled": (Design(coupled=True), {}),
    "coupled peepholes": (Design(coupled=True, peepholes=True), {}),
    "relu candidate": (Design(candidate="relu"), {}),
    "relu output": (Design(output="relu"), {}),
    "softsign": (Design(candidate="softsign", output="softsign"), {}),
    "identity": (Design(candidate="identity", output="identity"), {}),
    "hard sigmoid": (Design(gates="hard-sigmoid"), {}),
    "o held until the end": (Design(), {"held": {"o": last_step_only()}}),
    "o held until the end, peepholes": (Design(peepholes=True), {"held": {"o": last_step_only()}}),
    "i held at 1": (Design(), {"held": {"i": 1.0}}),
    "f held for some sequences": (Design(), {"held": {"f": some(ALL[:2])}}),
    "g held for some units": (Design(), {"held": {"g": some(ALL)}}),
    "i held in a coupled cell": (Design(coupled=True), {"held": {"i": some(ALL), "f": some(ALL[:2])}}),
    "c masked": (Design(peepholes=True), {"masks": {"c": MASK}}),
    "h masked": (Design(), {"masks": {"h": MASK}}),
    "g masked": (Design(), {"masks": {"g": MASK}}),
    "one mask a sequence": (Design(), {"masks": {"h": MASK[:, 0], "c": MASK[:, 1], "g": MASK[:, 2]}}),
    "everything": (EVERYTHING, {"masks": {"h": MASK, "c": MASK[:, 1], "g": MASK}, "held": {"o": some(ALL), "i": some(ALL[:2]), "f": some(ALL)}}),
}


def by_equations(lstm: GeneralLSTM, x: Tensor, state: cells.LSTMState, held: dict, masks: dict) -> cells.Trace:
    """The module's equations, one line each, under autograd."""
    design, (h, c), steps = lstm.design, (state[0][0], state[1][0]), []
    squash, candidate, output = (ACTIVATIONS[name] for name in (design.gates, design.candidate, design.output))
    p_i, p_f, p_o = lstm.peephole_l0 if design.peepholes else torch.zeros(3, HIDDEN)
    ones = torch.ones(ALL, dtype=torch.float64)
    full_masks = {name: ones if name not in masks else masks[name] if masks[name].dim() == 3 else masks[name][:, None] * ones for name in "chg"}

    def hold(gate: str, t: int, free: Tensor) -> Tensor:
        if gate not in held:
            return free
        value = torch.as_tensor(held[gate], dtype=torch.float64)
        value = value[..., None] * ones if value.dim() in (1, 2) else value * ones
        return torch.where(value[:, t].isnan(), free, value[:, t])

    for t in range(STEPS):
        h_read, c_read = h * full_masks["h"][:, t], c * full_masks["c"][:, t]
        sums = x[:, t] @ lstm.weight_ih_l0.T + lstm.bias_ih_l0 + h_read @ lstm.weight_hh_l0.T + lstm.bias_hh_l0
        s_i, s_f, s_g, s_o = sums.chunk(4, 1)
        f = hold("f", t, squash(s_f + p_f * c_read))
        i = hold("i", t, 1 - f if design.coupled else squash(s_i + p_i * c_read))
        g = hold("g", t, candidate(s_g))
        c = f * c_read + i * g * full_masks["g"][:, t]
        o = hold("o", t, squash(s_o + p_o * c))
        h = o * output(c)
        steps.append(cells.Trace(i, f, g, o, c, h))
    return cells.Trace(*(torch.stack(parts, 1) for parts in zip(*steps, strict=True)))


def close(one: Tensor | None, other: Tensor | None, name: str = "") -> None:
    torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10, msg=lambda text: f"{name}: {text}")


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_has_the_values_and_gradients_of_its_equations(option):
    design, how = OPTIONS[option]
    lstm, x, watch = make(design), noise(BATCH, STEPS, WIDTH).requires_grad_(), Watch()
    state = (noise(1, BATCH, HIDDEN, seed=3).requires_grad_(), noise(1, BATCH, HIDDEN, seed=4).requires_grad_())
    leaves = [x, *state, *lstm.parameters()]
    h, (h_n, c_n) = lstm(x, state, watch=watch, **how)
    wanted = by_equations(lstm, x, state, how.get("held", {}), how.get("masks", {}))
    for name, one, other in zip(wanted._fields, watch.trace, wanted, strict=True):
        close(one, other.detach(), name)
    close(h, wanted.h)
    weight, last = noise(*ALL, seed=6), noise(BATCH, HIDDEN, seed=9)
    ours = torch.autograd.grad((h * weight).sum() + (c_n[0] * last).sum() + (h_n[0] * last).sum(), leaves)
    theirs = torch.autograd.grad((wanted.h * weight).sum() + ((wanted.c + wanted.h)[:, -1] * last).sum(), leaves, materialize_grads=True)
    for one, other in zip(ours, theirs, strict=True):
        close(one, other)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_passes_gradcheck(option):
    design, how = OPTIONS[option]
    lstm, x = make(design), noise(BATCH, STEPS, WIDTH).requires_grad_()
    state = (noise(1, BATCH, HIDDEN, seed=3).requires_grad_(), noise(1, BATCH, HIDDEN, seed=4).requires_grad_())
    names, values = zip(*lstm.named_parameters(), strict=True)

    def read(x, h, c, *parameters):
        output, (_, c_n) = torch.func.functional_call(lstm, dict(zip(names, parameters, strict=True)), (x, (h, c)), how)
        return output, c_n

    assert torch.autograd.gradcheck(read, (x, *state, *values), fast_mode=True)


@pytest.mark.parametrize("with_state", [False, True])
def test_the_plain_design_is_nn_lstm_in_values_and_gradients(with_state):
    lstm, x = nn.LSTM(WIDTH, HIDDEN, batch_first=True).double(), noise(BATCH, 40, WIDTH).requires_grad_()
    twin, twin_x = GeneralLSTM.like(lstm), x.detach().clone().requires_grad_()
    state = (noise(1, BATCH, HIDDEN, seed=3), noise(1, BATCH, HIDDEN, seed=4)) if with_state else None
    weight, results = noise(BATCH, 40, HIDDEN, seed=6), []
    for cell, one in ((lstm, x), (twin, twin_x)):
        h, (h_n, c_n) = cell(one, state)
        ((h * weight).sum() + c_n.square().sum() + h_n.sum()).backward()
        results.append([h, h_n, c_n, one.grad, *(parameter.grad for parameter in cell.parameters())])
    for theirs, ours in zip(*results, strict=True):
        close(ours, theirs)


def test_weights_have_the_names_and_the_draws_of_nn_lstm():
    torch.manual_seed(1)
    lstm = nn.LSTM(WIDTH, HIDDEN, batch_first=True)
    for design in (Design(), Design(peepholes=True)):
        ours = make(design).float().state_dict()
        assert all(torch.equal(ours[name], value) for name, value in lstm.state_dict().items())
        assert ours.keys() - lstm.state_dict().keys() == ({"peephole_l0"} if design.peepholes else set())


def test_a_copy_draws_nothing_and_shares_nothing():
    lstm, before = nn.LSTM(WIDTH, HIDDEN, batch_first=True), torch.get_rng_state()
    copy = GeneralLSTM.like(lstm, Design(peepholes=True))
    assert torch.equal(torch.get_rng_state(), before)
    assert copy.peephole_l0.eq(0).all()
    with torch.no_grad():
        copy.weight_ih_l0.zero_()
    assert not lstm.weight_ih_l0.eq(0).any()


def test_the_helpers_for_nn_lstm_work_on_it():
    lstm = make()
    cells.hold_gate(lstm, "f", 40.0)  # float64 needs 40
    traced = lstm.trace(10 * noise(BATCH, STEPS, WIDTH))
    assert traced.f.eq(1).all()
    assert not traced.h.requires_grad


def test_watched_gradients_are_those_of_the_states():
    lstm, x, watch = make(Design(peepholes=True)), noise(BATCH, STEPS, WIDTH), Watch()
    state, weight = (torch.zeros(1, BATCH, HIDDEN, dtype=torch.float64),) * 2, noise(BATCH, HIDDEN, seed=6)
    (lstm(x, watch=watch)[0][:, -1] * weight).sum().backward()
    first = x[:, :3]
    h, c = (part.detach().requires_grad_() for part in lstm(first, state)[1])  # cut after the third step
    (lstm(x[:, 3:], (h, c))[0][:, -1] * weight).sum().backward()
    close(watch.dh[:, 2], h.grad[0])
    # dL/dc_3 goes on through c alone, and through h_3 = o ψ(c_3), where o looks at c_3, too.
    traced = lstm.trace(first)
    through_h = h.grad[0] * (
        traced.o[:, 2] * (1 - traced.c[:, 2].tanh() ** 2) + traced.o[:, 2] * (1 - traced.o[:, 2]) * traced.c[:, 2].tanh() * lstm.peephole_l0[2]
    )
    close(watch.dc[:, 2], c.grad[0] + through_h.detach())
    close(watch.dh[:, -1], weight)


def test_a_held_gate_is_exactly_held_and_its_weights_get_exactly_no_gradient():
    lstm = make()
    watch = Watch()
    lstm(noise(BATCH, STEPS, WIDTH), held={"o": last_step_only()}, watch=watch)[0].sum().backward()
    assert watch.trace.h[:, :-1].eq(0).all()
    assert not watch.trace.h[:, -1].eq(0).any()
    lstm.zero_grad()
    lstm(noise(BATCH, STEPS, WIDTH), held={"i": 0.25})[0].sum().backward()
    rows = cells.gate_rows(HIDDEN, "i")
    assert all(parameter.grad[rows].eq(0).all() for parameter in lstm.parameters())


def test_reading_on_from_a_state_is_reading_at_once():
    lstm, x = make(Design(peepholes=True, output="softsign")), noise(BATCH, STEPS, WIDTH)
    whole, last = lstm(x)
    first, state = lstm(x[:, :2])
    rest, end = lstm(x[:, 2:], state)
    close(torch.cat([first, rest], 1), whole)
    close(end[0], last[0])
    close(end[1], last[1])


def test_two_readings_before_the_gradient_do_not_disturb_each_other():
    lstm, x, y = make(), noise(BATCH, STEPS, WIDTH), noise(BATCH, STEPS, WIDTH, seed=3)
    (lstm(x)[0].sum() + lstm(y)[0].square().sum()).backward()
    together = [parameter.grad.clone() for parameter in lstm.parameters()]
    lstm.zero_grad()
    lstm(x)[0].sum().backward()
    lstm(y)[0].square().sum().backward()
    for one, parameter in zip(together, lstm.parameters(), strict=True):
        close(one, parameter.grad)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"held": {"x": 0.0}}, "got 'x'"),
        ({"held": {"o": torch.zeros(STEPS + 1)}}, r"got 'o' with \(7,\)"),
        ({"masks": {"o": torch.ones(BATCH, HIDDEN)}}, "c, h or g"),
        ({"masks": {"h": torch.ones(BATCH, STEPS)}}, r"got 'h' with \(3, 6\)"),
    ],
)
def test_shapes_and_names_that_fit_nothing_are_refused(how, message):
    with pytest.raises(ValueError, match=message):
        make()(noise(BATCH, STEPS, WIDTH), **how)


def test_a_stacked_lstm_is_not_copied():
    with pytest.raises(ValueError, match="one layer, one direction"):
        GeneralLSTM.like(nn.LSTM(WIDTH, HIDDEN, 2))


def test_a_dropout_mask_keeps_the_mean():
    mask = dropout_mask(200, 100, drop=0.25, generator=torch.Generator().manual_seed(0))
    assert mask.unique().tolist() == pytest.approx([0, 4 / 3])
    assert float(mask.mean()) == pytest.approx(1, abs=0.01)
