"""Our optimizers take the very steps of torch's, and spare a training process torch's compiler."""

from __future__ import annotations

import ast
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from sandbox.core.optimizers import SGD, Adam, Optimizer

ROOT = Path(__file__).parents[2]
PAIRS = {
    "adam": (lambda groups: Adam(groups, 0.01), lambda groups: torch.optim.Adam(groups, 0.01, fused=True)),
    "adam with less momentum": (
        lambda groups: Adam(groups, 0.1, betas=(0.3, 0.999)),
        lambda groups: torch.optim.Adam(groups, 0.1, betas=(0.3, 0.999), fused=True),
    ),
    "adam with decay": (
        lambda groups: Adam(groups, 0.01, weight_decay=0.5),
        lambda groups: torch.optim.AdamW(groups, 0.01, weight_decay=0.5, fused=True),
    ),
    "gradient descent": (lambda groups: SGD(groups, 0.3), lambda groups: torch.optim.SGD(groups, 0.3)),
}


def weights_after(make: Callable[..., Optimizer], last_gradient: float) -> list[list[float]]:
    """A network of several sizes after 30 steps, in two groups whose rates change; one weight gets no gradient at first."""
    draws = torch.Generator().manual_seed(1)
    weights = [nn.Parameter(torch.randn(size, generator=draws)) for size in [(40, 7), (33,), (1,), (5, 5)]]
    optimizer = make([{"params": weights[:2]}, {"params": weights[2:], "lr": 0.05}])
    for step in range(30):
        optimizer.zero_grad()
        assert all(weight.grad is None for weight in weights)
        for place, weight in enumerate(weights):
            if place != 3 or step >= 10:
                weight.grad = torch.randn(weight.shape, generator=draws) * 10.0 ** (step % 5 - 3)
        optimizer.param_groups[0]["lr"] = 0.1 / (step + 1)
        if step == 29:
            weights[0].grad[0, 0] = last_gradient
        optimizer.step()
    return [weight.detach().flatten().tolist() for weight in weights]


@pytest.mark.parametrize("name", PAIRS)
def test_every_step_is_torchs_own_bit_for_bit(name):
    ours, torchs = (weights_after(make, 0.0) for make in PAIRS[name])
    assert ours == torchs


@pytest.mark.parametrize("name", PAIRS)
def test_a_gradient_that_is_no_number_spoils_the_weight_it_belongs_to_as_in_torch(name):
    ours, torchs = (weights_after(make, math.nan) for make in PAIRS[name])
    assert repr(ours) == repr(torchs)
    assert math.isnan(ours[0][0])
    assert math.isfinite(ours[0][1])


def test_parameters_may_come_as_an_iterator_and_without_groups():
    lstm = nn.LSTM(2, 3)
    before = [parameter.detach().clone() for parameter in lstm.parameters()]
    optimizer = Adam(lstm.parameters(), 0.01)
    lstm(torch.ones(4, 1, 2))[0].sum().backward()
    optimizer.step()
    assert [group["lr"] for group in optimizer.param_groups] == [0.01]
    assert not any(torch.equal(old, new) for old, new in zip(before, lstm.parameters(), strict=True))


def test_training_loads_neither_torchs_compiler_nor_sympy():
    code = (
        "import sys, torch\n"
        "from sandbox.core import cells, devices, optimizers, training\n"
        "model = cells.Reader(torch.nn.LSTM(1, 2, batch_first=True), 1)\n"
        "def forward(): return model(torch.ones(1, 3, 1))[0].square().mean(), {}\n"
        "list(training.train(forward, model.parameters(), optimizers.Adam(model.parameters(), 0.1), 2))\n"
        "print(sorted({'torch._dynamo', 'sympy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", [*(ROOT / "sandbox" / "core").glob("*.py"), *(ROOT / "sandbox" / "experiments").glob("*.py")], ids=lambda path: path.stem)
def test_what_runs_in_a_worker_makes_no_optimizer_of_torchs(path):
    named = {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute | ast.alias)}
    assert not {name for name in named if name.startswith("torch.optim")}
