"""The laboratory: starts runs, shows them, cancels them. The one object the pages talk to.

Every call returns at once; training happens in worker processes, and a thread for each run sees it through (conductor.py).
"""

from __future__ import annotations

import copy
import platform
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any

from sandbox.jobs.board import Board
from sandbox.jobs.comparing import Comparisons
from sandbox.jobs.conductor import Conductor
from sandbox.jobs.floor import Floor
from sandbox.operations import Examined, Operation
from sandbox.operations import checked as checked_operation
from sandbox.protocol import Experiment, RunRequest, RunState, RunStore, Specimen
from sandbox.records import Repeat, Snapshot, begin_facts, compare, read_snapshot
from sandbox.registry import find_experiment
from sandbox.requests import checked
from sandbox.settings import LabSettings

OPERATION_S = 6.0  # how long somebody waits for an operation while all workers are training


class UnknownRun(KeyError):
    """No run has this id."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id

    def __str__(self) -> str:
        return f"unknown run {self.run_id!r}"


class NoSpecimen(LookupError):
    """The run has no such trained network, or not any more; the message says which."""


class OperationFailed(RuntimeError):
    """An operation could not be done just now; the message says why and what helps."""


class Laboratory:
    """Runs experiments for the pages. Safe to call from any thread; no call waits for training.

    `store` keeps the runs of whoever uses this object: no other run can be seen, compared with or cancelled through it.
    `find` turns an experiment's id into the experiment, here and in the workers. `clock` is what leases are measured by, in
    seconds.
    """

    def __init__(
        self,
        settings: LabSettings,
        store: RunStore,
        *,
        find: Callable[[str], Experiment] = find_experiment,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._store, self._find = store, find
        self._floor = Floor(settings, find, clock)
        self.comparisons = Comparisons(self._floor.engine)

    def with_store(self, store: RunStore) -> Laboratory:
        """The same laboratory for somebody whose runs are kept in another store: it sees those and no others."""
        other = copy.copy(self)
        other._store = store
        return other

    def warm_up(self, after_s: float = 0.0) -> None:
        """Start the workers in the background, so that the first run finds them ready; `after_s` leaves the processors to
        others first. Returns at once. The first call counts, and a later one without `after_s` makes it hurry.
        """
        self._floor.warm_up(after_s)

    def start(self, request: RunRequest, run_id: str | None = None, *, repeats: str | None = None) -> str:
        """Start a run and return its id. The request, prediction included, is stored before anything runs.

        `run_id` is the caller's token: the same token gives the same run, so a double click starts one. `repeats` names an
        earlier run to compare the numbers with. Errors: UnknownExperiment, InvalidSetting; whatever the store raises, as for
        the token of a run that somebody else has started.
        """
        experiment = self._find(request.experiment)
        request = checked(experiment, request)
        run_id = run_id or uuid.uuid4().hex
        with self._floor.lock:
            if self._floor.closed:
                raise RuntimeError("the laboratory is closed")
            if self._find_conductor(run_id) is not None or self._store.load(run_id) is not None:
                return run_id
            self._store.begin(run_id, begin_facts(request, _versions_here()))
            conductor = self._conductor(Board(run_id, experiment, request, repeats))
            self._floor.conductors[run_id] = conductor
            self._floor.forget_old()
        conductor.start()
        return run_id

    def snapshot(self, run_id: str) -> Snapshot:
        """The run as it stands; looking renews its lease. Errors: UnknownRun, UnreadableRecord."""
        conductor = self._find_conductor(run_id)
        if conductor is not None:
            conductor.seen()
            return conductor.board.snapshot()
        return self._stored(run_id)

    def finished_runs(self, experiment_id: str, limit: int) -> Sequence[Mapping[str, Any]]:
        """Stored runs of an experiment that have a verdict, newest first, as facts without their records."""
        return self._store.judged(experiment_id, limit)

    def history(self, wanted: Mapping[str, object], offset: int, limit: int) -> tuple[int, Sequence[Mapping[str, Any]]]:
        """How many stored runs are wanted, and a page of them; see RunStore.history."""
        return self._store.history(wanted, offset, limit)

    def note(self, run_id: str, text: str) -> bool:
        """Keep a note on a run; False when there is no such run."""
        return self._store.note(run_id, text)

    def delete(self, run_id: str) -> bool:
        """Delete a run that is over, its trained networks too; False when it still goes on, or there is none."""
        deleted = self._store.delete(run_id)
        if deleted:
            with self._floor.lock:
                self._floor.conductors.pop(run_id, None)
        return deleted

    def restore(self, run_id: str) -> bool:
        """Undo a deletion, all but the trained networks; False when it is too late."""
        return self._store.restore(run_id)

    def wait(self, run_id: str, seconds: float, *, final: bool = False) -> None:
        """Return when the run has something to draw (with `final`: when it is over), at the latest after `seconds`."""
        conductor = self._find_conductor(run_id)
        if conductor is not None:
            conductor.board.wait(seconds, final=final)

    def cancel(self, run_id: str) -> Snapshot:
        """End a run at once; seeds that have finished keep their values. Errors: UnknownRun."""
        conductor = self._find_conductor(run_id)
        if conductor is not None:
            conductor.stop(RunState.CANCELLED, None)
        return self.snapshot(run_id)

    def has_specimens(self, run_id: str) -> bool:
        """Whether trained networks of this run are still in memory."""
        conductor = self._find_conductor(run_id)
        return conductor is not None and bool(conductor.board.snapshot().specimens)

    def operate(self, run_id: str, seed: int, arm: str, operation: Operation) -> Examined:
        """Operate on a trained network of a run, in a worker; waits for the result, a few seconds when all of them are training.

        Errors: UnknownRun; NoSpecimen; InvalidSetting for what this network does not allow; OperationFailed.
        """
        from distributed.scheduler import KilledWorker

        from sandbox.jobs.engine import WorkersBusy, WorkersUnavailable
        from sandbox.jobs.operating import operate

        specimen = self._specimen(run_id, seed, arm)
        operation = checked_operation(operation, specimen.last_exchange)
        engine = self._floor.engine()
        try:
            engine.connect()
            return engine.call(operate, specimen.payload, operation, wait_s=OPERATION_S)
        except WorkersBusy as error:
            raise OperationFailed("All training processes are busy with other runs. Try again in a moment.") from error
        except (WorkersUnavailable, OSError) as error:
            raise OperationFailed(f"The training workers cannot be reached ({error}). Try again in a moment: they are set up anew.") from error
        except KilledWorker as error:
            raise OperationFailed("The process that operated was ended from outside. Another has taken its place: try again.") from error

    def close(self) -> None:
        """End every run and the workers. Blocks for a few seconds at most."""
        self._floor.close()

    # --- Inside ---

    def _conductor(self, board: Board) -> Conductor:
        return Conductor(
            board,
            engine=self._floor.engine,
            find=self._find,
            store=self._store,
            settings=self.settings,
            clock=self._floor.clock,
            compared=self._compared,
        )

    def _find_conductor(self, run_id: str) -> Conductor | None:
        """The conductor of a run of this store, while it is held in memory."""
        conductor = self._floor.conductors.get(run_id)
        return conductor if conductor is not None and conductor.store is self._store else None

    def _specimen(self, run_id: str, seed: int, arm: str) -> Specimen:
        conductor = self._find_conductor(run_id)
        if conductor is None:
            self._stored(run_id)
            raise NoSpecimen(f"run {run_id!r}: its trained networks were kept in memory only and are gone; run it again to operate")
        specimen = conductor.board.specimen(seed, arm)
        if specimen is None:
            there = ", ".join(f"seed {one.seed} of {one.arm}" for one in conductor.board.snapshot().specimens)
            raise NoSpecimen(f"run {run_id!r} keeps no network of {arm!r} with seed {seed}; it keeps: {there or 'none'}")
        return specimen

    def _stored(self, run_id: str) -> Snapshot:
        facts = self._store.load(run_id)
        if facts is None:
            raise UnknownRun(run_id)
        return read_snapshot(run_id, facts)

    def _compared(self, snapshot: Snapshot) -> Repeat | None:
        if snapshot.repeats is None:
            return None
        conductor = self._find_conductor(snapshot.repeats)
        try:
            earlier = conductor.board.snapshot() if conductor is not None else self._stored(snapshot.repeats)
        except (UnknownRun, ValueError):
            return None
        return compare(snapshot, earlier)


def _versions_here() -> dict[str, str]:
    """Versions by this process, which does not load torch; the record of the run has the worker's own."""
    return {"python": platform.python_version(), "torch": metadata.version("torch"), "platform": platform.platform()}
