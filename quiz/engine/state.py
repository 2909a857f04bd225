"""Everything known about a learner, as a pure fold over append-only attempts.

`fold` takes any number of further facts, so the state can be kept and brought up to date, or thrown away and built
again: both give the same value, exactly. Facts are folded in canonical order (quiz/engine/facts.py). One that belongs
before what was folded already, from another device or a clock that was set back, is refused with `OutOfOrder`; the
caller then folds the merged history anew, which takes seconds for 100,000 attempts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from quiz.engine import difficulty, ideas
from quiz.engine.ability import NO_EVIDENCE, LogLikelihood, with_answer
from quiz.engine.difficulty import LEVEL_PRIOR, Belief
from quiz.engine.facts import AttemptFact, Key
from quiz.engine.ideas import IdeaState
from quiz.engine.memory import Memory, after_answer


class OutOfOrder(ValueError):
    """A fact belongs before one that was folded already; fold the merged history from `NOTHING_YET`."""


@dataclass(frozen=True, slots=True)
class ItemState:
    """What happened with one item; `difficulty` as sharpened by this learner's first answer."""

    attempts: int
    correct: int
    answered_at: datetime
    difficulty: Belief
    missed: bool  # the last answer was wrong


@dataclass(frozen=True, slots=True)
class QuestionState:
    """What is known about one question: evidence for ability (log-likelihood on the grid), memory, counts, its ideas."""

    memory: Memory
    evidence: LogLikelihood = NO_EVIDENCE
    attempts: int = 0
    correct: int = 0
    items: Mapping[str, ItemState] = field(default_factory=dict)
    ideas: Mapping[str, IdeaState] = field(default_factory=dict)  # by key point


@dataclass(frozen=True, slots=True)
class Pace:
    """How long answers of one format took: how many there were, and their seconds added up."""

    answers: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LearnerState:
    """What is known about a learner. With `frozen`, items keep their authored difficulties."""

    questions: Mapping[str, QuestionState] = field(default_factory=dict)
    attempts: int = 0
    correct: int = 0
    level: Belief = LEVEL_PRIOR  # overall ability, against which items are sharpened
    pace: Mapping[str, Pace] = field(default_factory=dict)  # by format
    last: Key | None = None  # the place of the last fact folded
    frozen: bool = False

    @property
    def evidence(self) -> dict[str, LogLikelihood]:
        """Evidence for ability, by question."""
        return {name: state.evidence for name, state in self.questions.items()}


NOTHING_YET = LearnerState()
LONGEST_ANSWER_S = 600.0  # who takes longer went away


def fold(state: LearnerState, facts: Iterable[AttemptFact]) -> LearnerState:
    """`state` with further facts, given in canonical order. Errors: OutOfOrder."""
    questions, pace = dict(state.questions), dict(state.pace)  # the only copies: `state` is left alone
    attempts, correct, level, last = state.attempts, state.correct, state.level, state.last
    for fact in facts:
        if last is not None and fact.key < last:
            raise OutOfOrder(f"the answer {fact.id!r} of {fact.answered_at.isoformat()} belongs before {last[0].isoformat()}, which was folded already")
        level, questions[fact.question_id] = _answered(level, questions.get(fact.question_id), fact, state.frozen)
        if fact.seconds is not None:
            known = pace.get(fact.format, Pace())
            pace[fact.format] = Pace(known.answers + 1, known.seconds + min(fact.seconds, LONGEST_ANSWER_S))
        attempts, correct, last = attempts + 1, correct + fact.correct, fact.key
    return LearnerState(questions, attempts, correct, level, pace, last, state.frozen)


def _answered(level: Belief, old: QuestionState | None, fact: AttemptFact, frozen: bool) -> tuple[Belief, QuestionState]:
    memory = after_answer(old.memory if old else None, fact.correct, fact.confidence, fact.answered_at)
    old = old or QuestionState(memory)
    item = old.items.get(fact.item_id)
    belief = item.difficulty if item else difficulty.authored(fact.difficulty)
    if item is None and not frozen:
        level, belief = difficulty.sharpened(level, belief, fact.guessing, fact.correct)
    seen = ItemState(
        attempts=(item.attempts if item else 0) + 1,
        correct=(item.correct if item else 0) + fact.correct,
        answered_at=fact.answered_at,
        difficulty=belief,
        missed=not fact.correct,
    )
    return level, QuestionState(
        memory=memory,
        evidence=with_answer(old.evidence, fact.difficulty, fact.guessing, fact.correct, seen_before=item is not None),
        attempts=old.attempts + 1,
        correct=old.correct + fact.correct,
        items={**old.items, fact.item_id: seen},
        ideas={**old.ideas, **{point: ideas.after_answer(old.ideas.get(point), fact.correct, fact.answered_at) for point in fact.points}},
    )
