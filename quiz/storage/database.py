"""Opens the database: safely, or with a message that says what is wrong and what to do.

SQLite in WAL mode with full synchronisation: an answer that was acknowledged survives a crash. Writers start with
BEGIN IMMEDIATE (a transaction that reads first and writes later fails with "database is locked" when another one
wrote in between), and within the process they queue on one lock, which is fairer than SQLite's waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.orm import Session

from quiz.storage import replacing, upgrade
from quiz.storage.repository import Repository
from quiz.storage.upgrade import DatabaseUnusable
from quiz.telling import OnProgress, untold

__all__ = ["Database", "DatabaseUnusable", "open_database"]

BUSY_TIMEOUT_S = 5.0
CHECKED, KEPT = 0.6, 0.75  # how much of a replacement is done by then, of its time
_MAGIC = b"SQLite format 3\x00"
_WRITE_LOCK = threading.RLock()  # what follows a replacement writes, while everybody else still waits
_EXAMPLE = "use an address such as sqlite:///data/carousel.db"


class Database:
    """One engine; `read` and `write` each give a Repository for one short transaction.

    Both raise DatabaseUnusable when the file is locked by another program, full or gone; the transaction is then undone.
    """

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._writer = engine.execution_options(immediate=True)
        self._path = path

    @property
    def place(self) -> str:
        """The file."""
        return str(self._path)

    @contextmanager
    def read(self) -> Iterator[Repository]:
        """A transaction that only reads: one consistent view, then rolled back."""
        with self._explaining(), Session(self._engine) as session:
            yield Repository(session)

    @contextmanager
    def write(self) -> Iterator[Repository]:
        """A transaction that writes: committed at the end, rolled back on an error."""
        with self._explaining(), _WRITE_LOCK, Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield Repository(session)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise _explained(self._path, error) from error

    def copy_to(self, target: Path) -> None:
        """Write a copy as one file, whatever is written meanwhile. Errors: DatabaseUnusable; sqlite3.Error for `target`."""
        with self._explaining():
            replacing.copy(self._path, target)

    def replace(
        self,
        source: Path,
        label: str,
        check: Callable[[Repository], None],
        afterwards: Callable[[], None],
        on_progress: OnProgress = untold,
    ) -> Path:
        """Put the contents of the database at `source`, which must be up to date, in the place of this one's; gives the copy of what was here.

        Writers wait until it is done, `afterwards` included; before it, `check` may refuse by raising.
        Errors: whatever `check` raises; DatabaseUnusable when another program has the file open. Nothing has been changed then.
        """
        with _WRITE_LOCK, self._explaining():
            with Session(self._engine) as session:
                check(Repository(session))
            on_progress(CHECKED, "Keeping a copy of what is here")
            kept = upgrade.back_up(self._path, label)
            try:
                replacing.replace(
                    self._path,
                    source,
                    self._engine.dispose,
                    lambda share: on_progress(KEPT + (1 - KEPT) * share, f"Putting the backup in its place: {share:.0%}"),
                )
            except replacing.InUse as error:
                kept.unlink()
                raise DatabaseUnusable(str(self._path), str(error), "stop other programs that use this file (another Carousel) and try again") from error
            finally:
                _use_wal(self._engine)
            afterwards()
            return kept

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def open_database(url: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Database:
    """The database at `url`, brought up to date.

    A missing file is created, its folder too; an older one is copied beside itself, then migrated.
    Errors: DatabaseUnusable; the file is then as it was.
    """
    address = _address(url)
    path = Path(address.database.removeprefix("file:").partition("?")[0]) if address.database else Path()
    _look_at_file(path)
    engine = _engine(address, busy_timeout_s)
    try:
        with engine.execution_options(immediate=True).begin() as connection:
            upgrade.bring_up_to_date(connection, path)
        _use_wal(engine)
    except DatabaseError as error:
        engine.dispose()
        raise _explained(path, error) from error
    except DatabaseUnusable:
        engine.dispose()
        raise
    return Database(engine, path)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise DatabaseUnusable(url or "(empty)", "this is not a database address", _EXAMPLE) from None
    shown = address.render_as_string(hide_password=True)
    if address.get_backend_name() != "sqlite":
        raise DatabaseUnusable(shown, f"Carousel keeps its data in SQLite, and this address asks for {address.get_backend_name()}", _EXAMPLE)
    if address.get_driver_name() != "pysqlite":
        raise DatabaseUnusable(shown, f"the driver {address.get_driver_name()} is not supported", _EXAMPLE)
    if address.database in (None, "", ":memory:") or address.query.get("mode") == "memory":
        raise DatabaseUnusable(shown, "this address names no file, so nothing would be remembered", _EXAMPLE)
    if "\ufffd" in str(address.database):
        raise DatabaseUnusable(url, "the % in this address is no valid escape", "write a % in a file name as %25")
    return address


def _look_at_file(path: Path) -> None:
    """Refuse what is certainly no database of ours before SQLite touches it; create the folder when there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise DatabaseUnusable(str(path), "this is a folder, not a file", "name a file inside it")
        if path.exists() and not path.is_file():
            raise DatabaseUnusable(str(path), "this is not a regular file", "name a file")
        head = _head(path) if path.exists() else b""
    except OSError as error:
        raise DatabaseUnusable(str(path), f"it cannot be read or created: {error.strerror}", "check the path and its permissions") from error
    if head and head != _MAGIC:
        raise DatabaseUnusable(str(path), "this file is not an SQLite database", "move this file away, or set DATABASE_URL to another one")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_MAGIC))


def _engine(address: URL, busy_timeout_s: float) -> Engine:
    engine = create_engine(address, connect_args={"timeout": busy_timeout_s}, pool_size=8, max_overflow=24)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # the driver starts no transactions of its own; `_begin` does
        for pragma in ("synchronous = FULL", f"busy_timeout = {int(busy_timeout_s * 1000)}", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _use_wal(engine: Engine) -> None:
    """Switch the file to WAL, for good; only now that it is known to be ours."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def _explained(path: Path, error: DatabaseError) -> DatabaseUnusable:
    said = str(error.orig)
    if isinstance(error, OperationalError) and "locked" in said:
        return DatabaseUnusable(str(path), "another program keeps it locked", "close that program (another Carousel, a database browser) and try again")
    if "readonly" in said or "read-only" in said:
        return DatabaseUnusable(str(path), "it is read-only", "make the file and its folder writable, or set DATABASE_URL to another file")
    if "unable to open" in said:
        return DatabaseUnusable(str(path), "it cannot be opened or created", "check the path and its permissions, or set DATABASE_URL to another file")
    if "not a database" in said or "malformed" in said:
        return DatabaseUnusable(str(path), f"this file is no usable SQLite database ({said})", "restore a backup, or move the file away to start afresh")
    if "full" in said:
        return DatabaseUnusable(str(path), "the disk is full", "free some space and try again; nothing was half written")
    return DatabaseUnusable(str(path), said, "see the message; the transaction was undone, so the file is as it was")
