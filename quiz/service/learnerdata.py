"""What the page "Your data" can ask for: one learner's data, out in several forms and in from a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from quiz.service.exporting import write_json, write_tables
from quiz.service.importing import Merged, merge, preview
from quiz.service.practice import QuizService
from quiz.storage.database import Database
from quiz.telling import OnProgress, untold


class LearnerData:
    """One learner's data. Downloads are bytes, made when they are asked for."""

    def __init__(self, service: QuizService, database: Database, learner: int) -> None:
        self._service = service
        self._database = database
        self._learner = learner

    def json(self, now: datetime) -> bytes:
        """Everything, as the file that can be taken in again; see docs/data.md."""
        out = io.BytesIO()
        write_json(self._database, self._learner, now, out)
        return out.getvalue()

    def tables(self) -> bytes:
        """A zip of attempts.csv and runs.csv."""
        out = io.BytesIO()
        write_tables(self._database, self._learner, out)
        return out.getvalue()

    def weak_spots(self, now: datetime) -> list[str]:
        """Ids of the questions whose cards are worth repeating, the weakest first."""
        from quiz.service.anki import weak_spots

        return weak_spots({cell.question_id: cell.mastery for cell in self._service.progress(self._learner, now, UTC).cells})

    def anki(self, now: datetime, *, weak: bool = False) -> bytes:
        """An .apkg of the bank, or of the learner's weak spots."""
        from quiz.service.anki import package  # genanki and Markdown: only when somebody asks

        return package(self._service.bank, now, self.weak_spots(now) if weak else None)

    def report(self, now: datetime, zone: tzinfo, title_of: Callable[[str], str], outcome_of: Callable[[str, str], str]) -> bytes:
        """A page to print, as HTML; `title_of` names an experiment, `outcome_of` says what an outcome's key stands for."""
        from quiz.service.report import report

        return report(self._service.progress(self._learner, now, zone), now, zone, title_of, outcome_of).encode()

    def preview(self, data: bytes, now: datetime) -> Merged:
        """What a file would add. Errors: UnusableFile."""
        return preview(self._database, self._learner, data, now)

    def merge(self, data: bytes, now: datetime, on_progress: OnProgress = untold) -> Merged:
        """Take a file in, by merging. Errors: UnusableFile, and then nothing is changed."""
        merged = merge(self._database, self._learner, data, now, on_progress)
        self._service.forget_state(self._learner)
        return merged
