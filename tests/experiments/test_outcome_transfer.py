"""Question 22: the outcome follows the values, and small sets of labels hold every language."""

import pytest
import torch

from sandbox.core.tasks import Labelled
from sandbox.experiments.transfer import Pretraining, _balanced
from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("scratch", "fine", "frozen", "gain", "outcome", "status"),
    [
        (0.25, 0.60, 0.99, 0.01, "frozen", Status.SUPPORTED),
        (0.25, 0.99, 0.98, 0.01, "fine", Status.SUPPORTED),
        (0.25, 0.60, 0.99, 0.20, "always", Status.CONTRADICTED),
        (0.25, 0.30, 0.34, 0.01, "none", Status.CONTRADICTED),
    ],
)
def test_what_happened_is_read_off_few_and_many_labels(scratch, fine, frozen, gain, outcome, status):
    gap = frozen - scratch
    values = {"scratch_10": scratch, "fine_10": fine, "frozen_10": frozen, "gap_10": gap, "gap_20": gap, "gain_1000": gain}
    result = judge(find_experiment("transfer"), {}, [values, values, values])
    assert (result.outcome, result.status) == (outcome, status)


def test_every_beginning_holds_the_languages_equally_often():
    target = torch.tensor([0, 0, 0, 1, 1, 2, 3, 3, 2, 1, 2, 3])
    ordered = _balanced(Labelled(torch.arange(12)[:, None], target))
    assert ordered.target[:8].bincount().tolist() == [2, 2, 2, 2]
    assert target[ordered.x[:, 0]].tolist() == ordered.target.tolist(), "sentences move with their language"


def test_two_arms_see_one_pretraining_and_train_it_once():
    trained = []

    def steps():
        for update in (1, 2, 3):
            trained.append(update)
            yield update
        return "body"

    source = Pretraining(steps())
    first, second = source.readings(), source.readings()
    assert [next(first), next(second), next(second), next(first)] == [1, 1, 2, 2]
    assert [*second, *first] == [3, 3]
    assert (trained, source.body) == ([1, 2, 3], "body")
