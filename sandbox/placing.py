"""Where a run computes, and what is said when its GPU gives up in the middle."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from sandbox.protocol import Experiment, Settings
from sandbox.racing import race

T = TypeVar("T")

CPU_ONLY = "CPU: this experiment computes there whatever device is chosen"
# How CUDA and its libraries begin to say that they are broken, not that they were asked for something impossible.
_BROKEN = re.compile(r"CUDA (driver |unknown )?error|No CUDA GPUs|cuDNN error|CUDNN_STATUS|CUBLAS_STATUS|Unable to get cuDNN", re.IGNORECASE)


class GpuFailed(RuntimeError):
    """CUDA gave up; the message says what happened and what to do next. `lasting`: this process can use the GPU no more."""

    def __init__(self, message: str, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


def placed(experiment: Experiment, settings: Settings, asked: str) -> tuple[str, str]:
    """The device for a run, of "auto", "cpu" or "cuda", and why in words. Errors: DeviceUnavailable."""
    from sandbox.core import devices

    if experiment.cpu_only:
        return "cpu", CPU_ONLY
    return devices.resolve(asked, lambda: race(experiment, settings))


def guarded(device: str, work: Callable[[], T]) -> T:
    """What `work` returns. Errors: GpuFailed when CUDA runs out of memory or breaks down; whatever else `work` raises as it is."""
    try:
        return work()
    except RuntimeError as error:
        failed = _explained(error) if device == "cuda" else None
        if failed is None:
            raise
    raise failed  # out here, where it leaves torch's own error behind: that would load torch wherever it is read


def _explained(error: RuntimeError) -> GpuFailed | None:
    import torch

    said = str(error).partition("\n")[0][:120]
    if isinstance(error, torch.OutOfMemoryError):
        return GpuFailed(f"the GPU has no memory left ({said}). Choose the CPU or a smaller network, or start again when other programs have left the GPU.")
    if _BROKEN.search(str(error)):
        return GpuFailed(f"the GPU failed ({said}). Start again: a new process is tried. If it fails again, choose the CPU.", lasting=True)
    return None
