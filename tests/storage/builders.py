"""A database file, a small bank and a service on them, and answers that are right or wrong on purpose."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

from questions.loader import QuestionBank
from questions.schema import Asked, ChoiceItem, Group, NumberItem, OrderItem, TraceItem
from quiz.engine.grading import Response
from quiz.service import QuizService
from quiz.storage.database import Database, open_database
from quiz.views import Turn
from tests.engine.builders import NOON, bank, multiple, number, order, predict, question, single

BANK: QuestionBank = bank(
    question("forget-gate", 7, Group.GATES, (single("one"), number("two", answer=64, unit="units"), order("three"))),
    question("input-gate", 8, Group.GATES, (multiple("one"), single("two"), predict("three"))),
    question("clipping", 9, Group.TRAINING, (single("one"), multiple("two"), order("three"))),
    question("overfitting", 10, Group.GENERALISATION, (single("one"), single("two"), number("three", answer=0.5))),
)


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'carousel.db'}"


def opened(folder: Path) -> Database:
    return open_database(url(folder))


def right(item: Asked) -> Response:
    match item:
        case NumberItem():
            return Response(text=repr(item.answer))
        case TraceItem():
            return Response(texts={part.key: repr(part.answer) for part in item.answers})
        case OrderItem():
            return Response(keys=tuple(step.key for step in item.steps))
        case ChoiceItem():
            return Response(keys=tuple(sorted(item.correct_keys)))


def wrong(item: Asked) -> Response:
    match item:
        case NumberItem():
            return Response(text=repr(item.answer + 12345))
        case TraceItem():
            return Response(texts={part.key: repr(part.answer + 12345) for part in item.answers})
        case OrderItem():
            return Response(keys=tuple(step.key for step in reversed(item.steps)))
        case ChoiceItem():
            return Response(keys=tuple(choice.key for choice in item.choices if not choice.correct)[:1])


def turn_of(service: QuizService, session_id: str, at: datetime = NOON, seed: int = 0) -> Turn:
    turn = service.current(session_id, at, random.Random(seed))
    assert turn is not None
    return turn


def practise(service: QuizService, session_id: str, outcomes: list[bool], at: datetime = NOON) -> list[Turn]:
    """Answer and leave one item for each outcome; the answered turns."""
    turns = []
    for minute, correct in enumerate(outcomes):
        now = at + timedelta(minutes=minute)
        turn = turn_of(service, session_id, now, seed=minute)
        turns.append(service.submit(turn.presentation_id, right(turn.item) if correct else wrong(turn.item), None, now + timedelta(seconds=20)))
        service.advance(turn.presentation_id, now + timedelta(seconds=30))
    return turns


def attempts(database: Database) -> int:
    """How many attempts the first learner has on record."""
    with database.read() as repository:
        return len(repository.facts_after(1, 0)[0])
