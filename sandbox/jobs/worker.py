"""What runs in a training process: one seed of one experiment, playing its steps to whoever listens.

Dask loads this module into every worker as a preload (`dask_setup`), so that torch is there before the first click. For a
remote cluster start workers with `dask worker ADDRESS --nthreads 1 --preload sandbox.jobs.worker` from the checkout.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from distributed import Event, Worker, get_worker

from sandbox.protocol import Experiment, Measured, Measures, Picture, Point, Settings, Specimen, Step

NICENESS = 10  # a niced process at full load leaves the page's answers as quick as without it
BATCH_S = 0.1  # points travel in batches this far apart, so that events stay few
TOLD = "told"  # the kind of event that says how far a call is
ASK_S = 0.2  # how often a running seed asks whether it should stop: a round trip to the scheduler, some ms when every core trains


@dataclass(frozen=True)
class SeedJob:
    """One seed of a run, as sent to a worker. `find` turns an experiment's id into the experiment there.

    `why` says why `device` was chosen, when that was done already; else the worker finds the device by itself.
    """

    run_id: str
    find: Callable[[str], Experiment]
    experiment: str
    settings: Settings
    seed: int
    device: str
    budget_s: float
    topic: str
    why: str | None = None


@dataclass(frozen=True)
class SeedRecord:
    """What came of one seed. `stopped` says why it ended early, in which case `measured` is None."""

    points: tuple[Point, ...]
    measured: Measures | None
    pictures: tuple[Picture, ...]
    cpu_seconds: float
    stopped: Literal["cancelled", "budget"] | None
    specimens: tuple[Specimen, ...] = ()


@dataclass(frozen=True)
class Telling:
    """Tells whoever made a call how far it is, and what is being done in words."""

    topic: str
    call: str

    def __call__(self, share: float, words: str) -> None:
        """Send it; nothing waits for its arrival."""
        get_worker().log_event(self.topic, {"kind": TOLD, "call": self.call, "share": share, "words": words})


def stop_event(run_id: str) -> str:
    """The name of the scheduler's flag that asks a run to stop."""
    return f"carousel-stop-{run_id}"


def dask_setup(worker: Worker) -> None:
    """Make a worker ready: lowest sensible priority, torch loaded and warm, GPU announced. Called by Dask at its start."""
    with contextlib.suppress(OSError):  # already niced by whoever started it
        os.nice(NICENESS)
    from sandbox.core import devices  # before torch: it sets what CUDA reads when it starts
    from sandbox.registry import all_experiments

    devices.use_one_thread()
    all_experiments()
    import torch

    # The first backward pass loads kernels, paid here. (The first optimizer of torch.optim would load torch's compiler: see core.optimizers.)
    torch.nn.LSTM(2, 2)(torch.zeros(2, 1, 2))[0].sum().backward()
    # What is loaded by now stays: collecting garbage after every seed need not look through it again, which takes .2 s.
    gc.collect()
    gc.freeze()
    if torch.cuda.is_available():
        # Before it registers, so the scheduler hears of it at once.
        worker.state.total_resources.setdefault("GPU", 1)
        worker.state.available_resources.setdefault("GPU", 1)


def race_on_gpu(find: Callable[[str], Experiment], experiment_id: str, settings: Settings) -> tuple[str, str]:
    """On a worker with a GPU: the device that trains the experiment faster, and why."""
    from sandbox.core import devices
    from sandbox.racing import race

    devices.use_one_thread()
    try:
        return race(find(experiment_id), settings)
    finally:
        _give_memory_back()


def play_seed(job: SeedJob) -> SeedRecord:
    """Run one seed on this worker, sending its points on the way, until it is done, over budget or asked to stop."""
    from sandbox.core import devices
    from sandbox.placing import guarded, placed

    devices.use_one_thread()
    experiment = job.find(job.experiment)
    device, why = (job.device, job.why) if job.why is not None else placed(experiment, job.settings, job.device)
    caller = _Caller(job)

    def train() -> SeedRecord:
        caller.send("started", pid=os.getpid(), device=device, why=why, versions=devices.versions(device))
        return _Player(job, caller).play(experiment, device)

    try:
        return guarded(device, train)
    finally:
        _give_memory_back()


def _give_memory_back() -> None:
    """Return what the seed's tensors left free: Linux's C library keeps it, and on a GPU torch does, for as long as the worker lives."""
    import torch

    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch leaves it untyped
        with contextlib.suppress(RuntimeError):  # a GPU that has failed takes nothing back
            torch.cuda.empty_cache()
    with contextlib.suppress(OSError, AttributeError):  # other systems have no such call
        ctypes.CDLL(None).malloc_trim(0)


class _Player:
    """Collects the steps of one seed and sends the points on in batches."""

    def __init__(self, job: SeedJob, caller: _Caller) -> None:
        self.job, self.caller = job, caller
        self.points: list[Point] = []
        self.pictures: list[Picture] = []
        self.specimens: list[Specimen] = []
        self.measured: Measures | None = None
        self.sent, self.sent_at = 0, 0.0

    def play(self, experiment: Experiment, device: str) -> SeedRecord:
        cpu, begun = time.process_time(), time.monotonic()
        stopped: Literal["cancelled", "budget"] | None = None
        for step in experiment.run(self.job.settings, self.job.seed, device):
            self._take(step)
            if self.measured is None and time.monotonic() - begun > self.job.budget_s:
                stopped = "budget"
            elif self.caller.asked_to_stop():
                stopped = "cancelled"
            if stopped:
                break
        self._send_points()
        if self.measured is None and stopped is None:
            raise RuntimeError(f"{experiment.id}: the run of seed {self.job.seed} ended without its measured values")
        cpu_seconds = time.process_time() - cpu
        if stopped:
            return SeedRecord(tuple(self.points), None, (), cpu_seconds, stopped)
        return SeedRecord(tuple(self.points), self.measured, tuple(self.pictures), cpu_seconds, None, tuple(self.specimens))

    def _take(self, step: Step) -> None:
        if isinstance(step, Point):
            self.points.append(step)
            if time.monotonic() - self.sent_at >= BATCH_S:
                self._send_points()
        elif isinstance(step, Measured):
            self.measured = step.values
        elif isinstance(step, Specimen):
            self.specimens.append(step)
        else:
            self.pictures.append(step)

    def _send_points(self) -> None:
        fresh = self.points[self.sent :]
        if fresh:
            self.caller.send("points", points=[[one.arm, one.update, dict(one.values)] for one in fresh])
            self.sent, self.sent_at = len(self.points), time.monotonic()


class _Caller:
    """Speaks to the scheduler for one seed: sends events, and asks now and then whether to stop."""

    def __init__(self, job: SeedJob) -> None:
        self.job, self.worker = job, get_worker()
        self.stop = Event(stop_event(job.run_id))
        self.asked_at = time.monotonic()

    def send(self, kind: str, **facts: Any) -> None:
        self.worker.log_event(self.job.topic, {"kind": kind, "run": self.job.run_id, "seed": self.job.seed, "worker": self.worker.address, **facts})

    def asked_to_stop(self) -> bool:
        if time.monotonic() - self.asked_at < ASK_S:
            return False
        stop = bool(self.stop.is_set())
        self.asked_at = time.monotonic()
        return stop
