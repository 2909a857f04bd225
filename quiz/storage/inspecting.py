"""Decides whether a file is a Carousel database that can be trusted to take this one's place.

The file may be anybody's: SQLite's own checks run first, and its tables and triggers must be those that the migrations
make, so that nothing in it runs and nothing that holds the records together is missing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from quiz.storage import upgrade

Shape = Mapping[str, Any]
_MAGIC = b"SQLite format 3\x00"


class NotABackup(ValueError):
    """The file cannot be restored from; the message says why."""


def inspect(path: Path) -> None:
    """Pass a database of this version or an older one. Errors: NotABackup."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise NotABackup("It is not an SQLite database, as a backup is.")
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            _check_pages(connection)
            _check_shape(connection, _revision(connection))
            _check_references(connection)
    except sqlite3.Error as error:
        raise NotABackup(f"It is damaged: {error}.") from error


def _check_pages(connection: sqlite3.Connection) -> None:
    found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise NotABackup(f"It is damaged: {'; '.join(str(one) for one in found)}.")


def _check_references(connection: sqlite3.Connection) -> None:
    broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise NotABackup(f"It is incomplete: a row of “{broken[0]}” belongs to a row of “{broken[2]}” that is missing.")


def _revision(connection: sqlite3.Connection) -> str:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    found = [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")] if "alembic_version" in tables else []
    if len(found) != 1:
        raise NotABackup("It is a database of another program.")
    known = upgrade.revisions()
    if found[0] not in known:
        raise NotABackup(
            f"It was written by a newer Carousel (its revision is {found[0]}; this one knows up to {known[-1]}). Start the newer one to restore it."
        )
    return str(found[0])


def _check_shape(connection: sqlite3.Connection, revision: str) -> None:
    found, expected = shape(connection), _expected(revision)
    odd = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    if odd:
        raise NotABackup(f"Its tables are not those of Carousel (revision {revision}): {', '.join(odd[:5])}.")


def _expected(revision: str) -> Shape:
    """The shape that the migrations give a database at a revision."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.begin() as connection:
            upgrade.migrate(connection, revision)
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            return shape(raw)
    finally:
        engine.dispose()


def shape(connection: sqlite3.Connection) -> Shape:
    """What a database is made of, by kind and name: columns, keys and indexes of tables; the text of triggers and views.

    Not the text of tables: it differs with the version of the library that wrote it.
    """
    names = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND type != 'index'").fetchall()
    return {f"{kind} {name}": _table(connection, name) if kind == "table" else " ".join(str(sql).split()) for kind, name, sql in names}


def _table(connection: sqlite3.Connection, name: str) -> Any:
    quoted = '"' + name.replace('"', '""') + '"'
    columns = [(row[1], row[2], row[3], row[5]) for row in connection.execute(f"PRAGMA table_info({quoted})")]
    keys = sorted((row[2], row[3], row[4]) for row in connection.execute(f"PRAGMA foreign_key_list({quoted})"))
    return columns, keys, sorted(_indexes(connection, quoted))


def _indexes(connection: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    for _, name, unique, origin, partial in connection.execute(f"PRAGMA index_list({table})").fetchall():
        quoted = '"' + name.replace('"', '""') + '"'
        yield unique, origin, partial, tuple(str(row[2]) for row in connection.execute(f"PRAGMA index_info({quoted})"))
