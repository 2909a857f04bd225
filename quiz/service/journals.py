"""Keeps each learner's journal in memory, brought up to date with what is new: a page view pays for the answers since the last.

The first look after a start reads every answer once, which takes some seconds for 100,000.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from quiz.engine.journal import EMPTY, Given, Journal, extended
from quiz.engine.state import OutOfOrder
from quiz.service.wordings import Wordings
from quiz.storage.repository import Repository


class Journals:
    """Journals by learner. Only committed answers may be kept: ask before the transaction adds one."""

    def __init__(self, wordings: Wordings) -> None:
        self._wordings = wordings
        self._wrong: dict[int, frozenset[str]] = {}  # wording -> its wrong options
        self._kept: dict[int, tuple[int, Journal]] = {}  # learner -> (last attempt in it, journal)

    def of(self, repository: Repository, learner: int) -> Journal:
        """The learner's journal, with every answer."""
        last, journal = self._kept.get(learner, (0, EMPTY))
        rows = repository.journal_rows_after(learner, last)
        if rows:
            try:
                journal = extended(journal, self._given(repository, rows))
            except OutOfOrder:  # a clock was set back, or attempts came in from elsewhere
                rows = repository.journal_rows_after(learner, 0)
                journal = extended(EMPTY, self._given(repository, rows))
            self._kept[learner] = (max(row[0] for row in rows), journal)
        return journal

    def forget(self, learner: int) -> None:
        """Have the learner's journal built anew."""
        self._kept.pop(learner, None)

    def _given(self, repository: Repository, rows: Iterable[tuple[Any, ...]]) -> Iterable[Given]:
        for _, shown, question, key, version, format_, difficulty, guessing, correct, confidence, at, seconds, keys in rows:
            wrong = self._wrong_options(repository, version) if keys is not None else frozenset()
            chosen = tuple(one for one in json.loads(keys) if one in wrong) if wrong else ()
            yield Given(shown, question, f"{question}/{key}", version, format_, difficulty, guessing, correct, confidence, at, seconds, chosen)

    def _wrong_options(self, repository: Repository, version: int) -> frozenset[str]:
        if version not in self._wrong:
            self._wrong[version] = frozenset(choice.key for choice in self._wordings.choices(repository, version) if not choice.correct)
        return self._wrong[version]
