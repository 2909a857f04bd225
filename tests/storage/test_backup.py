"""Backup and restore: a consistent copy while answers come in, and a file that is checked before it takes everything's place."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from quiz.service import Backups, DatabaseUnusable, LearnerData, Profiles, QuizService, RunBook, RunsUnderWay, UnusableBackup
from quiz.service.backup import look_into, restore, write_backup
from quiz.storage import replacing, upgrade
from quiz.storage.database import open_database
from tests.engine.builders import NOON
from tests.storage.histories import BANK, LATER, RUN, Device, busy_device


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    """With a history, and with nothing under way."""
    device = busy_device(tmp_path / "here")
    RunBook(device.database, 1).fail_interrupted(LATER)
    session = device.service.open_session(1)
    assert session is not None
    device.service.end_session(session.id, NOON)
    yield device
    device.close()


@pytest.fixture
def backups(device: Device) -> Backups:
    return Backups(device.database, device.service.start_anew)


def kept(device: Device) -> list[Path]:
    return sorted(Path(device.database.place).parent.glob("carousel.before-restore-*"))


def test_a_backup_brings_everything_back_and_what_was_here_is_kept(device: Device, backups: Backups) -> None:
    Profiles(device.database, device.service).add("Ben")
    before, state = device.file(), device.service.state(1)
    backup = backups.make()
    device.practise(LATER, "rrw")
    Profiles(device.database, device.service).delete(2, "Ben")
    changed = device.file()
    assert (changed, device.service.state(1)) != (before, state)
    assert [(one.name, one.answers) for one in backups.look_into(backup)] == [("learner", before.count(b'"answered_at"')), ("Ben", 0)]
    done = backups.restore(backup, LATER)
    assert [one.name for one in done.profiles] == ["learner", "Ben"]
    assert (device.file(), device.service.state(1)) == (before, state)
    assert kept(device) == [done.kept]
    assert done.kept.name == f"carousel.before-restore-{LATER:%Y-%m-%d-%H%M%S}.db"
    old = open_database(f"sqlite:///{done.kept}")
    try:
        assert LearnerData(QuizService(old, BANK), old, 1).json(LATER) == changed
    finally:
        old.close()
    with closing(sqlite3.connect(device.database.place)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    device.practise(LATER, "r")  # and it goes on


def test_restoring_tells_what_it_is_doing(backups: Backups) -> None:
    told = []
    backups.restore(backups.make(), LATER, lambda share, words: told.append((share, words)))
    assert told == [(0.0, "Checking the backup"), (0.6, "Keeping a copy of what is here"), (1.0, "Putting the backup in its place: 100%")]


def test_a_backup_made_while_answers_come_in_holds_whole_answers(device: Device, tmp_path: Path) -> None:
    copies, done = [], threading.Event()

    def copy() -> None:
        while not done.is_set():
            target = tmp_path / f"copy-{len(copies)}.db"
            write_backup(device.database, target)
            copies.append(target)

    thread = threading.Thread(target=copy)
    thread.start()
    try:
        device.practise(LATER, "rw" * 10)
    finally:
        done.set()
        thread.join()
    counts = [look_into(one)[0].answers for one in copies]
    assert counts == sorted(counts)
    assert all(one.with_name(f"{one.name}-wal").exists() is False for one in copies)


def test_a_backup_never_overwrites_a_file(device: Device, tmp_path: Path) -> None:
    target = tmp_path / "mine.db"
    target.write_text("a letter")
    with pytest.raises(FileExistsError, match="is there already; name another file"):
        write_backup(device.database, target)
    assert target.read_text() == "a letter"
    with pytest.raises(OSError, match="cannot be written"):
        write_backup(device.database, tmp_path / "nowhere" / "backup.db")


def sql(*statements: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    return change


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8192:40960] = b"\xa5" * (40960 - 8192)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(b""), "It is not an SQLite database"),
        (lambda path: path.write_text('{"format": "carousel-learner"}'), "It is not an SQLite database"),
        (cut, "It is damaged"),
        (scribble, "It is damaged"),
        (sql("UPDATE alembic_version SET version_num = '9999'"), "It was written by a newer Carousel (its revision is 9999"),
        (sql("DROP TABLE alembic_version"), "It is a database of another program"),
        (sql("DROP TRIGGER attempt_is_not_deleted"), "Its tables are not those of Carousel (revision"),
        (sql("CREATE TRIGGER evil AFTER INSERT ON attempt BEGIN DELETE FROM run; END"), "trigger evil"),
        (sql("ALTER TABLE attempt ADD COLUMN extra TEXT"), "table attempt"),
        (sql("DROP INDEX uq_practice_session_open"), "table practice_session"),
        (sql("CREATE VIEW peep AS SELECT * FROM learner"), "view peep"),
        (sql("PRAGMA foreign_keys = OFF", "DELETE FROM practice_session"), "It is incomplete: a row of “presentation” belongs to a row of “practice_session”"),
        (sql("INSERT INTO departed_learner SELECT id FROM learner"), "It holds no profile"),
    ],
)
def test_a_file_that_is_no_whole_backup_is_refused_and_changes_nothing(
    device: Device, backups: Backups, tmp_path: Path, damage: Callable[[Path], object], reason: str
) -> None:
    before, path = device.file(), tmp_path / "backup.db"
    path.write_bytes(backups.make())
    damage(path)
    data = path.read_bytes()
    for use in (lambda: backups.look_into(data), lambda: backups.restore(data, LATER)):
        with pytest.raises(UnusableBackup) as caught:
            use()
        assert reason in str(caught.value)
    assert (device.file(), kept(device), path.read_bytes()) == (before, [], data)


def test_an_older_backup_is_brought_up_to_date_and_its_file_left_alone(device: Device, backups: Backups, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        upgrade.migrate(connection, "0003")
    engine.dispose()
    sql("UPDATE learner SET name = 'Olga'")(path)
    before = path.read_bytes()
    assert [one.name for one in look_into(path)] == ["Olga"]
    restore(device.database, path, LATER, device.service.start_anew)
    assert Profiles(device.database, device.service).names == {1: "Olga"}
    assert path.read_bytes() == before
    with closing(sqlite3.connect(device.database.place)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (upgrade.revisions()[-1],)


def test_runs_under_way_are_waited_for(device: Device, backups: Backups) -> None:
    backup = backups.make()
    RunBook(device.database, 1).begin("going-on", RUN)
    before = device.file()
    with pytest.raises(RunsUnderWay, match="1 run is still going on in the lab"):
        backups.restore(backup, LATER)
    assert (device.file(), kept(device)) == (before, [])


def test_a_database_that_another_program_has_open_is_left_alone(device: Device, backups: Backups, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replacing, "WAIT_S", 0.2)
    backup, before = backups.make(), device.file()
    with closing(sqlite3.connect(device.database.place)) as other:
        other.execute("SELECT count(*) FROM attempt").fetchone()
        with pytest.raises(DatabaseUnusable, match="another program has it open"):
            backups.restore(backup, LATER)
        assert (device.file(), kept(device)) == (before, [])
    backups.restore(backup, LATER)


def test_a_plain_copy_of_the_database_can_be_restored_too(device: Device, backups: Backups, tmp_path: Path) -> None:
    before = device.file()
    device.close()
    copy = tmp_path / "copied.db"
    shutil.copy(device.database.place, copy)
    device.practise(LATER, "r")
    restore(device.database, copy, LATER, device.service.start_anew)
    assert device.file() == before
