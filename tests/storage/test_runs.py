"""The run book: the prediction is locked, a run ends once, and what was left open is marked at the next start."""

import math
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import psutil
import pytest

from quiz.service import INTERRUPTED, RunBook, UnknownRun
from quiz.service.owners import lives_elsewhere
from quiz.storage.models import Learner
from tests.engine.builders import NOON

REQUEST = {
    "experiment": "forget-gate",
    "settings": {"hidden": 16, "task": "stream", "bias": 1.0, "peepholes": False},
    "first_seed": 3,
    "seeds": 2,
    "device": "auto",
    "prediction": "grows",
    "versions": {"torch": "2.13.0"},
}
RESULT = {
    "state": "finished",
    "error": None,
    "device_used": "cpu",
    "cpu_seconds": 1.5,
    "verdict": {"status": "supported", "passed": 2, "seeds": 2, "outcome": "grows"},
    "record": {"curves": [[0, 1.5], [1, math.inf]], "pictures": []},
}


@pytest.fixture
def book(database) -> RunBook:
    ticks = iter(NOON + timedelta(seconds=second) for second in range(1000))
    return RunBook(database, 1, clock=lambda: next(ticks))


def test_a_run_comes_back_as_it_was_stored(book):
    book.begin("r1", REQUEST)
    begun = book.load("r1")
    assert begun is not None
    assert {name: begun[name] for name in REQUEST} == REQUEST
    assert (begun["run_id"], begun["state"], begun["verdict"], begun["ended_at"]) == ("r1", "queued", None, None)
    book.end("r1", RESULT)
    ended = book.load("r1")
    assert ended is not None
    assert {name: ended[name] for name in REQUEST | RESULT} == REQUEST | RESULT
    assert (ended["started_at"], ended["ended_at"]) == ("2026-03-02T12:00:00+00:00", "2026-03-02T12:00:01+00:00")
    assert book.load("r2") is None


def test_diverged_values_survive_storage(book):
    book.begin("r1", REQUEST)
    book.end("r1", RESULT | {"record": {"curves": [math.nan, -math.inf, 1e308]}})
    loaded = book.load("r1")
    assert loaded is not None
    nan, low, high = loaded["record"]["curves"]
    assert math.isnan(nan)
    assert (low, high) == (-math.inf, 1e308)


def test_facts_without_a_column_are_kept_too(book):
    book.begin("r1", REQUEST | {"preset": "quick"})
    book.end("r1", RESULT | {"finished_seeds": [3, 4]})
    loaded = book.load("r1")
    assert loaded is not None
    assert (loaded["preset"], loaded["finished_seeds"]) == ("quick", [3, 4])


def test_the_prediction_cannot_change_after_the_run_has_begun(book, database):
    book.begin("r1", REQUEST)
    with pytest.raises(ValueError, match="prediction cannot change"):
        book.end("r1", RESULT | {"prediction": "shrinks"})
    with pytest.raises(ValueError, match="stored already"):
        book.begin("r1", REQUEST | {"prediction": "shrinks"})
    with closing(sqlite3.connect(database.place)) as raw, pytest.raises(sqlite3.IntegrityError, match="prediction cannot change"):
        raw.execute("UPDATE run SET prediction = 'shrinks'")
    loaded = book.load("r1")
    assert loaded is not None
    assert (loaded["prediction"], loaded["state"]) == ("grows", "queued")
    book.end("r1", RESULT | REQUEST)  # the same request again is no change


def test_a_run_ends_once_and_the_first_end_counts(book, database):
    book.begin("r1", REQUEST)
    book.end("r1", RESULT)
    first = book.load("r1")
    book.end("r1", {"state": "cancelled"})
    assert book.load("r1") == first
    with closing(sqlite3.connect(database.place)) as raw, pytest.raises(sqlite3.IntegrityError, match="a run ends once"):
        raw.execute("UPDATE run SET state = 'cancelled'")


def test_an_unknown_run_cannot_end_and_a_request_must_be_whole(book):
    with pytest.raises(UnknownRun, match="'r9'"):
        book.end("r9", RESULT)
    with pytest.raises(ValueError, match="run r1: settings, seeds must be given"):
        book.begin("r1", {"experiment": "forget-gate", "first_seed": 0})
    assert book.recent() == ()


def test_the_history_is_newest_first_with_verdict_and_outcome(book):
    for name in ("a", "b", "c"):
        book.begin(name, REQUEST)
    book.end("b", RESULT)
    assert [row.id for row in book.recent()] == ["c", "b", "a"]
    assert [row.id for row in book.recent(limit=2)] == ["c", "b"]
    row = book.recent()[1]
    assert (row.experiment, row.settings, row.first_seed, row.seeds) == ("forget-gate", REQUEST["settings"], 3, 2)
    assert (row.device, row.state, row.status, row.prediction, row.outcome) == ("cpu", "finished", "supported", "grows", "grows")
    assert (row.started_at, row.ended_at) == (NOON + timedelta(seconds=1), NOON + timedelta(seconds=3))
    assert (book.recent()[0].status, book.recent()[0].outcome, book.recent()[0].ended_at) == (None, None, None)


def test_runs_left_open_are_marked_failed_and_the_others_left_alone(book):
    for name in ("done", "queued", "running"):
        book.begin(name, REQUEST | {"state": "running" if name == "running" else "queued"})
    book.end("done", RESULT)
    later = NOON + timedelta(days=1)
    assert book.fail_interrupted(later) == 2
    rows = {row.id: row for row in book.recent()}
    assert (rows["done"].state, rows["done"].error) == ("finished", None)
    for name in ("queued", "running"):
        assert (rows[name].state, rows[name].error, rows[name].ended_at) == ("failed", INTERRUPTED, later)
    assert book.fail_interrupted(later) == 0


def test_the_runs_of_another_living_app_are_left_alone(book, database):
    book.begin("mine", REQUEST)
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = f"{socket.gethostname()} {other.pid} {psutil.Process(other.pid).create_time():.2f}"
    RunBook(database, 1, owner=owner).begin("theirs", REQUEST)
    assert book.fail_interrupted(NOON) == 1
    assert {row.id: row.state for row in book.recent()} == {"mine": "failed", "theirs": "queued"}
    other.communicate(b"\n")
    assert book.fail_interrupted(NOON) == 1
    assert {row.state for row in book.recent()} == {"failed"}


@pytest.mark.parametrize("owner", [None, 7, "", "elsewhere 1 0", "x y z"])
def test_an_owner_that_cannot_be_told_counts_as_gone(owner):
    assert not lives_elsewhere(owner)


def test_another_learners_run_is_unknown(book, database):
    with database.write() as repository:
        repository.add(Learner(name="second"))
    other = RunBook(database, 2)
    book.begin("r1", REQUEST)
    assert (other.load("r1"), other.recent(), other.fail_interrupted(NOON)) == (None, (), 0)
    with pytest.raises(UnknownRun):
        other.end("r1", RESULT)
    with pytest.raises(ValueError, match="stored already"):
        other.begin("r1", REQUEST)


def test_the_run_book_is_the_sandboxs_run_store(book):
    from sandbox.protocol import RunStore

    store: RunStore = book
    assert {name for name in vars(RunStore) if not name.startswith("_")} == {"begin", "end", "load", "judged", "history", "note", "delete", "restore"}
    store.begin("r1", REQUEST)
    assert store.load("r1") is not None
    assert not store.judged("forget-gate", 5)
    store.end("r1", RESULT)
    assert [facts["run_id"] for facts in store.judged("forget-gate", 5)] == ["r1"]


def test_an_experiments_judged_runs_come_newest_first_without_their_records_however_many_have_no_verdict(book):
    for run_id, experiment in (("r1", "forget-gate"), ("r2", "bilstm"), ("r3", "forget-gate"), ("r4", "forget-gate")):
        book.begin(run_id, REQUEST | {"experiment": experiment})
        book.end(run_id, RESULT)
    for run_id in ("r5", "r6"):
        book.begin(run_id, REQUEST)
        book.end(run_id, {"state": "cancelled", "error": None, "verdict": None})
    found = book.judged("forget-gate", 2)
    assert [facts["run_id"] for facts in found] == ["r4", "r3"]
    assert all("record" not in facts for facts in found)
    assert (found[0]["settings"], found[0]["verdict"]) == (REQUEST["settings"], RESULT["verdict"])


# --- History, notes, deletion -----------------------------------------------------------------------------------


def found(book: RunBook, **wanted: object) -> list[object]:
    return [facts["run_id"] for facts in book.history(wanted, 0, 10)[1]]


def word(text: str, experiments: tuple[str, ...] = (), endings: tuple[str, ...] = ()) -> dict[str, object]:
    return {"text": text, "experiments": experiments, "endings": endings}


def stored(book: RunBook, run_id: str, **changes: object) -> None:
    book.begin(run_id, REQUEST | {name: value for name, value in changes.items() if name in REQUEST})
    book.end(run_id, RESULT | {name: value for name, value in changes.items() if name in RESULT})


def test_the_history_is_searched_by_every_word_and_filter(book):
    stored(book, "right")
    stored(book, "wrong", prediction="shrinks")
    stored(book, "without", prediction=None, experiment="bilstm")
    stored(book, "cancelled", state="cancelled", verdict=None)
    book.begin("going-on", REQUEST)
    book.note("without", "Zwölf Maße, 50%")
    assert found(book) == ["going-on", "cancelled", "without", "wrong", "right"]
    assert found(book, experiment="bilstm") == ["without"]
    assert found(book, endings=["supported"]) == ["without", "wrong", "right"]
    assert found(book, endings=["cancelled", "queued"]) == ["going-on", "cancelled"]
    assert (found(book, predicted="rightly"), found(book, predicted="wrongly"), found(book, predicted="not")) == (["right"], ["wrong"], ["without"])
    assert found(book, words=[word("zwölf"), word("masse")]) == ["without"]  # ß is folded to ss
    assert found(book, words=[word("0%")]) == ["without"]
    assert found(book, words=[word("x", ("forget-gate",)), word("y", endings=("supported",))]) == ["wrong", "right"]
    assert found(book, experiment="forget-gate", words=[word("zwölf")]) == []


def test_the_history_comes_in_pages_with_notes_and_without_records(book):
    for number in range(5):
        stored(book, f"r{number}")
    book.note("r1", "seen")
    count, page = book.history({}, 2, 2)
    assert (count, [facts["run_id"] for facts in page], [facts["note"] for facts in page]) == (5, ["r2", "r1"], ["", "seen"])
    assert all("record" not in facts for facts in page)


def test_a_note_can_be_changed_and_taken_back_but_not_be_endless(book):
    stored(book, "r1")
    for text in (" first\n", "second", ""):
        assert book.note("r1", text)
        assert book.history({}, 0, 1)[1][0]["note"] == text.strip()
    with pytest.raises(ValueError, match="at most 2000 characters, got 2001"):
        book.note("r1", "x" * 2001)
    assert not book.note("r9", "nowhere")


def test_a_deleted_run_is_gone_and_an_undo_brings_all_of_it_back(book):
    stored(book, "r1", record={"curves": [math.inf]})
    book.note("r1", "kept")
    before = book.load("r1"), book.history({}, 0, 10)
    assert book.delete("r1")
    assert (book.load("r1"), book.history({}, 0, 10), book.recent(), book.judged("forget-gate", 5)) == (None, (0, []), (), [])
    assert not book.delete("r1")
    with pytest.raises(ValueError, match="stored already"):
        book.begin("r1", REQUEST)
    assert book.restore("r1")
    assert (book.load("r1"), book.history({}, 0, 10)) == before
    assert not book.restore("r1")


def test_a_run_under_way_is_not_deleted(book):
    book.begin("r1", REQUEST)
    assert not book.delete("r1")
    book.end("r1", RESULT)
    assert book.delete("r1")


def test_after_a_day_a_deletion_is_for_good(database):
    now = [NOON]
    book = RunBook(database, 1, clock=lambda: now[0])
    stored(book, "r1")
    stored(book, "r2")
    book.delete("r1")
    now[0] += timedelta(days=1, seconds=1)
    book.begin("r3", REQUEST)
    assert not book.restore("r1")
    with closing(sqlite3.connect(database.place)) as raw:
        assert raw.execute("SELECT run_id, kept FROM deleted_run").fetchall() == [("r1", None)]


def test_another_learner_cannot_find_annotate_delete_or_restore_a_run(book, database):
    with database.write() as repository:
        repository.add(Learner(name="second"))
    other = RunBook(database, 2)
    stored(book, "r1")
    assert (other.history({}, 0, 10), other.note("r1", "x"), other.delete("r1")) == ((0, []), False, False)
    book.delete("r1")
    assert not other.restore("r1")
    assert book.restore("r1")
