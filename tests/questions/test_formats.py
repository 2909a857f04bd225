"""The formats that hold more than options: code, recorded curves, traces."""

import json

import pytest
from pydantic import ValidationError

from questions.loader import load_bank
from questions.recordings import BadRecording, Recording, find_recording, load_recording
from questions.schema import CodeItem, DiagnoseItem, TraceItem
from tests.engine.builders import RECORDING, code, trace

RECORDED = json.dumps(RECORDING)


@pytest.mark.parametrize(
    ("snippet", "message"),
    [
        ("a = 1", "a snippet has 4 to 22 lines, this one has 1"),
        ("a = 1\n" * 23, "a snippet has 4 to 22 lines, this one has 23"),
        ("a\nb\nc\n" + "d" * 65, "line 4 has 65 characters; at most 64 fit"),
        ("a\n\tb\nc\nd", "line 2 holds a tab"),
        ("a\nb\nc\nd\x1b[31m", "line 4 holds a tab or another character that does not print"),
        ("a = 1\nb = 2\nc = 3\nprint(a + c)", "fixed is the same as code"),
    ],
)
def test_a_snippet_that_does_not_fit_the_page_is_refused(snippet, message):
    with pytest.raises(ValidationError, match=message.replace("+", "\\+")):
        CodeItem.model_validate({**code().model_dump(), "code": snippet})


def test_a_snippet_keeps_its_indents_and_loses_empty_ends():
    item = CodeItem.model_validate({**code().model_dump(), "code": "\nif a:\n    b\n  \nc   \nd\n"})
    assert item.code == "if a:\n    b\n\nc\nd"


def test_a_trace_whose_parts_share_a_key_is_refused():
    part = trace().answers[0].model_dump()
    with pytest.raises(ValidationError, match="answer keys must differ"):
        TraceItem.model_validate({**trace().model_dump(), "answers": [part, part]})


def test_a_recording_is_found_in_the_first_folder_that_has_it(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps({**RECORDING, "title": name}))
    folders = (tmp_path / "none", tmp_path / "one", tmp_path / "two")
    assert find_recording("run", folders).title == "one"
    with pytest.raises(BadRecording, match=r"no recording other\.json in .*none or .*one or .*two"):
        find_recording("other", folders)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[0, 1, 2]", "[0, 1]", r"panels\.0\.series\.0: x and y must have the same number of values, got 2 and 3"),
        ("[1.0, 0.5, null]", "[1.0, 0.5, NaN]", "finite number"),
        ("[0, 1, 2]", json.dumps(list(range(151))), "at most 150"),
        ('"title": "A run"', '"title": ""', "title: String should have at least 1 character"),
        ('"title": "A run"', '"titel": "A run"', "title: Field required"),
        ('{"label": "Update", "log": false}', '{"label": "Update", "log": true}', "x must be above 0 on a logarithmic axis"),
        ("[1.0, 0.5, null]", "[1.0, 0.5, null", "Invalid JSON"),
        ("[1.0, 0.5, null]", "[" * 100_000, "bytes|Invalid JSON"),
    ],
)
def test_a_recording_that_cannot_be_drawn_is_refused(tmp_path, old, new, message):
    assert old in RECORDED
    (tmp_path / "run.json").write_text(RECORDED.replace(old, new))
    with pytest.raises(BadRecording, match=message):
        load_recording(tmp_path / "run.json")


def test_a_huge_recording_and_one_in_another_encoding_are_refused(tmp_path):
    (tmp_path / "huge.json").write_text(RECORDED + " " * 200_001)
    with pytest.raises(BadRecording, match=r"huge\.json: the file has more than 200000 bytes"):
        load_recording(tmp_path / "huge.json")
    (tmp_path / "latin.json").write_bytes(RECORDED.replace("A run", "caf\u00e9").encode("utf-16"))
    with pytest.raises(BadRecording, match="Invalid JSON"):
        load_recording(tmp_path / "latin.json")


def test_a_recording_outside_its_folder_is_refused(tmp_path):
    (tmp_path / "recordings").mkdir()
    (tmp_path / "secret.json").write_text(RECORDED)
    (tmp_path / "recordings" / "run.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(BadRecording, match="leads out of"):
        find_recording("run", (tmp_path / "recordings",))
    with pytest.raises(ValidationError, match="should match pattern"):
        DiagnoseItem.model_validate({"recording": "../secret"})


def test_every_diagnose_item_of_the_bank_carries_its_curves():
    items = [item for _, item in load_bank().items.values() if isinstance(item, DiagnoseItem)]
    assert all(isinstance(item.curves, Recording) for item in items)
