"""The board of one run: what its seeds have reported so far, written by the run's thread and read by pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.protocol import Experiment, Picture, Point, RunRequest, RunState, Specimen, judge
from sandbox.records import SeedState, SeedView, Snapshot, SpecimenView

if TYPE_CHECKING:
    from sandbox.jobs.worker import SeedRecord

KEPT_SEEDS = 3  # the first seeds of a run keep their trained networks: enough to tell luck, little enough to hold in memory


class Board:
    """Holds a run's facts under a lock; `snapshot` gives them as one consistent value.

    A final state is written once: whatever a late worker still reports is dropped.
    """

    def __init__(self, run_id: str, experiment: Experiment, request: RunRequest, repeats: str | None) -> None:
        self.run_id, self.experiment, self.request, self.repeats = run_id, experiment, request, repeats
        self._changed = threading.Condition()
        self._state = RunState.QUEUED
        self._error: str | None = None
        self._seeds = {request.first_seed + offset: _Seed() for offset in range(request.seeds)}
        self._device: str | None = None
        self._why = ""
        self._versions: Mapping[str, str] = {}
        self._last = self._build()

    def snapshot(self) -> Snapshot:
        """The run as it stands."""
        with self._changed:
            if not self._last.state.final:
                self._last = self._build()
            return self._last

    def wait(self, seconds: float, *, final: bool = False) -> None:
        """Return when there is something to draw (or, with `final`, when the run is over), at the latest after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._state.final or (not final and any(one.points for one in self._seeds.values())), seconds)

    def started(self, seed: int, facts: Mapping[str, Any]) -> None:
        """A worker has taken up a seed (perhaps again, on a cluster that retries: then it starts from nothing)."""
        with self._changed:
            if not self._state.final and self._seeds[seed].record is None:
                self._state = RunState.RUNNING
                self._seeds[seed] = _Seed("running", worker=(facts["worker"], facts["pid"]), started_at=time.monotonic())
                self._device, self._why, self._versions = facts["device"], facts["why"], facts["versions"]

    def points(self, seed: int, batch: list[Any]) -> None:
        """Points of a running seed have come in."""
        with self._changed:
            # A seed that has returned brought all its points: stragglers would be drawn twice.
            if not self._state.final and self._seeds[seed].state == "running":
                self._seeds[seed].points.extend(Point(arm, update, values) for arm, update, values in batch)
                self._changed.notify_all()

    def done(self, seed: int, record: SeedRecord) -> None:
        """A seed's task has returned; its record is complete, whatever was lost on the way."""
        with self._changed:
            if not self._state.final:
                one = self._seeds[seed]
                one.state = "stopped" if record.stopped else "finished"
                one.points = list(record.points)
                one.record = record if seed < self.request.first_seed + KEPT_SEEDS else replace(record, specimens=())

    def end(self, state: RunState, error: str | None, *, polish: Callable[[Snapshot], Snapshot] = lambda snapshot: snapshot) -> Snapshot:
        """Settle the run: the verdict is computed on the seeds that finished, if any. `polish` adds to the final snapshot
        before anyone sees it.
        """
        with self._changed:
            if not self._state.final:
                self._state, self._error = state, error
                for one in self._seeds.values():
                    if one.state == "running":
                        one.state = "stopped"
                self._last = polish(self._build())
                self._changed.notify_all()
            return self._last

    def specimen(self, seed: int, arm: str) -> Specimen | None:
        """A trained network of this run, None when there is none."""
        with self._changed:
            one = self._seeds.get(seed)
            return next((specimen for specimen in one.specimens if specimen.arm == arm), None) if one is not None else None

    @property
    def final(self) -> bool:
        """Whether the run is over."""
        with self._changed:
            return self._state.final

    def worker_of(self, seed: int) -> tuple[str, int] | None:
        """Address and process id of the worker that took the seed up, None when none has."""
        with self._changed:
            return self._seeds[seed].worker

    def overdue(self, seconds: float) -> list[int]:
        """Running seeds that were started more than `seconds` ago."""
        with self._changed:
            return [seed for seed, one in self._seeds.items() if one.state == "running" and time.monotonic() - one.started_at > seconds]

    def _build(self) -> Snapshot:
        measured = [one.record.measured for one in self._seeds.values() if one.record is not None and one.record.measured is not None]
        final = self._state.final
        return Snapshot(
            run_id=self.run_id,
            request=self.request,
            state=self._state,
            seeds=tuple(one.view(seed) for seed, one in self._seeds.items()),
            pictures=self._pictures(),
            specimens=tuple(SpecimenView(seed, kept.arm, kept.last_exchange) for seed, one in self._seeds.items() for kept in one.specimens),
            verdict=judge(self.experiment, self.request.settings, measured) if final and measured else None,
            device=self._device,
            device_why=self._why,
            error=self._error,
            repeats=self.repeats,
            versions=self._versions,
        )

    def _pictures(self) -> tuple[Picture, ...]:
        return next((one.record.pictures for one in self._seeds.values() if one.record is not None and one.record.pictures), ())


class _Seed:
    """One seed's part of the board."""

    def __init__(self, state: SeedState = "waiting", *, worker: tuple[str, int] | None = None, started_at: float = 0.0) -> None:
        self.state, self.worker, self.started_at = state, worker, started_at
        self.points: list[Point] = []
        self.record: SeedRecord | None = None

    @property
    def specimens(self) -> tuple[Specimen, ...]:
        return self.record.specimens if self.record is not None else ()

    def view(self, seed: int) -> SeedView:
        record = self.record
        return SeedView(seed, self.state, tuple(self.points), record.measured if record else None, record.cpu_seconds if record else 0.0)
