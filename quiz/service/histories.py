"""Keeps what each learner's answers add up to in memory, brought up to date with what is new: a page pays for the answers since the last.

The first look after a start reads every answer, once for everything made of them; for 100,000 that takes some seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from quiz.engine.facts import AttemptFact
from quiz.engine.journal import EMPTY, Journal, extended
from quiz.engine.state import NOTHING_YET, LearnerState, OutOfOrder, fold
from quiz.storage.repository import Repository

LATEST = 2000  # answers whose forecasts are kept; older ones only count for the state


@dataclass(frozen=True)
class Beginning:
    """Where forecasting starts: the state before the latest `LATEST` answers, those answers, and the id of the one recorded last."""

    state: LearnerState
    facts: tuple[AttemptFact, ...]
    newest: int


@dataclass(frozen=True)
class _Kept:
    """What is known up to the attempt `newest`."""

    newest: int
    state: LearnerState
    journal: Journal


class Histories:
    """States and journals by learner. Only committed answers may be kept: ask before the transaction adds one."""

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}
        self._beginnings: dict[int, Beginning] = {}  # until they are asked for

    def state(self, repository: Repository, learner: int) -> LearnerState:
        """The learner's folded state."""
        return self._up_to_date(repository, learner).state

    def journal(self, repository: Repository, learner: int) -> Journal:
        """The learner's journal, with every answer."""
        return self._up_to_date(repository, learner).journal

    def beginning(self, repository: Repository, learner: int) -> Beginning:
        """Where to start forecasting. It is let go with this: whoever follows the answers from here keeps what they make of them."""
        if learner not in self._beginnings:
            self._read(repository, learner)
        return self._beginnings.pop(learner)

    def forget(self, learner: int) -> None:
        """Have everything worked out anew: the learner has left, or answers came in that may belong before those known."""
        self._kept.pop(learner, None)
        self._beginnings.pop(learner, None)

    def _up_to_date(self, repository: Repository, learner: int) -> _Kept:
        kept = self._kept.get(learner)
        if kept is None:
            return self._read(repository, learner)
        facts, newest = repository.facts_after(learner, kept.newest)
        if facts:
            try:
                kept = _Kept(newest, fold(kept.state, facts), extended(kept.journal, facts))
            except OutOfOrder:  # a clock was set back, or attempts came in from elsewhere
                return self._read(repository, learner)
            self._kept[learner] = kept
        return kept

    def _read(self, repository: Repository, learner: int) -> _Kept:
        facts, newest = repository.facts_after(learner, 0)
        before = fold(NOTHING_YET, facts[:-LATEST])
        self._beginnings[learner] = Beginning(before, tuple(facts[-LATEST:]), newest)
        kept = self._kept[learner] = _Kept(newest, fold(before, facts[-LATEST:]), extended(EMPTY, facts))
        return kept
