"""Question 4: which prediction came true, and what an exchange of states is."""

from __future__ import annotations

import math

import pytest
import torch

from sandbox.core import cells, tasks
from sandbox.experiments import cell_state
from sandbox.protocol import Status, judge


@pytest.mark.parametrize(
    ("accuracy", "c_donor", "h_own", "outcome", "status"),
    [
        (1.00, 0.99, 0.99, "cell", Status.SUPPORTED),
        (1.00, 0.02, 0.03, "hidden", Status.CONTRADICTED),
        (1.00, 0.60, 0.95, "between", Status.CONTRADICTED),
        (0.30, 0.20, 0.20, "guesses", Status.CONTRADICTED),
        (0.00, math.nan, math.nan, "guesses", Status.CONTRADICTED),
    ],
)
def test_outcome_and_status(accuracy, c_donor, h_own, outcome, status):
    values = {"accuracy": accuracy, "c_donor": c_donor, "h_own": h_own}
    verdict = judge(cell_state.EXPERIMENT, {}, [values] * 3)
    assert (verdict.outcome, verdict.status) == (outcome, status)


def test_with_both_states_exchanged_every_sequence_goes_on_as_its_donor():
    torch.manual_seed(0)
    model = cells.Reader(torch.nn.LSTM(2, 3, batch_first=True), 2)
    x = torch.zeros(2, 6, 2)  # the rest of the sequences is the same, so only the states tell them apart
    x[:, 0, 0] = torch.tensor([1.0, -1.0])
    model.readout.bias.data -= model(x)[0][:, -1].mean(0).detach()  # now each of the two sequences gets an answer of its own
    named = model(x)[0][:, -1].argmax(-1).detach()
    assert set(named.tolist()) == {0, 1}
    exam = tasks.Labelled(x, named)
    with torch.no_grad():
        assert cell_state._answers_after("nothing", model, exam, 3) == cell_state.Answers(own=1.0, donor=0.0)
        assert cell_state._answers_after("both", model, exam, 3) == cell_state.Answers(own=0.0, donor=1.0)


def test_a_linear_probe_reads_what_is_there_and_nothing_else():
    bits = torch.randint(0, 2, (400, 2), generator=torch.Generator().manual_seed(0)) * 2.0 - 1.0
    assert cell_state._readable(bits @ torch.tensor([[1.0, 2.0, 0.5], [-1.0, 1.0, 0.0]]), bits) == 1.0
    assert cell_state._readable(torch.zeros(400, 3), bits) < 0.5
