"""A session as pages see it."""

from __future__ import annotations

from typing import cast

from quiz.storage.models import PracticeSession
from quiz.storage.repository import Repository
from quiz.views import Kind, SessionView


def session_view(repository: Repository, session: PracticeSession, answered: int | None = None) -> SessionView:
    """The view; `answered` is the session's count, where it is known already."""
    count = repository.answered(session.id) if answered is None else answered
    return SessionView(session.id, session.length, count, session.started_at, session.ended_at, tuple(session.only), cast("Kind", session.kind))
