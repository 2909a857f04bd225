"""Practice: start, ask, answer, move on, sum up.

Every call is one transaction and safe to repeat: a double click, a second tab or a refresh gets what the first call
made. Writers hold the write lock from their first read, so "is there one already?" and "make one" are one step.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import cast, get_args
from uuid import uuid4

from questions.loader import QuestionBank
from questions.schema import Asked, NumberItem, TraceItem
from quiz.engine.facts import Confidence, Reason
from quiz.engine.grading import InvalidResponse, Response, grade
from quiz.engine.state import LearnerState
from quiz.service.adaptive import Adaptive, diagnostic_length
from quiz.service.errors import NotAnswered, PresentationClosed, UnknownLearner, UnknownPresentation, UnknownQuestion, UnknownSession
from quiz.service.hindsight import Hindsight
from quiz.service.histories import Histories
from quiz.service.progress import progress_view
from quiz.service.sessions import session_view
from quiz.service.today import Today
from quiz.service.wordings import Wordings
from quiz.storage.database import Database
from quiz.storage.models import Attempt, PracticeSession, Presentation
from quiz.storage.repository import Repository
from quiz.views import Feedback, Kind, ProgressView, SessionSummary, SessionView, SummaryLine, Turn

MAX_LENGTH = 100
FIRST_NAME = "learner"  # of a profile that nobody has named yet
SEED_BITS = 31


class QuizService:
    """The quiz's use cases. One instance serves every thread of the process.

    Where `learner` may be given, a session or presentation of someone else is refused as unknown.
    """

    def __init__(self, database: Database, bank: QuestionBank) -> None:
        self.bank = bank
        self._database = database
        self.start_anew()

    def start_anew(self) -> None:
        """Read the database as if for the first time: another one has taken its place."""
        self._wordings = Wordings(self._database, self.bank)
        self._histories = Histories()
        self.adaptive = Adaptive(self._database, self.bank, self._histories)
        self.today = Today(self._database, self)
        self.hindsight = Hindsight(self._database, self.bank, self._histories, self._wordings)

    # --- sessions ---

    def default_learner(self) -> int:
        """The learner of an installation for one person; made when there is none."""
        with self._database.read() as repository:
            learner = repository.first_learner()
        if learner is not None:
            return learner.id
        with self._database.write() as repository:
            learner = repository.first_learner()
            if learner is None:
                return repository.add_learner(FIRST_NAME)
            return learner.id

    def learners(self) -> tuple[int, ...]:
        """Everybody who practises here."""
        with self._database.read() as repository:
            return tuple(learner.id for learner in repository.learners())

    def open_session(self, learner: int) -> SessionView | None:
        """The session the learner can resume."""
        with self._database.read() as repository:
            session = repository.open_session(learner)
            return None if session is None else session_view(repository, session)

    def start_session(self, learner: int, length: int, now: datetime, only: Sequence[str] = ()) -> SessionView:
        """Start a session of `length` answers over the questions `only` (empty: all). An open one is returned instead.

        Errors: UnknownLearner, UnknownQuestion; ValueError for a length outside 1..MAX_LENGTH.
        """
        if not 1 <= length <= MAX_LENGTH:
            raise ValueError(f"a session has 1 to {MAX_LENGTH} items, got {length}")
        for question in only:
            if question not in self.bank.by_id:
                raise UnknownQuestion(question)
        return self._start(learner, length, "practice", now, only)

    def start_diagnostic(self, learner: int, now: datetime) -> SessionView:
        """Start a diagnostic over the whole bank. An open session, of either kind, is returned instead. Errors: UnknownLearner."""
        return self._start(learner, diagnostic_length(self.bank), "diagnostic", now)

    def _start(self, learner: int, length: int, kind: Kind, now: datetime, only: Sequence[str] = ()) -> SessionView:
        with self._database.write() as repository:
            if not repository.has_learner(learner):
                raise UnknownLearner(learner)
            session = repository.open_session(learner)
            if session is None:
                session = PracticeSession(id=uuid4().hex, learner_id=learner, length=length, only=list(dict.fromkeys(only)), kind=kind, started_at=_aware(now))
                repository.add(session)
            return session_view(repository, session)

    def end_session(self, session_id: str, now: datetime, *, learner: int | None = None) -> SessionSummary:
        """End the session (again: no change) and sum it up. An open unanswered item is closed. Errors: UnknownSession."""
        with self._database.write() as repository:
            session = _session(repository, session_id, learner)
            if session.ended_at is None:
                session.ended_at = _aware(now)
                for presentation in repository.presentations(session_id):
                    presentation.closed_at = presentation.closed_at or session.ended_at
            return self._summary(repository, session)

    def summary(self, session_id: str, *, learner: int | None = None) -> SessionSummary:
        """How the session went, or goes. Errors: UnknownSession."""
        with self._database.read() as repository:
            return self._summary(repository, _session(repository, session_id, learner))

    def last_summary(self, learner: int) -> SessionSummary | None:
        """How the session that ended last went."""
        with self._database.read() as repository:
            session = repository.last_ended_session(learner)
            return None if session is None else self._summary(repository, session)

    def review(self, session_id: str, *, learner: int | None = None) -> tuple[Turn, ...]:
        """The items a session is done with, in order, each with its feedback; one that was skipped has none. Errors: UnknownSession."""
        with self._database.read() as repository:
            _session(repository, session_id, learner)
            done = [one for one in repository.presentations(session_id) if one.attempt is not None or one.closed_at is not None]
            return tuple(self._turn(repository, presentation) for presentation in done)

    # --- items ---

    def current(self, session_id: str, now: datetime, rng: random.Random, *, learner: int | None = None) -> Turn | None:
        """The item in front of the learner: the open one, else the next, chosen now; None when the session is over.

        Errors: UnknownSession.
        """
        with self._database.read() as repository:
            session = _session(repository, session_id, learner)
            presentation = repository.open_presentation(session_id)
            if presentation is not None:
                return self._turn(repository, presentation)
            if self._is_over(repository, session):
                return None
        with self._database.write() as repository:
            session = _session(repository, session_id, learner)
            presentation = repository.open_presentation(session_id)
            if presentation is None:
                if self._is_over(repository, session):
                    return None
                presentation = self._present(repository, session, _aware(now), rng)
            return self._turn(repository, presentation)

    def submit(self, presentation_id: str, response: Response, confidence: Confidence | None, now: datetime, *, learner: int | None = None) -> Turn:
        """Record the answer and return the turn with its feedback. The first recorded answer wins; later ones get it with `repeated`.

        Errors: UnknownPresentation; PresentationClosed when it was skipped; InvalidResponse, and then nothing is recorded.
        """
        with self._database.write() as repository:
            found, answered = repository.presentation_and_answered(presentation_id)
            presentation = _own(found, presentation_id, learner)
            repeated = presentation.attempt is not None
            if not repeated:
                self._record(repository, presentation, response, confidence, _aware(now))
                answered += 1
            turn = self._turn(repository, presentation, answered)
        if repeated and turn.feedback is not None:
            return replace(turn, feedback=replace(turn.feedback, repeated=True))
        return turn

    def advance(self, presentation_id: str, now: datetime, *, learner: int | None = None) -> None:
        """Leave an answered item; the session ends with its last one. Errors: UnknownPresentation, NotAnswered."""
        with self._database.write() as repository:
            presentation = _presentation(repository, presentation_id, learner)
            if presentation.attempt is None and presentation.closed_at is None:
                raise NotAnswered(presentation_id)
            if presentation.closed_at is None:
                presentation.closed_at = _aware(now)
                session = presentation.session
                if session.ended_at is None and self._is_over(repository, session):
                    session.ended_at = presentation.closed_at

    def skip(self, presentation_id: str, now: datetime, *, learner: int | None = None) -> None:
        """Leave an item without answering; no attempt is recorded. An answered one is left alone. Errors: UnknownPresentation."""
        with self._database.write() as repository:
            presentation = _presentation(repository, presentation_id, learner)
            if presentation.attempt is None and presentation.closed_at is None:
                presentation.closed_at = _aware(now)

    # --- progress ---

    def next_due(self, learner: int, question_id: str) -> datetime | None:
        """When a question comes back by memory; None for one that was never answered."""
        known = self.state(learner).questions.get(question_id)
        return known.memory.due_at if known else None

    def progress(self, learner: int, now: datetime, zone: tzinfo) -> ProgressView:
        """Everything the progress page shows; days are those of `zone`."""
        with self._database.read() as repository:
            state, journal = self._histories.state(repository, learner), self._histories.journal(repository, learner)
            return progress_view(self.bank, repository, learner, state, journal, _aware(now), zone)

    def state(self, learner: int) -> LearnerState:
        """What is known about the learner, brought up to date."""
        with self._database.read() as repository:
            return self._histories.state(repository, learner)

    def forget_state(self, learner: int) -> None:
        """Have what is known of the learner worked out anew: answers came in from elsewhere that may belong before those known."""
        self._histories.forget(learner)

    def forget_learner(self, learner: int) -> None:
        """Let go of all that is kept in memory about a learner who has left."""
        self.forget_state(learner)
        self.adaptive.forget(learner)
        self.today.forget(learner)

    # --- inside a transaction ---

    def _is_over(self, repository: Repository, session: PracticeSession) -> bool:
        if session.ended_at is not None or repository.answered(session.id) >= session.length or not self._questions(session):
            return True
        return session.kind == "diagnostic" and self.adaptive.diagnostic_is_over(repository, session)

    def _questions(self, session: PracticeSession) -> Sequence[str]:
        return [name for name in session.only if name in self.bank.by_id] if session.only else list(self.bank.by_id)

    def _present(self, repository: Repository, session: PracticeSession, now: datetime, rng: random.Random) -> Presentation:
        shown = repository.shown(session.id)
        if session.kind == "diagnostic":
            chosen = self.adaptive.probe(repository, session, now, rng)
        else:
            chosen = self.adaptive.choose(repository, session, self._questions(session), shown, now, rng)
        question_version, item_version = self._wordings.ids(chosen.question, chosen.item)
        presentation = Presentation(
            id=uuid4().hex,
            session=session,
            position=len(shown) + 1,
            question_version_id=question_version,
            item_version=repository.item_version(item_version),
            order=list(chosen.order),
            seed=rng.getrandbits(SEED_BITS),
            reason=chosen.reason,
            shown_at=now,
            attempt=None,
        )
        repository.add(presentation)
        return presentation

    def _record(self, repository: Repository, presentation: Presentation, response: Response, confidence: Confidence | None, now: datetime) -> None:
        if presentation.closed_at is not None:
            raise PresentationClosed(presentation.id)
        if confidence is not None and confidence not in get_args(Confidence):
            raise InvalidResponse(f"confidence must be one of {', '.join(get_args(Confidence))} or nothing, got {confidence!r}")
        item = self._wordings.shown(repository, presentation).item
        graded = grade(item, response)
        repository.record(
            presentation,
            {
                "presentation_id": presentation.id,
                "learner_id": presentation.session.learner_id,
                "response": _fitting(item, response).to_json(),
                "correct": graded.correct,
                "score": graded.score,
                "confidence": confidence,
                "answered_at": now,
                "seconds": max((now - presentation.shown_at).total_seconds(), 0.0),
            },
        )

    def _turn(self, repository: Repository, presentation: Presentation, answered: int | None = None) -> Turn:
        """The view; `answered` is the session's count, where it is known already."""
        wording = self._wordings.shown(repository, presentation)
        session = session_view(repository, presentation.session, answered)
        feedback = None if presentation.attempt is None else _feedback(presentation.attempt, wording.item)
        return Turn(
            presentation_id=presentation.id,
            session=session,
            # A diagnostic counts what was skipped too: "I don't know" is an answer there.
            position=presentation.position if session.kind == "diagnostic" else session.answered + (feedback is None),
            item=wording.item,
            item_id=presentation.item_version.full_id,
            question_id=wording.question.id,
            question_number=wording.question.number,
            question_title=wording.question.title,
            order=tuple(presentation.order),
            reason=cast("Reason", presentation.reason),
            link=wording.question.link_for(wording.item),
            model_answer=wording.question.card.model_answer,
            feedback=feedback,
        )

    def _summary(self, repository: Repository, session: PracticeSession) -> SessionSummary:
        lines = tuple(
            self._summary_line(repository, presentation, presentation.attempt)
            for presentation in repository.presentations(session.id)
            if presentation.attempt is not None
        )
        return SessionSummary(session_view(repository, session), sum(line.correct for line in lines), lines)

    def _summary_line(self, repository: Repository, presentation: Presentation, attempt: Attempt) -> SummaryLine:
        wording = self._wordings.shown(repository, presentation)
        return SummaryLine(
            question_id=wording.question.id,
            question_title=wording.question.title,
            item_id=presentation.item_version.full_id,
            prompt=wording.item.prompt,
            correct=attempt.correct,
            link=wording.question.link_for(wording.item),
        )


def _aware(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError(f"now must have a time zone, got {now.isoformat()}")
    return now.astimezone(UTC)


def _session(repository: Repository, session_id: str, learner: int | None) -> PracticeSession:
    session = repository.session(session_id)
    if session is None or learner not in (None, session.learner_id):
        raise UnknownSession(session_id)
    return session


def _presentation(repository: Repository, presentation_id: str, learner: int | None) -> Presentation:
    return _own(repository.presentation(presentation_id), presentation_id, learner)


def _own(presentation: Presentation | None, presentation_id: str, learner: int | None) -> Presentation:
    if presentation is None or learner not in (None, presentation.session.learner_id):
        raise UnknownPresentation(presentation_id)
    return presentation


def _feedback(attempt: Attempt, item: Asked) -> Feedback:
    response = Response.from_json(attempt.response)
    # The grade is the recorded one; only its lines are worked out again.
    graded = replace(grade(item, response), correct=attempt.correct, score=attempt.score)
    return Feedback(response, cast("Confidence | None", attempt.confidence), graded, attempt.answered_at)


def _fitting(item: Asked, response: Response) -> Response:
    """The part of the response that the item's format uses."""
    if isinstance(item, TraceItem):
        return Response(texts={part.key: response.texts[part.key] for part in item.answers})
    return Response(text=response.text) if isinstance(item, NumberItem) else Response(keys=response.keys)
