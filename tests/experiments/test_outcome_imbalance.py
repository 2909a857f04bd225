"""Question 21: the outcome follows the values; ranking, cuts and prior correction are exact."""

import pytest
import torch

from sandbox.core.tasks import Screened
from sandbox.experiments import imbalance
from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("gain", "inflation", "lead", "outcome", "status"),
    [
        (0.50, 5.0, 0.10, "threshold", Status.SUPPORTED),
        (0.50, 1.1, 0.10, "calibrated", Status.CONTRADICTED),
        (0.50, 5.0, -0.1, "better", Status.CONTRADICTED),
        (0.05, 1.0, 0.00, "same", Status.CONTRADICTED),
    ],
)
def test_what_happened_is_read_off_recall_f1_and_mean(gain, inflation, lead, outcome, status):
    values = {"weighted_gain": gain, "over_gain": gain, "weighted_inflation": inflation, "over_inflation": inflation, "plain_bias": 0.01, "f1_lead": lead}
    result = judge(find_experiment("imbalance"), {}, [values, values, values])
    assert (result.outcome, result.status) == (outcome, status)


SAID, TARGET = torch.tensor([0.9, 0.8, 0.3, 0.1]), torch.tensor([1, 0, 1, 0])


def test_the_figures_of_four_sequences():
    figures = imbalance._figures(SAID, 0.2, Screened(torch.zeros(4, 1, 2), TARGET, SAID))
    expected = {"recall": 0.5, "f1": 0.5, "f1_tuned": 0.8, "area": (1 + 2 / 3) / 2, "mean": 0.525, "brier": (0.01 + 0.64 + 0.49 + 0.01) / 4}
    assert figures == pytest.approx(expected)


def test_the_best_cut_is_the_one_with_the_largest_f1():
    assert imbalance._best_cut(SAID, TARGET) == pytest.approx(0.1)


def test_prior_correction_undoes_the_weight():
    truth = torch.tensor([0.04, 0.5])
    weighted = 24 * truth / (24 * truth + 1 - truth)
    data = imbalance.Data(*3 * (Screened(torch.zeros(25, 1, 2), torch.tensor([1] + 24 * [0]), torch.zeros(25)),))
    assert imbalance._corrected("weighted", weighted, data, {"weight": 24.0}).tolist() == pytest.approx([0.04, 0.5])
    assert imbalance._corrected("over", weighted, data, {"weight": 1.0}).tolist() == pytest.approx([0.04, 0.5])
