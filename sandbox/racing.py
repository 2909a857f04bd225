"""Which device trains an experiment faster: found by a short race on the spot, not by a rule of thumb.

A recurrence starts its kernels anew at every step. A GPU loses by that on narrow networks and wins on wide ones and large
batches; where the border lies depends on both chips, so nobody can write it down beforehand.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sandbox.protocol import Experiment, Point, Settings

LOOK_S = 1.0  # how long a device is watched, once it is warm
SEED = 0


def pace(experiment: Experiment, settings: Settings, device: str, clock: Callable[[], float] = time.perf_counter) -> float:
    """Points of the live curves a second on `device`, watched for LOOK_S at most; what comes before every arm's first point is warming up.

    A device that cannot train it (RuntimeError: no memory, no such operation) has the pace 0; so has a run that is over at once.
    """
    steps = experiment.run(settings, SEED, device)
    warm: float | None = None
    points, took = 0, 0.0
    try:
        for step in steps:
            if not isinstance(step, Point):
                break
            points += 1
            if warm is not None:
                took = clock() - warm
            elif points == len(experiment.arms):
                warm, points = clock(), 0
            if took >= LOOK_S:
                break
    except RuntimeError:
        return 0.0
    return points / took if took > 0 else 0.0


def faster(experiment: Experiment, settings: Settings, gpu: str, clock: Callable[[], float] = time.perf_counter) -> tuple[str, str]:
    """The device that wins, and why in words. `gpu` is the name of the CUDA device."""
    on_cpu, on_gpu = (pace(experiment, settings, device, clock) for device in ("cpu", "cuda"))
    if on_gpu > on_cpu:
        return "cuda", f"CUDA: {on_gpu / on_cpu:.1f} times as fast as the CPU at these settings ({gpu}, tried just before)" if on_cpu else f"CUDA: {gpu}"
    if not on_gpu:
        return "cpu", f"CPU: {gpu} could not train this, tried just before"
    return "cpu", f"CPU: {on_cpu / on_gpu:.1f} times as fast as {gpu} at these settings, tried just before"


def race(experiment: Experiment, settings: Settings) -> tuple[str, str]:
    """`faster` on this machine's CUDA device; when that does not even say its name, the CPU."""
    import torch

    try:
        gpu = torch.cuda.get_device_name()
    except (RuntimeError, AssertionError):  # the latter from a torch without CUDA
        return "cpu", "CPU: the GPU does not answer"
    return faster(experiment, settings, gpu)
