"""Sees one run through, on a thread of its own: submits its seeds, listens, watches lease and limits, stores the end.

Everything that happens to a run comes to one inbox (a worker's report, a finished task, a page that cancels), so its
story is written by one thread. A page only reads the board, or ends it; it never waits for a worker.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.jobs.board import Board
from sandbox.placing import CPU_ONLY, GpuFailed
from sandbox.protocol import Experiment, RunState, RunStore
from sandbox.records import Repeat, Snapshot, end_facts
from sandbox.settings import LabSettings

if TYPE_CHECKING:
    from distributed import Future

    from sandbox.jobs.engine import Engine

log = logging.getLogger(__name__)

TICK_S = 0.25  # how often lease, limits and connection are looked at
STOP_S = 2.5  # a seed that was asked to stop and has not by then loses its process
LATE_S = 15.0  # how far over its time limit a seed may be before it counts as stuck
RESUBMITS = 3
RACE_S = 60.0  # how long a run may wait for CPU and GPU to be compared; loading CUDA is most of it
_RACES: dict[object, tuple[str, str]] = {}  # what was found, by experiment and settings

Ending = tuple[RunState, str | None]
Message = tuple[str, int, Any]  # "event" with a report, "done" with a future, or "tick"; and the seed
EXPIRED: Ending = (RunState.EXPIRED, "Nobody watched the run any more, so it was stopped to free the machine.")
LOST: Ending = (RunState.FAILED, "The connection to the training workers was lost while it ran. Start it again: the workers are set up anew.")


class Conductor(threading.Thread):
    """One run from start to stored end. `engine` gives the engine on first use (which loads Dask)."""

    def __init__(
        self,
        board: Board,
        *,
        engine: Callable[[], Engine],
        find: Callable[[str], Experiment],
        store: RunStore,
        settings: LabSettings,
        clock: Callable[[], float],
        compared: Callable[[Snapshot], Repeat | None],
    ) -> None:
        super().__init__(name=f"run-{board.run_id[:8]}", daemon=True)
        self.board, self.store, self.inbox = board, store, queue.SimpleQueue[Message]()
        self._get_engine, self._find, self._settings, self._clock, self._compared = engine, find, settings, clock, compared
        self._engine: Engine | None = None
        self._open: dict[int, Future[Any]] = {}
        self._resubmits: Counter[int] = Counter()
        self._seen_at = clock()
        self._chosen: tuple[str, str | None] = (board.request.device, None)

    def seen(self) -> None:
        """Somebody looks at the run: its lease starts again."""
        self._seen_at = self._clock()

    def hear(self, message: Mapping[str, Any]) -> None:
        """A worker reports; called on Dask's thread."""
        self.inbox.put(("event", message["seed"], message))

    def stop(self, state: RunState, error: str | None) -> None:
        """End the run now, as seen by everyone; the workers are told by this thread."""
        self.board.end(state, error)
        self.inbox.put(("tick", -1, None))

    def run(self) -> None:
        """The thread's work."""
        try:
            ending = self._perform()
        except Exception as error:  # a bug of ours must not leave the run "running" for ever
            log.exception("run %s broke", self.board.run_id)
            ending = (RunState.FAILED, f"The laboratory itself failed: {type(error).__name__}: {error}")
        if self._engine is not None and self._open:
            self._engine.ask_to_stop(self.board.run_id)
        snapshot = self.board.end(*ending, polish=self._polish)
        try:
            self.store.end(self.board.run_id, end_facts(snapshot))
        except Exception:
            log.exception("run %s could not be stored", self.board.run_id)
        if self._engine is not None:
            self._clean_up(self._engine)

    # --- While it runs ---

    def _perform(self) -> Ending:
        from sandbox.jobs.engine import WorkersUnavailable

        try:
            self._engine = engine = self._get_engine()
            engine.connect()
            self._chosen = self._choose_device(engine)
            gpu = self._chosen[0] == "cuda"
            for view in self.board.snapshot().seeds:
                self._submit(engine, view.seed, gpu)
            while self._open:
                ending = self._next(engine, gpu)
                if ending is not None:
                    return ending
        except WorkersUnavailable as error:
            return RunState.FAILED, f"There are {error}."
        return self._complete()

    def _choose_device(self, engine: Engine) -> tuple[str, str | None]:
        """The device for all seeds, and why when that was found out here; a race needs a worker that has a GPU."""
        from sandbox.jobs.engine import WorkersBusy, WorkersUnavailable
        from sandbox.jobs.worker import race_on_gpu

        request = self.board.request
        if self.board.experiment.cpu_only:
            return "cpu", CPU_ONLY
        if request.device == "cpu":
            return "cpu", None
        if engine.gpu_workers() == 0:
            if request.device == "cuda":
                raise WorkersUnavailable("no workers with a GPU (CUDA): choose automatic or CPU")
            return "auto", None
        if request.device == "cuda":
            return "cuda", None
        if (key := self._race) not in _RACES:
            try:
                _RACES[key] = engine.call(race_on_gpu, self._find, request.experiment, request.settings, wait_s=RACE_S, gpu=True)
            except WorkersBusy:
                return "cpu", "CPU: the GPU was busy"
        return _RACES[key]

    @property
    def _race(self) -> object:
        """What a race is remembered by."""
        return self.board.request.experiment, tuple(sorted(self.board.request.settings.items()))

    def _submit(self, engine: Engine, seed: int, gpu: bool) -> None:
        from sandbox.jobs.worker import SeedJob

        request, (device, why) = self.board.request, self._chosen
        job = SeedJob(self.board.run_id, self._find, request.experiment, request.settings, seed, device, self._settings.budget_s, engine.topic, why)
        # Every run's first seed before anyone's second: nobody waits for the whole of somebody else's long run.
        future = engine.submit(job, gpu=gpu, turn=seed - request.first_seed)
        self._open[seed] = future
        future.add_done_callback(lambda done: self.inbox.put(("done", seed, done)))

    def _next(self, engine: Engine, gpu: bool) -> Ending | None:
        """Take one message, or look around when there is none. Returns how the run ends, None while it goes on."""
        kind, seed, what = self._take()
        if self.board.final:
            return RunState.CANCELLED, None  # the board has its ending already; this one is not used
        if kind == "event":
            self._report(seed, what)
        elif kind == "done" and seed in self._open and self._open[seed] is what:
            del self._open[seed]
            return self._done(engine, seed, what, gpu)
        return self._watch(engine)

    def _take(self) -> Message:
        try:
            return self.inbox.get(timeout=TICK_S)
        except queue.Empty:
            return "tick", -1, None

    def _report(self, seed: int, message: Mapping[str, Any]) -> None:
        if message["kind"] == "started":
            self.board.started(seed, message)
        else:
            self.board.points(seed, message["points"])

    def _done(self, engine: Engine, seed: int, future: Future[Any], gpu: bool) -> Ending | None:
        from distributed.scheduler import KilledWorker

        if future.status == "finished":
            try:
                self.board.done(seed, engine.result(future))
            except (OSError, TimeoutError, RuntimeError):
                return LOST
            return None
        if future.status != "error":
            return LOST
        error = engine.exception(future)
        if isinstance(error, KilledWorker):
            if self.board.worker_of(seed) is None and self._resubmits[seed] < RESUBMITS:
                # It only waited behind another run's seed whose process had to be ended.
                self._resubmits[seed] += 1
                self._submit(engine, seed, gpu)
                return None
            return (
                RunState.FAILED,
                f"The process training seed {seed} was killed (out of memory, or ended from outside). A new one has taken its place: start the run again.",
            )
        if isinstance(error, GpuFailed):
            return self._give_up_gpu(engine, seed, error)
        return RunState.FAILED, f"Seed {seed} broke off: {type(error).__name__}: {error}"

    def _give_up_gpu(self, engine: Engine, seed: int, error: GpuFailed) -> Ending:
        """The next run races anew, and where CUDA will not work again in this process, it has another one."""
        _RACES.pop(self._race, None)
        ending, worker = (RunState.FAILED, f"Seed {seed} broke off: {error}"), self.board.worker_of(seed)
        if error.lasting and worker is not None:
            self.board.end(*ending)  # for all to see, before what may take seconds
            engine.restart(*worker)
        return ending

    def _watch(self, engine: Engine) -> Ending | None:
        if self._clock() - self._seen_at > self._settings.lease_s:
            return EXPIRED
        if not engine.alive:
            return LOST
        late = self.board.overdue(self._settings.budget_s + LATE_S)
        if late:
            return RunState.FAILED, f"Seed {late[0]} did not stop at its time limit of {self._settings.budget_s:g} seconds; its process was ended."
        return None

    def _complete(self) -> Ending:
        snapshot, limit = self.board.snapshot(), f"the time limit of {self._settings.budget_s:g} seconds a seed"
        stopped = [one.seed for one in snapshot.seeds if one.state == "stopped"]
        if not snapshot.measured:
            return RunState.FAILED, f"No seed finished within {limit}. Fewer updates or a smaller net would."
        return RunState.FINISHED, f"{len(stopped)} of {len(snapshot.seeds)} seeds reached {limit} and are not counted." if stopped else None

    # --- When it is over ---

    def _polish(self, snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, repeat=self._compared(snapshot)) if snapshot.state is RunState.FINISHED and snapshot.repeats else snapshot

    def _clean_up(self, engine: Engine) -> None:
        """Free the workers: seeds that wait are withdrawn, those that run get a moment to stop, then lose their process."""
        if not self._open:
            engine.forget(self.board.run_id)
            return
        running = {seed for seed in self._open if self.board.worker_of(seed) is not None}
        engine.withdraw([future for seed, future in self._open.items() if seed not in running])
        deadline = time.monotonic() + STOP_S
        while running and engine.alive and (left := deadline - time.monotonic()) > 0:
            try:
                kind, seed, _ = self.inbox.get(timeout=left)
            except queue.Empty:
                break
            if kind == "done":
                running.discard(seed)
        for seed in running:
            worker = self.board.worker_of(seed)
            if worker is not None and engine.alive:
                log.warning("seed %s of run %s did not stop; ending its process", seed, self.board.run_id)
                engine.withdraw([self._open[seed]])
                engine.restart(*worker)
