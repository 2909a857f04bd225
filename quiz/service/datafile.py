"""The file a learner takes along: what stands in it, and what is refused when it comes back. Documented in docs/data.md.

One JSON object with `format`, `version` and a list for each kind of row. Rows refer to each other by ids that mean the
same on every device: an answer is known by its presentation's id, a wording by the hash of its content. Anybody may have
written a file: reading it either gives rows that fit together or says everything that is wrong, each with its place.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import from_json

from questions.parts import Slug
from questions.schema import Item, Question
from quiz.engine.facts import Confidence, Reason
from quiz.views import Went

FORMAT = "carousel-learner"
VERSION = 1
MAX_BYTES = 200 * 1024 * 1024
NOTE_LENGTH = 2000  # characters of a note on a run
MOST_PROBLEMS = 20  # named for one file
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LEEWAY = timedelta(days=1)  # by which another device's clock may be ahead


class UnusableFile(Exception):
    """A file that is not taken in; `problems` says why, each with its place. Nothing has been changed."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


# --- Rows -------------------------------------------------------------------------------------------------------


def _moment(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is not None and at.tzinfo is not None and at.astimezone(UTC) >= EARLIEST:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("expected a date and time with its zone, such as 2026-03-02T12:00:00+00:00")


Moment = Annotated[datetime, BeforeValidator(_moment)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
RunId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Short = Annotated[str, StringConstraints(max_length=2000)]
Integer = Annotated[int, Field(ge=0, lt=2**63)]


class Row(BaseModel):
    """Nothing is guessed: other types and unknown names are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class LearnerRow(Row):
    """Whose file it is; told, not used."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class QuestionRow(Row):
    """A wording of a question, items included."""

    question: Slug
    hash: Hash
    content: dict[str, Any]


class ItemRow(Row):
    """A wording of an item."""

    question: Slug
    key: Slug
    hash: Hash
    content: dict[str, Any]


def _day(value: object) -> date:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else date.fromisoformat("")
    except ValueError:
        raise ValueError("expected a day, such as 2026-03-02") from None


class InterviewRow(Row):
    """An interview prepared for (`closed_at` null), or put behind. `days_off` are weekdays, Monday 0."""

    day: Annotated[date, BeforeValidator(_day)]
    minutes: int = Field(ge=1, le=1440)
    days_off: list[Annotated[int, Field(ge=0, le=6)]] = Field(max_length=7)
    set_at: Moment
    went: Went | None
    closed_at: Moment | None


class SessionRow(Row):
    """A practice session."""

    id: Id
    length: int = Field(ge=1, le=1000)
    only: list[Slug] = Field(max_length=1000)
    kind: Literal["practice", "diagnostic"] = "practice"  # files from before there were two kinds do not say
    started_at: Moment
    ended_at: Moment | None


class PresentationRow(Row):
    """An item put in front of the learner, with the order of its options and the seed of its numbers."""

    id: Id
    session: Id
    position: int = Field(ge=1, le=1_000_000)
    question: Slug
    question_hash: Hash
    item_hash: Hash
    order: list[Name] = Field(max_length=20)
    seed: Integer
    reason: Reason
    shown_at: Moment
    closed_at: Moment | None


class ResponseRow(Row):
    """What the learner gave."""

    keys: list[Name] = Field(max_length=20)
    text: Short
    texts: dict[Name, Short] | None = Field(default=None, max_length=20)


class AttemptRow(Row):
    """An answer, known by its presentation's id."""

    presentation: Id
    response: ResponseRow
    correct: bool
    score: float = Field(ge=0, le=1)
    confidence: Confidence | None
    answered_at: Moment
    seconds: FiniteFloat = Field(ge=0)


class VerdictRow(BaseModel):
    """The part of a verdict that the quiz reads; the lab reads the rest, and says so when it cannot."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    status: Name | None = None
    outcome: Name | None = None


class NoteRow(Row):
    """What the learner wrote about a run; empty when it was taken back."""

    text: Annotated[str, StringConstraints(max_length=NOTE_LENGTH)]
    edited_at: Moment


class RunRow(Row):
    """A finished run of the lab: request, prediction, verdict and record, and the learner's note."""

    id: RunId
    experiment: Slug
    settings: dict[Name, bool | int | FiniteFloat | Short]
    first_seed: Integer
    seeds: int = Field(ge=1, le=10_000)
    device: Annotated[str, StringConstraints(min_length=1, max_length=16)]
    prediction: Name | None
    versions: dict[str, Any]
    request_more: dict[str, Any]
    started_at: Moment
    state: Annotated[str, StringConstraints(min_length=1, max_length=16)]
    error: Annotated[str, StringConstraints(max_length=100_000)] | None  # a traceback, at worst
    device_used: Annotated[str, StringConstraints(max_length=16)] | None
    cpu_seconds: FiniteFloat | None
    verdict: VerdictRow | None
    record: dict[str, Any] | None
    result_more: dict[str, Any] | None
    ended_at: Moment
    note: NoteRow | None = None  # files from before there were notes have none


class DeletedRunRow(Row):
    """That the learner deleted a run."""

    id: RunId
    deleted_at: Moment


KINDS: dict[str, type[Row]] = {
    "questions": QuestionRow,
    "items": ItemRow,
    "interviews": InterviewRow,
    "sessions": SessionRow,
    "presentations": PresentationRow,
    "attempts": AttemptRow,
    "runs": RunRow,
    "deleted_runs": DeletedRunRow,
}
_LATER_KINDS = ("deleted_runs",)  # which older files do not have
_HEAD = ("format", "version", "exported_at", "learner")
_ITEM: TypeAdapter[Item] = TypeAdapter(Item)
AnyRow = TypeVar("AnyRow", bound=Row)


# --- Reading ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DataFile:
    """A file whose every row has been checked. Rows are made anew each time they are asked for: kept, they would take far more room."""

    learner: str
    exported_at: datetime
    lists: Mapping[str, Sequence[Any]]

    def rows(self, kind: type[AnyRow]) -> Iterator[AnyRow]:
        """The rows of one kind, in the order of the file."""
        return (kind.model_validate(raw) for raw in self._list(kind))

    def rows_at(self, kind: type[AnyRow], numbers: Iterable[int]) -> Iterator[tuple[int, AnyRow]]:
        """The rows of one kind at these places of its list, with their places, in the order asked for."""
        rows = self._list(kind)
        return ((number, kind.model_validate(rows[number])) for number in numbers)

    def count(self, kind: type[Row]) -> int:
        """How many rows of one kind there are."""
        return len(self._list(kind))

    def _list(self, kind: type[Row]) -> Sequence[Any]:
        return self.lists[next(name for name, model in KINDS.items() if model is kind)]


def read_file(data: bytes, now: datetime) -> DataFile:
    """The file in `data`. Errors: UnusableFile with everything that is wrong; nothing after `now` (and a day) is believed."""
    raw = _parsed(data)
    learner, exported_at = _head(raw)
    problems = _Problems()
    for name, kind in KINDS.items():
        _check_rows(name, kind, raw.setdefault(name, []), problems)
    if not problems:
        _check_together(raw, now, problems)
    if problems:
        raise UnusableFile(problems)
    return DataFile(learner, exported_at, {name: raw[name] for name in KINDS})


def content_digest(content: Mapping[str, Any]) -> str:
    """The hash of a stored wording; see questions.loader.content_hash."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


class _Problems(list[str]):
    """Collects up to MOST_PROBLEMS; `full` then stops the search."""

    @property
    def full(self) -> bool:
        return len(self) >= MOST_PROBLEMS

    def note(self, place: str, message: str) -> None:
        if not self.full:
            self.append(f"{place}: {message}")


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise UnusableFile([f"the file has {len(data) / 2**20:,.0f} MB; at most {MAX_BYTES // 2**20} MB can be taken in"])
    try:
        raw = from_json(data.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as error:
        raise UnusableFile([f"not valid JSON, or cut short: {error}"]) from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = f"format is {_shown(raw.get('format'))}" if isinstance(raw, dict) and "format" in raw else "it has no format"
        raise UnusableFile([f'this is no file of a Carousel learner: expected an object with "format": "{FORMAT}", but {found}'])
    version = raw.get("version")
    if type(version) is int and version > VERSION:
        raise UnusableFile([f"version: the file was written by a newer Carousel (version {version}; this one reads up to {VERSION}). Take it in there"])
    if type(version) is not int or version < 1:
        raise UnusableFile([f"version: expected a whole number from 1 to {VERSION}, got {_shown(version)}"])
    return raw


def _head(raw: Mapping[str, Any]) -> tuple[str, datetime]:
    problems = _Problems(f"{name}: missing" for name in (*_HEAD, *KINDS) if name not in raw and name not in _LATER_KINDS)
    for name in raw:
        if name not in (*_HEAD, *KINDS):
            problems.note(_shown(name), f"unknown; expected {', '.join((*_HEAD, *KINDS))}")
    for name in KINDS:
        if name in raw and not isinstance(raw[name], list):
            problems.note(name, f"expected a list, got {_shown(raw[name])}")
    if problems:
        raise UnusableFile(problems)
    try:
        return LearnerRow.model_validate(raw["learner"]).name, _moment(raw["exported_at"])
    except ValidationError as error:
        raise UnusableFile([_told("learner", detail) for detail in error.errors(include_url=False)]) from None
    except ValueError as error:
        raise UnusableFile([f"exported_at: {error}, got {_shown(raw['exported_at'])}"]) from None


def _check_rows(name: str, kind: type[Row], rows: Sequence[Any], problems: _Problems) -> None:
    for number, raw in enumerate(rows):
        try:
            kind.model_validate(raw)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_context=False):
                problems.note(*_told(f"{name}[{number}]", detail).split(": ", 1))
        if problems.full:
            return


def _told(place: str, detail: Any) -> str:
    path = place + "".join(f"[{step}]" if isinstance(step, int) else f".{_plain(str(step))}" for step in detail["loc"])
    message = str(detail["msg"]).removeprefix("Value error, ").replace("Input should be", "expected").replace("Field required", "missing")
    return f"{path}: {message}" + ("" if detail["type"] == "missing" else f", got {_shown(detail['input'])}")


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:60]


def _shown(value: object) -> str:
    """A value from the file, short and on one line."""
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | int | float | bool | None) else repr(value)
    return _plain(text) + ("…" if len(text) > 60 else "")


# --- Whether the rows fit together ------------------------------------------------------------------------------


def _check_together(raw: Mapping[str, Any], now: datetime, problems: _Problems) -> None:
    questions, items = _check_wordings(raw, problems)
    sessions = _unique(raw["sessions"], "sessions", "id", problems)
    presentations = _unique(raw["presentations"], "presentations", "id", problems)
    _unique(raw["attempts"], "attempts", "presentation", problems)
    _unique(raw["runs"], "runs", "id", problems)
    _unique(raw["deleted_runs"], "deleted_runs", "id", problems)
    for number, row in enumerate(raw["presentations"]):
        place = f"presentations[{number}]"
        if row["session"] not in sessions:
            problems.note(f"{place}.session", f"expected the id of one of the sessions, got {_shown(row['session'])}")
        if (row["question"], row["question_hash"]) not in questions:
            problems.note(f"{place}.question_hash", f"this wording of {row['question']} is not among the questions")
        if (row["question"], row["item_hash"]) not in items:
            problems.note(f"{place}.item_hash", f"this wording is not among the items of {row['question']}")
    for number, row in enumerate(raw["attempts"]):
        if row["presentation"] not in presentations:
            problems.note(f"attempts[{number}].presentation", f"expected the id of one of the presentations, got {_shown(row['presentation'])}")
        _check_has_been(f"attempts[{number}].answered_at", row["answered_at"], now, problems)
        if problems.full:
            return
    for number, row in enumerate(raw["runs"]):
        if row.get("note"):
            _check_has_been(f"runs[{number}].note.edited_at", row["note"]["edited_at"], now, problems)
    for number, row in enumerate(raw["deleted_runs"]):
        _check_has_been(f"deleted_runs[{number}].deleted_at", row["deleted_at"], now, problems)


def _check_has_been(place: str, at: str, now: datetime, problems: _Problems) -> None:
    if _moment(at) > now + LEEWAY:
        problems.note(place, f"expected a time that has been, got {_shown(at)}; is this machine's clock right?")


def _unique(rows: Sequence[Mapping[str, Any]], name: str, field: str, problems: _Problems) -> set[str]:
    seen: set[str] = set()
    for number, row in enumerate(rows):
        if row[field] in seen:
            problems.note(f"{name}[{number}].{field}", f"{_shown(row[field])} stands in the file twice")
        seen.add(sys.intern(row[field]))
    return seen


def _check_wordings(raw: Mapping[str, Any], problems: _Problems) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Every wording has the hash it claims and can be shown; gives the wordings there are."""
    for number, row in enumerate(raw["questions"]):
        place = f"questions[{number}]"
        if _check_content(place, row, Question.model_validate, problems) and row["content"].get("id") != row["question"]:
            problems.note(f"{place}.question", f"expected the id in its content, {_shown(row['content'].get('id'))}, got {_shown(row['question'])}")
    for number, row in enumerate(raw["items"]):
        place = f"items[{number}]"
        if _check_content(place, row, _ITEM.validate_python, problems) and row["content"].get("key") != row["key"]:
            problems.note(f"{place}.key", f"expected the key in its content, {_shown(row['content'].get('key'))}, got {_shown(row['key'])}")
    return {(row["question"], row["hash"]) for row in raw["questions"]}, {(row["question"], row["hash"]) for row in raw["items"]}


def _check_content(place: str, row: Mapping[str, Any], validate: Any, problems: _Problems) -> bool:
    digest = content_digest(row["content"])
    if digest != row["hash"]:
        problems.note(f"{place}.hash", f"expected the hash of its content, {digest[:12]}…, got {_shown(row['hash'][:12])}…: the wording was changed on the way")
        return False
    try:
        validate(row["content"])
    except ValidationError as error:
        problems.note(*_told(f"{place}.content", error.errors(include_url=False, include_context=False)[0]).split(": ", 1))
        return False
    return True
