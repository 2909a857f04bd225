"""Brings a database up to date, and refuses one that is newer or belongs to another program.

A revision is the file `migrations/versions/vNNNN_*.py`; the database names the one it stands at. Alembic is imported
only when there is something to do, so that an everyday start does not pay for it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseUnusable(Exception):
    """The database cannot be used: `place`, `what` is wrong, and `remedy`, what to do about it."""

    def __init__(self, place: str, what: str, remedy: str) -> None:
        self.place, self.what, self.remedy = place, what, remedy
        super().__init__(f"{place}: {what}. What to do: {remedy}.")


def revisions() -> list[str]:
    """Every revision this code knows, oldest first."""
    return sorted(path.stem[1:5] for path in (MIGRATIONS / "versions").glob("v[0-9][0-9][0-9][0-9]_*.py"))


def bring_up_to_date(connection: Connection, path: Path) -> None:
    """Migrate the database of `connection` (in a write transaction) to the newest revision; `path` is its file.

    Errors: DatabaseUnusable when it is newer than this code or has tables that are not ours.
    """
    known = revisions()
    current = _current(connection, path)
    if current is not None and current not in known:
        raise DatabaseUnusable(
            str(path),
            f"it was written by a newer Carousel (its revision is {current}; this one knows up to {known[-1]})",
            "start the newer Carousel, or set DATABASE_URL to another file",
        )
    if current is not None:
        # BEGIN IMMEDIATE succeeds on a read-only database; only a real write tells.
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
    if current == known[-1]:
        return
    if current is not None:
        back_up(path, f"before-upgrade-{current}")
    migrate(connection, known[-1])


def _current(connection: Connection, path: Path) -> str | None:
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    found = list(connection.scalars(text("SELECT version_num FROM alembic_version"))) if "alembic_version" in tables else []
    if len(found) != 1:
        named = ", ".join(sorted(tables)[:5])
        raise DatabaseUnusable(str(path), f"it holds tables that are not Carousel's ({named})", "set DATABASE_URL to another file")
    return str(found[0])


def back_up(path: Path, label: str) -> Path:
    """Copy the database at `path` beside itself; `label` says why. An earlier copy is never overwritten."""
    count = 0
    while (copy := path.with_name(f"{path.stem}.{label}{f'-{count}' if count else ''}{path.suffix}")).exists():
        count += 1
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def migrate(connection: Connection, revision: str) -> None:
    """Bring the database of `connection`, which may be empty, up to a revision."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
