"""Queries on a learner's runs: search page by page, notes, deletion that can be undone for a while.

Nothing here reads a run's record but the deletion: a record is thousands of numbers, and a history may hold ten thousand runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import Session, joinedload, undefer

from quiz.storage.models import DeletedRun, RunNote, StoredRun
from quiz.storage.transfer import chunks

_NEWEST_FIRST = StoredRun.started_at.desc(), StoredRun.id
_STATUS = StoredRun.verdict["status"].as_string()
_OUTCOME = StoredRun.verdict["outcome"].as_string()
_COLUMNS = tuple(column.name for column in StoredRun.__table__.columns)
_TIMES = ("started_at", "ended_at")
_PREDICTED: Mapping[str, ColumnElement[bool]] = {
    "rightly": StoredRun.prediction == _OUTCOME,
    "wrongly": StoredRun.prediction != _OUTCOME,
    "not": StoredRun.prediction.is_(None),
}


class Runs:
    """One learner's runs on the session of a Repository; the transaction is the caller's."""

    def __init__(self, session: Session, learner: int) -> None:
        self._session = session
        self._learner = learner

    # --- the history ---

    def count(self) -> int:
        """How many runs the learner has."""
        return self._session.scalars(select(func.count()).select_from(StoredRun).where(StoredRun.learner_id == self._learner)).one()

    def found(self, wanted: Mapping[str, Any], offset: int, limit: int) -> tuple[int, Sequence[StoredRun]]:
        """How many runs are wanted (see sandbox.protocol.RunStore.history), and those of one page with notes, newest first."""
        mine = select(StoredRun.id).where(StoredRun.learner_id == self._learner, *_conditions(wanted))
        count = self._session.scalars(select(func.count()).select_from(mine.subquery())).one()
        if count <= offset or not limit:
            return count, ()
        # Ids first: rows are wide, and only those of the page are worth reading.
        page = self._session.scalars(mine.order_by(*_NEWEST_FIRST).offset(offset).limit(limit)).all()
        rows = select(StoredRun).where(StoredRun.id.in_(page)).options(joinedload(StoredRun.note))
        return count, self._session.scalars(rows.order_by(*_NEWEST_FIRST)).all()

    # --- notes ---

    def note(self, run_id: str, text: str, edited_at: datetime) -> bool:
        """Keep a note in the place of an earlier one; whether there is such a run."""
        if not self._here(run_id):
            return False
        values = {"text": text, "folded": text.casefold(), "edited_at": edited_at}
        self._session.execute(upsert(RunNote).values(run_id=run_id, **values).on_conflict_do_update(index_elements=["run_id"], set_=values))
        return True

    def notes_of(self, run_ids: Sequence[str]) -> dict[str, RunNote]:
        """The notes on these runs, by the run's id."""
        return {note.run_id: note for note in self._session.scalars(select(RunNote).where(RunNote.run_id.in_(run_ids)))}

    # --- deletion ---

    def delete(self, run_id: str, deleted_at: datetime) -> bool:
        """Delete a run that is over, keeping it for an undo; whether it was there."""
        wanted = select(StoredRun).where(StoredRun.id == run_id, StoredRun.learner_id == self._learner, StoredRun.ended_at.is_not(None))
        run = self._session.scalar(wanted.options(undefer(StoredRun.record)))
        if run is None:
            return False
        note = self._session.get(RunNote, run_id)
        facts = {name: getattr(run, name) for name in _COLUMNS}
        kept = {
            "run": {**facts, **{name: facts[name].isoformat() for name in _TIMES}},
            "note": note and {"text": note.text, "edited_at": note.edited_at.isoformat()},
        }
        self._session.execute(insert(DeletedRun).values(learner_id=self._learner, run_id=run_id, deleted_at=deleted_at, kept=kept))
        self._session.execute(delete(RunNote).where(RunNote.run_id == run_id))
        self._session.execute(delete(StoredRun).where(StoredRun.id == run_id))
        self._session.expire_all()
        return True

    def restore(self, run_id: str) -> bool:
        """Undo a deletion; whether the run was still kept."""
        kept = self._session.scalar(select(DeletedRun.kept).where(DeletedRun.learner_id == self._learner, DeletedRun.run_id == run_id))
        if kept is None:
            return False
        self._session.execute(delete(DeletedRun).where(DeletedRun.learner_id == self._learner, DeletedRun.run_id == run_id))
        times = {name: datetime.fromisoformat(kept["run"][name]) for name in _TIMES}
        self._session.execute(insert(StoredRun).values(**{**kept["run"], **times}))
        if kept["note"]:
            self.note(run_id, kept["note"]["text"], datetime.fromisoformat(kept["note"]["edited_at"]))
        return True

    def forget_deleted(self, before: datetime) -> None:
        """Let go of the contents of what was deleted before that time."""
        old = DeletedRun.learner_id == self._learner, DeletedRun.deleted_at < before, DeletedRun.kept.is_not(None)
        self._session.execute(update(DeletedRun).where(*old).values(kept=None))

    def deleted(self) -> dict[str, datetime]:
        """Ids of the runs the learner has deleted, and when, the earliest first."""
        rows = select(DeletedRun.run_id, DeletedRun.deleted_at).where(DeletedRun.learner_id == self._learner)
        return {row.run_id: row.deleted_at for row in self._session.execute(rows.order_by(DeletedRun.deleted_at, DeletedRun.run_id))}

    def was_deleted(self, run_id: str) -> bool:
        """Whether the learner deleted a run with this id."""
        return self._session.get(DeletedRun, (self._learner, run_id)) is not None

    def ended_among(self, run_ids: Iterable[str]) -> set[str]:
        """Which of these runs are here and over."""
        mine = StoredRun.learner_id == self._learner, StoredRun.ended_at.is_not(None)
        found: set[str] = set()
        for chunk in chunks(run_ids):
            found.update(self._session.scalars(select(StoredRun.id).where(StoredRun.id.in_(chunk), *mine)))
        return found

    def mark_deleted(self, run_id: str, at: datetime) -> None:
        """Keep that a run was deleted elsewhere; of two times the later one stays."""
        mark = upsert(DeletedRun).values(learner_id=self._learner, run_id=run_id, deleted_at=at)
        later = func.max(DeletedRun.deleted_at, mark.excluded.deleted_at)
        self._session.execute(mark.on_conflict_do_update(index_elements=["learner_id", "run_id"], set_={"deleted_at": later}))

    def _here(self, run_id: str) -> bool:
        wanted = select(func.count()).select_from(StoredRun).where(StoredRun.id == run_id, StoredRun.learner_id == self._learner)
        return bool(self._session.scalar(wanted))


def _conditions(wanted: Mapping[str, Any]) -> Iterable[ColumnElement[bool]]:
    if wanted.get("experiment") is not None:
        yield StoredRun.experiment == wanted["experiment"]
    if wanted.get("endings"):
        yield _ended_so(wanted["endings"])
    if wanted.get("predicted") is not None:
        yield _PREDICTED[wanted["predicted"]]
    for word in wanted.get("words", ()):
        noted = select(RunNote.run_id).where(RunNote.run_id == StoredRun.id, func.instr(RunNote.folded, word["text"]) > 0).exists()
        yield or_(noted, StoredRun.experiment.in_(word["experiments"]), _ended_so(word["endings"]))


def _ended_so(endings: Sequence[str]) -> ColumnElement[bool]:
    """A verdict with one of these statuses or, without a verdict, one of these states."""
    return or_(_STATUS.in_(endings), and_(StoredRun.verdict.is_(None), StoredRun.state.in_(endings)))
