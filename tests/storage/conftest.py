"""A database file of its own for each test, and the service on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from quiz.service import QuizService
from quiz.storage.database import Database
from tests.storage.builders import BANK, opened


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = opened(tmp_path)
    yield database
    database.close()


@pytest.fixture
def service(database: Database) -> QuizService:
    return QuizService(database, BANK)


@pytest.fixture
def learner(service: QuizService) -> int:
    return service.default_learner()
