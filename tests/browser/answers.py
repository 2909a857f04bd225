"""Right and wrong answers to any item, and a look at what stands in a database, through the service itself."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from questions.loader import load_bank
from questions.schema import Asked, ChoiceItem, MultipleItem, NumberItem, OrderItem, TraceItem
from quiz.engine.grading import Response
from quiz.service import QuizService, RunBook
from quiz.storage.database import open_database
from quiz.views import ProgressView, RunRow, Turn


def right_response(item: Asked) -> Response:
    """The right answer."""
    match item:
        case NumberItem():
            return Response(text=f"{item.answer:.12g}")
        case TraceItem():
            return Response(texts={part.key: f"{part.answer:.12g}" for part in item.answers})
        case OrderItem():
            return Response(keys=tuple(step.key for step in item.steps))
        case ChoiceItem():
            return Response(keys=tuple(choice.key for choice in item.choices if choice.correct))


def wrong_response(item: Asked) -> Response:
    """A likely wrong answer: a known slip, two steps swapped, a wrong option (with a right one where several are)."""
    match item:
        case NumberItem():
            return Response(text=f"{item.mistakes[0].value:.12g}")
        case TraceItem():
            return Response(texts={part.key: f"{part.answer + 12345:.12g}" for part in item.answers})
        case OrderItem():
            first, second, *rest = (step.key for step in item.steps)
            return Response(keys=(second, first, *rest))
        case MultipleItem():
            return Response(keys=(next(choice.key for choice in item.choices if choice.correct), _first_wrong(item)))
        case ChoiceItem():
            return Response(keys=(_first_wrong(item),))


def _first_wrong(item: ChoiceItem) -> str:
    return next(choice.key for choice in item.choices if not choice.correct)


@contextmanager
def service_on(database: Path) -> Iterator[QuizService]:
    """The quiz's service on a database that a running server may be using, too."""
    opened = open_database(f"sqlite:///{database}")
    try:
        yield QuizService(opened, load_bank())
    finally:
        opened.close()


def open_turn(database: Path) -> Turn:
    """The item in front of the learner."""
    with service_on(database) as service:
        session = service.open_session(service.default_learner())
        assert session is not None
        turn = service.current(session.id, datetime.now(UTC), random.Random(0))
        assert turn is not None
        return turn


def progress(database: Path) -> ProgressView:
    """All that is known about the learner."""
    with service_on(database) as service:
        return service.progress(service.default_learner(), datetime.now(UTC), UTC)


def runs(database: Path) -> tuple[RunRow, ...]:
    """The stored runs, newest first."""
    opened = open_database(f"sqlite:///{database}")
    try:
        return RunBook(opened, QuizService(opened, load_bank()).default_learner()).recent()
    finally:
        opened.close()
