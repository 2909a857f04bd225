"""Every experiment on a pretended CUDA device (tests/core/pretend_cuda.py): nothing stays behind, and the numbers are the CPU's."""

from __future__ import annotations

import pytest
import torch

from sandbox.placing import CPU_ONLY, placed
from sandbox.protocol import Settings, Step
from sandbox.registry import all_experiments, find_experiment
from tests.core.pretend_cuda import pretend_cuda
from tests.experiments.smoke import smallest
from tests.experiments.test_runs import comparable

torch.set_num_threads(1)
IDS = list(all_experiments())
FEW = {"updates": 4, "label_updates": 2}  # fewer than a page allows: what is asked about is the device
SEARCH = {"updates": 128, "length": 16}  # here they are the budget of a search
# What sums on CUDA in an order that changes (torch.use_deterministic_algorithms). nll_loss2d does only where it takes a mean.
UNREPEATABLE = {"cumsum", "index_add", "scatter_add", "scatter_reduce", "index_put", "index_put_impl", "put", "bincount", "histc", "kthvalue"}
NO_DROPOUT = {"drop_input": 0.0, "drop_readout": 0.0}  # it draws on the device, and so other numbers than on the CPU


def tiny(experiment_id: str) -> Settings:
    settings = dict(smallest(experiment_id))
    changed = SEARCH if experiment_id == "hyperparameters" else FEW | NO_DROPOUT
    return settings | {name: value for name, value in changed.items() if name in settings}


def played(experiment_id: str, device: str, settings: Settings) -> tuple[Step, ...]:
    return tuple(find_experiment(experiment_id).run(settings, 0, device))


@pytest.mark.parametrize("experiment_id", IDS)
def test_an_experiment_computes_on_cuda_and_finds_what_it_finds_on_the_cpu(experiment_id: str) -> None:
    settings = tiny(experiment_id)
    with pretend_cuda() as gpu:
        there = played(experiment_id, "cuda", settings)
    assert (gpu.operations["cuda"] > 1000) == (not find_experiment(experiment_id).cpu_only)
    assert gpu.draws == 0
    assert not gpu.names & UNREPEATABLE
    assert comparable(there) == comparable(played(experiment_id, "cpu", settings))


def test_what_draws_on_the_device_repeats_whatever_is_drawn_around_it() -> None:
    settings = {**tiny("overfitting"), "drop_input": 0.3, "drop_readout": 0.6}
    with pretend_cuda() as gpu:
        first = played("overfitting", "cuda", settings)
        assert gpu.draws > 0
        again = []
        for step in find_experiment("overfitting").run(settings, 0, "cuda"):
            torch.manual_seed(len(again))
            torch.rand(3, device="cuda")
            again.append(step)
    assert comparable(again) == comparable(first)


def test_an_experiment_of_the_cpu_says_that_it_is_there_and_nothing_is_raced() -> None:
    experiment = find_experiment("parallel-training")
    with pretend_cuda():
        assert [placed(experiment, {}, asked) for asked in ("auto", "cpu", "cuda")] == [("cpu", CPU_ONLY)] * 3
