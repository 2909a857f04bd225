"""What everybody in the laboratory shares: the workers, and the runs that are going on or have just been.

Whose a run is, is known by the store that keeps it; `laboratory.py` lets nobody see a run of another store.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.jobs.conductor import Conductor
from sandbox.protocol import Experiment, RunState
from sandbox.settings import LabSettings

if TYPE_CHECKING:
    from sandbox.jobs.engine import Engine

log = logging.getLogger(__name__)

KEPT = 30  # runs held in memory; older ones are read from the store
CLOSE_S = 5.0


class Floor:
    """The engine and the conductors by run id, which is unique over all stores. Whoever changes `conductors` holds `lock`."""

    def __init__(self, settings: LabSettings, find: Callable[[str], Experiment], clock: Callable[[], float]) -> None:
        self.settings, self.find, self.clock = settings, find, clock
        self.lock = threading.Lock()
        self.conductors: OrderedDict[str, Conductor] = OrderedDict()
        self.closed = False
        self._engine: Engine | None = None
        self._warming: threading.Thread | None = None
        self._now = threading.Event()  # set when the workers are wanted at once, or never again

    def engine(self) -> Engine:
        """The engine, made on first use (which loads Dask)."""
        from sandbox.jobs.engine import Engine

        with self.lock:
            if self._engine is None:
                self._engine = Engine(self.settings, self._heard)
            return self._engine

    def warm_up(self, after_s: float) -> None:
        """Start the workers in the background; see Laboratory.warm_up."""
        with self.lock:
            if after_s <= 0:
                self._now.set()
            if self._warming is None and not self.closed:
                self._warming = threading.Thread(target=self._warm, args=(after_s,), name="laboratory-warm-up", daemon=True)
                self._warming.start()

    def forget_old(self) -> None:
        """Let go of runs that are over, the oldest first, until few enough are held. The caller holds `lock`."""
        over = [run_id for run_id, conductor in self.conductors.items() if not conductor.is_alive() and conductor.board.final]
        for run_id in over[: max(0, len(self.conductors) - KEPT)]:
            del self.conductors[run_id]

    def close(self) -> None:
        """End every run and the workers. Blocks for a few seconds at most."""
        with self.lock:
            self.closed = True
            self._now.set()
            conductors, warming = list(self.conductors.values()), self._warming
        for conductor in conductors:
            conductor.stop(RunState.FAILED, "The app was stopped while this run was going on.")
        deadline = time.monotonic() + CLOSE_S
        for thread in (*conductors, *([warming] if warming else [])):
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._engine is not None:
            self._engine.close()

    def _warm(self, after_s: float) -> None:
        self._now.wait(after_s)
        if self.closed:
            return
        try:
            self.engine().connect()
        except Exception:  # the next run tries again and says what is wrong
            log.exception("the training workers could not be started ahead of time")

    def _heard(self, message: Mapping[str, Any]) -> None:
        conductor = self.conductors.get(message["run"])
        if conductor is not None:
            conductor.hear(message)
