"""A learner with any number of answers, written straight into the tables: 100,000 in some seconds, where answering takes an hour.

The rows are what the service would have written: wordings of the bank, sessions of 20, one presentation an answer, options
that were really there. The learner gets better; chance comes from a fixed seed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from questions.loader import load_bank
from questions.schema import Asked, ChoiceItem
from questions.templates import drawn
from quiz.engine.grading import Response, grade
from quiz.service import QuizService, RunBook
from quiz.storage.database import open_database
from quiz.storage.models import Attempt, PracticeSession, Presentation
from tests.browser.answers import right_response, wrong_response

SESSION = 20
CHUNK = 10_000


def write(database: Path, answers: int, runs: int, now: datetime, days: int) -> None:
    """Write a history of `answers` over the `days` before `now` into an empty database, with `runs` of experiments, each predicted."""
    opened = open_database(f"sqlite:///{database}")
    try:
        bank = load_bank()
        service = QuizService(opened, bank)
        learner = service.default_learner()
        ids = {name: service._wordings.ids(question, item) for name, (question, item) in bank.items.items()}
        items = {name: drawn(item, 0) for name, (_, item) in bank.items.items()}
        rows = _rows(items, ids, learner, answers, now, days)
        with opened.write() as repository:
            while chunk := list(islice(rows, CHUNK)):
                for table, place in ((PracticeSession, 0), (Presentation, 1), (Attempt, 2)):
                    content = [row[place] for row in chunk if row[place]]
                    repository._session.execute(insert(table), content)
        book, experiments = RunBook(opened, learner), sorted({question.sandbox.experiment for question in bank.questions})
        for number in range(runs):
            begun = {"experiment": experiments[number % len(experiments)], "settings": {}, "first_seed": 0, "seeds": 1, "prediction": "hit"}
            book.begin(f"run{number}", begun)
            book.end(f"run{number}", {"state": "finished", "verdict": {"outcome": ("hit", "miss")[number % 3 == 0]}, "record": {}})
    finally:
        opened.close()


def _rows(
    items: dict[str, Asked], ids: dict[str, tuple[int, int]], learner: int, answers: int, now: datetime, days: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """For each answer its session (where it begins one), its presentation and itself."""
    rng, names = random.Random(11), list(items)
    sessions = -(-answers // SESSION)
    for number in range(answers):
        session, position = divmod(number, SESSION)
        begun = now - timedelta(days=days * (1 - session / max(sessions - 1, 1)), hours=1)
        shown = begun + timedelta(seconds=45 * position)
        name = rng.choice(names)
        item, seconds = items[name], rng.randint(10, 40)
        ability = -1 + 2.2 * number / answers
        right = rng.random() < item.guessing + (1 - item.guessing) / (1 + math.exp(item.difficulty - ability))
        response = right_response(item) if right else _wrong(item, rng)
        yield (
            {
                "id": f"s{session}", "learner_id": learner, "length": SESSION, "only": [], "kind": "practice", "started_at": begun,
                "ended_at": begun + timedelta(minutes=20),
            } if position == 0 else {},
            {
                "id": f"p{number}", "session_id": f"s{session}", "position": position + 1, "question_version_id": ids[name][0],
                "item_version_id": ids[name][1], "order": _order(item), "seed": 0, "reason": "new", "shown_at": shown, "closed_at": shown,
            },
            {
                "presentation_id": f"p{number}", "learner_id": learner, "response": response.to_json(), "correct": right,
                "score": grade(item, response).score, "confidence": rng.choice((None, "guess", "unsure", "sure")),
                "answered_at": shown + timedelta(seconds=seconds), "seconds": float(seconds),
            },
        )  # fmt: skip


def _wrong(item: Asked, rng: random.Random) -> Response:
    """Any of the wrong options; where there are none, a likely wrong answer."""
    if not isinstance(item, ChoiceItem):
        return wrong_response(item)
    return Response(keys=(rng.choice([choice.key for choice in item.choices if not choice.correct]),))


def _order(item: Asked) -> list[str]:
    return [choice.key for choice in item.choices] if isinstance(item, ChoiceItem) else []
