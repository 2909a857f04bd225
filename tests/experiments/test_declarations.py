"""Every experiment declares what the pages and the command line build on. New experiments are tested by being there."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

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


# What comes true at the quick preset, by `python -m sandbox verify --json`.
COMES_TRUE = {
    "lstm-vs-rnn": "long-only",
    "one-bit-ram": "all-needed",
    "vanishing-gradient": "slower",
    "cell-state": "cell",
    "bptt": "longest",
    "activations": "breaks",
    "forget-gate": "drowns",
    "input-gate": "fails",
    "gradient-clipping": "rescues",
    "overfitting": "all",
    "output-gate": "spare-helps",
    "peephole": "needed",
    "advantages": "distance",
    "seq2seq": "falls-helps",
    "bilstm": "both-and-late",
    "deep-stack": "residual",
    "teacher-forcing": "both-sides",
    "hyperparameters": "rate",
    "real-text": "one",
    "recurrent-dropout": "only-c",
    "imbalance": "threshold",
    "transfer": "frozen",
    "parallel-training": "memory",
    "attention": "long-only",
}


def test_the_place_of_a_prediction_does_not_tell_that_it_comes_true():
    offered = {experiment_id: [one.key for one in all_experiments()[experiment_id].offered] for experiment_id in COMES_TRUE}
    places = Counter(offered[experiment_id].index(key) for experiment_id, key in COMES_TRUE.items())
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) <= 9, "one place would be the place to choose"


def test_predictions_are_offered_in_the_same_order_every_time():
    offered = [one.key for one in all_experiments()["bilstm"].offered]
    assert offered == ["none", "all", "only-both", "both-and-late"]


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
