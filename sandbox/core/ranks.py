"""Data parallelism by two real processes on this machine, which never outlive the one that started them.

Each process holds a copy of the network and half of the batch; DistributedDataParallel averages the gradients over gloo
(Li et al. 2020). They meet at a file in a folder of their own, and speak over the loopback interface only.

Loading torch and DistributedDataParallel takes a process seconds. So a *nursery* loads them once, and every pair is forked
from it within milliseconds. It stays for the next pair, obeys lines on its standard input, and ends, its pair with it, when
that input ends: when its owner closes it, or dies in whatever way. The pair in turn watches the nursery.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

RANKS = 2
PATIENCE_S = 60.0  # a process that hears nothing of the other for so long gives up
POLL_S = 0.01
NOBODY_ELSE = "nobody-else"  # a file: who started the pair only waits from now on, so times can be taken
TIMES = 12  # of which the shortest counts


class RanksFailed(RuntimeError):
    """A process ended without its result; the message holds the end of what it said."""


class Outcome(NamedTuple):
    """What data-parallel training came to: the averaged gradient of the first update and the parameters after the last, flat; and times.

    `seconds` are those of every update, `exchange` those of averaging a gradient alone. `together` and `alone` are those of an update by
    both processes and by one, for each batch of `timed`. The last three are the shortest of many, taken once `result` is asked for.
    """

    gradient: Tensor
    parameters: Tensor
    seconds: list[float]
    exchange: float
    together: list[float]
    alone: list[float]


class Ranks:
    """Two processes that train `Reader(nn.LSTM(D, H), classes)` by plain SGD on x (B, T, D), target (B, T), B even; use it as a context manager.

    Unequal numbers of targets count as they should: the loss is the mean over those of the whole batch. Targets below 0 do not count.
    A process has one pair at a time; a second one waits for the first to end. `timed` are batches, even numbers of sequences, whose
    updates are timed afterwards, by the two and by one of them alone.
    """

    def __init__(self, model: nn.Module, x: Tensor, target: Tensor, *, updates: int, rate: float, timed: Sequence[int] = ()) -> None:
        sizes = {"inputs": x.shape[2], "hidden": model.recurrent.hidden_size, "classes": model.readout.out_features}  # type: ignore[union-attr]
        self._task = {"state": model.state_dict(), "x": x, "target": target, "updates": updates, "rate": rate, "timed": list(timed), **sizes}

    @property
    def pids(self) -> list[int]:
        """The processes."""
        return list(self._ask()["pids"])

    def __enter__(self) -> Ranks:
        _IN_USE.acquire()
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="carousel-ranks-"))
            torch.save(self._task, self._folder / "task.pt")
            _tell("begin", str(self._folder))
        except BaseException:
            _IN_USE.release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if _READY.is_set():
                _tell("end")
                self._ask()
            else:  # left while it still loads, and nobody wants to wait for that
                close()
        except RanksFailed:
            close()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
            _IN_USE.release()

    def result(self) -> Outcome:
        """Wait for both to finish. Errors: RanksFailed."""
        (self._folder / NOBODY_ELSE).touch()
        codes = self._ask()["codes"]
        while not any(codes) and None in codes:
            time.sleep(POLL_S)
            codes = self._ask()["codes"]
        for rank, code in enumerate(codes):
            if code:  # the other would wait for this one in vain
                last_words = self._folder / f"said{rank}"
                said = last_words.read_text("utf-8", "replace")[-500:] if last_words.exists() else "nothing"
                raise RanksFailed(f"process {rank} of {RANKS} ended with {code}: {said}")
        return Outcome(**torch.load(self._folder / "result.pt", weights_only=True))

    @staticmethod
    def _ask() -> dict[str, Any]:
        return _tell("look", answered=True)


# --- The nursery, seen from its owner -----------------------------------------------------------------------------

_IN_USE = threading.Lock()
_READY = threading.Event()  # it has answered: everything is loaded
_nursery: subprocess.Popen[str] | None = None


def _tell(*words: str, answered: bool = False) -> dict[str, Any]:
    """Say something to the nursery, which "begin" starts when there is none; wait for the answer when there will be one. Errors: RanksFailed."""
    global _nursery
    if words[0] == "begin" and (_nursery is None or _nursery.poll() is not None):
        close()
        _nursery = _start()
    try:
        assert _nursery is not None
        assert _nursery.stdin is not None
        assert _nursery.stdout is not None
        _nursery.stdin.write(json.dumps(words) + "\n")
        _nursery.stdin.flush()
        if not answered:
            return {}
        answer: dict[str, Any] = json.loads(_nursery.stdout.readline())
    except (OSError, json.JSONDecodeError) as error:
        raise RanksFailed("the process that starts the two has gone; its last words are on standard error") from error
    _READY.set()
    return answer


def _start() -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[2])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0"}
    command = [sys.executable, "-c", "from sandbox.core import ranks; ranks.serve()"]
    # A session of its own: Ctrl-C in a terminal is for the owner, which then ends this.
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, start_new_session=True)


def close() -> None:
    """End the nursery and what is in it; the next pair starts another."""
    global _nursery
    if _nursery is not None:
        _nursery.kill()  # its pair, if there is one, notices and ends
        _nursery.wait()
        for pipe in (_nursery.stdin, _nursery.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was still to be written has nobody to read it
                    pipe.close()
    _nursery = None
    _READY.clear()


atexit.register(close)


# --- In the nursery -----------------------------------------------------------------------------------------------


def serve() -> None:
    """Obey lines on standard input, each a list in JSON, until there are no more: begin FOLDER, look (which is answered), end."""
    import torch._dynamo  # what DistributedDataParallel would load when the first one is made

    torch.set_num_threads(1)
    pair: list[BaseProcess] = []
    for line in sys.stdin:
        match json.loads(line):
            case ["begin", folder]:
                pair = _begin(folder)
            case ["look"]:
                sys.stdout.write(json.dumps({"pids": [process.pid for process in pair], "codes": [process.exitcode for process in pair]}) + "\n")
                sys.stdout.flush()
            case ["end"]:
                pair = _end(pair)
    _end(pair)


def _begin(folder: str) -> list[BaseProcess]:
    # Forked where that is possible, as everything is loaded here. There is one thread, so a fork is safe.
    multiprocessing.set_start_method("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn", force=True)
    pair = [multiprocessing.Process(target=_work, args=(rank, folder), daemon=True) for rank in range(RANKS)]
    for process in pair:
        process.start()
    return list(pair)


def _end(pair: Sequence[BaseProcess]) -> list[BaseProcess]:
    for process in pair:
        process.kill()
    for process in pair:
        process.join()
    return []


# --- In the pair --------------------------------------------------------------------------------------------------


def _work(rank: int, folder: str) -> None:
    """The work of one process; the first of them leaves the result."""
    threading.Thread(target=_end_with_the_nursery, daemon=True).start()
    path = Path(folder)
    said = (path / f"said{rank}").open("wb")
    for stream in (1, 2):
        os.dup2(said.fileno(), stream)
    torch.set_num_threads(1)
    task = torch.load(path / "task.pt", weights_only=True)
    meeting = f"file://{path / 'meeting'}"
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=RANKS, timeout=timedelta(seconds=PATIENCE_S))
    trained = _train(rank, task)
    while not (path / NOBODY_ELSE).exists():
        time.sleep(POLL_S)
    result = trained | _times(rank, task)
    if rank == 0:
        torch.save(result, path / "result.pt")
    with contextlib.suppress(RuntimeError):  # the other may be gone already
        torch.distributed.destroy_process_group()


def _end_with_the_nursery() -> None:
    nursery = multiprocessing.parent_process()
    assert nursery is not None
    nursery.join()
    os._exit(3)


def _train(rank: int, task: dict[str, Any]) -> dict[str, Any]:
    parallel = nn.parallel.DistributedDataParallel(_model(task))
    x, target = task["x"].chunk(RANKS)[rank], task["target"].chunk(RANKS)[rank]
    counted = int((task["target"] >= 0).sum())
    seconds: list[float] = []
    first = torch.zeros(0)
    for update in range(task["updates"]):
        begun = time.perf_counter()
        _fill_gradients(parallel, x, target, RANKS / counted)  # DDP takes the mean over processes: times their number it is the sum
        if update == 0:
            first = _flat_gradient(parallel).clone()
        with torch.no_grad():
            for one in parallel.parameters():
                one.sub_(task["rate"] * one.grad)
        seconds.append(time.perf_counter() - begun)
    return {"gradient": first, "parameters": torch.cat([one.detach().flatten() for one in parallel.parameters()]), "seconds": seconds}


def _model(task: dict[str, Any]) -> nn.Module:
    from sandbox.core.cells import Reader

    model = Reader(nn.LSTM(task["inputs"], task["hidden"], batch_first=True), task["classes"])
    model.load_state_dict(task["state"])
    return model


def _fill_gradients(model: nn.Module, x: Tensor, target: Tensor, scale: float) -> None:
    logits, _ = model(x)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-100, reduction="sum")
    model.zero_grad()
    (loss * scale).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped


def _flat_gradient(model: nn.Module) -> Tensor:
    return torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])


# --- Taking times -------------------------------------------------------------------------------------------------


def _times(rank: int, task: dict[str, Any]) -> dict[str, Any]:
    """Seconds of an exchange and, for each batch, of an update by both and by this process alone while the other one waits."""
    single = _model(task)
    parallel = nn.parallel.DistributedDataParallel(_model(task))
    steps, inputs = task["x"].shape[1:]
    gradient = torch.zeros(sum(one.numel() for one in single.parameters()))
    exchange = _shortest(lambda: torch.distributed.all_reduce(gradient))
    together, alone = [], []
    for batch in task["timed"]:
        x, target = torch.zeros(batch, steps, inputs), torch.zeros(batch, steps, dtype=torch.long)
        own_x, own_target = x.chunk(RANKS)[rank], target.chunk(RANKS)[rank]
        together.append(_shortest(lambda x=own_x, target=own_target: _fill_gradients(parallel, x, target, 1.0)))  # type: ignore[misc]
        if rank == 0:
            alone.append(_shortest(lambda x=x, target=target: _fill_gradients(single, x, target, 1.0)))  # type: ignore[misc]
        torch.distributed.barrier()
    return {"exchange": exchange, "together": together, "alone": alone}


def _shortest(job: Callable[[], object]) -> float:
    """By the clock on the wall: waiting for the other process counts."""
    times = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        job()
        times.append(time.perf_counter() - begun)
    return min(times)
