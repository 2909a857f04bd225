"""Keeps every wording that was ever asked: the bank is copied into the database at start, by content hash.

A presentation points at stored wordings, so it reads the same after the bank was edited. Stored wordings are read with
today's schema: a field may be added to it with a default, but one that is renamed or dropped needs a migration of the
`content` columns too.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from questions.loader import QuestionBank, content_hash
from questions.schema import Asked, Choice, ChoiceItem, Item, Question
from questions.templates import drawn
from quiz.storage.database import Database
from quiz.storage.models import ItemVersion, Presentation, QuestionVersion
from quiz.storage.repository import Repository

_ITEM: TypeAdapter[Item] = TypeAdapter(Item)


@dataclass(frozen=True)
class Wording:
    """An item as it was shown, numbers drawn, with its question as that was worded then."""

    question: Question
    item: Asked


class Wordings:
    """Wordings by the row ids of their versions; what the bank does not hold any more is read from the database."""

    def __init__(self, database: Database, bank: QuestionBank) -> None:
        questions = {(question.id, content_hash(question)): question for question in bank.questions}
        items = {(question.id, content_hash(item)): item for question, item in bank.items.values()}
        with database.read() as repository:
            known_questions, known_items = repository.question_versions(), repository.item_versions()
        if not (questions.keys() <= known_questions.keys() and items.keys() <= known_items.keys()):
            with database.write() as repository:
                known_questions, known_items = _store(repository, questions, items)
        self._questions = {known_questions[key]: question for key, question in questions.items()}
        self._items = {known_items[key]: item for key, item in items.items()}
        self._question_ids = {key[0]: known_questions[key] for key in questions}
        self._item_ids = {(key[0], item.key): known_items[key] for key, item in items.items()}

    def ids(self, question: Question, item: Item) -> tuple[int, int]:
        """Row ids of the wordings of a question and an item of today's bank."""
        return self._question_ids[question.id], self._item_ids[question.id, item.key]

    def shown(self, repository: Repository, presentation: Presentation) -> Wording:
        """What was put in front of the learner: the stored wordings, with the numbers that the presentation's seed draws."""
        question_version = presentation.question_version_id
        if question_version not in self._questions:
            self._questions[question_version] = Question.model_validate(repository.question_content(question_version))
        return Wording(self._questions[question_version], drawn(self.item(repository, presentation.item_version_id), presentation.seed))

    def item(self, repository: Repository, version: int) -> Item:
        """The wording of an item, numbers not drawn."""
        if version not in self._items:
            self._items[version] = _ITEM.validate_python(repository.item_content(version))
        return self._items[version]

    def choices(self, repository: Repository, version: int) -> tuple[Choice, ...]:
        """The options of a wording; none where the item has no options."""
        item = self.item(repository, version)
        return item.choices if isinstance(item, ChoiceItem) else ()


def _store(
    repository: Repository, questions: dict[tuple[str, str], Question], items: dict[tuple[str, str], Item]
) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    known = repository.question_versions()
    for key in questions.keys() - known.keys():
        repository.add(QuestionVersion(question_id=key[0], hash=key[1], content=questions[key].model_dump(mode="json")))
    known = repository.item_versions()
    for key in items.keys() - known.keys():
        repository.add(_item_row(key, items[key]))
    return repository.question_versions(), repository.item_versions()


def _item_row(key: tuple[str, str], item: Item) -> ItemVersion:
    return ItemVersion(
        question_id=key[0],
        key=item.key,
        hash=key[1],
        format=item.format,
        difficulty=item.difficulty,
        guessing=item.guessing,
        content=item.model_dump(mode="json"),
    )
