"""Seeds of a run trained to their end without the laboratory, in this process or side by side in several.

A module of its own: processes that are spawned cannot import what `python -m sandbox` runs as its main script.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from sandbox.placing import guarded
from sandbox.protocol import Measured, Measures, Picture, RunRequest, Setting
from sandbox.registry import find_experiment


@dataclass(frozen=True)
class Played:
    """One seed, trained: its measures, what its pictures say, and the process time of training in seconds."""

    seed: int
    measured: Measures
    messages: tuple[str, ...]
    cpu_seconds: float


def play(experiment_id: str, settings: Mapping[str, Setting], device: str, seed: int) -> Played:
    """Train one seed to its end. Runs in this process or in one of its own. Errors: GpuFailed."""
    from sandbox.core import devices

    devices.use_one_thread()
    begun = time.process_time()
    measured: dict[str, float] = {}
    messages: list[str] = []

    def train() -> None:
        for step in find_experiment(experiment_id).run(settings, seed, device):
            if isinstance(step, Measured):
                measured.update(step.values)
            elif isinstance(step, Picture):
                messages.append(step.title)

    guarded(device, train)
    return Played(seed, measured, tuple(messages), time.process_time() - begun)


def play_all(request: RunRequest, device: str, processes: int) -> Iterator[Played]:
    """Every seed of a request, in order, as each is ready."""
    seeds = range(request.first_seed, request.first_seed + request.seeds)
    one = partial(play, request.experiment, dict(request.settings), device)
    if processes == 1:
        yield from map(one, seeds)
        return
    with ProcessPoolExecutor(min(processes, request.seeds), multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(one, seeds)
