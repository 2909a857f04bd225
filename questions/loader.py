"""Reads folders of question files into a QuestionBank, or says everything that is wrong with them.

One error, `QuestionBankError`, carries every problem found in every file, each with its place, so an author
mends a file in one go. A file may be anybody's: nothing in it is run, and whatever it holds, reading it ends soon and
with a message (see questions/files.py for what may be opened, questions/expressions.py for what is calculated).
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from questions.files import UnreadableFile, printable, printable_path, question_files, read_file
from questions.recordings import RECORDINGS, BadRecording, find_recording
from questions.schema import TEMPLATE, BaseItem, DiagnoseItem, Group, Item, Question, Template
from questions.templates import CHECKED, CannotDraw, check_template

BANK = Path(__file__).parent / "bank"
MAX_FILE_BYTES = 1_000_000
MAX_PROBLEMS = 50  # named for one file
# tomllib takes time by the square of a dotted key's length: a.a.a.a … of a megabyte would keep it busy for hours.
_ENDLESS_KEY = re.compile(r"""(?<![\w-])(?:(?>[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){20}""")
TRIED_AT_START = 4  # combinations of each template of the bank that ships; the checks and the tests try all


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
    """All questions, in number order, with lookups. `left_out` says why private files were left out."""

    questions: tuple[Question, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[Problem, ...] = ()

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


def load_bank(place: Path = BANK, *, tried: int | None = None) -> QuestionBank:
    """Load every ``*.toml`` file of a folder, or one file.

    `tried`: how many combinations of each template are tried out; by default a few of the bank that ships, and up to CHECKED of any other.
    Errors: QuestionBankError with every problem of every file.
    """
    loaded, problems = _read(place, (TRIED_AT_START if place == BANK else CHECKED) if tried is None else tried)
    kept, clashes = _without_clashes(loaded)
    if problems or clashes:
        raise QuestionBankError(problems + clashes)
    return _bank(kept)


def load_banks(private: Sequence[Path]) -> QuestionBank:
    """The bank that ships, with the question files of private folders added.

    A private file that cannot be used is left out, and `left_out` of the bank says why: the rest can be practised.
    Errors: QuestionBankError when the bank that ships cannot be used.
    """
    own = load_bank()
    loaded = [(own.files[question.id], question) for question in own.questions]
    left_out: list[Problem] = []
    for folder in private:
        found, problems = _read(folder, CHECKED, full_names=True)
        loaded += found
        left_out += problems
    kept, clashes = _without_clashes(loaded)
    return _bank(kept, (*left_out, *clashes))


def _bank(loaded: list[tuple[str, Question]], left_out: tuple[Problem, ...] = ()) -> QuestionBank:
    loaded = sorted(loaded, key=lambda pair: pair[1].number)
    return QuestionBank(tuple(question for _, question in loaded), {question.id: name for name, question in loaded}, left_out)


def _read(place: Path, tried: int, *, full_names: bool = False) -> tuple[list[tuple[str, Question]], list[Problem]]:
    """The good questions of a folder or file with their files' names, and the problems of the others."""
    try:
        files = question_files(place)
    except UnreadableFile as error:
        return [], [Problem(printable_path(place), "", str(error))]
    loaded, problems = [], []
    for path in files:
        found: list[Problem] = []
        name = printable_path(path if full_names else Path(path.name))
        question = _load(path, name, tried, found)
        problems += found[:MAX_PROBLEMS]
        if len(found) > MAX_PROBLEMS:
            problems.append(Problem(name, "", f"and {len(found) - MAX_PROBLEMS} more problems"))
        if question is not None:
            loaded.append((name, question))
    return loaded, problems


def _load(path: Path, name: str, tried: int, problems: list[Problem]) -> Question | None:
    """One file's question; None when it has problems, which are added to `problems`."""
    data: dict[str, Any] = {}
    try:
        text = read_file(path, MAX_FILE_BYTES).decode("utf-8")
        if _ENDLESS_KEY.search(text):
            raise RecursionError
        data = tomllib.loads(text)
        return _completed(Question.model_validate(data), path.parent, name, tried, problems)
    except UnreadableFile as error:
        problems.append(Problem(name, "", str(error)))
    except UnicodeDecodeError as error:
        problems.append(Problem(name, f"byte {error.start}", "the file must be UTF-8"))
    except (RecursionError, MemoryError):
        problems.append(Problem(name, "", "nested too deeply to be read"))
    except ValidationError as error:
        problems += [Problem(name, _place(detail["loc"], data), _message(detail)) for detail in error.errors(include_url=False, include_context=False)]
    except ValueError as error:  # also a number with thousands of digits, which tomllib passes on as it comes
        problems.append(Problem(name, "", f"not valid TOML: {printable(error)}"))
    return None


def _completed(question: Question, folder: Path, name: str, tried: int, problems: list[Problem]) -> Question | None:
    """The question with its recorded curves in place and its templates tried out."""
    items: list[Item] = []
    for number, item in enumerate(question.items):
        try:
            items.append(_completed_item(item, folder, tried))
        except (BadRecording, CannotDraw) as error:
            problems.append(Problem(name, f"items[{number}] ({item.key})", str(error)))
    return None if problems else question.model_copy(update={"items": tuple(items)})


def _completed_item(item: Item, folder: Path, tried: int) -> Item:
    if isinstance(item, Template):
        check_template(item, tried)
    if isinstance(item, DiagnoseItem):
        if item.curves is not None:
            raise BadRecording("curves is not written by hand; name a file with recording")
        return item.model_copy(update={"curves": find_recording(item.recording, (folder / "recordings", RECORDINGS))})
    return item


def _place(loc: tuple[int | str, ...], data: Mapping[str, Any]) -> str:
    """`items[2] (f-equals-one).choices[0].feedback`: the path, with the item's key where there is one."""
    parts: list[str] = []
    node: Any = data
    for step in loc:
        if isinstance(step, int):
            parts = [*parts[:-1], f"{parts[-1] if parts else ''}[{step}]"]
            node = node[step] if isinstance(node, list) and step < len(node) else None
            if isinstance(node, dict) and isinstance(node.get("key"), str):
                parts[-1] += f" ({printable(node['key'])})"
        elif isinstance(node, dict) and step.removesuffix(TEMPLATE) == node.get("format") and step not in node:
            continue  # pydantic names the branch of the union; it is no place in the file
        else:
            parts.append(printable(step))
            node = node.get(step) if isinstance(node, dict) else None
    return ".".join(parts)


def _message(detail: Mapping[str, Any]) -> str:
    message = printable(str(detail["msg"]).removeprefix("Value error, "), 400)
    value = detail.get("input")
    if detail["type"] in {"value_error", "missing", "format"} or isinstance(value, (dict, list, tuple)):
        return message
    return f"{message}, got {printable(value)!r}"


def _without_clashes(loaded: list[tuple[str, Question]]) -> tuple[list[tuple[str, Question]], list[Problem]]:
    """The files whose id and number nobody has used before, and what is wrong with the others."""
    seen: dict[tuple[str, object], str] = {}
    kept, problems = [], []
    for name, question in loaded:
        pairs = (("id", question.id), ("number", question.number))
        clashes = [Problem(name, what, f"{value!r} is already used by {seen[what, value]}") for what, value in pairs if (what, value) in seen]
        if not clashes:
            kept.append((name, question))
            seen.update(dict.fromkeys(pairs, name))
        problems += clashes
    return kept, problems
