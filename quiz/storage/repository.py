"""Every query, on one session. The transaction belongs to the caller (Database.read or Database.write)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, case, func, insert, select
from sqlalchemy.orm import Session, aliased, joinedload, undefer
from sqlalchemy.orm.attributes import set_committed_value

from quiz.engine.examiner import Shown
from quiz.engine.facts import AttemptFact
from quiz.engine.state import LONGEST_ANSWER_S
from quiz.storage.models import Attempt, DepartedLearner, Interview, ItemVersion, Learner, PracticeSession, Presentation, QuestionVersion, StoredRun
from quiz.storage.runs import Runs
from quiz.storage.transfer import Transfer, chunks

# What every answer asks, built once: building a statement costs SQLAlchemy as much as running it.
_PRESENTATIONS = select(Presentation).options(joinedload(Presentation.session), joinedload(Presentation.item_version), joinedload(Presentation.attempt))
_PRESENTATION = _PRESENTATIONS.where(Presentation.id == bindparam("presentation_id"))
_WITH_ANSWERED = _PRESENTATION.add_columns(
    select(func.count())
    .select_from(Attempt)
    .join(_Sibling := aliased(Presentation))
    .where(_Sibling.session_id == Presentation.session_id)
    .correlate(Presentation)
    .scalar_subquery()
)
_OPEN_PRESENTATION = _PRESENTATIONS.where(Presentation.session_id == bindparam("session_id"), Presentation.closed_at.is_(None))
_ANSWERED = select(func.count()).select_from(Attempt).join(Presentation).where(Presentation.session_id == bindparam("session_id"))

_ATTEMPT = cast("Table", Attempt.__table__)  # read and written in bulk without the ORM's care
_NEW_ATTEMPT = insert(_ATTEMPT)

# Of a wrong answer the keys chosen, as JSON.
_FACTS = (
    select(
        _ATTEMPT.c.id, _ATTEMPT.c.presentation_id, Presentation.item_version_id, _ATTEMPT.c.correct, _ATTEMPT.c.confidence,
        _ATTEMPT.c.answered_at, _ATTEMPT.c.seconds, case((_ATTEMPT.c.correct.is_(False), func.json_extract(_ATTEMPT.c.response, "$.keys"))),
    )
    .join_from(_ATTEMPT, Presentation)
    .where(_ATTEMPT.c.learner_id == bindparam("learner"), _ATTEMPT.c.id > bindparam("after"))
    .order_by(_ATTEMPT.c.answered_at, _ATTEMPT.c.presentation_id)
)  # fmt: skip
_WORDINGS = select(
    ItemVersion.id, ItemVersion.question_id, ItemVersion.key, ItemVersion.format, ItemVersion.difficulty, ItemVersion.guessing,
    ItemVersion.content["points"], ItemVersion.content["choices"],
)  # fmt: skip

_RUNS = select(StoredRun).order_by(StoredRun.started_at.desc(), StoredRun.id)


class Repository:
    """Reads and writes rows. Nothing is committed here."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def transfer(self) -> Transfer:
        """Rows in bulk, for a learner's file."""
        return Transfer(self._session)

    def runs(self, learner: int) -> Runs:
        """Search in a learner's runs, notes on them and their deletion."""
        return Runs(self._session, learner)

    def add(self, row: Learner | QuestionVersion | ItemVersion | PracticeSession | Presentation | Attempt | StoredRun | Interview) -> None:
        """Insert `row` now, so that its id is known and constraints have been checked."""
        self._session.add(row)
        self._session.flush()

    def record(self, presentation: Presentation, attempt: dict[str, Any]) -> Attempt:
        """Insert the answer to a presentation, straight into its table: the learner waits for this one, and it needs none of the ORM's care."""
        self._session.connection().execute(_NEW_ATTEMPT, attempt)
        recorded = Attempt(**attempt)
        set_committed_value(presentation, "attempt", recorded)
        return recorded

    # --- learners and wordings ---

    def first_learner(self) -> Learner | None:
        """The learner with the lowest id."""
        return self._session.scalar(select(Learner).order_by(Learner.id).limit(1))

    def learners(self) -> Sequence[Learner]:
        """Everybody, in the order of their ids."""
        return self._session.scalars(select(Learner).order_by(Learner.id)).all()

    def people(self) -> list[tuple[int, str, int, int, datetime | None]]:
        """Everybody, in the order of their ids: id, name, number of answers, number of runs, time of the last answer."""
        runs = select(func.count()).select_from(StoredRun).where(StoredRun.learner_id == Learner.id).scalar_subquery()
        wanted = select(Learner.id, Learner.name, func.count(Attempt.id), runs, func.max(Attempt.answered_at)).outerjoin(Attempt)
        return [tuple(row) for row in self._session.execute(wanted.group_by(Learner.id).order_by(Learner.id))]

    def add_learner(self, name: str) -> int:
        """A new learner with an id that nobody has ever had."""
        highest = max(self._session.scalar(select(func.max(ids))) or 0 for ids in (Learner.id, DepartedLearner.id))
        learner = Learner(id=highest + 1, name=name)
        self.add(learner)
        return learner.id

    def rename_learner(self, learner: int, name: str) -> None:
        """Give a learner another name."""
        self._session.get_one(Learner, learner).name = name
        self._session.flush()

    def delete_learner(self, learner: int) -> None:
        """Delete a learner with everything that is theirs; by a trigger, so that nothing can be left behind."""
        self._session.execute(insert(DepartedLearner).values(id=learner))
        self._session.expire_all()

    def has_learner(self, learner: int) -> bool:
        """Whether there is such a learner."""
        return self._session.get(Learner, learner) is not None

    def question_versions(self) -> dict[tuple[str, str], int]:
        """(question id, hash) -> row id."""
        return {
            (question, digest): id_
            for question, digest, id_ in self._session.execute(select(QuestionVersion.question_id, QuestionVersion.hash, QuestionVersion.id))
        }

    def item_versions(self) -> dict[tuple[str, str], int]:
        """(question id, hash) -> row id."""
        return {(question, digest): id_ for question, digest, id_ in self._session.execute(select(ItemVersion.question_id, ItemVersion.hash, ItemVersion.id))}

    def item_version(self, version: int) -> ItemVersion:
        """The row of an item's wording."""
        return self._session.get_one(ItemVersion, version)

    def question_content(self, version: int) -> dict[str, Any]:
        """The question's wording as it was stored."""
        content: dict[str, Any] = self._session.scalars(select(QuestionVersion.content).where(QuestionVersion.id == version)).one()
        return content

    def item_content(self, version: int) -> dict[str, Any]:
        """The item's wording as it was stored."""
        content: dict[str, Any] = self._session.scalars(select(ItemVersion.content).where(ItemVersion.id == version)).one()
        return content

    # --- sessions and presentations ---

    def session(self, session_id: str) -> PracticeSession | None:
        """A practice session."""
        return self._session.get(PracticeSession, session_id)

    def open_session(self, learner: int) -> PracticeSession | None:
        """The learner's open session."""
        return self._session.scalar(select(PracticeSession).where(PracticeSession.learner_id == learner, PracticeSession.ended_at.is_(None)))

    def last_ended_session(self, learner: int) -> PracticeSession | None:
        """The session that ended last."""
        ended = select(PracticeSession).where(PracticeSession.learner_id == learner, PracticeSession.ended_at.is_not(None))
        return self._session.scalar(ended.order_by(PracticeSession.ended_at.desc()).limit(1))

    def answered(self, session_id: str) -> int:
        """How many answers the session holds."""
        return self._session.scalars(_ANSWERED, {"session_id": session_id}).one()

    def presentation(self, presentation_id: str) -> Presentation | None:
        """A presentation with its session, item and attempt."""
        return self._session.scalar(_PRESENTATION, {"presentation_id": presentation_id})

    def presentation_and_answered(self, presentation_id: str) -> tuple[Presentation | None, int]:
        """A presentation with its session, item and attempt, and how many answers its session holds, in one query."""
        row = self._session.execute(_WITH_ANSWERED, {"presentation_id": presentation_id}).one_or_none()
        return (None, 0) if row is None else (row[0], row[1])

    def open_presentation(self, session_id: str) -> Presentation | None:
        """The session's open presentation with its session, item and attempt."""
        return self._session.scalar(_OPEN_PRESENTATION, {"session_id": session_id})

    def shown(self, session_id: str) -> list[Shown]:
        """What the session has shown, oldest first."""
        rows = self._session.execute(
            select(ItemVersion.question_id, ItemVersion.key, ItemVersion.format, Attempt.correct)
            .select_from(Presentation)
            .join(ItemVersion, Presentation.item_version_id == ItemVersion.id)
            .outerjoin(Attempt)
            .where(Presentation.session_id == session_id)
            .order_by(Presentation.position)
        )
        return [Shown(question, f"{question}/{key}", format_, correct) for question, key, format_, correct in rows]

    def presentations(self, session_id: str) -> Sequence[Presentation]:
        """A session's presentations in order, with items and attempts."""
        return self._session.scalars(_PRESENTATIONS.where(Presentation.session_id == session_id).order_by(Presentation.position)).all()

    def last_session(self, learner: int, kind: str) -> PracticeSession | None:
        """The latest session of a kind, open or ended."""
        wanted = select(PracticeSession).where(PracticeSession.learner_id == learner, PracticeSession.kind == kind)
        return self._session.scalar(wanted.order_by(PracticeSession.started_at.desc(), PracticeSession.id).limit(1))

    # --- interviews ---

    def open_interview(self, learner: int) -> Interview | None:
        """The interview the learner prepares for."""
        return self._session.scalar(select(Interview).where(Interview.learner_id == learner, Interview.closed_at.is_(None)))

    def closed_interviews(self, learner: int) -> Sequence[Interview]:
        """The interviews that have been, the latest first."""
        return self._session.scalars(
            select(Interview).where(Interview.learner_id == learner, Interview.closed_at.is_not(None)).order_by(Interview.day.desc(), Interview.id.desc())
        ).all()

    # --- attempts ---

    def practised_since(self, learner: int, at: datetime) -> tuple[int, float]:
        """How many answers were given since `at`, and the seconds they took."""
        wanted = select(func.count(), func.coalesce(func.sum(func.min(Attempt.seconds, LONGEST_ANSWER_S)), 0.0))
        count, seconds = self._session.execute(wanted.where(Attempt.learner_id == learner, Attempt.answered_at >= at)).one()
        return count, seconds

    def facts_after(self, learner: int, attempt_id: int) -> tuple[list[AttemptFact], int]:
        """The learner's attempts recorded after `attempt_id` as facts, in canonical order, and the id of the one recorded last.

        They are not joined with their wordings: these are few, and answers may be a hundred thousand.
        """
        rows = self._session.connection().execute(_FACTS, {"learner": learner, "after": attempt_id}).all()
        wordings = self._wordings({row[2] for row in rows})
        facts = []
        for _, shown, version, correct, confidence, at, seconds, keys in rows:
            question, item, format_, difficulty, guessing, points, wrong = wordings[version]
            chosen = tuple(key for key in json.loads(keys) if key in wrong) if keys is not None and wrong else ()
            facts.append(AttemptFact(question, item, difficulty, guessing, correct, confidence, at, points, format_, seconds, shown, chosen, version))
        return facts, max((row[0] for row in rows), default=attempt_id)

    def _wordings(self, versions: Iterable[int]) -> dict[int, tuple[str, str, str, float, float, tuple[str, ...], frozenset[str]]]:
        """By the ids of wordings: question, item id, format, difficulty, guessing, key points, keys of wrong options."""
        found = {}
        for ids in chunks(versions):
            for version, question, key, format_, difficulty, guessing, points, choices in self._session.execute(_WORDINGS.where(ItemVersion.id.in_(ids))):
                wrong = frozenset(choice["key"] for choice in choices or () if not choice.get("correct"))
                found[version] = question, f"{question}/{key}", format_, difficulty, guessing, tuple(points), wrong
        return found

    # --- runs ---

    def run(self, run_id: str, learner: int, with_record: bool = False) -> StoredRun | None:
        """A learner's run."""
        wanted = select(StoredRun).where(StoredRun.id == run_id, StoredRun.learner_id == learner)
        return self._session.scalar(wanted.options(undefer(StoredRun.record)) if with_record else wanted)

    def has_run(self, run_id: str) -> bool:
        """Whether there is such a run, whoever started it."""
        return bool(self._session.scalar(select(func.count()).select_from(StoredRun).where(StoredRun.id == run_id)))

    def recent_runs(self, learner: int, limit: int) -> Sequence[StoredRun]:
        """A learner's runs, newest first, without their records."""
        return self._session.scalars(_RUNS.where(StoredRun.learner_id == learner).limit(limit)).all()

    def judged_runs(self, learner: int, experiment: str, limit: int) -> Sequence[StoredRun]:
        """A learner's runs of an experiment that have a verdict, newest first, without their records."""
        judged = StoredRun.learner_id == learner, StoredRun.experiment == experiment, StoredRun.verdict.is_not(None)
        return self._session.scalars(_RUNS.where(*judged).limit(limit)).all()

    def foretold(self, learner: int, first: datetime, end: datetime) -> list[tuple[str, int, int]]:
        """Experiments with how many of the learner's runs with an outcome, started from `first` up to `end`, had a prediction,
        and how many of those came out as predicted.
        """
        outcome = func.json_extract(StoredRun.verdict, "$.outcome")
        wanted = select(StoredRun.experiment, func.count(), func.sum(case((StoredRun.prediction == outcome, 1), else_=0))).where(
            StoredRun.learner_id == learner,
            StoredRun.prediction.is_not(None),
            outcome.is_not(None),
            StoredRun.started_at >= first,
            StoredRun.started_at < end,
        )
        rows = self._session.execute(wanted.group_by(StoredRun.experiment).order_by(StoredRun.experiment))
        return [(experiment, count, right) for experiment, count, right in rows]

    def unfinished_runs(self, learner: int) -> Iterable[StoredRun]:
        """A learner's runs that have not ended."""
        return self._session.scalars(select(StoredRun).where(StoredRun.learner_id == learner, StoredRun.ended_at.is_(None))).all()
