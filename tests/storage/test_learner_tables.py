"""The tables: every answer and run a row, readable by spreadsheets and harmless in them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from quiz.engine.grading import Response
from quiz.service.exporting import ATTEMPT_COLUMNS, RUN_COLUMNS, cell
from tests.engine.builders import NOON
from tests.storage.builders import turn_of
from tests.storage.histories import Device, busy_device


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    device = busy_device(tmp_path)
    yield device
    device.close()


def tables(device: Device) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(device.data.tables())) as archive:
        return {name: list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig")))) for name in archive.namelist()}


def test_every_answer_and_every_ended_run_has_its_row(device: Device) -> None:
    device.run("going-on", NOON, end=False)
    device.note("run-1", "=1+1", NOON)
    found, content = tables(device), device.content()
    assert set(found) == {"attempts.csv", "runs.csv"}
    assert [row["attempt"] for row in found["attempts.csv"]] == [row["presentation"] for row in content["attempts"]]
    assert tuple(found["attempts.csv"][0]) == ATTEMPT_COLUMNS
    assert [row["correct"] for row in found["attempts.csv"]] == ["yes" if row["correct"] else "no" for row in content["attempts"]]
    assert tuple(found["runs.csv"][0]) == RUN_COLUMNS
    first = found["runs.csv"][0]
    assert (first["run"], first["verdict"], first["predicted"], first["outcome"], first["as_predicted"]) == ("run-1", "supported", "grows", "grows", "yes")
    assert first["note"] == "'=1+1"
    assert first["settings"] == '{"hidden": 16, "task": "stream", "bias": 1.0, "peepholes": false}'


def test_a_typed_formula_cannot_run_in_a_spreadsheet(device: Device) -> None:
    session = device.service.open_session(device.learner)
    assert session is not None
    device.service.end_session(session.id, NOON + timedelta(days=8))
    session = device.service.start_session(device.learner, 20, NOON + timedelta(days=8), ("every-format",))
    for minute in range(20):
        turn = turn_of(device.service, session.id, NOON + timedelta(days=8, minutes=minute), seed=minute)
        if turn.item.format == "number":
            device.service.submit(turn.presentation_id, Response(text="=64"), None, NOON + timedelta(days=8, minutes=minute))
            break
        device.service.skip(turn.presentation_id, NOON + timedelta(days=8, minutes=minute))
    assert tables(device)["attempts.csv"][-1]["answer"] == "'=64"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(1)", "'@SUM(1)"),
        (" =1+1", "' =1+1"),
        ("\t=1", "'\t=1"),
        ("＝1+1", "'＝1+1"),
        ("-0.5", "-0.5"),
        ("+3", "+3"),
        ("-1e-3", "-1e-3"),
        ("-5 %", "-5 %"),
        ("a = b", "a = b"),
        ("", ""),
        (-0.25, "-0.25"),
        (None, ""),
        (True, "yes"),
        (NOON, "2026-03-02T12:00:00+00:00"),
    ],
)
def test_formulas_get_an_apostrophe_and_numbers_stay_numbers(value: object, expected: str) -> None:
    assert cell(value) == expected
