r"""Forecasts: the chance of a good answer, now or on a later day, from ability and memory together.

The chance of knowing what an item asks is logistic in the ability of its question and in the memory of the ideas it tests:

    logit P(know) = w_ability (ability - difficulty) + mean over its ideas of f,
    f = w_practised + w_recall logit R(t) + w_missed [missed last time]  for a practised idea, 0 for another

with R the idea's FSRS recall at the time asked about (quiz/engine/ideas.py). An item shown before is known a little
better than its ideas are (`w_seen`), but an interviewer does not ask our items, so this counts only for the next answer:

    P(right) = c + (1 - slip - c) P(know)

The weights were fitted to answers of simulated learners (docs/adaptive.md says how) and are a prior: people differ in how
much practice does for them, so each learner's answers move them (`adapted`). How good the forecasts are for a learner,
their own history shows (quiz/engine/calibration.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from questions.loader import item_id
from questions.schema import Question
from quiz.engine.ability import GRID, beliefs
from quiz.engine.ideas import recalls, what_if
from quiz.engine.state import LearnerState, Pace

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SLIP = 0.05
_SURE_RECALL = 0.99  # logit R is bounded by this, or an answer a minute ago would count for infinity
# Seconds from showing an item to having read its feedback, before the learner's own pace is known.
EXPECTED_S = {"single": 60.0, "predict": 70.0, "multiple": 80.0, "order": 80.0, "diagnose": 90.0, "code": 100.0, "number": 110.0, "trace": 140.0}
OTHER_EXPECTED_S = 80.0
READING_S = 20.0  # of feedback, which the recorded seconds of an answer do not include
PRIOR_ANSWERS = 5  # how many answers of a format the expected time is worth
_EPOCH_DAYS_S = 86_400.0


@dataclass(frozen=True)
class Weights:
    """The weights of the forecast."""

    ability: float = 0.68
    practised: float = 0.62
    recall: float = 0.4
    missed: float = 0.32
    seen: float = 1.25


WEIGHTS = Weights()
WEIGHTS_SD = (0.2, 0.4, 0.2, 0.2, 0.4)  # how far people are expected to lie from these
FIT_STEPS = 8
FIT_ANSWERS = 500  # the latest answers, by which the weights are fitted to the learner


@dataclass(frozen=True)
class Catalogue:
    """The bank as arrays, padded to the longest question: Q questions, up to N items and M ideas each."""

    questions: tuple[str, ...]
    groups: Mapping[str, str]  # question id -> group, in order
    item_ids: tuple[tuple[str, ...], ...]
    formats: tuple[tuple[str, ...], ...]
    ideas: tuple[Mapping[str, int], ...]  # per question: key point -> column
    exists: Bools  # Q N
    difficulty: Floats  # Q N
    guessing: Floats  # Q N
    tests: Floats  # Q N M: 1 where the item tests the idea
    shares: Floats  # Q N M: `tests`, each item's row summing to 1

    @staticmethod
    def of(questions: Sequence[Question]) -> Catalogue:
        """The arrays of `questions` (at least one)."""
        size = len(questions), max(len(q.items) for q in questions), max(len(q.points) for q in questions)
        exists, difficulty, guessing, tests = np.zeros(size[:2], bool), np.zeros(size[:2]), np.zeros(size[:2]), np.zeros(size)
        ideas = tuple({point.key: place for place, point in enumerate(question.points)} for question in questions)
        for row, question in enumerate(questions):
            for column, item in enumerate(question.items):
                exists[row, column], difficulty[row, column], guessing[row, column] = True, item.difficulty, item.guessing
                tests[row, column, [ideas[row][key] for key in item.points]] = 1
        return Catalogue(
            questions=tuple(question.id for question in questions),
            groups={question.id: question.group.value for question in questions},
            item_ids=tuple(tuple(item_id(question, item) for item in question.items) for question in questions),
            formats=tuple(tuple(item.format for item in question.items) for question in questions),
            ideas=ideas,
            exists=exists,
            difficulty=difficulty,
            guessing=guessing,
            tests=tests,
            shares=tests / np.maximum(tests.sum(axis=2, keepdims=True), 1),
        )

    @cached_property
    def place(self) -> dict[str, tuple[int, int]]:
        """Item id -> row and column."""
        return {name: (row, column) for row, names in enumerate(self.item_ids) for column, name in enumerate(names)}

    @cached_property
    def alone(self) -> tuple[Catalogue, ...]:
        """Every question in a catalogue of its own, for forecasts of one answer."""
        return tuple(
            Catalogue(
                questions=(name,),
                groups={name: self.groups[name]},
                **{
                    field: getattr(self, field)[row : row + 1]
                    for field in ("item_ids", "formats", "ideas", "exists", "difficulty", "guessing", "tests", "shares")
                },
            )
            for row, name in enumerate(self.questions)
        )

    @cached_property
    def share_of_score(self) -> Floats:
        """Q N: how much of the whole score an item stands for; questions weigh alike."""
        counts = self.exists.sum(axis=1, keepdims=True)
        return np.asarray(self.exists / counts / len(self.questions))

    def seconds(self, pace: Mapping[str, Pace]) -> Floats:
        """Q N: expected seconds of each item, by the learner's pace as far as it is known."""
        names = {name for row in self.formats for name in row}
        by_format = {name: _expected_seconds(name, pace.get(name, Pace())) for name in names}
        found = np.ones(self.exists.shape)
        for row, formats in enumerate(self.formats):
            found[row, : len(formats)] = [by_format[name] for name in formats]
        return found


def _expected_seconds(name: str, known: Pace) -> float:
    prior = EXPECTED_S.get(name, OTHER_EXPECTED_S)
    return (PRIOR_ANSWERS * prior + known.seconds + READING_S * known.answers) / (PRIOR_ANSWERS + known.answers)


@dataclass(frozen=True)
class Snapshot:
    """A learner's state as arrays, in a catalogue's shape. Times are days since 1970, UTC."""

    catalogue: Catalogue
    ability: Floats  # Q: posterior means
    difficulty: Floats  # Q N: sharpened
    practised: Bools  # Q M
    stability: Floats  # Q M
    memory_difficulty: Floats  # Q M
    asked_at: Floats  # Q M
    missed: Floats  # Q M
    seen: Floats  # Q N: 1 where the item was answered before
    weights: Weights

    @staticmethod
    def of(catalogue: Catalogue, state: LearnerState, weights: Weights, ability: Floats | None = None) -> Snapshot:
        """The arrays of a state; `ability` in place of the posterior means, to ask what a better or worse one would give."""
        shape_items, shape_ideas = catalogue.exists.shape, (catalogue.tests.shape[0], catalogue.tests.shape[2])
        difficulty, seen = catalogue.difficulty.copy(), np.zeros(shape_items)
        practised, missed = np.zeros(shape_ideas, bool), np.zeros(shape_ideas)
        stability, memory_difficulty, asked_at = np.ones(shape_ideas), np.full(shape_ideas, 5.0), np.zeros(shape_ideas)
        for row, name in enumerate(catalogue.questions):
            known = state.questions.get(name)
            if known is None:
                continue
            for item, happened in known.items.items():
                place = catalogue.place.get(item)
                if place is not None:
                    seen[place], difficulty[place] = 1.0, happened.difficulty.mean
            for key, idea in known.ideas.items():
                column = catalogue.ideas[row].get(key)
                if column is not None:
                    practised[row, column], missed[row, column] = True, idea.missed
                    stability[row, column], memory_difficulty[row, column] = idea.stability, idea.difficulty
                    asked_at[row, column] = idea.asked_at.timestamp() / _EPOCH_DAYS_S
        if ability is None:
            ability = mean_abilities(catalogue, state)
        return Snapshot(catalogue, ability, difficulty, practised, stability, memory_difficulty, asked_at, missed, seen, weights)

    def features(self, at: float) -> Floats:
        """Q N 5: what the weights of `Weights` multiply, in their order, at day `at`."""
        shares = self.catalogue.shares
        remembered = np.where(self.practised, _logit(recalls(self.stability, np.maximum(at - self.asked_at, 0.0))), 0.0)
        by_item = (shares @ np.stack([self.practised.astype(float), remembered, self.missed * self.practised], axis=2)).transpose(2, 0, 1)
        return np.stack([self.ability[:, None] - self.difficulty, *by_item, self.seen], axis=2)

    def know(self, at: float) -> Floats:
        """Q N: the chance of knowing what each item asks, in a form not shown before, at day `at`."""
        return _sigmoid(self.logits(at))

    def right(self, at: float) -> Floats:
        """Q N: the chance that the answer to each item is right at day `at`."""
        guessing = self.catalogue.guessing
        return guessing + (1 - SLIP - guessing) * _sigmoid(self.logits(at) + self.weights.seen * self.seen)

    def logits(self, at: float) -> Floats:
        """Q N: logit of `know`."""
        ideas = self.idea_terms(self.practised, self.stability, self.asked_at, self.missed, at)
        return self.weights.ability * (self.ability[:, None] - self.difficulty) + (self.catalogue.shares @ ideas[:, :, None])[:, :, 0]

    def idea_terms(self, practised: Bools, stability: Floats, asked_at: Floats | float, missed: Floats | float, at: float) -> Floats:
        """F of the module's text, for arrays of ideas."""
        weights = self.weights
        remembered = _logit(recalls(stability, np.maximum(at - np.asarray(asked_at), 0.0)))
        return np.where(practised, weights.practised + weights.recall * remembered + weights.missed * missed, 0.0)

    def score(self, at: float) -> float:
        """The expected score at day `at`, 0..100: the mean chance of knowing, questions weighing alike."""
        return float(100 * (self.know(at) * self.catalogue.share_of_score).sum())

    def gains(self, now: float, on: float) -> Floats:
        """Q N: how much the score at day `on` rises, in points of 100, when the item is answered at day `now` and its
        feedback read; the mean over both outcomes, each as likely as it is forecast to be.
        """
        chance = self.right(now)
        right, wrong = what_if(self.practised, self.stability, self.memory_difficulty, np.maximum(now - self.asked_at, 0.0))
        base = self.logits(on)
        terms = self.idea_terms(self.practised, self.stability, self.asked_at, self.missed, on)
        always = np.ones_like(self.practised)
        expected = np.zeros_like(base)
        for stability, missed, weight in ((right, 0.0, chance), (wrong, 1.0, 1 - chance)):
            change = self.idea_terms(always, stability, now, missed, on) - terms  # Q M
            moved = np.einsum("qim,qm,qjm->qij", self.catalogue.tests, change, self.catalogue.shares)  # item i asked, item j moved
            score = (_sigmoid(base[:, None, :] + moved) * self.catalogue.share_of_score[:, None, :]).sum(axis=2)
            expected += weight * score
        before = (_sigmoid(base) * self.catalogue.share_of_score).sum(axis=1, keepdims=True)
        return np.where(self.catalogue.exists, 100 * (expected - before), -np.inf)


def adapted(features: Floats, guessing: Floats, correct: Floats) -> Weights:
    """The weights fitted to a learner's answers: the most probable ones under a normal prior around `WEIGHTS`.

    N 5, N, N (1 or 0); see `Snapshot.features`. Fisher scoring; without answers, `WEIGHTS`.
    """
    start = np.array(astuple(WEIGHTS))
    prior = np.diag(1 / np.square(WEIGHTS_SD))
    weights = start
    for _ in range(FIT_STEPS):
        know = _sigmoid(features @ weights)
        chance = guessing + (1 - SLIP - guessing) * know
        slope = (1 - SLIP - guessing) * know * (1 - know)
        spread = chance * (1 - chance)
        information = (features * (slope**2 / spread)[:, None]).T @ features + prior
        weights = weights + np.linalg.solve(information, features.T @ ((correct - chance) * slope / spread) - prior @ (weights - start))
    return Weights(*weights.tolist())


def mean_abilities(catalogue: Catalogue, state: LearnerState) -> Floats:
    """Q: posterior means of the questions' abilities."""
    return np.asarray(beliefs(state.evidence, catalogue.groups).questions @ np.array(GRID))


def day_number(at: datetime) -> float:
    """Days since 1970, UTC, with their fraction."""
    return at.timestamp() / _EPOCH_DAYS_S


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def _logit(chance: Floats) -> Floats:
    bounded = np.clip(chance, 1 - _SURE_RECALL, _SURE_RECALL)
    return np.asarray(np.log(bounded / (1 - bounded)))
