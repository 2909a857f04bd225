"""Data parallelism by two real processes on this machine, which never outlive the one that started them.

Each process holds a copy of the network and half of the batch; DistributedDataParallel averages the gradients over gloo
(Li et al. 2020). They meet at a file in a folder of their own, and speak over the loopback interface only. Each watches a pipe
that only its parent holds open: when the parent closes it, or dies in whatever way, the pipe ends and so do they.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

RANKS = 2
PATIENCE_S = 60.0  # a process that hears nothing of the other for so long gives up
POLL_S = 0.01
END_S = 5.0  # how long one whose pipe was closed may take to end, before it is killed


class RanksFailed(RuntimeError):
    """A process ended without its result; the message holds the end of what it said."""


class Outcome(NamedTuple):
    """What data-parallel training came to: the averaged gradient of the first update and the parameters after the last, flat, and seconds an update."""

    gradient: Tensor
    parameters: Tensor
    seconds: list[float]


class Ranks:
    """Two processes that train `Reader(nn.LSTM(D, H), classes)` by plain SGD on x (B, T, D), target (B, T), B even; use it as a context manager.

    Unequal numbers of targets count as they should: the loss is the mean over those of the whole batch. Targets below 0 do not count.
    """

    def __init__(self, model: nn.Module, x: Tensor, target: Tensor, *, updates: int, rate: float) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="carousel-ranks-")
        sizes = {"inputs": x.shape[2], "hidden": model.recurrent.hidden_size, "classes": model.readout.out_features}  # type: ignore[union-attr]
        task = {"state": model.state_dict(), "x": x, "target": target, "updates": updates, "rate": rate, **sizes}
        torch.save(task, self._path / "task.pt")
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def _path(self) -> Path:
        return Path(self._folder.name)

    @property
    def pids(self) -> list[int]:
        """The processes, while they may be there."""
        return [process.pid for process in self._processes]

    def __enter__(self) -> Ranks:
        root = str(Path(__file__).parents[2])
        paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0"}
        for rank in range(RANKS):
            command = [sys.executable, "-c", "import sys; from sandbox.core import ranks; ranks.serve(int(sys.argv[1]), sys.argv[2])"]
            with (self._path / f"said{rank}").open("wb") as said:
                self._processes.append(
                    subprocess.Popen([*command, str(rank), str(self._path)], stdin=subprocess.PIPE, stdout=said, stderr=said, env=environment)
                )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
            if kind is not None:  # left early: it may still be importing torch, and nobody wants to wait for that
                process.kill()
        for process in self._processes:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()

    def result(self) -> Outcome:
        """Wait for both to finish. Errors: RanksFailed."""
        while not any(codes := [process.poll() for process in self._processes]) and None in codes:
            time.sleep(POLL_S)
        for rank, code in enumerate(codes):
            if code:  # the other would wait for this one in vain
                said = (self._path / f"said{rank}").read_text("utf-8", "replace")[-500:]
                raise RanksFailed(f"process {rank} of {RANKS} ended with {code}: {said}")
        return Outcome(**torch.load(self._path / "result.pt", weights_only=True))


# --- In the processes -------------------------------------------------------------------------------------------


def serve(rank: int, folder: str) -> None:
    """The work of one process; the first of them leaves the result."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    torch.set_num_threads(1)
    path = Path(folder)
    task = torch.load(path / "task.pt", weights_only=True)
    meeting = f"file://{path / 'meeting'}"
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=RANKS, timeout=timedelta(seconds=PATIENCE_S))
    result = _train(rank, task)
    if rank == 0:
        torch.save(result, path / "result.pt")
    with contextlib.suppress(RuntimeError):  # the other may be gone already
        torch.distributed.destroy_process_group()


def _end_with_the_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(3)


def _train(rank: int, task: dict[str, Any]) -> dict[str, Any]:
    from sandbox.core.cells import Reader

    model = Reader(nn.LSTM(task["inputs"], task["hidden"], batch_first=True), task["classes"])
    model.load_state_dict(task["state"])
    parallel = nn.parallel.DistributedDataParallel(model)
    x, target = task["x"].chunk(RANKS)[rank], task["target"].chunk(RANKS)[rank]
    counted = int((task["target"] >= 0).sum())
    seconds: list[float] = []
    first = torch.zeros(0)
    for update in range(task["updates"]):
        begun = time.perf_counter()
        logits, _ = parallel(x)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-100, reduction="sum")
        parallel.zero_grad()
        (loss * RANKS / counted).backward()  # type: ignore[no-untyped-call]  # DDP takes the mean over processes: times their number it is the sum
        if update == 0:
            first = torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None]).clone()
        with torch.no_grad():
            for one in model.parameters():
                one.sub_(task["rate"] * one.grad)
        seconds.append(time.perf_counter() - begun)
    return {"gradient": first, "parameters": torch.cat([one.detach().flatten() for one in model.parameters()]), "seconds": seconds}
