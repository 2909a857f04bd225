"""Runs on real worker processes: to a verdict, cancelled, forgotten, killed, started twice."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from sandbox.jobs import Laboratory, UnknownRun
from sandbox.protocol import InvalidSetting, RunRequest, RunState, Status
from sandbox.records import Snapshot, read_snapshot
from sandbox.settings import LabSettings
from tests.experiments import lab_experiments

ENDLESS = {"updates": 100_000, "pause": 0.01}
WAIT_S = 60.0  # never reached unless something is broken


class Shelf:
    """A store in memory that notes the order of what happens."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.log: list[tuple[str, str]] = []
        self.ended = threading.Condition()

    def begin(self, run_id: str, facts: Any) -> None:
        assert run_id not in self.runs
        self.runs[run_id] = dict(facts)
        self.log.append(("begin", run_id))

    def end(self, run_id: str, facts: Any) -> None:
        with self.ended:
            self.runs[run_id].update(facts)
            self.log.append(("end", run_id))
            self.ended.notify_all()

    def load(self, run_id: str) -> Any:
        return self.runs.get(run_id)

    def judged(self, experiment_id: str, limit: int) -> Any:
        return [{**facts, "run_id": run_id} for run_id, facts in reversed(self.runs.items()) if facts["experiment"] == experiment_id and facts.get("verdict")][
            :limit
        ]

    def wait_end(self, run_id: str) -> dict[str, Any]:
        with self.ended:
            assert self.ended.wait_for(lambda: ("end", run_id) in self.log, WAIT_S)
        return self.runs[run_id]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


SHELF, CLOCK = Shelf(), Clock()


@pytest.fixture(scope="module")
def flag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("flags") / "killed"
    os.environ["LAB_TEST_FLAG"] = str(path)  # before the workers start: they inherit it
    yield path
    del os.environ["LAB_TEST_FLAG"]


@pytest.fixture(scope="module")
def lab(flag: Path) -> Iterator[Laboratory]:
    laboratory = Laboratory(LabSettings(workers=2, budget_s=60), SHELF, find=lab_experiments.find, clock=CLOCK)
    laboratory.warm_up()
    yield laboratory
    laboratory.close()
    assert not [child for child in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]


def start(lab: Laboratory, experiment: str = "walk", seeds: int = 2, first_seed: int = 0, **settings: Any) -> str:
    return lab.start(RunRequest(experiment, settings, first_seed=first_seed, seeds=seeds))


def finish(lab: Laboratory, run_id: str) -> Snapshot:
    while not (seen := lab.snapshot(run_id)).state.final:  # looking renews the lease
        lab.wait(run_id, 1, final=True)
    return seen


def test_a_run_goes_to_its_verdict_and_is_stored_whole(lab: Laboratory) -> None:
    run_id = lab.start(RunRequest("walk", {"updates": 5}, first_seed=1, seeds=4, prediction="stays"))
    seen = finish(lab, run_id)
    assert (seen.state, seen.error) == (RunState.FINISHED, None)
    assert [(one.seed, one.state, one.update) for one in seen.seeds] == [(seed, "finished", 5) for seed in (1, 2, 3, 4)]
    assert [(point.arm, point.update) for point in seen.seeds[0].points[:4]] == [("plain", 1), ("wild", 1), ("plain", 2), ("wild", 2)]
    assert seen.verdict is not None
    assert (seen.verdict.status, seen.verdict.passed, seen.verdict.seeds, seen.verdict.outcome) == (Status.INCONCLUSIVE, 3, 4, "falls")
    assert seen.pictures[0].title == "Seed 1 walked down"
    assert (seen.device, sorted(seen.versions)) == ("cpu", ["device", "platform", "python", "torch"])

    facts = SHELF.wait_end(run_id)
    assert (facts["prediction"], facts["state"], facts["verdict"]["status"]) == ("stays", "finished", "inconclusive")
    stored = read_snapshot(run_id, facts)
    assert stored.request == seen.request
    assert stored.verdict == seen.verdict
    assert stored.measured == seen.measured
    assert math.isnan(stored.seeds[0].points[-1].values["loss"])


def test_the_prediction_is_stored_before_anything_is_shown(lab: Laboratory) -> None:
    run_id = lab.start(RunRequest("walk", ENDLESS, seeds=1, prediction="falls"))
    assert SHELF.runs[run_id]["prediction"] == "falls"
    assert "state" not in SHELF.runs[run_id]
    lab.cancel(run_id)


def test_points_arrive_while_it_runs_and_the_same_seed_gives_the_same_numbers(lab: Laboratory) -> None:
    first = start(lab, updates=30, pause=0.01)
    lab.wait(first, WAIT_S)
    early = lab.snapshot(first)
    assert early.state is RunState.RUNNING
    assert early.has_points
    assert early.verdict is None
    finish(lab, first)
    again = lab.start(RunRequest("walk", {"updates": 30, "pause": 0.01}, seeds=2), repeats=first)
    seen = finish(lab, again)
    assert seen.repeat is not None
    assert (seen.repeat.run_id, seen.repeat.identical) == (first, True)
    assert SHELF.wait_end(again)["record"]["repeat"]["identical"] is True


def test_a_repeat_with_other_numbers_says_so(lab: Laboratory) -> None:
    first = start(lab, updates=3)
    finish(lab, first)
    again = lab.start(RunRequest("walk", {"updates": 4}, seeds=2), repeats=first)
    seen = finish(lab, again)
    assert seen.repeat is not None
    assert not seen.repeat.identical
    assert seen.repeat.note == "2 of 2 seeds gave other numbers."


def test_cancelling_shows_at_once_frees_the_workers_and_keeps_finished_seeds(lab: Laboratory) -> None:
    run_id = start(lab, seeds=3, **ENDLESS)
    lab.wait(run_id, WAIT_S)
    seen = lab.cancel(run_id)
    assert (seen.state, seen.verdict, seen.measured) == (RunState.CANCELLED, None, {})
    assert seen.has_points
    assert SHELF.wait_end(run_id)["state"] == "cancelled"
    after = finish(lab, start(lab, seeds=2, updates=3))  # would wait for ever behind seeds that went on
    assert after.state is RunState.FINISHED
    assert lab.cancel(run_id).state is RunState.CANCELLED


def test_a_run_is_unknown_to_everybody_else_while_it_goes_on_and_afterwards(lab: Laboratory) -> None:
    mine, else_where = start(lab, seeds=1, **ENDLESS), Shelf()
    other = lab.with_store(else_where)
    lab.wait(mine, WAIT_S)
    for look in (other.snapshot, other.cancel):
        with pytest.raises(UnknownRun):
            look(mine)
    assert (lab.snapshot(mine).state, other.has_specimens(mine)) == (RunState.RUNNING, False)
    lab.cancel(mine)
    theirs = other.start(RunRequest("walk", {"updates": 3}, seeds=1), repeats=mine)  # the same workers, another store
    seen = finish(other, theirs)
    assert (seen.state, seen.repeat) == (RunState.FINISHED, None)
    assert else_where.wait_end(theirs)["state"] == "finished"
    assert theirs not in SHELF.runs
    with pytest.raises(UnknownRun):
        lab.snapshot(theirs)


def test_a_long_run_lets_another_one_in_after_its_first_seeds(lab: Laboratory) -> None:
    long = start(lab, seeds=12, updates=20, pause=0.02)
    lab.wait(long, WAIT_S)
    finish(lab, start(lab, seeds=1, updates=3))
    seen = lab.snapshot(long)
    assert seen.state is RunState.RUNNING
    assert sum(one.state == "waiting" for one in seen.seeds) >= 6
    lab.cancel(long)


def test_a_cancelled_run_is_judged_on_the_seeds_that_had_finished(lab: Laboratory) -> None:
    blocker = start(lab, seeds=1, **ENDLESS)  # leaves one worker, so seeds come one after the other
    lab.wait(blocker, WAIT_S)
    run_id = start(lab, seeds=20, updates=20, pause=0.01)
    while not lab.snapshot(run_id).measured:
        lab.snapshot(blocker)
        threading.Event().wait(0.02)
    seen = lab.cancel(run_id)
    lab.cancel(blocker)
    assert 1 <= len(seen.measured) < 20
    assert seen.verdict is not None
    assert seen.verdict.seeds == len(seen.measured)


def test_a_run_nobody_watches_expires_and_its_lease_is_renewed_by_looking(lab: Laboratory) -> None:
    watched, forgotten = start(lab, seeds=1, **ENDLESS), start(lab, seeds=1, **ENDLESS)
    lab.wait(forgotten, WAIT_S)
    CLOCK.now += lab.settings.lease_s - 1
    assert lab.snapshot(watched).state is not RunState.EXPIRED
    CLOCK.now += 2
    assert SHELF.wait_end(forgotten)["state"] == "expired"
    assert "Nobody watched" in SHELF.runs[forgotten]["error"]
    assert not lab.snapshot(watched).state.final
    lab.cancel(watched)


def test_a_killed_worker_fails_the_run_with_the_reason_and_it_can_be_started_again(lab: Laboratory, flag: Path) -> None:
    request = RunRequest("kill", {}, seeds=1)
    run_id = lab.start(request)
    seen = finish(lab, run_id)
    assert flag.exists()
    assert seen.state is RunState.FAILED
    assert seen.error is not None
    assert "seed 0 was killed" in seen.error
    assert SHELF.wait_end(run_id)["error"] == seen.error
    assert finish(lab, lab.start(request)).state is RunState.FINISHED


def both_stuck(lab: Laboratory) -> str:
    """A run that holds both workers. Where a process that an earlier test ended takes a seed along, the run fails, as it should: once more then."""
    for _ in range(3):
        run_id = start(lab, "stuck", seeds=2)
        while not (seen := lab.snapshot(run_id)).state.final:
            if all(one.points for one in seen.seeds):
                return run_id
            threading.Event().wait(0.02)
    raise AssertionError(seen.error)


def test_a_seed_that_never_yields_is_cancelled_and_loses_its_process(lab: Laboratory) -> None:
    run_id = both_stuck(lab)
    assert lab.cancel(run_id).state is RunState.CANCELLED
    assert finish(lab, start(lab, seeds=2, updates=3)).state is RunState.FINISHED


def test_a_bug_in_an_experiment_fails_the_run_and_names_the_seed(lab: Laboratory) -> None:
    seen = finish(lab, start(lab, "broken", seeds=1, first_seed=7))
    assert (seen.state, seen.error) == (RunState.FAILED, "Seed 7 broke off: ArithmeticError: the weights went on strike")


def test_the_same_token_gives_the_same_run_from_many_threads(lab: Laboratory) -> None:
    request, begun = RunRequest("walk", {"updates": 2}, seeds=1), len(SHELF.log)
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(lab.start(request, "token-1"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["token-1"] * 8
    finish(lab, "token-1")
    SHELF.wait_end("token-1")
    assert [entry for entry in SHELF.log[begun:] if entry[1] == "token-1"] == [("begin", "token-1"), ("end", "token-1")]


def test_the_time_limit_ends_a_seed_with_what_it_reached(lab: Laboratory, flag: Path) -> None:
    brisk = Laboratory(LabSettings(workers=1, budget_s=0.2), Shelf(), find=lab_experiments.find)
    try:
        seen = finish(brisk, start(brisk, seeds=1, **ENDLESS))
        assert seen.state is RunState.FAILED
        assert seen.error == "No seed finished within the time limit of 0.2 seconds a seed. Fewer updates or a smaller net would."
        assert seen.has_points
    finally:
        brisk.close()


def test_everything_wrong_with_a_request_is_named_and_nothing_is_stored(lab: Laboratory) -> None:
    before = len(SHELF.runs)
    with pytest.raises(InvalidSetting) as caught:
        lab.start(RunRequest("walk", {"updates": 0, "depth": 3}, seeds=99, device="tpu", prediction="sideways"))  # type: ignore[arg-type]
    assert caught.value.problems == (
        "prediction must be one of falls, stays or none, got 'sideways'",
        "unknown setting 'depth'; known settings: updates, pause, seed, seeds, device",
        "updates must be a whole number from 1 to 100000, got 0",
        "seeds must be a whole number from 1 to 20, got 99",
        "device must be one of auto, cpu, cuda, got 'tpu'",
    )
    assert len(SHELF.runs) == before


def test_cuda_without_a_gpu_worker_is_refused_in_words(lab: Laboratory) -> None:
    run_id = lab.start(RunRequest("walk", {}, seeds=1, device="cuda"))
    seen = finish(lab, run_id)
    if seen.device == "cuda":
        pytest.skip("this machine has a GPU")
    assert (seen.state, seen.error) == (RunState.FAILED, "There are no workers with a GPU (CUDA): choose automatic or CPU.")


def test_an_unknown_run_is_named(lab: Laboratory) -> None:
    with pytest.raises(UnknownRun, match="unknown run 'nonsense'"):
        lab.snapshot("nonsense")


def test_a_run_that_was_going_on_when_the_app_stopped_reads_as_failed(lab: Laboratory) -> None:
    SHELF.runs["old"] = {"experiment": "walk", "settings": {"updates": 2}, "first_seed": 0, "seeds": 1, "device": "auto", "prediction": None, "versions": {}}
    seen = lab.snapshot("old")
    assert (seen.state, seen.error) == (RunState.FAILED, "The app stopped while this run was going on.")


def test_an_address_without_a_scheduler_fails_the_run_instead_of_hanging() -> None:
    shelf = Shelf()
    remote = Laboratory(LabSettings(scheduler_address="tcp://127.0.0.1:9"), shelf, find=lab_experiments.find)
    try:
        run_id = start(remote, seeds=1)
        seen = finish(remote, run_id)
        assert seen.state is RunState.FAILED
        assert seen.error is not None
        assert seen.error.startswith("There are no training workers tcp://127.0.0.1:9: ")
    finally:
        remote.close()


REMOTE = """
import signal
from distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        scheduler_port=PORT,
        dashboard_address="127.0.0.1:0",
        preload=["sandbox.jobs.worker", *MORE],
        resources=RESOURCES,
        scheduler_kwargs={"allowed_failures": 0},
    )
    print(cluster.scheduler_address, flush=True)
    signal.sigwait([signal.SIGTERM])
"""


def start_remote(port: int = 0, *, resources: str = "None", more: Sequence[str] = ()) -> tuple[subprocess.Popen[str], str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    script = REMOTE.replace("PORT", str(port)).replace("RESOURCES", resources).replace("MORE", repr(list(more)))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end_remote(process: subprocess.Popen[str]) -> None:
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_remote_scheduler_that_dies_fails_the_run_and_the_next_start_reconnects() -> None:
    process, address = start_remote()
    shelf = Shelf()
    laboratory = Laboratory(LabSettings(scheduler_address=address), shelf, find=lab_experiments.find)
    try:
        assert finish(laboratory, start(laboratory, seeds=1, updates=2)).state is RunState.FINISHED
        run_id = start(laboratory, seeds=1, **ENDLESS)
        laboratory.wait(run_id, WAIT_S)
        end_remote(process)
        seen = finish(laboratory, run_id)
        assert seen.state is RunState.FAILED
        assert seen.error is not None
        assert "connection to the training workers was lost" in seen.error
        process, _ = start_remote(int(address.rpartition(":")[2]))
        assert finish(laboratory, start(laboratory, seeds=1, updates=2)).state is RunState.FINISHED
    finally:
        laboratory.close()
        end_remote(process)


# Stands in for a machine with a GPU: the worker offers one, and torch names it.
GPU = """{"GPU": 1}"""
NAMED = "import torch; torch.cuda.is_available = lambda: True; torch.cuda.get_device_name = lambda *which: 'a GPU'"


@pytest.fixture(scope="module")
def gpu_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    naming = tmp_path_factory.mktemp("gpu") / "names_a_gpu.py"
    naming.write_text(NAMED)
    process, address = start_remote(resources=GPU, more=[str(naming)])
    laboratory = Laboratory(LabSettings(scheduler_address=address), Shelf(), find=lab_experiments.find)
    try:
        yield laboratory
    finally:
        laboratory.close()
        end_remote(process)


def test_auto_races_the_devices_once_and_the_run_says_which_won(gpu_lab: Laboratory) -> None:
    seen = finish(gpu_lab, gpu_lab.start(RunRequest("hurry", {}, seeds=1)))
    assert (seen.state, seen.device) == (RunState.FINISHED, "cuda")
    assert re.fullmatch(r"CUDA: [\d.]+ times as fast as the CPU at these settings \(a GPU, tried just before\)", seen.device_why)


def test_a_gpu_that_gives_up_fails_the_run_with_what_to_do_and_the_next_run_has_a_gpu_again(gpu_lab: Laboratory) -> None:
    full, broken = (finish(gpu_lab, gpu_lab.start(RunRequest("greedy", {}, first_seed=seed, seeds=1, device="cuda"))) for seed in (0, 1))
    assert (full.state, full.device, full.has_points) == (RunState.FAILED, "cuda", True)
    assert full.error == (
        "Seed 0 broke off: the GPU has no memory left (CUDA out of memory. Tried to allocate 20.00 MiB.). Choose the CPU or a smaller network, "
        "or start again when other programs have left the GPU."
    )
    assert (broken.state, broken.error) == (
        RunState.FAILED,
        "Seed 1 broke off: the GPU failed (CUDA error: unspecified launch failure). Start again: a new process is tried. If it fails again, choose the CPU.",
    )
    deadline, again = time.monotonic() + WAIT_S, broken
    while again.state is RunState.FAILED and time.monotonic() < deadline:  # until the new process is there
        again = finish(gpu_lab, gpu_lab.start(RunRequest("walk", {"updates": 2}, seeds=1, device="cuda")))
    assert (again.state, again.device, again.device_why) == (RunState.FINISHED, "cuda", "CUDA, as asked: a GPU")


def test_making_a_laboratory_loads_neither_dask_nor_torch_nor_pandas() -> None:
    code = (
        "import sys; from sandbox.jobs import Laboratory; from sandbox.settings import LabSettings; Laboratory(LabSettings(), None);"
        "print([name for name in ('distributed', 'torch', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "[]"
