"""Takes a learner's file in, by merging: what is here already stays, what is new is added, all in one transaction.

The result does not depend on the order in which files come, and a file taken in twice counts once: an answer is known by
the id of its presentation, and times at which something ended can only grow. Two rules make that hold:
- what is open in a file (an item without answer, a session) is open on the device it came from, and closed here;
- an answer or run that is here with other contents cannot be merged: the file is refused, as one of the two was changed.

Of a note on a run the later edit stays. A run deleted on one device is deleted on all that take its file in, and no older
file brings it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter

from questions.schema import Item, Template
from questions.templates import CannotDraw, drawn
from quiz.service.datafile import (
    AttemptRow,
    DataFile,
    DeletedRunRow,
    InterviewRow,
    ItemRow,
    NoteRow,
    PresentationRow,
    QuestionRow,
    Row,
    RunRow,
    SessionRow,
    UnusableFile,
    read_file,
)
from quiz.storage.database import Database
from quiz.storage.models import Attempt, Interview, ItemVersion, PracticeSession, Presentation, QuestionVersion, RunNote, StoredRun
from quiz.storage.repository import Repository
from quiz.storage.transfer import chunks
from quiz.telling import OnProgress, untold

_ITEM: TypeAdapter[Item] = TypeAdapter(Item)
_Piece = TypeVar("_Piece")
SHARES: Mapping[type[Row], tuple[float, float]] = {PresentationRow: (0.3, 0.65), AttemptRow: (0.65, 0.95), RunRow: (0.95, 1.0)}  # of the whole, by time


@dataclass(frozen=True)
class Merged:
    """What a file adds (or would add), and how much of it is here already. `first` and `last`: when its answers were given."""

    learner: str
    exported_at: datetime
    answers: int
    answers_known: int
    runs: int
    runs_known: int
    runs_kept_out: int  # of the file, because they were deleted
    runs_deleted: int  # here, because they were deleted there
    notes: int  # new or newer
    first: datetime | None
    last: datetime | None

    @property
    def adds_something(self) -> bool:
        """Whether anything would change."""
        return bool(self.answers or self.runs or self.runs_deleted or self.notes)


@dataclass(frozen=True)
class _RunChanges:
    """What a file does to the runs here, by their ids. `known` are in the file and here."""

    known: frozenset[str]
    kept_out: frozenset[str]
    deleted: frozenset[str]
    notes: frozenset[str]


def preview(database: Database, learner: int, data: bytes, now: datetime) -> Merged:
    """What `merge` would do. Errors: UnusableFile."""
    file = read_file(data, now)
    known = 0
    with database.read() as repository:
        for attempts in chunks(enumerate(file.rows(AttemptRow))):
            here = repository.transfer.attempts_of([row.presentation for _, row in attempts])
            known += len(here)
            _own(repository, learner, "answer", {f"attempts[{number}]": here.get(row.presentation) for number, row in attempts})
        changes = _run_changes(repository, learner, file)
    return _merged(file, file.count(AttemptRow) - known, changes)


def merge(database: Database, learner: int, data: bytes, now: datetime, on_progress: OnProgress = untold) -> Merged:
    """Add what is new in the file. Errors: UnusableFile, and then nothing is changed."""
    on_progress(0.0, "Reading the file")
    file = read_file(data, now)
    with database.write() as repository:
        changes = _run_changes(repository, learner, file)
        merging = _Merge(repository, learner, file, on_progress)
        merging.wordings()
        merging.interviews()
        merging.sessions()
        merging.presentations()
        answers = merging.attempts()
        merging.runs(changes)
        on_progress(1.0, "Keeping it")
    return _merged(file, answers, changes)


def _merged(file: DataFile, answers: int, changes: _RunChanges) -> Merged:
    times = [row.answered_at for row in file.rows(AttemptRow)]
    known = len(changes.known)
    return Merged(
        learner=file.learner,
        exported_at=file.exported_at,
        answers=answers,
        answers_known=file.count(AttemptRow) - answers,
        runs=file.count(RunRow) - known - len(changes.kept_out),
        runs_known=known,
        runs_kept_out=len(changes.kept_out),
        runs_deleted=len(changes.deleted),
        notes=len(changes.notes),
        first=min(times, default=None),
        last=max(times, default=None),
    )


def _run_changes(repository: Repository, learner: int, file: DataFile) -> _RunChanges:
    gone = {row.id for row in file.rows(DeletedRunRow)}
    away = gone | repository.runs(learner).deleted().keys()
    known: set[str] = set()
    kept_out: set[str] = set()
    notes: set[str] = set()
    for numbered in chunks(enumerate(file.rows(RunRow)), 10):
        chunk = [row for _, row in numbered]
        here = repository.transfer.runs_of([row.id for row in chunk])
        _own(repository, learner, "run", {f"runs[{number}]": here.get(row.id) for number, row in numbered if row.id not in away})
        written = repository.runs(learner).notes_of([row.id for row in chunk])
        known |= here.keys() - away
        kept_out |= {row.id for row in chunk if row.id in away}
        notes |= {row.id for row in chunk if row.id in here and row.id not in away and _is_later(row.note, written.get(row.id))}
    return _RunChanges(frozenset(known), frozenset(kept_out), frozenset(repository.runs(learner).ended_among(gone)), frozenset(notes))


def _is_later(note: NoteRow | None, here: RunNote | None) -> bool:
    """Whether the file's note takes the place of the one here: the later edit, and of two at one moment always the same."""
    return note is not None and (here is None or (note.edited_at, note.text) > (here.edited_at, here.text))


@dataclass
class _Merge:
    """One merge inside a write transaction. Every step refuses what cannot be merged, which undoes the steps before it."""

    repository: Repository
    learner: int
    file: DataFile
    on_progress: OnProgress
    _questions: dict[tuple[str, str], int] = field(default_factory=dict)
    _items: dict[tuple[str, str], int] = field(default_factory=dict)
    _drawable: dict[tuple[str, str], Item] = field(default_factory=dict)  # templates that are new here
    _answered: dict[str, datetime] = field(default_factory=dict)

    def wordings(self) -> None:
        """Add wordings that are not here yet."""
        known = self.repository.question_versions()
        for question in self.file.rows(QuestionRow):
            if (question.question, question.hash) not in known:
                self.repository.add(QuestionVersion(question_id=question.question, hash=question.hash, content=question.content))
        known = self.repository.item_versions()
        for item in self.file.rows(ItemRow):
            if (item.question, item.hash) not in known:
                self.repository.add(self._item_version(item))
        self._questions, self._items = self.repository.question_versions(), self.repository.item_versions()
        self._answered = {row.presentation: row.answered_at for row in self.file.rows(AttemptRow)}

    def _item_version(self, row: ItemRow) -> ItemVersion:
        item = _ITEM.validate_python(row.content)
        if isinstance(item, Template):
            self._drawable[row.question, row.hash] = item
        facts = {"format": item.format, "difficulty": item.difficulty, "guessing": item.guessing}
        return ItemVersion(question_id=row.question, key=row.key, hash=row.hash, content=row.content, **facts)

    def interviews(self) -> None:
        """Add interviews that were put behind; the one prepared for only where none is: the date chosen here stays."""
        known = {(row.set_at, row.day) for row in self.repository.transfer.interviews(self.learner)}
        prepares = self.repository.open_interview(self.learner) is not None
        for row in self.file.rows(InterviewRow):
            if (row.set_at, row.day) not in known and (row.closed_at is not None or not prepares):
                self.repository.transfer.insert(Interview, [row.model_dump() | {"learner_id": self.learner}])
                prepares |= row.closed_at is None
                known.add((row.set_at, row.day))

    def sessions(self) -> None:
        """Add sessions; those of this device that are still open stay so."""
        ends = self._ends()
        for chunk in chunks(enumerate(self.file.rows(SessionRow))):
            known = self.repository.transfer.sessions_of([row.id for _, row in chunk])
            for number, row in chunk:
                here = known.get(row.id)
                if here is not None:
                    self._same(f"sessions[{number}]", "session", here, {"length": row.length, "only": row.only, "started_at": row.started_at})
                    if here.ended_at is not None and here.ended_at < ends[row.id]:
                        self.repository.transfer.set_ended(row.id, ends[row.id])
            fresh = [row for _, row in chunk if row.id not in known]
            self.repository.transfer.insert(
                PracticeSession,
                [
                    {
                        "id": row.id, "learner_id": self.learner, "length": row.length, "only": row.only, "kind": row.kind,
                        "started_at": row.started_at, "ended_at": ends[row.id],
                    }
                    for row in fresh
                ],
            )  # fmt: skip

    def _ends(self) -> dict[str, datetime]:
        """When each session of the file ended; for one that is still open, when something last happened in it."""
        last = {row.id: row.ended_at or row.started_at for row in self.file.rows(SessionRow)}
        open_ones = {row.id for row in self.file.rows(SessionRow) if row.ended_at is None}
        for row in self.file.rows(PresentationRow):
            if row.session in open_ones:
                closed = self._closed(row)
                last[row.session] = max(last[row.session], closed or row.shown_at)
        return last

    def _closed(self, row: PresentationRow) -> datetime | None:
        return row.closed_at or self._answered.get(row.id)

    def presentations(self) -> None:
        """Add what was shown and left or answered."""
        for chunk in self._told(PresentationRow, chunks(enumerate(self.file.rows(PresentationRow))), "Items merged"):
            known = self.repository.transfer.presentations_of([row.id for _, row in chunk])
            taken = self.repository.transfer.positions(list({row.session for _, row in chunk}))
            fresh = []
            for number, row in chunk:
                closed, here = self._closed(row), known.get(row.id)
                if here is not None:
                    self._meet(number, row, here, closed)
                elif closed is not None:
                    fresh.append(self._presentation(number, row, closed, taken.setdefault(row.session, set())))
            self.repository.transfer.insert(Presentation, fresh)

    def _meet(self, number: int, row: PresentationRow, here: Any, closed: datetime | None) -> None:
        """A presentation that is here already: the same, and closed when it is closed anywhere."""
        facts = {
            "session": row.session,
            "question_version_id": self._questions[row.question, row.question_hash],
            "item_version_id": self._items[row.question, row.item_hash],
            **{name: getattr(row, name) for name in ("order", "seed", "shown_at")},
        }
        self._same(f"presentations[{number}]", "item", here, facts)
        if closed is not None and (here.closed_at is None or here.closed_at < closed):
            self.repository.transfer.set_closed(row.id, closed)

    def _presentation(self, number: int, row: PresentationRow, closed: datetime, taken: set[int]) -> dict[str, Any]:
        template = self._drawable.get((row.question, row.item_hash))
        if template is not None:
            try:
                drawn(template, row.seed)
            except CannotDraw as error:
                raise UnusableFile([f"presentations[{number}].seed: no numbers can be drawn: {error}"]) from None
        position = row.position if row.position not in taken else max(taken) + 1  # two devices went on with one session
        taken.add(position)
        return {
            "id": row.id,
            "session_id": row.session,
            "position": position,
            "question_version_id": self._questions[row.question, row.question_hash],
            "item_version_id": self._items[row.question, row.item_hash],
            "closed_at": closed,
            **{name: getattr(row, name) for name in ("order", "seed", "reason", "shown_at")},
        }

    def attempts(self) -> int:
        """Add answers, in the order they were given; how many were new."""
        given = [(at, presentation) for presentation, at in self._answered.items()]  # in the order of the file, as its list of answers is
        added = 0
        in_time = self.file.rows_at(AttemptRow, sorted(range(len(given)), key=given.__getitem__))
        for chunk in self._told(AttemptRow, chunks(in_time), "Answers merged"):
            known = self.repository.transfer.attempts_of([row.presentation for _, row in chunk])
            fresh = [_attempt(row, self.learner) for _, row in chunk if row.presentation not in known]
            for number, row in chunk:
                if row.presentation in known:
                    facts = _attempt(row, self.learner)
                    self._same(f"attempts[{number}]", "answer", known[row.presentation], {name: facts[name] for name in _COMPARED})
            self.repository.transfer.insert(Attempt, fresh)
            added += len(fresh)
        return added

    def _told(self, kind: type[Row], pieces: Iterable[list[_Piece]], words: str) -> Iterator[list[_Piece]]:
        """The pieces, telling after each how many rows of this kind are done."""
        begins, ends = SHARES[kind]
        done, of = 0, self.file.count(kind)
        for piece in pieces:
            yield piece
            done += len(piece)
            self.on_progress(begins + (ends - begins) * done / of, f"{words}: {done:,} of {of:,}")

    def _same(self, place: str, what: str, here: Any, facts: Mapping[str, object]) -> None:
        _own(self.repository, self.learner, what, {place: here})
        _same(place, what, here, facts)

    def runs(self, changes: _RunChanges) -> None:
        """Delete what was deleted there, add runs that are new, and notes that are new or newer."""
        here = self.repository.runs(self.learner)
        for gone in self.file.rows(DeletedRunRow):
            if gone.id not in changes.deleted or not here.delete(gone.id, gone.deleted_at):
                here.mark_deleted(gone.id, gone.deleted_at)
        for chunk in self._told(RunRow, chunks(enumerate(self.file.rows(RunRow)), 10), "Runs merged"):
            rows = [(number, row) for number, row in chunk if row.id not in changes.kept_out]
            known = self.repository.transfer.runs_of([row.id for _, row in rows])
            for number, row in rows:
                if row.id in known:
                    self._same(f"runs[{number}]", "run", known[row.id], {name: getattr(row, name) for name in _COMPARED_RUN})
            fresh = [row for _, row in rows if row.id not in known]
            self.repository.transfer.insert(StoredRun, [row.model_dump(exclude_unset=True, exclude={"note"}) | {"learner_id": self.learner} for row in fresh])
            for run in (*fresh, *(row for _, row in rows if row.id in changes.notes)):
                if run.note is not None:
                    here.note(run.id, run.note.text, run.note.edited_at)


_COMPARED = ("response", "correct", "score", "confidence", "answered_at")
_COMPARED_RUN = ("experiment", "settings", "first_seed", "seeds", "prediction", "started_at", "state", "ended_at")


def _attempt(row: AttemptRow, learner: int) -> dict[str, Any]:
    return {
        "presentation_id": row.presentation,
        "learner_id": learner,
        "response": row.response.model_dump(exclude_unset=True),
        **{name: getattr(row, name) for name in ("correct", "score", "confidence", "answered_at", "seconds")},
    }


def _own(repository: Repository, learner: int, what: str, here: Mapping[str, Any]) -> None:
    """Pass rows that are here already, by their places in the file, if they are the learner's. Errors: UnusableFile, naming the profile that has one."""
    for place, row in here.items():
        if row is not None and row.learner_id != learner:
            owner = repository.transfer.learner_name(row.learner_id)
            raise UnusableFile(
                [
                    f"{place}: this {what} is here already, with the profile “{owner}”. What one profile has cannot go to another one of the same machine: "
                    f"choose “{owner}” to add the file there"
                ]
            )


def _same(place: str, what: str, here: Any, facts: Mapping[str, object]) -> None:
    """Errors: UnusableFile when the row that is here says something else."""
    for name, value in facts.items():
        if getattr(here, name) != value:
            shown = name.removesuffix("_version_id")
            raise UnusableFile([f"{place}.{shown}: this {what} is here already and says otherwise; what was recorded cannot be changed by a file"])
