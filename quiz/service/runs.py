"""The sandbox's runs, kept beside the attempts.

`RunBook` is the sandbox's RunStore in structure: plain dictionaries in and out, no import either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from quiz.service.datafile import NOTE_LENGTH
from quiz.service.errors import UnknownRun
from quiz.service.owners import lives_elsewhere, this_process
from quiz.storage.database import Database
from quiz.storage.models import StoredRun
from quiz.views import RunRow

UNDO = timedelta(days=1)  # for which a deleted run can be had back
INTERRUPTED = "The app stopped while this run was going on."
_REQUEST = ("experiment", "settings", "first_seed", "seeds", "device", "prediction", "versions")
_RESULT = ("state", "error", "device_used", "cpu_seconds", "verdict", "record")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class RunBook:
    """One learner's runs. `clock` gives the time a run begins and ends; `owner` names the process that keeps them."""

    def __init__(self, database: Database, learner: int, clock: Callable[[], datetime] = _utc_now, owner: str = "") -> None:
        self._database = database
        self._learner = learner
        self._clock = clock
        self._owner = owner or this_process()

    def begin(self, run_id: str, facts: Mapping[str, object]) -> None:
        """Store a run that is about to start. Its request, prediction included, cannot change from here on.

        Errors: ValueError when the run is stored already, or a fact is missing.
        """
        given: dict[str, Any] = dict(facts)
        missing = [name for name in ("experiment", "settings", "first_seed", "seeds") if name not in given]
        if missing:
            raise ValueError(f"run {run_id}: {', '.join(missing)} must be given")
        more = {name: value for name, value in given.items() if name not in _REQUEST and name != "state"}
        row = StoredRun(
            id=run_id,
            learner_id=self._learner,
            experiment=given["experiment"],
            settings=dict(given["settings"]),
            first_seed=given["first_seed"],
            seeds=given["seeds"],
            device=given.get("device", "auto"),
            prediction=given.get("prediction"),
            versions=dict(given.get("versions") or {}),
            request_more=more | {"owner": self._owner},
            state=str(given.get("state", "queued")),
            started_at=self._clock(),
        )
        with self._database.write() as repository:
            if repository.has_run(run_id) or repository.runs(self._learner).was_deleted(run_id):
                raise ValueError(f"run {run_id} is stored already")
            repository.runs(self._learner).forget_deleted(row.started_at - UNDO)
            repository.add(row)

    def end(self, run_id: str, facts: Mapping[str, object]) -> None:
        """Store how the run ended. The first end counts; a later one changes nothing, nor does that of a learner who has left.

        Errors: UnknownRun; ValueError when `facts` would change the request.
        """
        given: dict[str, Any] = dict(facts)
        with self._database.write() as repository:
            run = repository.run(run_id, self._learner)
            if run is None:
                if not repository.has_learner(self._learner):
                    return
                raise UnknownRun(run_id)
            changed = [name for name in _REQUEST if name in given and given[name] != getattr(run, name)]
            if changed:
                raise ValueError(f"run {run_id}: {', '.join(changed)} cannot change after the run has begun")
            if run.ended_at is None:
                for name in _RESULT:
                    if name in given:
                        setattr(run, name, given[name])
                run.result_more = {name: value for name, value in given.items() if name not in _RESULT + _REQUEST}
                run.ended_at = self._clock()

    def load(self, run_id: str) -> Mapping[str, object] | None:
        """All facts of a run, with `run_id`, `started_at` and `ended_at` (ISO, UTC); None when there is no such run."""
        with self._database.read() as repository:
            run = repository.run(run_id, self._learner, with_record=True)
            return None if run is None else _facts(run)

    def judged(self, experiment_id: str, limit: int) -> Sequence[Mapping[str, object]]:
        """The latest runs of an experiment that have a verdict, newest first: all facts but their records."""
        with self._database.read() as repository:
            return [_facts(run, without=("record",)) for run in repository.judged_runs(self._learner, experiment_id, limit)]

    def history(self, wanted: Mapping[str, object], offset: int, limit: int) -> tuple[int, Sequence[Mapping[str, object]]]:
        """How many runs are wanted, and a page of them, newest first: all facts but their records, and `note`."""
        with self._database.read() as repository:
            count, runs = repository.runs(self._learner).found(wanted, offset, limit)
            return count, [{**_facts(run, without=("record",)), "note": run.note.text if run.note else ""} for run in runs]

    def note(self, run_id: str, text: str) -> bool:
        """Keep a note on a run, in the place of an earlier one. False when there is no such run. Errors: ValueError when it is too long."""
        text = text.strip()
        if len(text) > NOTE_LENGTH:
            raise ValueError(f"a note has at most {NOTE_LENGTH} characters, got {len(text)}")
        with self._database.write() as repository:
            runs = repository.runs(self._learner)
            before = runs.notes_of([run_id]).get(run_id)
            # Later than the edit it replaces, even when that came from a device whose clock is ahead.
            return runs.note(run_id, text, max(self._clock(), before.edited_at + timedelta(microseconds=1)) if before else self._clock())

    def delete(self, run_id: str) -> bool:
        """Delete a run; its id stays, so that no older file brings it back. False when there is no such run, or it still goes on."""
        now = self._clock()
        with self._database.write() as repository:
            repository.runs(self._learner).forget_deleted(now - UNDO)
            return repository.runs(self._learner).delete(run_id, now)

    def restore(self, run_id: str) -> bool:
        """Undo a deletion. False when it is too late, or nothing was deleted."""
        with self._database.write() as repository:
            return repository.runs(self._learner).restore(run_id)

    def recent(self, limit: int = 20) -> tuple[RunRow, ...]:
        """The latest runs, newest first."""
        with self._database.read() as repository:
            return tuple(run_row(run) for run in repository.recent_runs(self._learner, limit))

    def fail_interrupted(self, now: datetime) -> int:
        """Mark runs that never ended as failed, at the start of the app, but not those another living app keeps. Gives how many there were."""
        with self._database.write() as repository:
            left = [run for run in repository.unfinished_runs(self._learner) if not lives_elsewhere(run.request_more.get("owner"))]
            for run in left:
                run.state, run.error, run.ended_at = "failed", INTERRUPTED, now
            return len(left)


def run_row(run: StoredRun) -> RunRow:
    """A stored run as a line of the history."""
    verdict = run.verdict or {}
    return RunRow(
        id=run.id,
        experiment=run.experiment,
        settings=run.settings,
        first_seed=run.first_seed,
        seeds=run.seeds,
        device=run.device_used or run.device,
        state=run.state,
        status=verdict.get("status"),
        prediction=run.prediction,
        outcome=verdict.get("outcome"),
        error=run.error,
        started_at=run.started_at,
        ended_at=run.ended_at,
    )


def _facts(run: StoredRun, without: Sequence[str] = ()) -> dict[str, object]:
    times = {"started_at": run.started_at.isoformat(), "ended_at": run.ended_at.isoformat() if run.ended_at else None}
    stored = {name: getattr(run, name) for name in _REQUEST + _RESULT if name not in without}
    return {**run.request_more, **(run.result_more or {}), **stored, **times, "run_id": run.id}
