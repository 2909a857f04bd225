"""Everything known about a learner, as a pure fold over append-only attempts.

`fold` takes any number of further facts, so the state can be kept and brought up to date, or thrown away and built
again: both give the same value, exactly. Facts are folded in canonical order (quiz/engine/facts.py). One that belongs
before what was folded already, from another device or a clock that was set back, is refused with `OutOfOrder`; the
caller then folds the merged history anew, which takes a second or two for 100,000 attempts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from quiz.engine import difficulty, ideas
from quiz.engine.ability import NO_EVIDENCE, Floats, LogLikelihood, said, with_answers
from quiz.engine.difficulty import LEVEL_PRIOR, Belief
from quiz.engine.facts import AttemptFact, Key
from quiz.engine.ideas import IdeaState
from quiz.engine.memory import Memory, after_answer


class OutOfOrder(ValueError):
    """A fact belongs before one that was folded already; fold the merged history from `NOTHING_YET`."""


class ItemState(NamedTuple):  # a tuple: with every answer one is made, and a dataclass takes four times as long to make
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


class Pace(NamedTuple):
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
_NO_PACE = Pace()
LONGEST_ANSWER_S = 600.0  # who takes longer went away


def fold(state: LearnerState, facts: Iterable[AttemptFact]) -> LearnerState:
    """`state` with further facts, given in canonical order. Errors: OutOfOrder."""
    opened: dict[str, _Opened] = {}  # the questions answered: the only copies, `state` is left alone
    pace = dict(state.pace)
    attempts, correct, level, last = state.attempts, state.correct, state.level, state.last
    for fact in facts:
        key = fact.key
        if last is not None and key < last:
            raise OutOfOrder(f"the answer {fact.id!r} of {fact.answered_at.isoformat()} belongs before {last[0].isoformat()}, which was folded already")
        question = opened.get(fact.question_id)
        if question is None:
            question = opened[fact.question_id] = _Opened(state.questions.get(fact.question_id))
        level = question.answered(level, fact, state.frozen)
        if fact.seconds is not None:
            answers, seconds = pace.get(fact.format, _NO_PACE)
            pace[fact.format] = Pace(answers + 1, seconds + min(fact.seconds, LONGEST_ANSWER_S))
        attempts, correct, last = attempts + 1, correct + fact.correct, key
    questions = {**state.questions, **{name: question.closed() for name, question in opened.items()}}
    return LearnerState(questions, attempts, correct, level, pace, last, state.frozen)


class _Opened:
    """A question's state while answers are added to it: what would be copied with every answer is copied once."""

    __slots__ = ("attempts", "correct", "evidence", "ideas", "items", "memory", "said")

    def __init__(self, old: QuestionState | None) -> None:
        self.memory = old.memory if old else None
        self.evidence = old.evidence if old else NO_EVIDENCE
        self.attempts, self.correct = (old.attempts, old.correct) if old else (0, 0)
        self.items: dict[str, ItemState] = dict(old.items) if old else {}
        self.ideas: dict[str, IdeaState] = dict(old.ideas) if old else {}
        self.said: list[Floats] = []  # by the answers since, about ability

    def answered(self, level: Belief, fact: AttemptFact, frozen: bool) -> Belief:
        """Add an answer; the learner's level after it."""
        right, at = fact.correct, fact.answered_at
        item = self.items.get(fact.item_id)
        belief = item.difficulty if item else difficulty.authored(fact.difficulty)
        if item is None and not frozen:
            level, belief = difficulty.sharpened(level, belief, fact.guessing, right)
        self.memory = after_answer(self.memory, right, fact.confidence, at)
        self.said.append(said(fact.difficulty, fact.guessing, right, item is not None))
        self.attempts += 1
        self.correct += right
        attempts, correct = (item.attempts, item.correct) if item else (0, 0)
        self.items[fact.item_id] = ItemState(attempts + 1, correct + right, at, belief, not right)
        for point in fact.points:
            self.ideas[point] = ideas.after_answer(self.ideas.get(point), right, at)
        return level

    def closed(self) -> QuestionState:
        """The state after the answers added (at least one)."""
        if self.memory is None:
            raise AssertionError("a question is opened for an answer")
        return QuestionState(self.memory, with_answers(self.evidence, self.said), self.attempts, self.correct, self.items, self.ideas)
