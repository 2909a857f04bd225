"""Everything known about a learner, as a pure fold over append-only attempts.

`fold` takes any number of further facts, so the state can be kept and brought up to date, or thrown away and built
again: both give the same value, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce

from quiz.engine.ability import NO_EVIDENCE, LogLikelihood, with_answer
from quiz.engine.facts import AttemptFact
from quiz.engine.memory import Memory, after_answer


@dataclass(frozen=True)
class ItemState:
    """What happened with one item."""

    attempts: int
    correct: int
    answered_at: datetime


@dataclass(frozen=True)
class QuestionState:
    """What is known about one question: evidence for ability (log-likelihood on the grid), memory, counts."""

    memory: Memory
    evidence: LogLikelihood = NO_EVIDENCE
    attempts: int = 0
    correct: int = 0
    items: Mapping[str, ItemState] = field(default_factory=dict)


@dataclass(frozen=True)
class LearnerState:
    """What is known about a learner."""

    questions: Mapping[str, QuestionState] = field(default_factory=dict)
    attempts: int = 0
    correct: int = 0

    @property
    def evidence(self) -> dict[str, LogLikelihood]:
        """Evidence for ability, by question."""
        return {name: state.evidence for name, state in self.questions.items()}


NOTHING_YET = LearnerState()


def fold(state: LearnerState, facts: Iterable[AttemptFact]) -> LearnerState:
    """`state` with further facts, in the order they were recorded."""
    return reduce(_after, facts, state)


def _after(state: LearnerState, fact: AttemptFact) -> LearnerState:
    questions = {**state.questions, fact.question_id: _question(state.questions.get(fact.question_id), fact)}
    return LearnerState(questions, state.attempts + 1, state.correct + fact.correct)


def _question(old: QuestionState | None, fact: AttemptFact) -> QuestionState:
    memory = after_answer(old.memory if old else None, fact.correct, fact.confidence, fact.answered_at)
    state = replace(old, memory=memory) if old else QuestionState(memory)
    item = state.items.get(fact.item_id)
    seen = ItemState((item.attempts if item else 0) + 1, (item.correct if item else 0) + fact.correct, fact.answered_at)
    return replace(
        state,
        evidence=with_answer(state.evidence, fact.difficulty, fact.guessing, fact.correct, seen_before=item is not None),
        attempts=state.attempts + 1,
        correct=state.correct + fact.correct,
        items={**state.items, fact.item_id: seen},
    )
