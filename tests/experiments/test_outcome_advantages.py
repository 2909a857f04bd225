"""Question 13: the outcome follows the values, the networks are of equal size, and the GRU keeps as long as its bias says."""

import math

import pytest
import torch

from sandbox.core.cells import count_parameters
from sandbox.core.devices import generator
from sandbox.experiments import advantages
from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("order", "adding", "echo", "outcome", "status"),  # each LSTM, RNN
    [
        ((1.0, 0.24), (0.02, 1.00), (1.0, 1.00), "distance", Status.SUPPORTED),
        ((1.0, 0.24), (0.02, math.inf), (1.0, 1.00), "distance", Status.SUPPORTED),
        ((1.0, 0.24), (0.02, 1.00), (1.0, 0.90), "everywhere", Status.CONTRADICTED),
        ((1.0, 0.70), (0.02, 1.00), (1.0, 1.00), "keeps-up", Status.CONTRADICTED),
        ((1.0, 0.24), (0.02, 0.10), (1.0, 1.00), "keeps-up", Status.CONTRADICTED),
        ((0.3, 0.24), (0.02, 1.00), (1.0, 1.00), "unfinished", Status.CONTRADICTED),
        ((1.0, 0.24), (math.inf, 1.00), (1.0, 1.00), "unfinished", Status.CONTRADICTED),
        ((1.0, 0.70), (0.02, 0.10), (0.9, 1.00), "unfinished", Status.CONTRADICTED),
    ],
)
def test_what_happened_is_read_off_the_tasks(order, adding, echo, outcome, status):
    values = {
        f"{arm}_{task}": pair[place] for task, pair in (("order", order), ("adding", adding), ("echo", echo)) for place, arm in enumerate(("lstm", "rnn"))
    }
    result = judge(find_experiment("advantages"), {}, [values, values, values])
    assert (result.outcome, result.status) == (outcome, status)


@pytest.mark.parametrize(("arm", "units"), [("lstm", 25), ("gru", 29), ("rnn", 52)])
def test_a_network_is_as_wide_as_its_parameters_allow(arm, units):
    settings = {"order_steps": 40, "adding_steps": 30, "parameters": 3000}
    recurrent = advantages._network(arm, "adding", settings, seed=0).recurrent
    assert recurrent.hidden_size == units
    assert count_parameters(recurrent) <= 3000 < count_parameters(type(recurrent)(2, units + 1))


def test_the_last_parameter_of_the_budget_counts():
    assert advantages._units("rnn", 2, 1 * 4 * (4 + 2 + 2)) == 4
    assert advantages._units("lstm", 2, 4 * 4 * (4 + 2 + 2) - 1) == 3


def test_a_gru_starts_by_keeping_its_state():
    gru = torch.nn.GRU(2, 5, batch_first=True)
    advantages._keep_for(gru, 30, generator(0, "spans"))
    bias = gru.bias_ih_l0.detach()[5:10]
    assert (bias >= 0).all()
    assert (bias <= math.log(29)).all()
    with torch.no_grad():
        gru.weight_ih_l0.zero_()
        gru.weight_hh_l0.zero_()
        gru.bias_ih_l0[10:] = 0.0
        gru.bias_hh_l0[10:] = 0.0  # the candidate is 0, so a step multiplies the state by z = σ(bias)
        after = gru(torch.zeros(1, 1, 2), torch.ones(1, 1, 5))[1]
    assert torch.allclose(after.flatten(), bias.sigmoid())
    assert torch.equal(gru.bias_hh_l0.detach()[5:10], torch.zeros(5))


def test_text_joins_only_when_asked_for():
    assert advantages._tasks("rnn", {"text": "no"}) == ("order", "adding", "echo")
    assert advantages._tasks("lstm", {"text": "yes"}) == ("order", "adding", "echo", "text")
    assert advantages._tasks("gru", {"text": "yes"}) == ("adding",)
    assert advantages._tasks("orthogonal", {"text": "yes"}) == ("order",)


def test_the_error_of_the_adding_is_a_share_of_the_variance():
    settings = {"order_steps": 40, "adding_steps": 6, "parameters": 500}
    model = advantages._network("rnn", "adding", settings, seed=0)
    torch.nn.init.zeros_(model.readout.weight)
    torch.nn.init.ones_(model.readout.bias)  # it always answers the mean
    batch = next(advantages._data("adding", 4000, settings, 0, "exam"))
    loss, accuracy = advantages._judge("adding", model, batch)
    assert float(loss.detach()) == pytest.approx(float((batch.target - 1).square().mean()) * 6)
    assert math.isnan(accuracy)
