"""The learner's file: out and in gives the same, in any order and any number of times; a bad file changes nothing and says why."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiz.service import QuizService, RunBook, UnusableFile
from quiz.service.datafile import MAX_BYTES, MOST_PROBLEMS, content_digest
from quiz.storage.models import Learner
from tests.engine.builders import NOON
from tests.storage.builders import turn_of
from tests.storage.histories import BANK, LATER, Device, busy_device, busy_file


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    device = busy_device(tmp_path / "one")
    yield device
    device.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Device]:
    device = Device(tmp_path / "two")
    yield device
    device.close()


def changed(file: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    content = json.loads(file)
    change(content)
    return json.dumps(content).encode()


# --- There and back ---------------------------------------------------------------------------------------------


def test_a_fresh_device_that_takes_the_file_in_shows_the_same_progress(device: Device, fresh: Device) -> None:
    merged = fresh.take_in(device.file())
    answers = device.service.progress(device.learner, LATER, UTC).attempts
    assert (merged.answers, merged.answers_known, merged.runs, merged.runs_known) == (answers, 0, 2, 0)
    assert fresh.service.progress(fresh.learner, LATER, UTC) == device.service.progress(device.learner, LATER, UTC)
    assert fresh.service.state(fresh.learner) == device.service.state(device.learner)


def test_a_file_of_finished_sessions_comes_out_again_as_it_was(device: Device, fresh: Device) -> None:
    session = device.service.open_session(device.learner)
    assert session is not None
    device.service.end_session(session.id, LATER)
    fresh.take_in(device.file())
    assert fresh.content() == device.content()


def test_what_is_open_on_one_device_is_closed_on_the_other_and_can_be_finished_at_home(device: Device, fresh: Device) -> None:
    open_session = device.service.open_session(device.learner)
    assert open_session is not None
    fresh.take_in(device.file())
    assert fresh.service.open_session(fresh.learner) is None
    assert fresh.service.summary(open_session.id).session.answered == 2
    # At home it goes on, and what was added there follows later.
    turn = turn_of(device.service, open_session.id)
    assert turn.feedback is None
    device.take_in(fresh.file())
    assert device.service.open_session(device.learner) == open_session
    device.service.skip(turn.presentation_id, LATER)
    device.service.end_session(open_session.id, LATER)
    fresh.take_in(device.file())
    assert fresh.content() == device.content()


def test_every_format_and_the_numbers_it_was_drawn_with_read_the_same_after_the_journey(tmp_path: Path, fresh: Device) -> None:
    device = Device(tmp_path / "formats")
    session = device.service.start_session(device.learner, 11, NOON, ("every-format", "drawn-numbers"))
    shown = []
    for minute in range(11):
        turn = turn_of(device.service, session.id, NOON + timedelta(minutes=minute), seed=minute)
        device.service.skip(turn.presentation_id, NOON + timedelta(minutes=minute))
        shown.append(turn)
    assert len({turn.item.format for turn in shown}) > 3
    device.service.end_session(session.id, NOON + timedelta(hours=1))
    fresh.take_in(device.file())
    for turn in shown:
        with fresh.database.read() as repository:
            presentation = repository.presentation(turn.presentation_id)
            assert presentation is not None
            assert fresh.service._wordings.shown(repository, presentation).item == turn.item
            assert tuple(presentation.order) == turn.order
    device.close()


def test_wordings_the_bank_no_longer_holds_come_along(device: Device, fresh: Device) -> None:
    def reword(content: dict[str, Any]) -> None:
        for kind, field in (("items", "item_hash"), ("questions", "question_hash")):
            row = content[kind][0]
            old = row["hash"]
            row["content"]["prompt" if kind == "items" else "asks"] = "As it was asked then."
            row["hash"] = content_digest(row["content"])
            for presentation in content["presentations"]:
                if presentation[field] == old:
                    presentation[field] = row["hash"]

    fresh.take_in(changed(device.file(), reword))
    session = next(row["session"] for row in fresh.content()["presentations"] if row["item_hash"] == fresh.content()["items"][0]["hash"])
    assert fresh.service.summary(session)
    assert {row["content"]["prompt"] for row in fresh.content()["items"]} >= {"As it was asked then."}


def test_interviews_come_along_but_a_date_that_is_set_here_stays(tmp_path: Path, fresh: Device) -> None:
    device = Device(tmp_path / "planning")
    plans, day = QuizService(device.database, BANK).adaptive, LATER.date()
    plans.set_interview(device.learner, day, 20, LATER - timedelta(days=9), UTC)
    plans.close_interview(device.learner, None, LATER - timedelta(days=8))
    plans.set_interview(device.learner, day + timedelta(days=30), 30, LATER - timedelta(days=7), UTC, (5, 6))
    for _ in range(2):
        fresh.take_in(device.file())
        assert fresh.content()["interviews"] == device.content()["interviews"]
    plans.set_interview(device.learner, day + timedelta(days=31), 45, LATER - timedelta(days=6), UTC)
    fresh.take_in(device.file())
    assert [row["minutes"] for row in fresh.content()["interviews"]] == [20, 30]
    device.close()


def test_runs_under_way_and_the_process_that_keeps_them_stay_out(device: Device) -> None:
    device.run("run-3", NOON, end=False)
    runs = device.content()["runs"]
    assert [run["id"] for run in runs] == ["run-1", "run-2"]
    assert [run["request_more"] for run in runs] == [{"preset": "quick"}] * 2


def test_numbers_that_are_not_finite_leave_as_standard_json(device: Device) -> None:
    book = RunBook(device.database, device.learner, clock=lambda: NOON)
    book.begin("odd", {"experiment": "forget-gate", "settings": {}, "first_seed": 0, "seeds": 1})
    book.end("odd", {"state": "finished", "record": {"a": [float("nan"), float("inf"), (-float("inf"), 1.5)]}})
    content = json.loads(device.file(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert [run["record"] for run in content["runs"] if run["id"] == "odd"] == [{"a": ["NaN", "Infinity", ["-Infinity", 1.5]]}]


def test_notes_come_along_and_the_later_edit_stays_wherever_it_was_made(device: Device, fresh: Device) -> None:
    device.note("run-1", "written first", NOON + timedelta(hours=1))
    device.note("run-2", "here first", NOON + timedelta(hours=1))
    fresh.take_in(device.file())
    assert fresh.content()["runs"] == device.content()["runs"]
    older = device.file()
    fresh.note("run-1", "", NOON + timedelta(hours=2))  # taken back
    device.note("run-2", "here later", NOON + timedelta(hours=2))
    assert fresh.data.preview(device.file(), LATER).notes == 1
    assert fresh.take_in(device.file()).adds_something
    device.take_in(fresh.file())
    device.take_in(older)
    for one in (device, fresh):
        assert {run["id"]: run["note"]["text"] for run in one.content()["runs"]} == {"run-1": "", "run-2": "here later"}


def test_no_older_file_brings_a_deleted_run_back(device: Device, fresh: Device) -> None:
    older = device.file()
    device.delete("run-1", NOON + timedelta(days=9))
    told = device.take_in(older)
    assert (told.runs, told.runs_known, told.runs_kept_out, told.adds_something) == (0, 1, 1, False)
    fresh.take_in(device.file())
    fresh.take_in(older)
    for one in (device, fresh):
        assert [run["id"] for run in one.content()["runs"]] == ["run-2"]
        assert [gone["id"] for gone in one.content()["deleted_runs"]] == ["run-1"]


def test_a_run_deleted_on_one_device_is_deleted_on_the_other_which_is_told_before(device: Device, fresh: Device) -> None:
    fresh.take_in(device.file())
    device.delete("run-1", NOON + timedelta(days=9))
    told = fresh.data.preview(device.file(), LATER)
    assert (told.runs, told.runs_known, told.runs_deleted, told.adds_something) == (0, 1, 1, True)
    assert [run["id"] for run in fresh.content()["runs"]] == ["run-1", "run-2"]
    fresh.take_in(device.file())
    assert fresh.content()["runs"] == device.content()["runs"]
    assert fresh.content()["deleted_runs"] == device.content()["deleted_runs"]


def test_a_file_from_before_there_were_notes_and_deletions_is_taken_in(device: Device, fresh: Device) -> None:
    file = changed(device.file(), lambda content: content.pop("deleted_runs"))
    assert b'"note"' not in file
    assert fresh.take_in(file).runs == 2


# --- Merging ----------------------------------------------------------------------------------------------------

ROUND = st.tuples(
    st.integers(0, 2), st.sampled_from(["practise", "run", "note", "delete", "sync", "leave open"]), st.text("rws", min_size=1, max_size=3), st.integers(0, 2)
)


def played(folder: Path, rounds: list[tuple[int, str, str, int]]) -> list[Device]:
    """Three devices after these rounds. Days repeat, so that devices answer at the same moments too."""
    devices = [Device(folder / str(number)) for number in range(3)]
    for number, (who, what, answers, other) in enumerate(rounds):
        device, at = devices[who], NOON + timedelta(days=number // 2, minutes=who * (number % 2))
        if what == "run":
            device.run(f"run-{number}", at)
        elif what in ("note", "delete"):
            for run in device.content()["runs"][:1]:
                device.note(run["id"], answers, at) if what == "note" else device.delete(run["id"], at)
        elif what == "sync":
            device.take_in(devices[other].file())
        elif device.service.open_session(device.learner) is None:
            device.practise(at, answers, finish=what == "practise")
    return devices


@settings(max_examples=8)
@given(rounds=st.lists(ROUND, min_size=2, max_size=8), order=st.permutations([0, 1, 2]), again=st.lists(st.integers(0, 2), max_size=3))
def test_any_order_and_any_repetition_of_files_gives_the_same(rounds: list[tuple[int, str, str, int]], order: list[int], again: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        devices = played(Path(folder), rounds)
        files = [device.file() for device in devices]
        straight, mixed = Device(Path(folder) / "straight"), Device(Path(folder) / "mixed")
        for file in files:
            straight.take_in(file)
        for number in [*again, *order]:
            mixed.take_in(files[number])
        assert mixed.content() == straight.content()
        before = straight.file()
        assert not straight.data.preview(before, LATER).adds_something
        straight.take_in(before)
        assert straight.file() == before
        for device in (*devices, straight, mixed):
            device.close()


def test_merging_tells_how_many_rows_are_merged_of_how_many(device: Device, fresh: Device) -> None:
    file, told = device.file(), []
    fresh.data.merge(file, LATER, lambda share, words: told.append((round(share, 2), words)))
    items, answers = (len(device.content()[kind]) for kind in ("presentations", "attempts"))
    assert told == [
        (0.0, "Reading the file"),
        (0.65, f"Items merged: {items} of {items}"),
        (0.95, f"Answers merged: {answers} of {answers}"),
        (1.0, "Runs merged: 2 of 2"),
        (1.0, "Keeping it"),
    ]


def test_a_file_taken_in_twice_counts_once(device: Device, fresh: Device) -> None:
    first = fresh.take_in(device.file())
    second = fresh.take_in(device.file())
    assert (second.answers, second.answers_known, second.runs, second.runs_known) == (0, first.answers, 0, 2)
    assert not second.adds_something


def test_the_preview_says_what_merging_adds_and_changes_nothing(device: Device, fresh: Device) -> None:
    fresh.practise(NOON - timedelta(days=1), "rr")
    before = fresh.file()
    told = fresh.data.preview(device.file(), LATER)
    assert fresh.file() == before
    assert told == fresh.take_in(device.file())
    assert told.adds_something
    assert (told.learner, told.exported_at) == ("learner", LATER)
    assert told.first is not None
    assert told.last is not None
    assert NOON <= told.first < told.last


def test_older_answers_that_come_in_are_counted_into_what_was_known(device: Device, fresh: Device) -> None:
    fresh.practise(LATER - timedelta(days=1), "rw")
    fresh.service.state(fresh.learner)  # folded, and kept
    fresh.take_in(device.file())
    again = QuizService(fresh.database, BANK)
    assert fresh.service.state(fresh.learner) == again.state(fresh.learner)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [("attempts", "correct", None), ("attempts", "score", 0.125), ("presentations", "seed", 7), ("sessions", "length", 99), ("runs", "prediction", "shrinks")],
)
def test_a_file_that_says_otherwise_about_what_is_recorded_is_refused(device: Device, kind: str, field: str, value: object) -> None:
    def change(content: dict[str, Any]) -> None:
        content[kind][1][field] = (not content[kind][1][field]) if value is None else value
        content["attempts"].reverse()  # places are those of the file

    file, before = changed(device.file(), change), device.file()
    with pytest.raises(UnusableFile, match="is here already and says otherwise") as caught:
        device.take_in(file)
    place = len(json.loads(file)["attempts"]) - 2 if kind == "attempts" else 1
    assert caught.value.problems[0].startswith(f"{kind}[{place}].{field}: ")
    assert device.file() == before


def test_another_learners_answers_are_not_taken_from_them(device: Device, tmp_path: Path) -> None:
    with device.database.write() as repository:
        repository.add(Learner(name="second"))
    from quiz.service import LearnerData

    second, before = LearnerData(device.service, device.database, 2), device.file()
    with pytest.raises(UnusableFile, match=r"attempts\[0\]: this answer is here already, with the profile “learner”"):
        second.preview(before, LATER)
    with pytest.raises(UnusableFile, match=r"runs\[0\]: this run is here already, with the profile “learner”\. .* choose “learner” to add the file there"):
        second.merge(before, LATER)
    assert device.file() == before


# --- Bad files --------------------------------------------------------------------------------------------------


def refusal(device: Device, file: bytes) -> tuple[str, ...]:
    """Why the file is refused, by the preview and by the merge alike; nothing has changed."""
    before = device.file()
    with pytest.raises(UnusableFile) as previewed:
        device.data.preview(file, LATER)
    with pytest.raises(UnusableFile) as merged:
        device.take_in(file)
    assert previewed.value.problems == merged.value.problems
    assert device.file() == before
    return merged.value.problems


def test_a_truncated_file_changes_nothing_and_says_where_it_ends(fresh: Device) -> None:
    file = busy_file()
    for end in itertools.chain(range(0, 200, 25), range(200, len(file) - 2, len(file) // 12)):
        (problem,) = refusal(fresh, file[:end])
        assert problem.startswith("not valid JSON, or cut short: ")
        lines = file[:end].count(b"\n") + 1
        assert f"line {lines} column" in problem


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (b"", "not valid JSON, or cut short: EOF while parsing a value at line 1 column 0"),
        (b"\x00\x01", "not valid JSON, or cut short: expected value at line 1 column 1"),
        (b"[" * 100_000, "not valid JSON, or cut short: recursion limit exceeded at line 1 column 202"),
        (b'{"a": "\xff"}', "not valid JSON, or cut short: invalid unicode code point at line 1 column 8"),
        (b"[]", 'this is no file of a Carousel learner: expected an object with "format": "carousel-learner", but it has no format'),
        (b'{"format": "anki"}', 'this is no file of a Carousel learner: expected an object with "format": "carousel-learner", but format is "anki"'),
        (
            b'{"format": "carousel-learner", "version": 2}',
            "version: the file was written by a newer Carousel (version 2; this one reads up to 1). Take it in there",
        ),
        (b'{"format": "carousel-learner", "version": "1"}', 'version: expected a whole number from 1 to 1, got "1"'),
        (bytes(MAX_BYTES + 1), "the file has 200 MB; at most 200 MB can be taken in"),
    ],
)
def test_what_is_no_learners_file_is_told_in_one_sentence(fresh: Device, file: bytes, expected: str) -> None:
    assert refusal(fresh, file) == (expected,)


ZERO = "0" * 32
MOMENT = "expected a date and time with its zone, such as 2026-03-02T12:00:00+00:00"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("attempts.3.answered_at", "yesterday", f'attempts[3].answered_at: {MOMENT}, got "yesterday"'),
        ("attempts.3.answered_at", "2026-03-02T12:00:00", f'attempts[3].answered_at: {MOMENT}, got "2026-03-02T12:00:00"'),
        ("attempts.3.answered_at", "0001-01-01T00:00:00+14:00", f'attempts[3].answered_at: {MOMENT}, got "0001-01-01T00:00:00+14:00"'),
        (
            "attempts.3.answered_at",
            "2400-01-01T00:00:00Z",
            'attempts[3].answered_at: expected a time that has been, got "2400-01-01T00:00:00Z"; is this machine\'s clock right?',
        ),
        ("attempts.3.correct", "yes", 'attempts[3].correct: expected a valid boolean, got "yes"'),
        ("attempts.3.score", 1.5, "attempts[3].score: expected less than or equal to 1, got 1.5"),
        ("attempts.3.seconds", 1e999, "not valid JSON"),
        ("attempts.3.confidence", "very", "attempts[3].confidence: expected 'guess', 'unsure' or 'sure', got \"very\""),
        ("attempts.3.response", [], "attempts[3].response: expected a valid dictionary or instance of ResponseRow, got a list of 0"),
        ("attempts.3.response.keys", [{}], "attempts[3].response.keys[0]: expected a valid string, got an object of 0"),
        ("attempts.3.presentation", ZERO, f'attempts[3].presentation: expected the id of one of the presentations, got "{ZERO}"'),
        ("attempts.3.likes", 1, "attempts[3].likes: Extra inputs are not permitted, got 1"),
        ("presentations.0.session", ZERO, f'presentations[0].session: expected the id of one of the sessions, got "{ZERO}"'),
        ("presentations.0.item_hash", "0" * 64, "presentations[0].item_hash: this wording is not among the items of "),
        ("presentations.0.id", "../../etc/passwd", "presentations[0].id: String should match pattern"),
        ("items.0.content.prompt", "Sent by an enemy", "items[0].hash: expected the hash of its content, "),
        ("runs.0.verdict.outcome", ["x"], "runs[0].verdict.outcome: expected a valid string, got a list of 1"),
        ("runs.0.first_seed", 2**63, "runs[0].first_seed: expected less than 9223372036854775808, got 9223372036854775808"),
        ("runs.0.note", {"text": "x" * 2001, "edited_at": "2026-03-02T12:00:00Z"}, "runs[0].note.text: String should have at most 2000 characters, got "),
        ("deleted_runs", [{"id": "../x", "deleted_at": "2026-03-02T12:00:00Z"}], "deleted_runs[0].id: String should match pattern"),
        ("sessions", {}, "sessions: expected a list, got an object of 0"),
        ("learner.name", "", 'learner.name: String should have at least 1 character, got ""'),
        ("exported_at", 5, f"exported_at: {MOMENT}, got 5"),
    ],
)
def test_a_changed_value_is_told_with_its_place_what_is_expected_and_what_came(fresh: Device, path: str, value: object, expected: str) -> None:
    def change(content: dict[str, Any]) -> None:
        *way, last = path.split(".")
        node: Any = content
        for step in way:
            node = node[int(step) if isinstance(node, list) else step]
        node[last] = value

    problems = refusal(fresh, changed(busy_file(), change))
    assert any(problem.startswith(expected) for problem in problems), problems


def test_rows_that_stand_in_a_file_twice_or_are_missing_are_named(fresh: Device) -> None:
    twice = json.loads(busy_file())["attempts"][2]["presentation"]
    assert refusal(fresh, changed(busy_file(), lambda content: content["attempts"].insert(5, content["attempts"][2]))) == (
        f'attempts[5].presentation: "{twice}" stands in the file twice',
    )
    assert refusal(fresh, changed(busy_file(), lambda content: content.pop("runs"))) == ("runs: missing",)
    (unknown,) = refusal(fresh, changed(busy_file(), lambda content: content.update(extra=1)))
    assert unknown.startswith('"extra": unknown; expected format, version, ')


def test_a_wording_that_cannot_be_shown_is_refused_although_its_hash_is_right(fresh: Device) -> None:
    def poison(content: dict[str, Any]) -> None:
        row = content["items"][0]
        row["content"]["prompt"] = ""
        old, row["hash"] = row["hash"], content_digest(row["content"])
        for presentation in content["presentations"]:
            if presentation["item_hash"] == old:
                presentation["item_hash"] = row["hash"]

    (problem,) = refusal(fresh, changed(busy_file(), poison))
    assert problem.startswith("items[0].content.")
    assert problem.endswith('.prompt: String should have at least 1 character, got ""')


def test_a_file_with_thousands_of_mistakes_names_the_first_few(fresh: Device) -> None:
    def ruin(content: dict[str, Any]) -> None:
        content["attempts"] = [{"wrong": number} for number in range(5000)]

    problems = refusal(fresh, changed(busy_file(), ruin))
    assert len(problems) == MOST_PROBLEMS
    assert problems[0] == "attempts[0].presentation: missing"
