"""Question 16: the outcome follows the values, and each layer's gradient is that of its own recurrent weights."""

import pytest
import torch

from sandbox.core.tasks import Labelled
from sandbox.experiments import deep_stack
from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("one", "deep", "clipped", "residual", "outcome", "status"),
    [
        (1.0, 0.12, 0.12, 1.00, "residual", Status.SUPPORTED),
        (1.0, 0.12, 0.95, 1.00, "clipping", Status.CONTRADICTED),
        (1.0, 0.99, 0.99, 1.00, "deep-learns", Status.CONTRADICTED),
        (1.0, 0.12, 0.12, 0.20, "nothing", Status.CONTRADICTED),
    ],
)
def test_what_happened_is_read_off_the_deep_stacks(one, deep, clipped, residual, outcome, status):
    values = {"one": one, "deep": deep, "clipped": clipped, "residual": residual}
    result = judge(find_experiment("deep-stack"), {}, [values, values, values])
    assert (result.outcome, result.status) == (outcome, status)


SETTINGS = {"hidden": 4, "layers": 3, "forget_bias": 1.0}


def test_the_gradient_by_layer_is_one_norm_a_layer_and_leaves_no_trace():
    network = deep_stack._network("deep", SETTINGS)
    probe = Labelled(torch.randn(2, 5, deep_stack.SYMBOLS), torch.randint(0, deep_stack.SYMBOLS, (2, 5)))
    assert len(deep_stack._gradient_by_layer("deep", network, probe)) == 3
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_residual_stack_whose_upper_layers_are_silent_passes_the_first_on():
    network = deep_stack._network("residual", SETTINGS)
    x = torch.randn(2, 5, deep_stack.SYMBOLS)
    for lstm in network["layers"][1:]:
        for parameter in lstm.parameters():
            torch.nn.init.zeros_(parameter)
    first = network["layers"][0](network["embedding"](x))[0] + network["embedding"](x)
    assert torch.equal(deep_stack._answers("residual", network, x), network["readout"](first))


def test_a_ratio_is_top_over_bottom():
    assert deep_stack._ratio([0.5, 1.0, 2.0]) == 4.0
    assert deep_stack._ratio([0.0, 1.0]) == float("inf")
