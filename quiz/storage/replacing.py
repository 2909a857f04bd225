"""Copies a whole database, and puts another one's contents in its place, with SQLite's online backup.

The backup is one transaction of the target: readers see the old contents or the new ones, and after a crash in the
middle the old ones (https://sqlite.org/backup.html). No file is moved, so nobody is left reading one that is gone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

WAIT_S = 5.0  # for readers of this process to finish
PAUSE_S = 0.05
PAGES = 2000  # copied at a time, 8 MB: between two of them it is told how far it is
WAITING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class InUse(Exception):
    """Another program has the database open, and would go on with what it remembers of the old contents."""


def copy(path: Path, target: Path) -> None:
    """Copy the database at `path` to `target` as a single file: not in WAL mode, which would need files beside it."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copied:
        source.backup(copied)
        copied.execute("PRAGMA journal_mode = DELETE")


def replace(path: Path, source: Path, let_go: Callable[[], None], on_progress: Callable[[float], None] = lambda share: None) -> None:
    """Put the contents of `source` in the place of those at `path`. `let_go` closes this process's idle connections.

    `on_progress` is told the share of the pages that is copied; the target stays locked from the first page to the last.
    Leaves WAL mode, which SQLite does only for the one who alone has the file open: so another program is noticed.
    Errors: InUse, and then nothing has been changed.
    """
    deadline = time.monotonic() + WAIT_S
    while not _alone(path, let_go):
        if time.monotonic() > deadline:
            raise InUse("another program has it open")
        time.sleep(PAUSE_S)
    with closing(sqlite3.connect(source)) as new, closing(sqlite3.connect(path)) as target:
        new.backup(target, pages=PAGES, progress=lambda status, left, pages: _copied(status, left, pages, deadline + WAIT_S, on_progress), sleep=PAUSE_S)


def _alone(path: Path, let_go: Callable[[], None]) -> bool:
    let_go()
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        try:
            return bool(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                return False
            raise


def _copied(status: int, left: int, pages: int, deadline: float, on_progress: Callable[[float], None]) -> None:
    if status not in WAITING:
        on_progress(1 - left / pages if pages else 1.0)
    elif time.monotonic() > deadline:
        raise InUse("another program keeps it locked")
