"""Every experiment declares what the pages and the command line build on. New experiments are tested by being there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sandbox.protocol import Experiment, judge
from sandbox.registry import all_experiments

EXPERIMENTS = [pytest.param(experiment, id=experiment.id) for experiment in all_experiments().values()]


def test_declaring_experiments_does_not_import_torch():
    code = "import sys; from sandbox.registry import all_experiments; assert all_experiments(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_there_are_three_or_four_predictions_with_keys_of_their_own(experiment: Experiment):
    keys = [outcome.key for outcome in experiment.predictions]
    assert 3 <= len(keys) == len(set(keys)) <= 4


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_arms_and_labels_are_told_apart(experiment: Experiment):
    assert len({arm.key for arm in experiment.arms}) == len(experiment.arms) == len({arm.label for arm in experiment.arms})
    assert len({arm.role for arm in experiment.arms}) == len(experiment.arms), "arms of one colour cannot be told apart"


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_claims_can_fail_and_say_where_they_stop(experiment: Experiment):
    assert experiment.checks
    assert experiment.truths
    assert experiment.limits
    hopeless = {check.measure: float("nan") for check in experiment.checks}
    assert judge(experiment, {}, [hopeless]).passed == 0


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_quick_preset_is_a_handful_of_seeds_and_thorough_is_more(experiment: Experiment):
    assert 3 <= experiment.presets["quick"].seeds < experiment.presets["thorough"].seeds <= 20
