"""Histories to take out and in: devices with answers and runs on them, and a fresh database without the wait for migrations."""

from __future__ import annotations

import functools
import json
import random
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from quiz.service import LearnerData, QuizService, RunBook
from quiz.storage.database import Database
from tests.engine.builders import NOON, bank, code, diagnose, multiple, number, number_template, order, predict, question, single, trace, trace_template
from tests.storage.builders import opened, right, turn_of, wrong

BANK = bank(
    question("every-format", 1, items=(single(), multiple(), number(), order(), predict(), trace(), code(), diagnose())),
    question("drawn-numbers", 2, items=(number_template(), trace_template(), single("plain"))),
    question("third", 3),
)
LATER = NOON + timedelta(days=400)
RUN = {
    "experiment": "forget-gate",
    "settings": {"hidden": 16, "task": "stream", "bias": 1.0, "peepholes": False},
    "first_seed": 3,
    "seeds": 2,
    "device": "auto",
    "prediction": "grows",
    "versions": {"torch": "2.13.0"},
    "preset": "quick",
}
RESULT = {
    "state": "finished",
    "error": None,
    "device_used": "cpu",
    "cpu_seconds": 1.5,
    "verdict": {"status": "supported", "passed": 2, "seeds": 2, "outcome": "grows", "checks": []},
    "record": {"format": 1, "seeds": [{"seed": 3, "measured": {"gap": "NaN"}}]},
}


class Device:
    """Carousel on one machine, with a database of its own."""

    def __init__(self, folder: Path, start: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(start or _fresh(), folder / "carousel.db")
        self.database: Database = opened(folder)
        self.service = QuizService(self.database, BANK)
        self.learner = self.service.default_learner()
        self.data = LearnerData(self.service, self.database, self.learner)

    def practise(self, at: datetime, answers: str, finish: bool = True) -> None:
        """Answers by letter, a minute apart: r right, w wrong, s skipped. Without `finish` the session stays open, with an item on screen."""
        session = self.service.start_session(self.learner, len(answers) + 1, at)
        for minute, letter in enumerate(answers):
            now = at + timedelta(minutes=minute)
            turn = turn_of(self.service, session.id, now, seed=minute)
            if letter == "s":
                self.service.skip(turn.presentation_id, now)
                continue
            response = right(turn.item) if letter == "r" else wrong(turn.item)
            self.service.submit(turn.presentation_id, response, "sure" if letter == "r" else None, now + timedelta(seconds=20))
            self.service.advance(turn.presentation_id, now + timedelta(seconds=30))
        turn_of(self.service, session.id, at + timedelta(hours=1), seed=99)
        if finish:
            self.service.end_session(session.id, at + timedelta(hours=1))

    def run(self, run_id: str, at: datetime, *, end: bool = True) -> None:
        """A run of the lab."""
        book = RunBook(self.database, self.learner, clock=lambda: at)
        book.begin(run_id, RUN)
        if end:
            book.end(run_id, RESULT)

    def note(self, run_id: str, text: str, at: datetime) -> None:
        """A note on a run."""
        RunBook(self.database, self.learner, clock=lambda: at).note(run_id, text)

    def delete(self, run_id: str, at: datetime) -> None:
        """A run deleted."""
        RunBook(self.database, self.learner, clock=lambda: at).delete(run_id)

    def file(self) -> bytes:
        """The learner's file."""
        return self.data.json(LATER)

    def take_in(self, file: bytes) -> Any:
        """Merge a file."""
        return self.data.merge(file, LATER)

    def content(self) -> dict[str, Any]:
        """All that the learner's file says."""
        content: dict[str, Any] = json.loads(self.file())
        return content

    def close(self) -> None:
        """Let the file go."""
        self.database.close()


@functools.cache
def _fresh() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="carousel-fresh-"))
    opened(folder).close()
    return folder / "carousel.db"


def busy_device(folder: Path) -> Device:
    """A device with a bit of everything: all formats, drawn numbers, skipped items, an open session, runs."""
    return Device(folder, _busy()[0])


def busy_file() -> bytes:
    """The learner's file of a busy device."""
    return _busy()[1]


@functools.cache
def _busy() -> tuple[Path, bytes]:
    folder = Path(tempfile.mkdtemp(prefix="carousel-busy-"))
    device = Device(folder)
    rng = random.Random(5)
    for day in range(5):
        device.practise(NOON + timedelta(days=day), "".join(rng.choice("rrws") for _ in range(6)))
    device.practise(NOON + timedelta(days=7), "rw", finish=False)
    device.run("run-1", NOON)
    device.run("run-2", NOON + timedelta(days=3))
    file = device.file()
    device.close()
    return folder / "carousel.db", file
