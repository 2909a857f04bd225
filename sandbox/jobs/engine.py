"""The workers: a Dask cluster on this machine, or a remote one by address, behind a handful of calls that never hang.

Measured facts this rests on: a local cluster of processes starts in under a second plus the time torch takes to load;
`cancel(force=True)` does not stop a running task, a flag on the scheduler checked between steps does; a killed worker's
task is silently run again unless failures are forbidden; when the scheduler dies a new submit blocks for ever.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import Any, TypeVar

import dask
from distributed import Client, Future, LocalCluster

from sandbox.jobs.worker import TOLD, SeedJob, SeedRecord, Telling, play_seed, stop_event
from sandbox.settings import LabSettings

T = TypeVar("T")

log = logging.getLogger(__name__)

START_S = 40.0  # loading torch from a cold disk has been seen to take long
ANSWER_S = 5.0  # a scheduler that has not answered by then is gone
CLOSE_S = 15.0
RETURN_S = 300.0
# What Dask watches in itself for its dashboard, which nobody opens here, every 10 to 100 ms in every process unless told otherwise. Without it a quick
# run of the forget gate took a tenth less time, and a server with two idle workers a fifth of the processor's time.
LOOKING_AFTER_ITSELF = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.worker.memory.monitor-interval": "500ms",
}
AT_ONCE = 100  # the priority of what somebody waits for; seeds have 0 and below

Listener = Callable[[Mapping[str, Any]], None]


class WorkersUnavailable(RuntimeError):
    """There is nobody to run the training; the message says what was tried."""


class WorkersBusy(TimeoutError):
    """Every worker is training, and none became free in time."""


def _needs(gpu: bool) -> dict[str, float] | None:
    return {"GPU": 1.0} if gpu else None


class Engine:
    """One connection to the workers, made on first use and again after it is lost. Safe to call from any thread.

    `listen` is called with every event of our seeds, on Dask's own thread: it must return at once.
    """

    def __init__(self, settings: LabSettings, listen: Listener) -> None:
        self._settings, self._listen = settings, listen
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._cluster: LocalCluster | None = None
        self._closed = False
        self.topic = f"carousel-{uuid.uuid4().hex}"
        self._told: dict[str, Callable[[float, str], None]] = {}  # calls by their keys: who is told how far they are

    def connect(self) -> None:
        """Make sure that there are workers, starting or reconnecting as needed. Errors: WorkersUnavailable."""
        with self._lock:
            if self._closed:
                raise WorkersUnavailable("the laboratory is closed")
            if self._client is not None and self._answers(self._client):
                if self._cluster is not None:
                    self._cluster.scale(self._settings.workers)  # in case one was given up after all
                return
            self._drop()
            try:
                self._client = self._start()
                self._client.subscribe_topic(self.topic, lambda event: self._heard(event[1]))
                # The subscription travels ahead of everything later: one answer means it has arrived.
                self._ask(self._client, "identity")
            except (OSError, TimeoutError, RuntimeError, ValueError) as error:
                self._drop()
                place = self._settings.scheduler_address or "on this machine"
                raise WorkersUnavailable(f"no training workers {place}: {error}") from error

    @property
    def alive(self) -> bool:
        """Whether the connection stands, as far as is known without asking."""
        client = self._client
        return client is not None and client.status == "running"

    def submit(self, job: SeedJob, *, gpu: bool, turn: int = 0) -> Future[Any]:
        """Queue one seed. `gpu` places it on a worker that offers one. A smaller `turn` goes first."""
        if self._client is None:
            raise WorkersUnavailable("not connected")
        return self._client.submit(
            play_seed,
            job,
            key=f"seed-{job.run_id}-{job.seed}-{uuid.uuid4().hex[:8]}",
            pure=False,
            retries=0,
            priority=-turn,
            resources=_needs(gpu),
        )

    def call(self, function: Callable[..., T], *arguments: Any, wait_s: float, gpu: bool = False, on_progress: Callable[[float, str], None] | None = None) -> T:
        """Have a worker (with `gpu` one that offers a GPU) do something short, before everything that waits; give what it returns, raise what it raises.

        With `on_progress` the function gets one, too, and what it tells that comes here, on Dask's own thread.
        Errors: WorkersBusy after `wait_s` seconds; WorkersUnavailable when not connected, or the connection is lost on the way.
        """
        if self._client is None:
            raise WorkersUnavailable("not connected")
        key = f"call-{uuid.uuid4().hex}"
        more = {} if on_progress is None else {"on_progress": Telling(self.topic, key)}
        if on_progress is not None:
            self._told[key] = on_progress
        future = self._client.submit(function, *arguments, **more, key=key, pure=False, retries=0, priority=AT_ONCE, resources=_needs(gpu))
        try:
            result: T = future.result(timeout=wait_s)
            future.release()
        except TimeoutError:
            self.withdraw([future])
            raise WorkersBusy(f"no training process was free within {wait_s:g} seconds") from None
        except CancelledError:  # what Dask makes of a scheduler that went away
            raise WorkersUnavailable("the connection was lost") from None
        finally:
            self._told.pop(key, None)
        return result

    def _heard(self, message: Mapping[str, Any]) -> None:
        if message["kind"] != TOLD:
            self._listen(message)
        elif (told := self._told.get(message["call"])) is not None:
            told(message["share"], message["words"])

    def result(self, future: Future[Any]) -> SeedRecord:
        """What a finished task returned. Errors: OSError, TimeoutError, RuntimeError when it cannot be had any more."""
        record: SeedRecord = future.result(timeout=ANSWER_S)
        future.release()  # the worker held it for us; were it killed later, Dask would train the seed again for nobody
        return record

    def exception(self, future: Future[Any]) -> BaseException | None:
        """Why a task failed."""
        with contextlib.suppress(OSError, TimeoutError):
            error: BaseException | None = future.exception(timeout=ANSWER_S)
            return error
        return None

    def withdraw(self, futures: Sequence[Future[Any]]) -> None:
        """Take tasks that have not started off the queue."""
        if self._client is not None and futures:
            with contextlib.suppress(OSError, TimeoutError, RuntimeError):
                self._client.sync(self._client._cancel, list(futures), callback_timeout=ANSWER_S)

    def gpu_workers(self) -> int:
        """How many workers offer a GPU."""
        if self._client is None:
            return 0
        workers = self._ask(self._client, "identity", n_workers=-1)["workers"].values()
        return sum(1 for worker in workers if worker.get("resources", {}).get("GPU", 0) >= 1)

    def ask_to_stop(self, run_id: str) -> None:
        """Raise the flag that the run's seeds check between steps."""
        self._tell("event_set", name=stop_event(run_id))

    def forget(self, run_id: str) -> None:
        """Remove the flag of a run whose seeds have all ended."""
        self._tell("event_clear", name=stop_event(run_id))

    def restart(self, worker: str, pid: int) -> None:
        """End a worker's process, whatever it is doing; its nanny starts another in its place."""
        if self._cluster is not None:  # on this machine: at once
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        elif self._client is not None:
            with contextlib.suppress(OSError, TimeoutError, RuntimeError, ValueError):
                self._client.restart_workers([worker], timeout=15, raise_for_error=False)

    def close(self) -> None:
        """End the connection, and the workers when they are ours."""
        with self._lock:
            self._closed = True
            self._drop()

    def _start(self) -> Client:
        address = self._settings.scheduler_address
        if address is not None:
            return Client(address, timeout=ANSWER_S, set_as_default=False)
        # A killed worker loads torch again before it is back; on a busy machine that outlasts Dask's 15 seconds, after which it
        # would be given up for good.
        dask.config.set({"distributed.deploy.lost-worker-timeout": f"{RETURN_S:g}s"})
        # Dask would also have malloc hand memory back to the system at every chance (MALLOC_TRIM_THRESHOLD_), which costs
        # training, with its many short-lived arrays, half as much time again.
        # One arena for all threads of a worker, as only one allocates much: with one each, tens of MB stay behind that no other uses.
        threads = {"OMP_NUM_THREADS": 1, "MKL_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1}
        # oneDNN keeps the code it compiles for every shape of network and batch it meets, 1024 pieces unless told: with 32 experiments train as
        # fast, and after four of them (attention, seq2seq, transfer, deep-stack) a process is 20 MB smaller.
        memory = {"MALLOC_ARENA_MAX": 1, "ONEDNN_PRIMITIVE_CACHE_CAPACITY": 32}
        dask.config.set({"distributed.nanny.pre-spawn-environ": {**threads, **memory}})
        dask.config.set(LOOKING_AFTER_ITSELF)
        self._cluster = LocalCluster(
            n_workers=self._settings.workers,
            threads_per_worker=1,
            processes=True,
            silence_logs=logging.CRITICAL,
            preload=["sandbox.jobs.worker"],
            # The scheduler's page of its own health: no dashboard, and not on port 8787 of every interface.
            scheduler_kwargs={"allowed_failures": 0, "dashboard": False, "dashboard_address": "127.0.0.1:0"},
        )
        return Client(self._cluster, timeout=START_S, set_as_default=False)

    def _answers(self, client: Client) -> bool:
        if client.status != "running" or self._cluster is not None:
            return bool(client.status == "running")  # a local scheduler is in this process: it is there as long as we are
        try:
            self._ask(client, "identity")
        except (OSError, TimeoutError, RuntimeError):
            return False
        return True

    def _tell(self, operation: str, **arguments: Any) -> None:
        """Like `_ask`, when a lost connection needs no answer: then there is nothing left to stop."""
        if self._client is not None:
            with contextlib.suppress(OSError, TimeoutError, RuntimeError):
                self._ask(self._client, operation, **arguments)

    @staticmethod
    def _ask(client: Client, operation: str, **arguments: Any) -> Any:
        return client.sync(getattr(client.scheduler, operation), callback_timeout=ANSWER_S, **arguments)

    def _drop(self) -> None:
        client, cluster = self._client, self._cluster
        self._client = self._cluster = None
        for one in (client, cluster):
            if one is not None:
                with contextlib.suppress(Exception):  # whatever is wrong with it, we are letting it go
                    one.close(timeout=CLOSE_S)
