"""Reads a folder of question files into a QuestionBank, or says everything that is wrong with it.

One error, `QuestionBankError`, carries every problem found in every file, each with its place, so an author
mends a file in one go.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from questions.files import UnreadableFile, read_file
from questions.recordings import RECORDINGS, BadRecording, find_recording
from questions.schema import TEMPLATE, BaseItem, DiagnoseItem, Group, Item, Question, Template
from questions.templates import CannotDraw, check_template

BANK = Path(__file__).parent / "bank"
MAX_FILE_BYTES = 1_000_000


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a bank: the file, the place in it, and what is expected."""

    file: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.message}" if self.place else f"{self.file}: {self.message}"


class QuestionBankError(Exception):
    """The bank cannot be used; `problems` lists every reason."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(problems)} problem(s) in the question bank:\n" + "\n".join(f"  {problem}" for problem in problems))


def content_hash(model: Question | BaseItem) -> str:
    """SHA-256 over the canonical JSON of a model: the same wording gives the same hash on any machine."""
    canonical = json.dumps(model.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class QuestionBank:
    """All questions, in number order, with lookups."""

    questions: tuple[Question, ...]
    files: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[str, Question]:
        """Questions by id."""
        return {question.id: question for question in self.questions}

    @cached_property
    def items(self) -> dict[str, tuple[Question, Item]]:
        """Items by full id ``question-id/item-key``, with their question."""
        return {item_id(question, item): (question, item) for question in self.questions for item in question.items}

    @cached_property
    def groups(self) -> dict[Group, tuple[Question, ...]]:
        """Questions by group, groups in their page order."""
        return {group: tuple(q for q in self.questions if q.group is group) for group in Group}


def item_id(question: Question, item: BaseItem) -> str:
    """The id of an item over the whole bank."""
    return f"{question.id}/{item.key}"


def load_bank(folder: Path = BANK) -> QuestionBank:
    """Load every ``*.toml`` file in `folder`.

    Errors: QuestionBankError with every problem of every file.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise QuestionBankError([Problem(str(folder), "", "no question files (*.toml) found in this folder")])
    problems: list[Problem] = []
    loaded: list[tuple[Path, Question]] = []
    for path in files:
        question = _load(path, (folder / "recordings", RECORDINGS), problems)
        if question is not None:
            loaded.append((path, question))
    problems += _clashes(loaded)
    if problems:
        raise QuestionBankError(problems)
    loaded.sort(key=lambda pair: pair[1].number)
    return QuestionBank(tuple(question for _, question in loaded), {question.id: path.name for path, question in loaded})


def _load(path: Path, recordings: tuple[Path, ...], problems: list[Problem]) -> Question | None:
    """One file's question; None when it has problems, which are added to `problems`."""
    found: list[Problem] = []
    data: dict[str, Any] = {}
    try:
        data = tomllib.loads(read_file(path, MAX_FILE_BYTES).decode("utf-8"))
        question = Question.model_validate(data)
        return _completed(question, recordings, path.name, problems)
    except UnreadableFile as error:
        found = [Problem(path.name, "", str(error))]
    except UnicodeDecodeError as error:
        found = [Problem(path.name, f"byte {error.start}", "the file must be UTF-8")]
    except tomllib.TOMLDecodeError as error:
        found = [Problem(path.name, "", f"not valid TOML: {error}")]
    except RecursionError:
        found = [Problem(path.name, "", "nested too deeply to be read")]
    except ValidationError as error:
        found = [Problem(path.name, _place(detail["loc"], data), _message(detail)) for detail in error.errors(include_url=False)]
    except ValueError as error:  # a number with thousands of digits, say
        found = [Problem(path.name, "", f"not valid TOML: {error}")]
    problems += found
    return None


def _completed(question: Question, recordings: tuple[Path, ...], file: str, problems: list[Problem]) -> Question | None:
    """The question with its recorded curves in place and its templates tried out."""
    items: list[Item] = []
    found: list[Problem] = []
    for number, item in enumerate(question.items):
        try:
            items.append(_completed_item(item, recordings))
        except (BadRecording, CannotDraw) as error:
            found.append(Problem(file, f"items[{number}] ({item.key})", str(error)))
    problems += found
    return None if found else question.model_copy(update={"items": tuple(items)})


def _completed_item(item: Item, recordings: tuple[Path, ...]) -> Item:
    if isinstance(item, Template):
        check_template(item)
    if isinstance(item, DiagnoseItem):
        if item.curves is not None:
            raise BadRecording("curves is not written by hand; name a file with recording")
        return item.model_copy(update={"curves": find_recording(item.recording, recordings)})
    return item


def _place(loc: tuple[int | str, ...], data: Mapping[str, Any]) -> str:
    """`items[2] (f-equals-one).choices[0].feedback`: the path, with the item's key where there is one."""
    parts: list[str] = []
    node: Any = data
    for step in loc:
        if isinstance(step, int):
            parts[-1] += f"[{step}]"
            node = node[step] if isinstance(node, list) and step < len(node) else None
            if isinstance(node, dict) and isinstance(node.get("key"), str):
                parts[-1] += f" ({node['key']})"
        elif isinstance(node, dict) and str(step).removesuffix(TEMPLATE) == node.get("format") and step not in node:
            continue  # pydantic names the branch of the union; it is no place in the file
        else:
            parts.append(step)
            node = node.get(step) if isinstance(node, dict) else None
    return ".".join(parts)


def _message(detail: Mapping[str, Any]) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    value = detail.get("input")
    if detail["type"] in {"value_error", "missing"} or isinstance(value, (dict, list, tuple)):
        return message
    return f"{message}, got {str(value)[:80]!r}"


def _clashes(loaded: list[tuple[Path, Question]]) -> Iterator[Problem]:
    seen: dict[tuple[str, object], str] = {}
    for path, question in loaded:
        for what, value in (("id", question.id), ("number", question.number)):
            first = seen.setdefault((what, value), path.name)
            if first != path.name:
                yield Problem(path.name, what, f"{value!r} is already used by {first}")
