"""Profiles: named, apart from each other, and gone with everything when they are deleted; nothing else can be deleted."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from quiz.service import InvalidName, LearnerData, NotConfirmed, Profiles, QuizService, RunBook, UnknownLearner
from quiz.storage.models import Attempt, Base, DepartedLearner
from tests.storage.histories import LATER, RESULT, RUN, Device, busy_device


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    device = busy_device(tmp_path)
    yield device
    device.close()


@pytest.fixture
def profiles(device: Device) -> Profiles:
    return Profiles(device.database, device.service)


def rows(device: Device, table: str) -> int:
    with closing(sqlite3.connect(device.database.place)) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_a_new_profile_has_nothing_and_sees_nothing_of_the_others(device: Device, profiles: Profiles) -> None:
    other = profiles.add("  Ada \u0041\u030a ")  # composed, and single spaces
    assert dict(profiles.names) == {1: "learner", other: "Ada Å"}
    first, second = profiles.all()
    assert (first.answers, first.runs, second.answers, second.runs, second.last) == (len(device.content()["attempts"]), rows(device, "run"), 0, 0, None)
    assert first.last is not None
    assert device.service.open_session(other) is None
    assert not device.service.state(other).questions
    mine, theirs = (RunBook(device.database, learner) for learner in (1, other))
    theirs.begin("theirs", RUN)
    theirs.end("theirs", RESULT)
    assert mine.load("theirs") is None
    assert "theirs" not in {run.id for run in mine.recent(1000)}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("  ", "A profile needs a name: type one."),
        ("x" * 41, "A name has at most 40 characters; this one has 41: shorten it."),
        (
            "Zoë\u202eb\u202e",
            "A name has no invisible characters. Where the question mark stands in “Zoë?b?” there is U+202E (right-to-left override): leave it out.",
        ),
        ("\u200dZoë", "in “?Zoë” there is U+200D (zero width joiner)"),
        ("Zo\u200d\u200cë", "in “Zo\u200d?ë” there is U+200C (zero width non-joiner)"),
        ("Zoë\u200d", "in “Zoë?” there is U+200D"),
        ("LEARNER", "There is a profile called “learner” already: choose another name."),
        ("lear\u200dner", "There is a profile called “learner” already: choose another name."),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_the_reason(profiles: Profiles, name: str, message: str) -> None:
    profiles.add("Ben")
    for give in (profiles.add, lambda name: profiles.rename(2, name)):
        with pytest.raises(InvalidName, match=re.escape(message)):
            give(name)
    assert dict(profiles.names) == {1: "learner", 2: "Ben"}


@pytest.mark.parametrize("name", ["👩\u200d👩\u200d👧\u200d👦", "علی\u200cرضا", "ශ්\u200dරී", "മോഹന്\u200d ദാസ്"])
def test_a_name_keeps_what_joins_its_characters_and_can_be_typed_without(profiles: Profiles, name: str) -> None:
    learner = profiles.add(name)
    assert profiles.names[learner] == name
    profiles.delete(learner, name.replace("\u200c", "").replace("\u200d", ""))
    assert learner not in profiles.names


def test_a_profile_can_be_renamed_also_to_its_own_name_in_other_letters(profiles: Profiles) -> None:
    profiles.rename(1, "Learner")
    assert profiles.names[1] == "Learner"
    with pytest.raises(UnknownLearner):
        profiles.rename(7, "Nobody")


def test_deleting_takes_the_typed_name_and_then_everything_of_one_and_nothing_of_the_other(device: Device, profiles: Profiles) -> None:
    other = profiles.add("Ben")
    session = device.service.start_session(other, 5, LATER)
    RunBook(device.database, other).begin("bens", RUN)
    bens = LearnerData(device.service, device.database, other).json(LATER)
    first, second = (run.id for run in RunBook(device.database, 1).recent(1000) if run.ended_at)
    with device.database.write() as repository:
        assert repository.runs(1).note(first, "as expected", LATER)
        assert repository.runs(1).delete(second, LATER)
    with pytest.raises(NotConfirmed, match="The name typed is not “learner”, so nothing was deleted"):
        profiles.delete(1, "Learner")
    assert rows(device, "attempt") > 0
    assert profiles.delete(1, " learner ") is None
    assert dict(profiles.names) == {other: "Ben"}
    left = {table.name: rows(device, table.name) for table in Base.metadata.sorted_tables if not table.name.endswith("_version")}
    assert {name: count for name, count in left.items() if count} == {"learner": 1, "departed_learner": 1, "practice_session": 1, "run": 1}
    assert LearnerData(device.service, device.database, other).json(LATER) == bens
    assert device.service.open_session(other) == session
    with pytest.raises(UnknownLearner):
        device.service.start_session(1, 5, LATER)
    with pytest.raises(UnknownLearner):
        profiles.delete(1, "learner")


def test_everything_that_points_to_a_learner_goes_along(device: Device) -> None:
    """A table that is added later and points to a learner, however far, must be in the trigger: else nobody could be deleted any more."""
    with closing(sqlite3.connect(device.database.place)) as connection:
        (trigger,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'learner_departs_with_everything'").fetchone()
    theirs = {"learner"}
    for _ in Base.metadata.tables:
        theirs |= {table.name for table in Base.metadata.tables.values() if theirs & {key.column.table.name for key in table.foreign_keys}}
    assert set(re.findall(r"DELETE FROM (\w+)", trigger)) == theirs


def test_the_last_profile_gives_way_to_a_fresh_one_whose_id_is_new(device: Device, profiles: Profiles) -> None:
    fresh = profiles.delete(1, "learner")
    assert fresh == 2
    assert dict(profiles.names) == {2: "learner"}
    assert not device.service.state(fresh).questions
    assert QuizService(device.database, device.service.bank).default_learner() == 2
    profiles.add("Ben")
    profiles.delete(3, "Ben")
    assert profiles.add("Cy") == 4


def test_an_attempt_cannot_be_deleted_before_or_after_somebody_left(device: Device, profiles: Profiles) -> None:
    profiles.delete(profiles.add("Ben"), "Ben")
    with pytest.raises(IntegrityError, match="attempts are append-only"), device.database.write() as repository:
        repository._session.execute(Attempt.__table__.delete())
    with pytest.raises(IntegrityError, match="belonged to a learner who has departed"), device.database.write() as repository:
        repository._session.execute(Base.metadata.tables["learner"].insert().values(id=2, name="Ben again"))
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), device.database.write() as repository:
        repository._session.execute(Base.metadata.tables["learner"].delete().where(Base.metadata.tables["learner"].c.id == 1))
    assert rows(device, "attempt") == len(device.content()["attempts"])


def test_who_is_listed_as_departed_is_gone(device: Device) -> None:
    with device.database.write() as repository:
        repository.add(DepartedLearner(id=1))
    assert (rows(device, "attempt"), rows(device, "learner")) == (0, 0)


def test_a_run_that_ends_after_its_learner_has_left_changes_nothing(device: Device, profiles: Profiles) -> None:
    other = profiles.add("Ben")
    book = RunBook(device.database, other)
    book.begin("bens", RUN)
    profiles.delete(other, "Ben")
    book.end("bens", RESULT)
    assert book.load("bens") is None


def test_names_that_another_program_adds_are_seen_after_a_look(device: Device, profiles: Profiles) -> None:
    Profiles(device.database, device.service).add("Ben")
    assert 2 not in profiles.names
    profiles.refresh()
    assert profiles.names[2] == "Ben"
