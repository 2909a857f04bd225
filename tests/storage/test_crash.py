"""A process killed in the middle of writing loses no answer that was acknowledged."""

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from quiz.service import QuizService
from tests.engine.builders import NOON
from tests.storage.builders import BANK, opened, right, url

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("acknowledged_before", [1, 7, 25])
def test_a_killed_process_loses_no_acknowledged_answer(tmp_path, acknowledged_before):
    command = [sys.executable, "-m", "tests.storage.writer", url(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(acknowledged_before)]
        writer.kill()
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
    assert writer.returncode == -9
    with closing(sqlite3.connect(tmp_path / "carousel.db")) as raw:
        recorded = [row[0] for row in raw.execute("SELECT presentation_id FROM attempt ORDER BY id")]
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert all(acknowledged)
    assert recorded[: len(acknowledged)] == acknowledged
    assert len(recorded) - len(acknowledged) <= 1  # the one being written when it was killed


def test_after_a_kill_the_session_goes_on(tmp_path):
    command = [sys.executable, "-m", "tests.storage.writer", url(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(3):
            assert writer.stdout.readline()
        writer.kill()
    database = opened(tmp_path)
    service = QuizService(database, BANK)
    session = service.open_session(1)
    assert session is not None
    later = session.started_at + timedelta(hours=1)
    turn = service.current(session.id, later, random.Random(0))
    assert turn is not None
    if turn.feedback is None:
        turn = service.submit(turn.presentation_id, right(turn.item), None, later)
    service.advance(turn.presentation_id, later)
    assert service.summary(session.id).correct == turn.session.answered
    assert service.progress(1, NOON, later.tzinfo).attempts == turn.session.answered
    database.close()
