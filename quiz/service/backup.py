"""Backup and restore of everything: the whole database as one file, and such a file in the place of the database.

Other than a learner's file (importing.py), which is merged into a profile, a backup replaces all profiles at once.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from quiz.service.errors import QuizError
from quiz.service.owners import lives_elsewhere, this_process
from quiz.service.profiles import people
from quiz.storage.database import Database, DatabaseUnusable, open_database
from quiz.storage.inspecting import NotABackup, inspect
from quiz.storage.repository import Repository
from quiz.telling import OnProgress, untold
from quiz.views import Profile

MAX_BYTES = 200 * 2**20  # of a backup that a page takes in; the command takes any


class UnusableBackup(QuizError):
    """The file cannot be restored from; the message says why. Nothing was changed."""


class RunsUnderWay(QuizError):
    """Runs are going on, whose end would be recorded in another database than their beginning."""


@dataclass(frozen=True)
class Restored:
    """What a restored backup held, and where the database that was here before is kept."""

    profiles: tuple[Profile, ...]
    kept: Path


class Backups:
    """Backup and restore for the pages; `afterwards` has everything that is remembered of the old contents forgotten."""

    def __init__(self, database: Database, afterwards: Callable[[], None]) -> None:
        self._database = database
        self._afterwards = afterwards

    def make(self) -> bytes:
        """A backup of everything, as it is now."""
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "backup.db"
            write_backup(self._database, target)
            return target.read_bytes()

    def look_into(self, data: bytes) -> tuple[Profile, ...]:
        """The profiles a backup holds. Errors: UnusableBackup."""
        return look_into(data)

    def restore(self, data: bytes, now: datetime, on_progress: OnProgress = untold) -> Restored:
        """Put a backup in the place of everything. Errors: UnusableBackup, RunsUnderWay, DatabaseUnusable; nothing has been changed then."""
        return restore(self._database, data, now, self._afterwards, on_progress)


def write_backup(database: Database, target: Path) -> None:
    """Write a consistent copy of the whole database to `target`, whatever is answered meanwhile.

    Errors: FileExistsError when there is such a file; OSError when it cannot be written; DatabaseUnusable.
    """
    if target.exists():
        raise FileExistsError(f"{target} is there already; name another file")
    part = target.with_name(f"{target.name}.part")
    try:
        database.copy_to(part)
        part.replace(target)
    except sqlite3.Error as error:
        raise OSError(f"{target} cannot be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def look_into(data: bytes | Path) -> tuple[Profile, ...]:
    """The profiles a backup holds. Errors: UnusableBackup."""
    with _staged(data) as (_, profiles):
        return profiles


def restore(database: Database, data: bytes | Path, now: datetime, afterwards: Callable[[], None], on_progress: OnProgress = untold) -> Restored:
    """Put a backup in the place of the whole database, of which a dated copy is kept beside it.

    `afterwards` is called before anybody writes again: what is remembered of the old contents must go.
    Errors: UnusableBackup, RunsUnderWay, DatabaseUnusable; nothing has been changed then.
    """
    on_progress(0.0, "Checking the backup")
    with _staged(data) as (path, profiles):
        kept = database.replace(path, f"before-restore-{now:%Y-%m-%d-%H%M%S}", _refuse_runs, afterwards, on_progress)
    return Restored(profiles, kept)


def _refuse_runs(repository: Repository) -> None:
    owners = [run.request_more.get("owner") for learner in repository.learners() for run in repository.unfinished_runs(learner.id)]
    alive = sum(owner == this_process() or lives_elsewhere(owner) for owner in owners)
    if alive:
        raise RunsUnderWay(f"{alive} {'run is' if alive == 1 else 'runs are'} still going on in the lab. Nothing was restored: wait for the end, or cancel.")


@contextmanager
def _staged(data: bytes | Path) -> Iterator[tuple[Path, tuple[Profile, ...]]]:
    """A copy of the backup that was checked and brought up to date, and its profiles. The file itself is not touched."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "backup.db"
        path.write_bytes(data if isinstance(data, bytes) else _read(data))
        try:
            inspect(path)
            opened = open_database(f"sqlite:///{quote(path.as_posix())}")
        except (NotABackup, DatabaseUnusable) as error:
            raise UnusableBackup(str(error)) from error
        try:
            profiles = people(opened)
        finally:
            opened.close()
        if not profiles:
            raise UnusableBackup("It holds no profile.")
        yield path, profiles


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableBackup(f"{path} cannot be read: {error.strerror}.") from error
