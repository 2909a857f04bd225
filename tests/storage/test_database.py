"""Opening a database: what cannot be used is refused with a message, and nothing is overwritten. Real files only."""

import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy.exc import IntegrityError, StatementError

from quiz.service import QuizService
from quiz.storage.database import Database, DatabaseUnusable, open_database
from quiz.storage.models import Learner, PracticeSession
from tests.engine.builders import NOON
from tests.storage.builders import BANK, opened, practise, url


def refused(address: str, match: str) -> DatabaseUnusable:
    with pytest.raises(DatabaseUnusable, match=match) as caught:
        open_database(address, busy_timeout_s=0.1)
    error = caught.value
    assert error.place
    assert error.remedy
    assert str(error) == f"{error.place}: {error.what}. What to do: {error.remedy}."
    return error


def raw(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(path, isolation_level=None))


def used(folder: Path) -> Path:
    """A database with two attempts in it, closed."""
    database = opened(folder)
    service = QuizService(database, BANK)
    practise(service, service.start_session(1, 2, NOON).id, [True, False])
    database.close()
    return folder / "carousel.db"


# --- what is fine ---


def test_a_missing_file_and_its_folders_are_created(tmp_path):
    open_database(f"sqlite:///{tmp_path}/new/deep/carousel.db").close()
    assert (tmp_path / "new/deep/carousel.db").is_file()


def test_an_empty_file_becomes_a_database(tmp_path):
    (tmp_path / "carousel.db").touch()
    database = opened(tmp_path)
    assert QuizService(database, BANK).default_learner() == 1
    database.close()


@pytest.mark.parametrize("name", ["with space.db", "per%cent.db", "üñï.db", "a'quote.db", "que?ry.db", "ha#sh.db"])
def test_file_names_of_every_kind_work(tmp_path, name):
    for _ in range(2):
        open_database(f"sqlite:///{quote(str(tmp_path / name))}").close()
    assert (tmp_path / name).is_file()


def test_a_relative_address_is_relative_to_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open_database("sqlite:///here/carousel.db").close()
    assert (tmp_path / "here/carousel.db").is_file()


def test_every_connection_is_safe_and_strict(tmp_path):
    database = opened(tmp_path)
    for _ in range(2):
        with database.write() as repository:
            session = repository._session
            values = [
                session.connection().exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
            ]
        assert values == ["wal", 2, 5000, 1]
    database.close()


def test_foreign_keys_are_enforced(tmp_path):
    database = opened(tmp_path)
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), database.write() as repository:
        repository.add(PracticeSession(id="x", learner_id=99, length=1, only=[], started_at=NOON))
    database.close()


def add_learners(database: Database, *names: str) -> None:
    with database.write() as repository:
        for name in names:
            repository.add(Learner(name=name))


def test_a_transaction_left_by_an_error_is_rolled_back(tmp_path):
    database = opened(tmp_path)
    with pytest.raises(IntegrityError, match="UNIQUE"):
        add_learners(database, "gone", "gone")
    add_learners(database, "stays")
    with database.read() as repository:
        assert repository.has_learner(2)
        assert not repository.has_learner(3)
    database.close()


def test_a_second_open_session_of_a_learner_is_refused_by_the_database_itself(tmp_path):
    database = opened(tmp_path)
    session = QuizService(database, BANK).start_session(1, 1, NOON)
    with pytest.raises(IntegrityError, match="UNIQUE"), database.write() as repository:
        repository.add(PracticeSession(id=session.id + "2", learner_id=1, length=1, only=[], started_at=NOON))
    database.close()


def test_times_are_stored_in_utc_and_naive_ones_refused(tmp_path):
    database = opened(tmp_path)
    kathmandu = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))
    with database.write() as repository:
        repository.add(PracticeSession(id="x", learner_id=1, length=1, only=[], started_at=kathmandu))
    with database.read() as repository:
        session = repository.session("x")
        assert session is not None
        assert (session.started_at, session.started_at.tzinfo) == (NOON, UTC)
    with raw(tmp_path / "carousel.db") as connection:
        assert connection.execute("SELECT started_at FROM practice_session").fetchone() == ("2026-03-02 12:00:00.000000",)
    with pytest.raises(StatementError, match="expected a datetime with a time zone"), database.write() as repository:
        repository.add(PracticeSession(id="y", learner_id=1, length=1, only=[], started_at=datetime(2026, 3, 2)))  # noqa: DTZ001
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE attempt SET correct = 1",
        "DELETE FROM attempt",
        "INSERT OR REPLACE INTO attempt SELECT id, presentation_id, learner_id, response, 1, score, confidence, answered_at, seconds FROM attempt",
        "UPDATE item_version SET content = '{}'",
        "UPDATE question_version SET content = '{}'",
    ],
)
def test_what_was_recorded_cannot_be_changed_even_by_hand(tmp_path, statement):
    with raw(used(tmp_path)) as connection:
        connection.execute("PRAGMA recursive_triggers = ON")
        before = connection.execute("SELECT * FROM attempt").fetchall()
        with pytest.raises(sqlite3.IntegrityError, match=r"append-only|cannot be changed"):
            connection.execute(statement)
        assert connection.execute("SELECT * FROM attempt").fetchall() == before


def test_a_reader_sees_one_moment_while_a_writer_goes_on(tmp_path):
    database = opened(tmp_path)
    with database.read() as reader:
        assert not reader.has_learner(2)
        with database.write() as writer:
            writer.add(Learner(name="new"))
        assert not reader.has_learner(2)
    with database.read() as reader:
        assert reader.has_learner(2)
    database.close()


def test_many_threads_that_read_and_then_write_all_succeed(tmp_path):
    database = opened(tmp_path)

    def add(number: int) -> None:
        for turn in range(5):
            with database.write() as repository:
                repository.first_learner()
                repository.add(Learner(name=f"{number}-{turn}"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    with raw(tmp_path / "carousel.db") as connection:
        assert connection.execute("SELECT count(*) FROM learner").fetchone() == (41,)


# --- what is refused ---


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("", "not a database address"),
        ("carousel.db", "not a database address"),
        ("postgresql://me:secret@host/db", "asks for postgresql"),
        ("nonsense://x", "asks for nonsense"),
        ("sqlite:///per%cent.db", "no valid escape"),
        ("sqlite+aiosqlite:///x.db", "driver aiosqlite"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:x?mode=memory&uri=true", "names no file"),
    ],
)
def test_an_address_that_is_no_sqlite_file_is_refused(address, match, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refused(address, match)
    assert list(tmp_path.iterdir()) == []


def test_a_password_in_the_address_is_not_shown():
    assert "secret" not in str(refused("postgresql://me:secret@host/db", "postgresql"))


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "carousel.db"
    path.write_text("my diary, do not overwrite")
    assert refused(url(tmp_path), "not an SQLite database").place == str(path)
    assert path.read_text() == "my diary, do not overwrite"
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_database_is_refused_and_left_alone(tmp_path):
    path = used(tmp_path)
    damaged = path.read_bytes()[:100] + b"\xff" * (path.stat().st_size - 100)
    path.write_bytes(damaged)
    refused(url(tmp_path), r"no usable SQLite database|malformed")
    assert path.read_bytes() == damaged


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    (tmp_path / "carousel.db").mkdir()
    refused(url(tmp_path), "this is a folder")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "data").write_text("x")
    refused(f"sqlite:///{tmp_path}/data/carousel.db", "cannot be read or created")


def test_something_that_is_neither_file_nor_folder_is_refused():
    refused("sqlite:////dev/null", "not a regular file")


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "carousel.db"
    with raw(path) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    before = path.read_bytes()
    refused(url(tmp_path), r"not Carousel's \(recipes\)")
    assert path.read_bytes() == before


def test_a_newer_database_is_refused_and_left_alone(tmp_path):
    path = used(tmp_path)
    with raw(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    assert "newer" in refused(url(tmp_path), r"its revision is 9999; this one knows up to \d{4}").remedy
    assert path.read_bytes() == before


def test_a_locked_database_is_refused(tmp_path):
    path = used(tmp_path)
    with raw(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "close that program" in refused(url(tmp_path), "another program keeps it locked").remedy
        other.execute("ROLLBACK")
    opened(tmp_path).close()


def test_a_locked_database_that_is_not_in_wal_mode_is_refused_too(tmp_path):
    path = used(tmp_path)
    with raw(path) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        refused(url(tmp_path), "another program keeps it locked")
        other.execute("ROLLBACK")


def test_a_database_opened_read_only_is_refused(tmp_path):
    path = used(tmp_path)
    before = path.read_bytes()
    error = refused(f"sqlite:///file:{path}?mode=ro&uri=true", "it is read-only")
    assert error.place == str(path)
    assert path.read_bytes() == before


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder every user may enter (pytest's own are closed to others)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Take the right to write away. Root may write whatever the permissions say, so root becomes somebody else meanwhile."""
    mode, user = path.stat().st_mode, os.geteuid()
    path.chmod(mode & ~0o222)
    if user == 0:
        os.seteuid(65534)  # nobody
    try:
        with pytest.raises(PermissionError):
            (path / "probe").touch() if path.is_dir() else path.open("ab")
        yield
    finally:
        os.seteuid(user)
        path.chmod(mode)


def test_a_read_only_file_is_refused_and_left_alone(open_folder):
    path = used(open_folder)
    before = path.read_bytes()
    with read_only(path):
        refused(url(open_folder), r"it is read-only|cannot be opened or created")
    assert path.read_bytes() == before
    opened(open_folder).close()


def test_a_read_only_folder_is_refused_when_the_file_has_to_be_created(open_folder):
    with read_only(open_folder):
        refused(url(open_folder), "cannot be opened or created")
        refused(f"sqlite:///{open_folder}/new/carousel.db", "cannot be read or created: Permission denied")
    assert list(open_folder.iterdir()) == []
