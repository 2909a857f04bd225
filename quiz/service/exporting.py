"""Takes a learner's data out: everything as one JSON file that comes back in, and tables for a spreadsheet.

Both are written row by row, so that memory does not grow with the history. What is under way is not final and stays
out: a run that still goes on; an item without an answer yet goes along, but stays open only here.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import IO, Any

from quiz.service.datafile import FORMAT, VERSION
from quiz.storage.database import Database
from quiz.storage.models import StoredRun
from quiz.storage.repository import Repository

OWNER = "owner"  # the process that keeps a run; nobody else's business


def write_json(database: Database, learner: int, now: datetime, out: IO[bytes]) -> None:
    """Write the learner's file to `out`: see docs/data.md. One consistent view, whatever is answered meanwhile."""
    with database.read() as repository:
        out.write(f'{{"format": "{FORMAT}", "version": {VERSION}, "exported_at": {_json(now.astimezone(UTC))},\n'.encode())
        out.write(f'"learner": {_json({"name": repository.transfer.learner_name(learner)})}'.encode())
        for name, rows in _lists(repository, learner):
            out.write(f',\n"{name}": ['.encode())
            for number, row in enumerate(rows):
                out.write(f"{',' if number else ''}\n{_json(row)}".encode())
            out.write(b"]")
        out.write(b"}\n")


def _lists(repository: Repository, learner: int) -> Iterator[tuple[str, Iterable[Mapping[str, Any]]]]:
    """The lists of the file, each with its rows."""
    transfer = repository.transfer
    yield "questions", ({"question": row[0], "hash": row[1], "content": row[2]} for row in transfer.questions(learner))
    yield "items", ({"question": row[0], "key": row[1], "hash": row[2], "content": row[3]} for row in transfer.items(learner))
    yield "interviews", (row._asdict() for row in transfer.interviews(learner))
    yield "sessions", (row._asdict() for row in transfer.sessions(learner))
    yield "presentations", (row._asdict() for row in transfer.presentations(learner))
    yield "attempts", (_attempt(row._asdict()) for row in transfer.attempts(learner))
    yield "runs", (_run(run) for run in transfer.ended_runs(learner, with_record=True))
    yield "deleted_runs", ({"id": run_id, "deleted_at": at} for run_id, at in repository.runs(learner).deleted().items())


_ATTEMPT = ("presentation", "response", "correct", "score", "confidence", "answered_at", "seconds")
_RUN = (
    "id", "experiment", "settings", "first_seed", "seeds", "device", "prediction", "versions", "request_more", "started_at",
    "state", "error", "device_used", "cpu_seconds", "verdict", "record", "result_more", "ended_at",
)  # fmt: skip


def _attempt(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _ATTEMPT}


def _run(run: StoredRun) -> dict[str, Any]:
    row = {name: getattr(run, name) for name in _RUN}
    if run.note is not None:
        row["note"] = {"text": run.note.text, "edited_at": run.note.edited_at}
    return {**row, "request_more": {name: value for name, value in run.request_more.items() if name != OWNER}}


def _json(value: Any) -> str:
    """Standard JSON on one line. What is not finite travels as the texts NaN, Infinity and -Infinity, as in a run's record."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


# --- Tables -----------------------------------------------------------------------------------------------------

ATTEMPT_COLUMNS = (
    "attempt", "answered_at", "question", "item", "format", "difficulty", "answer", "correct", "score", "confidence", "seconds", "reason", "session",
    "seed", "wording",
)  # fmt: skip
RUN_COLUMNS = (
    "run", "started_at", "ended_at", "experiment", "state", "verdict", "predicted", "outcome", "as_predicted", "first_seed", "seeds", "device",
    "cpu_seconds", "settings", "error", "note",
)  # fmt: skip
# What a spreadsheet takes for the start of a formula (OWASP, CSV injection), and what is only a number with a sign.
_FORMULA = re.compile(r"^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s?%?")


def write_tables(database: Database, learner: int, out: IO[bytes]) -> None:
    """Write a zip with attempts.csv and runs.csv: UTF-8 with a mark that spreadsheets look for, times in UTC."""
    with database.read() as repository, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _write_table(archive, "attempts.csv", ATTEMPT_COLUMNS, _attempt_cells(repository, learner))
        _write_table(archive, "runs.csv", RUN_COLUMNS, _run_cells(repository, learner))


def _write_table(archive: zipfile.ZipFile, name: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    with archive.open(name, "w") as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as text:
        table = csv.writer(text)
        table.writerow(columns)
        table.writerows([cell(value) for value in row] for row in rows)


def cell(value: object) -> str:
    """A value as a spreadsheet may read it. A text that would start a formula gets an apostrophe in front; numbers are left alone."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = str(value)
    return f"'{text}" if isinstance(value, str) and _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _attempt_cells(repository: Repository, learner: int) -> Iterator[tuple[Any, ...]]:
    for row in repository.transfer.attempts(learner):
        yield (
            row.presentation, row.answered_at, row.question, row.item, row.format, row.difficulty, _answer(row.response), row.correct, row.score,
            row.confidence, row.seconds, row.reason, row.session, row.seed, row.item_hash,
        )  # fmt: skip


def _answer(response: Mapping[str, Any]) -> str:
    """Keys of options as "a c", of steps in their order; the text of a number; a trace as "c: 0.5; h: 0.2"."""
    texts = response.get("texts") or {}
    return " ".join(response.get("keys") or ()) or str(response.get("text") or "") or "; ".join(f"{key}: {text}" for key, text in texts.items())


def _run_cells(repository: Repository, learner: int) -> Iterator[tuple[Any, ...]]:
    for run in repository.transfer.ended_runs(learner, with_record=False):
        verdict = run.verdict or {}
        outcome = verdict.get("outcome")
        hit = None if run.prediction is None or outcome is None else run.prediction == outcome
        yield (
            run.id, run.started_at, run.ended_at, run.experiment, run.state, verdict.get("status"), run.prediction, outcome, hit, run.first_seed,
            run.seeds, run.device_used or run.device, run.cpu_seconds, json.dumps(run.settings, ensure_ascii=False), run.error,
            run.note and run.note.text,
        )  # fmt: skip
