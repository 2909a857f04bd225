"""Question 23: the outcome follows the values, the weights of the pieces are right, and no process is left behind."""

from __future__ import annotations

import os
import threading

import psutil
import pytest
import torch

from sandbox import core
from sandbox.experiments import parallel_training
from sandbox.jobs import Laboratory
from sandbox.protocol import RunRequest, RunState, Status, judge
from sandbox.registry import find_experiment
from sandbox.settings import LabSettings
from tests.experiments.smoke import smallest
from tests.experiments.test_jobs import Shelf

torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("accumulated", "naive", "gain", "outcome", "status"),
    [
        (1e-7, 0.5, 0.6, "memory", Status.SUPPORTED),
        (1e-7, 1e-7, 0.6, "mean", Status.CONTRADICTED),
        (1e-7, 0.5, 2.0, "faster", Status.SUPPORTED),  # a speed is no part of the claim
        (1e-2, 0.5, 0.6, "differs", Status.CONTRADICTED),
    ],
)
def test_what_happened_is_read_off_the_gradients_then_the_clock(accumulated, naive, gain, outcome, status):
    values = {"accumulated": accumulated, "naive": naive, "pair": 1e-7, "memory": 4.0, "checkpointed": 1e-7, "saved": 7.0}
    values |= {"clock_r2": 0.99, "clock_throughput": 9.0, "clock_gain": gain}
    result = judge(find_experiment("parallel-training"), {}, [values, values, values])
    assert (result.outcome, result.status) == (outcome, status)


def gradient(arm: str, target: torch.Tensor) -> torch.Tensor:
    torch.manual_seed(0)
    model = core.cells.Reader(torch.nn.LSTM(8, 4, batch_first=True), 8)
    parallel_training._fill_gradients(arm, model, torch.randn(4, 3, 8), target, 2)
    return torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])


def test_a_mean_of_means_is_right_when_targets_are_equal_in_number_and_only_then():
    target = torch.tensor([[0, 1, 2]] * 2 + [[3, 4, 5]] * 2)
    torch.testing.assert_close(gradient("naive", target), gradient("whole", target))
    target[:2, 1:] = core.tasks.IGNORED
    torch.testing.assert_close(gradient("accumulated", target), gradient("whole", target))
    assert parallel_training._distance(gradient("naive", target), gradient("whole", target)) > 0.1


def test_no_speed_up_is_part_of_the_rule():
    assert [check.measure for check in parallel_training.CHECKS if check.measure.startswith("clock_")] == ["clock_r2", "clock_throughput"]


def test_a_straight_line_is_told_from_a_bent_one():
    assert parallel_training._straightness([1, 2, 3], [5, 7, 9]) == pytest.approx(1.0)
    assert parallel_training._straightness([0, 1, 2, 3], [0, 1, 1, 0]) == pytest.approx(0.0)


def nurseries() -> list[psutil.Process]:
    """The processes that start pairs, one a training worker. (One that an earlier test left to this process itself is not meant.)"""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            parent = process.parent()
            is_one = "ranks.serve" in " ".join(process.cmdline())
            if is_one and parent is not None and parent.pid != os.getpid() and "ranks.serve" not in " ".join(parent.cmdline()):
                found.append(process)
        except psutil.Error:  # gone in between, or a zombie
            continue
    return found


def test_cancelling_a_run_ends_its_pair_and_closing_the_laboratory_leaves_no_process_behind():
    laboratory = Laboratory(LabSettings(workers=1, budget_s=60), Shelf())
    try:
        run_id = laboratory.start(RunRequest("parallel-training", {**smallest("parallel-training"), "updates": 1000, "steps": 96}, seeds=1))
        pair: list[psutil.Process] = []
        while len(pair) < 2:
            assert not laboratory.snapshot(run_id).state.final
            threading.Event().wait(0.02)
            pair = [child for nursery in nurseries() for child in nursery.children()]
        kept = nurseries()
        assert laboratory.cancel(run_id).state is RunState.CANCELLED
        _, left = psutil.wait_procs(pair, timeout=60)
        assert not left
    finally:
        laboratory.close()
    _, left = psutil.wait_procs(kept, timeout=60)
    assert not left
