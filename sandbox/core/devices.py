"""Where a run computes, and what makes it repeat: device, versions, and randomness that belongs to one arm alone.

The same settings, seed and device give the same numbers bit for bit on one CPU thread. Two rules secure it: data
come from CPU generators that nobody else draws from (`generator`), and whatever draws from torch's global
generator (weight initialisation, dropout) does so inside a `Randomness` of its own arm, so that arms trained
in turns do not disturb each other.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable
from types import TracebackType

import torch

# cuBLAS picks its workspace at run time unless told; the recurrent layers on CUDA repeat only with a fixed one
# (torch.nn.LSTM's documentation). It is read when CUDA starts, so it is set before anything can start it.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
# cuDNN would round what recurrent layers multiply to 10 bits (TF32, PyTorch's notes on CUDA), where the CPU has the 23 of float32.
torch.backends.cudnn.allow_tf32 = False


class DeviceUnavailable(ValueError):
    """The device asked for does not exist here; the message says what there is."""


def resolve(name: str, race: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """The torch device for "auto", "cpu" or "cuda", and the reason in words. With "auto" and a GPU, `race` says both. Errors: DeviceUnavailable."""
    if name == "cpu":
        return "cpu", "CPU, as asked"
    if name == "cuda":
        if not torch.cuda.is_available():
            raise DeviceUnavailable("device 'cuda' was asked for, but torch finds no CUDA device here; use 'cpu' or 'auto'")
        return "cuda", f"CUDA, as asked: {torch.cuda.get_device_name()}"
    if name != "auto":
        raise DeviceUnavailable(f"device must be one of auto, cpu, cuda, got {name!r}")
    return race() if torch.cuda.is_available() else ("cpu", "CPU: torch finds no CUDA device here")


def versions(device: str = "cpu") -> dict[str, str]:
    """What decides a run's bits besides its settings: versions of Python and torch, the platform, the device's name."""
    name = torch.cuda.get_device_name() if device.startswith("cuda") else platform.machine()
    return {"python": platform.python_version(), "torch": str(torch.__version__), "platform": platform.platform(), "device": name}


def use_one_thread() -> None:
    """Train on one thread: networks this small gain nothing from two, and sums keep their order."""
    torch.set_num_threads(1)


def derive_seed(seed: int, *labels: str) -> int:
    """A seed of 63 bits for one use of `seed`: different labels give unrelated streams, the same labels the same one."""
    digest = hashlib.sha256("/".join((str(seed), *labels)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, *labels: str) -> torch.Generator:
    """A CPU generator for one use of `seed`. Data are drawn on the CPU also for CUDA runs, so they are the same."""
    return torch.Generator().manual_seed(derive_seed(seed, *labels))


class Randomness:
    """torch's global generators, owned: inside `with own:` draws come from, and advance, this stream only.

    Leaving restores the global generators exactly, so nothing outside can tell.
    """

    def __init__(self, seed: int, device: str = "cpu") -> None:
        self._device = device
        self._states = [torch.Generator(place).manual_seed(seed).get_state() for place in self._places()]

    def __enter__(self) -> Randomness:
        self._swap()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._swap()

    def _places(self) -> list[str]:
        return ["cpu", self._device] if self._device.startswith("cuda") else ["cpu"]

    def _swap(self) -> None:
        outside = [torch.get_rng_state(), *(torch.cuda.get_rng_state(place) for place in self._places()[1:])]
        torch.set_rng_state(self._states[0])
        for place, state in zip(self._places()[1:], self._states[1:], strict=True):
            torch.cuda.set_rng_state(state, place)
        self._states = outside
