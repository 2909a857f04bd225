"""The tables, as typed models.

What a learner did is append-only: attempts are never changed or deleted, and a run's request, prediction included,
cannot change once it has begun. Triggers hold both (see the first migration). A run as a whole can be deleted, which
leaves its id behind; attempts can only go with their learner, all of them (see the fifth migration). Exact wordings are
kept by content hash, so every attempt points at what was really asked.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, MetaData, String, TypeDecorator, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC. Refuses naive ones: nobody could say later which hour was meant."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware value to naive UTC. Errors: ValueError for a naive value."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"expected a datetime with a time zone, got {value.isoformat()}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Naive UTC to aware."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Names constraints alike everywhere, so that migrations can refer to them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime, dict[str, Any]: JSON(none_as_null=True), list[str]: JSON(none_as_null=True)}


class Learner(Base):
    """Someone who practises."""

    __tablename__ = "learner"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class DepartedLearner(Base):
    """The id of a learner who was deleted. A trigger makes inserting one and deleting all that is theirs the same thing."""

    __tablename__ = "departed_learner"
    id: Mapped[int] = mapped_column(primary_key=True)


class QuestionVersion(Base):
    """One wording of a question, items included; `hash` is the content's."""

    __tablename__ = "question_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(deferred=True, deferred_raiseload=True)
    __table_args__ = (UniqueConstraint("question_id", "hash"),)


class ItemVersion(Base):
    """One wording of an item."""

    __tablename__ = "item_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(16))
    difficulty: Mapped[float]
    guessing: Mapped[float]
    content: Mapped[dict[str, Any]] = mapped_column(deferred=True, deferred_raiseload=True)
    __table_args__ = (UniqueConstraint("question_id", "hash"),)

    @property
    def full_id(self) -> str:
        """``question-id/item-key``."""
        return f"{self.question_id}/{self.key}"


class Interview(Base):
    """An interview a learner prepares for; at most one is open. `days_off` are weekdays, Monday 0; `went`, afterwards, how it was."""

    __tablename__ = "interview"
    id: Mapped[int] = mapped_column(primary_key=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("learner.id"))
    day: Mapped[date]
    minutes: Mapped[int]
    days_off: Mapped[list[int]] = mapped_column(JSON(none_as_null=True))
    set_at: Mapped[datetime]
    went: Mapped[str | None] = mapped_column(String(16))
    closed_at: Mapped[datetime | None]
    __table_args__ = (Index("uq_interview_open", "learner_id", unique=True, sqlite_where=text("closed_at IS NULL")),)


class PracticeSession(Base):
    """A session of practice or, by its `kind`, a diagnostic; a learner has at most one open."""

    __tablename__ = "practice_session"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("learner.id"))
    length: Mapped[int]
    only: Mapped[list[str]]
    kind: Mapped[str] = mapped_column(String(16), server_default="practice")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        Index("uq_practice_session_open", "learner_id", unique=True, sqlite_where=text("ended_at IS NULL")),
        Index("ix_practice_session_learner_id_started_at", "learner_id", "started_at"),
    )


class Presentation(Base):
    """One item put in front of the learner; a session has at most one open. `order` is the order its options stood in,
    `seed` what the numbers of a template were drawn with.
    """

    __tablename__ = "presentation"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("practice_session.id"))
    position: Mapped[int]
    question_version_id: Mapped[int] = mapped_column(ForeignKey("question_version.id"))
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"))
    order: Mapped[list[str]]
    seed: Mapped[int] = mapped_column(server_default="0")
    reason: Mapped[str] = mapped_column(String(8))
    shown_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    session: Mapped[PracticeSession] = relationship(lazy="raise")
    item_version: Mapped[ItemVersion] = relationship(lazy="raise")
    attempt: Mapped[Attempt | None] = relationship(lazy="raise", back_populates="presentation")
    __table_args__ = (
        UniqueConstraint("session_id", "position"),
        Index("uq_presentation_open", "session_id", unique=True, sqlite_where=text("closed_at IS NULL")),
    )


class Attempt(Base):
    """One recorded answer, for good. `seconds` is the time from showing to answering."""

    __tablename__ = "attempt"
    id: Mapped[int] = mapped_column(primary_key=True)
    presentation_id: Mapped[str] = mapped_column(ForeignKey("presentation.id"), unique=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("learner.id"), index=True)
    response: Mapped[dict[str, Any]]
    correct: Mapped[bool]
    score: Mapped[float]
    confidence: Mapped[str | None] = mapped_column(String(8))
    answered_at: Mapped[datetime]
    seconds: Mapped[float]
    presentation: Mapped[Presentation] = relationship(lazy="raise", back_populates="attempt")
    __table_args__ = ({"sqlite_autoincrement": True},)


class StoredRun(Base):
    """One run of the sandbox. `request_more` and `result_more` keep whatever facts have no column of their own."""

    __tablename__ = "run"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("learner.id"))
    experiment: Mapped[str] = mapped_column(String(64))
    settings: Mapped[dict[str, Any]]
    first_seed: Mapped[int]
    seeds: Mapped[int]
    device: Mapped[str] = mapped_column(String(16))
    prediction: Mapped[str | None] = mapped_column(String(64))
    versions: Mapped[dict[str, Any]]
    request_more: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    error: Mapped[str | None]
    device_used: Mapped[str | None] = mapped_column(String(16))
    cpu_seconds: Mapped[float | None]
    verdict: Mapped[dict[str, Any] | None]
    record: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    result_more: Mapped[dict[str, Any] | None]
    ended_at: Mapped[datetime | None]
    note: Mapped[RunNote | None] = relationship(lazy="raise", viewonly=True)
    __table_args__ = (Index("ix_run_learner_id_started_at", "learner_id", "started_at"),)


class RunNote(Base):
    """What the learner wrote about a run; `text` is empty when it was taken back. `folded` is the text as it is searched."""

    __tablename__ = "run_note"
    run_id: Mapped[str] = mapped_column(String(64), ForeignKey("run.id"), primary_key=True)
    text: Mapped[str]
    folded: Mapped[str]
    edited_at: Mapped[datetime]


class DeletedRun(Base):
    """That a learner deleted a run, so that no older file brings it back. `kept` is the run for as long as it can be undone."""

    __tablename__ = "deleted_run"
    learner_id: Mapped[int] = mapped_column(ForeignKey("learner.id"), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    deleted_at: Mapped[datetime]
    kept: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
