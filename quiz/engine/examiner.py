"""Decides what is asked next: which question, why, which of its items, and in which order its options stand.

Which question, the first that applies:
1. `again`: missed earlier in this session, once `GAP` others lie between (sooner when the session is about to end);
2. `due`: the memory model says it is time; the one most likely forgotten first;
3. `new`: never answered; in the order of the questions' numbers;
4. `ahead`: nothing else is left; the one most likely forgotten first.
Given what an answer to each item is worth on a later day (`worth`, from quiz/engine/planner.py), 3 and 4 give way to the
question with the item worth most; before an interview, 2 as well (`due_first` false), as what is due may be known well
enough for that day. The reason then says what the chosen question is: due, new or ahead of time.
Within a kind, a question of another group than the last one is preferred: interleaving helps to tell kinds apart
(Rohrer and Taylor 2007). Which item: one not shown in this session; then one that tests an idea missed the last time it
was asked, so that a missed idea comes back, if it can in another form; then the least often answered; then the one with
the most information at the learner's ability, divided by how often its format came up in this session so that the
formats stay mixed; given `worth`, the item worth most in place of these three. The item shown last is never shown next.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from questions.loader import item_id
from questions.schema import ChoiceItem, Group, Item, NumberItem, OrderItem, Question, Template, TraceItem
from quiz.engine.ability import Ability, information
from quiz.engine.facts import Reason
from quiz.engine.memory import recall
from quiz.engine.state import LearnerState

GAP = 2
NEARLY = 0.8  # so much of the highest worth is near enough to change the group
MOST_REPEATS = 2  # a question missed again and again is left for another day


@dataclass(frozen=True)
class Shown:
    """One item this session has shown; `correct` is None when it was skipped."""

    question_id: str
    item_id: str
    format: str
    correct: bool | None


@dataclass(frozen=True)
class Pick:
    """What to ask next. `order` holds the shuffled option or step keys; empty for a number."""

    question: Question
    item: Item
    reason: Reason
    order: tuple[str, ...]


def pick(
    questions: Sequence[Question],
    state: LearnerState,
    abilities: Mapping[str, Ability],
    shown: Sequence[Shown],
    remaining: int,
    now: datetime,
    rng: random.Random,
    worth: Mapping[str, float] | None = None,
    due_first: bool = True,
) -> Pick:
    """The next item out of `questions` (at least one).

    `shown` is what this session has shown, oldest first; `remaining` how many answers it still waits for; `worth`, by
    item, what an answer is worth for a minute spent (then `abilities` are not looked at); without `due_first` it alone decides.
    """
    question, reason = _question(questions, state, shown, remaining, now, worth, due_first)
    theta = abilities[question.id].mean if worth is None else 0.0
    item = _item(question, state, theta, shown, rng, worth)
    return Pick(question, item, reason, arranged(item, rng))


def _question(
    questions: Sequence[Question],
    state: LearnerState,
    shown: Sequence[Shown],
    remaining: int,
    now: datetime,
    worth: Mapping[str, float] | None,
    due_first: bool,
) -> tuple[Question, Reason]:
    last_group = next((q.group for q in questions if shown and q.id == shown[-1].question_id), None)
    by_id = {question.id: question for question in questions}
    missed = _missed(shown)
    again = [by_id[name] for name in missed if name in by_id and _ready(name, shown, remaining <= len(missed))]
    if again:
        return _interleaved(again, last_group), "again"
    asked = {one.question_id for one in shown}
    fresh = [question for question in questions if question.id not in asked]
    known = sorted((q for q in fresh if q.id in state.questions), key=lambda q: (recall(state.questions[q.id].memory, now), q.number))
    due = [question for question in known if state.questions[question.id].memory.due_at <= now]
    if worth is not None and not (due and due_first):
        return _most_worth(questions, state, shown, last_group, now, worth)
    new = sorted((question for question in fresh if question.id not in state.questions), key=lambda q: q.number)
    kinds: tuple[tuple[list[Question], Reason], ...] = ((due, "due"), (new, "new"), (known, "ahead"))
    for candidates, reason in kinds:
        if candidates:
            return _interleaved(candidates, last_group), reason
    latest = {one.question_id: place for place, one in enumerate(shown)}
    oldest = min(questions, key=lambda q: latest[q.id])
    return oldest, "again" if oldest.id in missed else "ahead"


def _most_worth(
    questions: Sequence[Question], state: LearnerState, shown: Sequence[Shown], last_group: Group | None, now: datetime, worth: Mapping[str, float]
) -> tuple[Question, Reason]:
    """The question with the item worth most, of those this session has shown least; one of another group, when it is worth nearly as much."""
    asked = Counter(one.item_id for one in shown)
    fewest = {question.id: min(asked[item_id(question, item)] for item in question.items) for question in questions}
    open_ = [question for question in questions if fewest[question.id] == min(fewest.values())]
    best = {question.id: max(worth[name] for item in question.items if asked[name := item_id(question, item)] == fewest[question.id]) for question in open_}
    ranked = sorted(open_, key=lambda question: -best[question.id])
    near = [question for question in ranked if best[question.id] >= NEARLY * best[ranked[0].id]]
    chosen = _interleaved(near or ranked, last_group)
    known = state.questions.get(chosen.id)
    return chosen, "new" if known is None else "due" if known.memory.due_at <= now else "ahead"


def _missed(shown: Sequence[Shown]) -> list[str]:
    """Questions whose last item in this session was answered wrong, the longest waiting first."""
    last = {one.question_id: one for one in shown}
    wrong = Counter(one.question_id for one in shown if one.correct is False)
    places = {one.question_id: place for place, one in enumerate(shown)}
    return sorted((name for name, one in last.items() if one.correct is False and wrong[name] <= MOST_REPEATS), key=places.__getitem__)


def _ready(question_id: str, shown: Sequence[Shown], ending: bool) -> bool:
    """Whether enough other items came since; when the session is ending, one is enough."""
    between = next(gap for gap, one in enumerate(reversed(shown)) if one.question_id == question_id)
    return between >= (1 if ending else GAP)


def _interleaved(candidates: Sequence[Question], last_group: Group | None) -> Question:
    return next((question for question in candidates if question.group is not last_group), candidates[0])


def _item(question: Question, state: LearnerState, theta: float, shown: Sequence[Shown], rng: random.Random, worth: Mapping[str, float] | None) -> Item:
    in_session = Counter(one.item_id for one in shown)
    formats = Counter(one.format for one in shown)
    known = state.questions.get(question.id)
    missed = {key for key, idea in known.ideas.items() if idea.missed} if known else set()

    def preference(item: Item) -> tuple[bool, int, bool, int, float, float]:
        name = item_id(question, item)
        seen = known.items[name].attempts if known and name in known.items else 0
        is_last = bool(shown) and shown[-1].item_id == name
        if worth is not None:  # which knows of misses and of what was seen
            return is_last, in_session[name], False, 0, -worth[name], rng.random()
        mixed = information(theta, item.difficulty, item.guessing) / (1 + formats[item.format])
        return is_last, in_session[name], missed.isdisjoint(item.points), seen, -mixed, rng.random()

    return min(question.items, key=preference)


def arranged(item: Item, rng: random.Random) -> tuple[str, ...]:
    """The shuffled keys of an item's options or steps; empty for numbers."""
    match item:
        case ChoiceItem():
            return _shuffled((choice.key for choice in item.choices), rng)
        case OrderItem():
            right = tuple(step.key for step in item.steps)
            order = _shuffled(right, rng)
            while order == right:
                order = _shuffled(right, rng)
            return order
        case NumberItem() | TraceItem() | Template():
            return ()
        case _:
            assert_never(item)


def _shuffled(keys: Iterable[str], rng: random.Random) -> tuple[str, ...]:
    order = list(keys)
    rng.shuffle(order)
    return tuple(order)
