"""Rows in bulk: out for a learner's file, and in from one. Reads stream, a thousand rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session, joinedload, undefer

from quiz.storage.models import Attempt, Base, Interview, ItemVersion, Learner, PracticeSession, Presentation, QuestionVersion, StoredRun

CHUNK = 1000
AnyRow = TypeVar("AnyRow")
Values = Mapping[str, Any]


def chunks(rows: Iterable[AnyRow], size: int = CHUNK) -> Iterator[list[AnyRow]]:
    """`rows` in lists of up to `size`."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk


class Transfer:
    """Bulk queries on the session of a Repository; the transaction is the caller's."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # --- out, in an order that does not depend on when a row came into this database ---

    def learner_name(self, learner: int) -> str:
        """The learner's name."""
        return self._session.get_one(Learner, learner).name

    def questions(self, learner: int) -> Iterator[Any]:
        """Question id, hash and content of every wording the learner was shown."""
        used = select(Presentation.question_version_id).join(PracticeSession).where(PracticeSession.learner_id == learner)
        wanted = select(QuestionVersion.question_id, QuestionVersion.hash, QuestionVersion.content).where(QuestionVersion.id.in_(used))
        return self._stream(wanted.order_by(QuestionVersion.question_id, QuestionVersion.hash))

    def items(self, learner: int) -> Iterator[Any]:
        """Question id, key, hash and content of every wording of an item the learner was shown."""
        used = select(Presentation.item_version_id).join(PracticeSession).where(PracticeSession.learner_id == learner)
        wanted = select(ItemVersion.question_id, ItemVersion.key, ItemVersion.hash, ItemVersion.content).where(ItemVersion.id.in_(used))
        return self._stream(wanted.order_by(ItemVersion.question_id, ItemVersion.hash))

    def interviews(self, learner: int) -> Iterator[Any]:
        """day, minutes, days_off, set_at, went, closed_at."""
        wanted = select(Interview.day, Interview.minutes, Interview.days_off, Interview.set_at, Interview.went, Interview.closed_at)
        return self._stream(wanted.where(Interview.learner_id == learner).order_by(Interview.set_at, Interview.day))

    def sessions(self, learner: int) -> Iterator[Any]:
        """id, length, only, kind, started_at, ended_at."""
        wanted = select(
            PracticeSession.id, PracticeSession.length, PracticeSession.only, PracticeSession.kind, PracticeSession.started_at, PracticeSession.ended_at
        )
        return self._stream(wanted.where(PracticeSession.learner_id == learner).order_by(PracticeSession.started_at, PracticeSession.id))

    def presentations(self, learner: int) -> Iterator[Any]:
        """id, session, position, question, question_hash, item_hash, order, seed, reason, shown_at, closed_at."""
        wanted = (
            select(
                Presentation.id, Presentation.session_id.label("session"), Presentation.position, ItemVersion.question_id.label("question"),
                QuestionVersion.hash.label("question_hash"), ItemVersion.hash.label("item_hash"), Presentation.order, Presentation.seed,
                Presentation.reason, Presentation.shown_at, Presentation.closed_at,
            )
            .join(PracticeSession, Presentation.session_id == PracticeSession.id)
            .join(ItemVersion, Presentation.item_version_id == ItemVersion.id)
            .join(QuestionVersion, Presentation.question_version_id == QuestionVersion.id)
            .where(PracticeSession.learner_id == learner)
            .order_by(Presentation.shown_at, Presentation.id)
        )  # fmt: skip
        return self._stream(wanted)

    def attempts(self, learner: int) -> Iterator[Any]:
        """The columns of an attempt, then session, question, item, format, difficulty, reason, seed, item_hash."""
        wanted = (
            select(
                Attempt.presentation_id.label("presentation"), Attempt.response, Attempt.correct, Attempt.score, Attempt.confidence,
                Attempt.answered_at, Attempt.seconds, Presentation.session_id.label("session"), ItemVersion.question_id.label("question"),
                ItemVersion.key.label("item"), ItemVersion.format, ItemVersion.difficulty, Presentation.reason, Presentation.seed,
                ItemVersion.hash.label("item_hash"),
            )
            .join(Presentation, Attempt.presentation_id == Presentation.id)
            .join(ItemVersion, Presentation.item_version_id == ItemVersion.id)
            .where(Attempt.learner_id == learner)
            .order_by(Attempt.answered_at, Attempt.presentation_id)
        )  # fmt: skip
        return self._stream(wanted)

    def ended_runs(self, learner: int, with_record: bool) -> Iterator[StoredRun]:
        """The learner's runs that are over, with their notes, oldest first. Each is let go before the next is read: a record is large."""
        ended = select(StoredRun).where(StoredRun.learner_id == learner, StoredRun.ended_at.is_not(None)).options(joinedload(StoredRun.note))
        wanted = ended.order_by(StoredRun.started_at, StoredRun.id)
        for run in self._session.scalars(wanted.options(undefer(StoredRun.record)) if with_record else wanted, execution_options={"yield_per": 10}):
            self._session.expunge(run)
            yield run

    def _stream(self, wanted: Any) -> Iterator[Any]:
        yield from self._session.execute(wanted, execution_options={"yield_per": CHUNK})

    # --- what is here already ---

    def sessions_of(self, ids: Sequence[str]) -> dict[str, Any]:
        """By id: learner_id, length, only, started_at, ended_at."""
        wanted = select(
            PracticeSession.id, PracticeSession.learner_id, PracticeSession.length, PracticeSession.only, PracticeSession.started_at, PracticeSession.ended_at
        )
        return {row.id: row for row in self._session.execute(wanted.where(PracticeSession.id.in_(ids)))}

    def presentations_of(self, ids: Sequence[str]) -> dict[str, Any]:
        """By id: learner_id, session, question_version_id, item_version_id, order, seed, shown_at, closed_at."""
        wanted = select(
            Presentation.id, PracticeSession.learner_id, Presentation.session_id.label("session"), Presentation.question_version_id,
            Presentation.item_version_id, Presentation.order, Presentation.seed, Presentation.shown_at, Presentation.closed_at,
        ).join(PracticeSession, Presentation.session_id == PracticeSession.id)  # fmt: skip
        return {row.id: row for row in self._session.execute(wanted.where(Presentation.id.in_(ids)))}

    def attempts_of(self, presentation_ids: Sequence[str]) -> dict[str, Any]:
        """By presentation id: learner_id, response, correct, score, confidence, answered_at."""
        wanted = select(Attempt.presentation_id, Attempt.learner_id, Attempt.response, Attempt.correct, Attempt.score, Attempt.confidence, Attempt.answered_at)
        return {row.presentation_id: row for row in self._session.execute(wanted.where(Attempt.presentation_id.in_(presentation_ids)))}

    def runs_of(self, ids: Sequence[str]) -> dict[str, StoredRun]:
        """By id, without records."""
        return {run.id: run for run in self._session.scalars(select(StoredRun).where(StoredRun.id.in_(ids)))}

    def positions(self, session_ids: Sequence[str]) -> dict[str, set[int]]:
        """The positions taken in each of these sessions."""
        taken: dict[str, set[int]] = {}
        for session, position in self._session.execute(select(Presentation.session_id, Presentation.position).where(Presentation.session_id.in_(session_ids))):
            taken.setdefault(session, set()).add(position)
        return taken

    # --- in ---

    def insert(self, table: type[Base], rows: Sequence[Values]) -> None:
        """Insert rows given as columns' values."""
        if rows:
            self._session.execute(insert(table), list(rows))

    def set_ended(self, session_id: str, ended_at: object) -> None:
        """Change when a session ended."""
        self._session.execute(update(PracticeSession).where(PracticeSession.id == session_id).values(ended_at=ended_at))

    def set_closed(self, presentation_id: str, closed_at: object) -> None:
        """Change when a presentation was left."""
        self._session.execute(update(Presentation).where(Presentation.id == presentation_id).values(closed_at=closed_at))
