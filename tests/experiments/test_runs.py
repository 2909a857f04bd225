"""Every experiment, played at its smallest size: early points, one measurement, light pictures, the same numbers again."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest
import torch

from sandbox.protocol import CLOCK, Bars, HeatMap, Lines, Measured, Measures, Parallel, Picture, Point, Specimen, Step, judge
from sandbox.records import plain
from sandbox.registry import all_experiments, find_experiment
from tests.experiments.smoke import smallest

torch.set_num_threads(1)
IDS = list(all_experiments())
EARLY, MOST_POINTS, MOST_NUMBERS = 10, 101, 2000


@cache
def played(experiment_id: str, seed: int = 0) -> tuple[Step, ...]:
    return tuple(find_experiment(experiment_id).run(smallest(experiment_id), seed, "cpu"))


def measured(steps: Sequence[Step]) -> dict[str, float]:
    (only,) = [step.values for step in steps if isinstance(step, Measured)]
    return dict(only)


@pytest.mark.parametrize("experiment_id", IDS)
def test_every_arm_shows_a_point_early_and_not_too_many(experiment_id):
    updates = defaultdict(list)
    for step in played(experiment_id):
        if isinstance(step, Point):
            updates[step.arm].append(step.update)
    assert list(updates) == [arm.key for arm in find_experiment(experiment_id).arms]
    for arm, seen in updates.items():
        assert seen[0] <= EARLY, arm
        assert seen == sorted(set(seen))
        assert 10 <= len(seen) <= MOST_POINTS


@pytest.mark.parametrize("experiment_id", IDS)
def test_arms_take_turns_from_the_first_second(experiment_id):
    arms = [arm.key for arm in find_experiment(experiment_id).arms]
    assert [step.arm for step in played(experiment_id)[: len(arms)]] == arms


@pytest.mark.parametrize("experiment_id", IDS)
def test_points_come_first_then_one_measurement_then_pictures(experiment_id):
    kinds = ["point" if isinstance(step, Point) else "measured" if isinstance(step, Measured) else "picture" for step in played(experiment_id)]
    assert kinds == sorted(kinds, key=["point", "measured", "picture"].index)
    assert kinds.count("measured") == 1
    assert kinds.count("picture") >= 1


@pytest.mark.parametrize("experiment_id", IDS)
def test_every_curve_and_every_check_has_its_numbers(experiment_id):
    experiment, steps = find_experiment(experiment_id), played(experiment_id)
    metrics = {metric for step in steps if isinstance(step, Point) for metric in step.values}
    assert {curve.metric for curve in experiment.curves} <= metrics
    assert {check.measure for check in experiment.checks} <= measured(steps).keys()
    verdict = judge(experiment, smallest(experiment_id), [measured(steps)])
    assert verdict.outcome in {outcome.key for outcome in experiment.predictions}


@pytest.mark.parametrize("experiment_id", IDS)
def test_a_run_keeps_a_network_to_operate_on_or_the_experiment_says_why_not(experiment_id):
    kept = [step.arm for step in played(experiment_id) if isinstance(step, Specimen)]
    assert bool(kept) is not bool(find_experiment(experiment_id).unoperable)
    assert len(kept) == len(set(kept))
    assert set(kept) <= {arm.key for arm in find_experiment(experiment_id).arms}


def numbers(picture: Picture) -> int:
    if isinstance(picture, HeatMap | Parallel):
        return sum(map(len, picture.z if isinstance(picture, HeatMap) else picture.rows))
    series = picture.series if isinstance(picture, Bars) else [one for panel in picture.panels for one in panel.series]
    assert all(len(one.x) == len(one.y) for one in series)
    return sum(len(one.y) for one in series)


@pytest.mark.parametrize("experiment_id", IDS)
def test_pictures_are_plain_light_and_told_in_words(experiment_id):
    pictures = [step for step in played(experiment_id) if isinstance(step, Lines | Bars | HeatMap | Parallel)]
    assert len({picture.key for picture in pictures}) == len(pictures)
    for picture in pictures:
        assert 1 <= numbers(picture) <= MOST_NUMBERS
        assert 20 < len(picture.title) < 160
        assert len(picture.alt) > len(picture.title)
        assert any(letter.isdigit() for letter in picture.alt), "the message comes from the run"
        json.dumps(plain(picture), allow_nan=False)


def comparable(steps: Sequence[Step]) -> str:
    """Every number but the timings. `repr` shows every bit of a float, and NaN equals itself."""

    def untimed(values: Measures) -> dict[str, float]:
        return {name: value for name, value in values.items() if not name.startswith(CLOCK)}

    told: list[Step] = []
    for step in steps:
        if isinstance(step, Measured | Point):
            told.append(replace(step, values=untimed(step.values)))
        elif isinstance(step, Specimen) or not step.key.startswith(CLOCK):
            told.append(step)
    return repr(told)


@pytest.mark.parametrize("experiment_id", IDS)
def test_the_same_seed_gives_the_same_bits_whatever_happens_around_it(experiment_id):
    reference = played(experiment_id)
    again = []
    for step in find_experiment(experiment_id).run(smallest(experiment_id), 0, "cpu"):
        torch.manual_seed(len(again))  # somebody else draws and seeds in between
        torch.rand(3)
        again.append(step)
    assert comparable(again) == comparable(reference)


@pytest.mark.parametrize("experiment_id", IDS)
def test_another_seed_gives_other_numbers(experiment_id):
    assert repr(played(experiment_id, seed=1)[0]) != repr(played(experiment_id)[0])


def test_divergence_is_a_result_and_the_other_arms_go_on():
    steps = tuple(find_experiment("gradient-clipping").run(smallest("gradient-clipping", learning_rate=2.0, lstm_learning_rate=4.0), 0, "cpu"))
    values = measured(steps)
    assert values["lstm_unclipped"] > 1e6
    assert math.isfinite(values["lstm_clipped"])
    last = {step.arm: step for step in steps if isinstance(step, Point)}
    assert {step.update for step in last.values()} == {50}
    assert math.isnan(last["lstm-unclipped"].values["nmse"])
    assert math.isfinite(last["lstm-clipped"].values["nmse"])
    assert "stopped being finite" in next(step.title for step in steps if isinstance(step, Lines) and step.key == "side")


def test_a_forget_gate_run_that_diverges_still_gets_a_verdict():
    experiment, settings = find_experiment("forget-gate"), smallest("forget-gate", hidden=1, learning_rate=0.1)
    values = measured(tuple(experiment.run(settings, 0, "cpu")))
    assert judge(experiment, settings, [values]).seeds == 1
