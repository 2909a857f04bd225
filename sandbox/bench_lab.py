"""The laboratory's part of `python -m sandbox bench`: from a request to its first point and its verdict, on real workers."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psutil

from sandbox.bench import Figure
from sandbox.jobs import Laboratory
from sandbox.protocol import RunRequest, RunState, Setting
from sandbox.records import Snapshot
from sandbox.registry import find_experiment
from sandbox.requests import make_request, read_values
from sandbox.settings import LabSettings

WORKERS = 2
ALONE = "forget-gate"  # whose one seed and three seeds are compared,
REPETITIONS = 5  # this often, one after the other: a pair varies by a few percent


class Forgetful:
    """A store that keeps nothing."""

    def begin(self, run_id: str, facts: Mapping[str, object]) -> None:
        """Nothing."""

    def end(self, run_id: str, facts: Mapping[str, object]) -> None:
        """Nothing."""

    def load(self, run_id: str) -> Mapping[str, object] | None:
        """Nothing."""
        return None

    def judged(self, experiment_id: str, limit: int) -> Sequence[Mapping[str, object]]:
        """Nothing."""
        return ()

    def history(self, wanted: Mapping[str, object], offset: int, limit: int) -> tuple[int, Sequence[Mapping[str, object]]]:
        """Nothing."""
        return 0, ()

    def note(self, run_id: str, text: str) -> bool:
        """Nothing."""
        return False

    def delete(self, run_id: str) -> bool:
        """Nothing."""
        return False

    def restore(self, run_id: str) -> bool:
        """Nothing."""
        return False


def lab_figures(experiments: Sequence[str]) -> Iterator[Figure]:
    """Seconds to the first point and to the verdict of each experiment's quick preset, and what they add up to."""
    laboratory = Laboratory(LabSettings(workers=WORKERS), Forgetful())
    try:
        with _PeakMemory() as memory:
            _run(laboratory, ALONE, {"updates": 50, "seeds": 2 * WORKERS})  # loads what loads on first use, in every worker
            took = {}
            for experiment in experiments:
                memory.now = experiment
                took[experiment] = _run(laboratory, experiment, {})
            memory.now = ALONE
            alone = [[_run(laboratory, ALONE, {"seeds": seeds})[1] for seeds in (1, 3)] for _ in range(REPETITIONS)]
    finally:
        laboratory.close()
    for experiment, (_, verdict) in took.items():
        yield Figure(f"{experiment}: run → verdict, quick preset", verdict, "s", 12.0)
    yield Figure("run → verdict: median over the experiments", statistics.median(verdict for _, verdict in took.values()), "s", 6.0)
    yield Figure("run → first point: slowest experiment", max(first for first, _ in took.values()), "s", 0.7)
    yield Figure(f"{ALONE}: three seeds on {WORKERS} workers ÷ one seed", statistics.median(three / one for one, three in alone), "×", 2.0)
    yield Figure("peak memory of a worker", memory.peak / 1e6, "MB", 500.0, memory.at)


def _run(laboratory: Laboratory, experiment_id: str, changed: Mapping[str, Setting]) -> tuple[float, float]:
    """Seconds from the request to the first point and to the verdict. Errors: RuntimeError when it does not finish."""
    experiment = find_experiment(experiment_id)
    request: RunRequest = make_request(experiment, read_values(experiment, {"preset": "quick", **changed}), None)
    begun = time.monotonic()
    run_id = laboratory.start(request)
    _await_first_point(laboratory, run_id)
    first = time.monotonic() - begun
    seen = _finished(laboratory, run_id)
    if seen.state is not RunState.FINISHED or seen.verdict is None:
        raise RuntimeError(f"{experiment_id}: the run ended as {seen.state}: {seen.error}")
    return first, time.monotonic() - begun


def _await_first_point(laboratory: Laboratory, run_id: str) -> None:
    while not (seen := laboratory.snapshot(run_id)).state.final and not any(seed.points for seed in seen.seeds):  # looking renews the lease
        laboratory.wait(run_id, 1.0)


def _finished(laboratory: Laboratory, run_id: str) -> Snapshot:
    while not (seen := laboratory.snapshot(run_id)).state.final:  # looking renews the lease
        laboratory.wait(run_id, 1.0, final=True)
    return seen


class _PeakMemory:
    """The most memory (resident set, bytes) that any worker process was seen with, looked at four times a second, and `at` which experiment."""

    def __init__(self) -> None:
        self.peak, self.at, self.now = 0, "", ALONE
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        here = psutil.Process()
        while not self._over.wait(0.25):
            for child in here.children(recursive=True):
                try:
                    memory = child.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
                if memory > self.peak:
                    self.peak, self.at = memory, self.now
