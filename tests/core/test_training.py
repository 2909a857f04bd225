"""Readings come early and evenly, clipping is exact, and arms do not disturb each other."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from sandbox.core.devices import Randomness
from sandbox.core.training import NO_CLIPPING, Best, Reading, clip_norm, interleave, train


def make_arm(updates: int = 7, start: float = 1.0, learning_rate: float = 0.1, clip: float = NO_CLIPPING, steep: float = 1.0):
    """Gradient descent on steep · w² / 2, whose gradient is steep · w."""
    weight = nn.Parameter(torch.tensor(start))

    def forward():
        loss = steep * weight.square() / 2
        return loss, {"weight": float(weight.detach())}

    history = yield from train(forward, [weight], torch.optim.SGD([weight], learning_rate), updates, clip)
    return SimpleNamespace(weight=float(weight.detach()), history=history)


def finish(arm):
    readings = []
    while True:
        try:
            readings.append(next(arm))
        except StopIteration as end:
            return readings, end.value


def test_gradient_descent_takes_the_steps_it_should():
    _, arm = finish(make_arm(updates=2))
    assert arm.weight == pytest.approx(0.81)
    assert arm.history.of["gradient"] == pytest.approx([1.0, 0.9])
    assert arm.history.of["loss"] == pytest.approx([0.5, 0.405])


def test_clipping_scales_the_step_and_reports_the_norm_before_it():
    _, arm = finish(make_arm(updates=1, start=50.0, learning_rate=1.0, clip=2.0))
    assert arm.weight == pytest.approx(48.0)
    assert arm.history.of["gradient"] == [50.0]


def test_a_gradient_below_the_threshold_is_left_alone():
    _, arm = finish(make_arm(updates=1, start=1.5, learning_rate=1.0, clip=2.0))
    assert arm.weight == 0.0


@pytest.mark.parametrize("limit", [0.5, 5.0, 5.0000005, 100.0, NO_CLIPPING])
@pytest.mark.parametrize("values", [(3.0, 4.0), (0.0, 0.0), (math.inf, 1.0), (math.nan, 1.0)])
def test_clipping_is_torchs_own_bit_for_bit(values, limit):
    ours, torchs = ([nn.Parameter(torch.zeros(1)) for _ in values] for _ in range(2))
    for parameters in (ours, torchs):
        for parameter, value in zip(parameters, values, strict=True):
            parameter.grad = torch.tensor([value])
    norm = clip_norm(ours, limit)
    assert torch.tensor(norm).equal(nn.utils.clip_grad_norm_(torchs, limit)) or math.isnan(norm)
    for mine, theirs in zip(ours, torchs, strict=True):
        assert torch.equal(mine.grad.nan_to_num(7.0), theirs.grad.nan_to_num(7.0))


@pytest.mark.parametrize("updates", [1, 7, 99, 300, 2000])
def test_the_first_reading_comes_after_one_update_and_the_last_at_the_end(updates):
    readings, _ = finish(make_arm(updates))
    assert readings[0].update == 1
    assert readings[-1].update == updates
    assert min(updates, 50) <= len(readings) <= 101


def test_a_reading_is_the_mean_since_the_one_before():
    readings, arm = finish(make_arm(updates=150))  # every third update
    weights = arm.history.of["weight"]
    assert [one.update for one in readings[:3]] == [1, 3, 6]
    assert [one.values["weight"] for one in readings[:3]] == pytest.approx([weights[0], sum(weights[1:3]) / 2, sum(weights[3:6]) / 3])


def test_divergence_is_told_as_nan_to_the_end_and_the_other_arms_go_on():
    arms = {"wild": make_arm(updates=60, learning_rate=10.0, steep=1e6), "tame": make_arm(updates=60)}
    points, trained = finish(interleave(arms, lambda arm, update, values: (arm, update, values), seed=0))
    wild = [values for arm, _, values in points if arm == "wild"]
    assert trained["wild"].history.diverged
    assert len(trained["wild"].history.of["loss"]) < 60
    assert math.isnan(wild[-1]["loss"])
    assert math.isfinite(wild[0]["loss"])
    assert [update for arm, update, _ in points if arm == "wild"][-1] == 60
    assert not trained["tame"].history.diverged
    assert len(trained["tame"].history.of["loss"]) == 60


def test_arms_take_turns_until_each_is_done():
    arms = {"long": make_arm(updates=4), "short": make_arm(updates=2)}
    points, trained = finish(interleave(arms, lambda arm, update, values: (arm, update), seed=0))
    assert points == [("long", 1), ("short", 1), ("long", 2), ("short", 2), ("long", 3), ("long", 4)]
    assert list(trained) == ["long", "short"]


def drawing(count: int):
    """An arm that draws from torch's global generator, as dropout does."""
    drawn = []
    for update in range(count):
        drawn.append(float(torch.rand(())))
        yield Reading(update + 1, {})
    return drawn


def test_an_arm_draws_the_same_numbers_alone_in_company_and_in_any_order():
    def drawn(*arms):
        return finish(interleave({arm: drawing(int(arm)) for arm in arms}, lambda *_: None, seed=4))[1]

    alone = {arm: drawn(arm)[arm] for arm in ("3", "5")}
    for order in itertools.permutations(("3", "5")):
        torch.manual_seed(len(order))
        assert drawn(*order) == alone
    assert alone["5"][:3] == alone["3"]


def test_interleaving_leaves_the_global_generator_as_it_was():
    before = torch.get_rng_state()
    running = interleave({"arm": drawing(3)}, lambda *_: None, seed=4)
    next(running)
    assert torch.equal(torch.get_rng_state(), before)
    finish(running)
    assert torch.equal(torch.get_rng_state(), before)


def test_owned_randomness_goes_on_where_it_stopped_also_after_an_error():
    whole = torch.rand(4, generator=torch.Generator().manual_seed(9))
    own, before = Randomness(9), torch.get_rng_state()
    with own:
        first = torch.rand(2)
    with pytest.raises(KeyError), own:
        raise KeyError
    assert torch.equal(torch.get_rng_state(), before)
    with own:
        assert torch.equal(torch.cat([first, torch.rand(2)]), whole)


def test_a_function_may_do_the_clipping():
    weight = nn.Parameter(torch.tensor(3.0))

    def clip():
        weight.grad.mul_(0.5)
        return 7.0

    _, history = finish(train(lambda: (weight.square() / 2, {}), [weight], torch.optim.SGD([weight], 1.0), 1, clip))
    assert float(weight.detach()) == 1.5
    assert history.of["gradient"] == [7.0]


def test_the_best_weights_come_back_and_nan_is_never_best():
    model = nn.Linear(1, 1)
    best = Best(model)
    best.restore()  # nothing kept yet: nothing changes
    for update, (bias, loss) in enumerate([(0.5, 3.0), (1.5, 1.0), (2.5, math.nan), (3.5, 2.0)]):
        nn.init.constant_(model.bias, bias)
        best.offer(loss, update)
    assert float(model.bias.detach()) == 3.5
    best.restore()
    assert (float(model.bias.detach()), best.value, best.update) == (1.5, 1.0, 1)
