r"""Simulated learners. They are not the engine's model of a learner: what they know, forget and guess follows other
equations, and their parameters come from the literature and were fixed before any policy was tuned on them.

**Before practice.** Ability at a question is overall + group + own, with standard deviations 0.8, 0.5 and 0.4, and
every idea (key point) has a background of its own, 0.7: people know odd corners of a subject. The true difficulty of
an item is the authored one plus an error of 0.7, so that the two correlate about 0.8; that is kind to the authors, as
judges who rate items one by one have mostly disappointed (Attali and others 2014). Discrimination is log-normal
around 1 (0.25).
The engine assumes: discrimination 1, authored difficulties, no backgrounds by idea.

**Learning.** Every answer is followed by feedback, and leaves a trace at each idea the item tests and one at the
item itself. Knowledge is kept by idea, as knowledge components are (Koedinger, Corbett and Perfetti 2012), and helps
every item that tests the idea; the trace of the item itself helps only when the very same item comes again, because
tested material transfers in part (Pan and Rickard 2018).

`TRACES` forgets as Pavlik and Anderson (2005) measured; every trace fades with a power of its age, the sooner the
more active the memory was when it was laid down (the spacing effect):

    m(t) = ln sum_j w_j age_j^-d_j,    d_j = 0.217 e^m(t_j) + 0.177,    P(retrieve) = sigmoid((m - tau) / s)

with seconds between sessions counting 0.025. Their tau and s are for foreign words. For explained ideas they are
fitted to Roediger and Karpicke (2006, experiment 1), prose read and then recalled once: 68% after two days and 56%
after a week, which gives s = 0.43 and tau = -1.80; material read instead of recalled (54% and 42%) gives the weight
w = 0.78 of an idea that was not known and read in the feedback. An item is known by background or by retrieval:

    P(know) = 1 - (1 - sigmoid(a (ability - difficulty))) (1 - P(retrieve))

`STRENGTH`, the second model, is logistic and additive as in AFM and DASH (Cen, Koedinger and Junker 2006; Lindsey,
Shroyer, Pashler and Mozer 2014): one curve, no spacing effect, slower learning.

    P(know) = sigmoid(a (ability - difficulty) + ln(1 + sum_j w_j (1 + age_j / day)^-0.35))

**Answering.** A known item is missed with chance 0.05 (slip), an unknown one is guessed with its format's chance.
Times are log-normal around a median by format, then the feedback is read. A day is missed with chance 0.15.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from questions.loader import QuestionBank

Floats = NDArray[np.float64]
Model = Literal["traces", "strength"]

OVERALL_SD, GROUP_SD, OWN_SD, IDEA_SD = 0.8, 0.5, 0.4, 0.7
DIFFICULTY_ERROR_SD, DISCRIMINATION_SD = 0.7, 0.25
SLIP = 0.05
DAY_S = 86_400.0
BETWEEN_SESSIONS = 0.025
DECAY_SCALE, DECAY_BASE, THRESHOLD, NOISE = 0.217, 0.177, -1.80, 0.43
READ_WEIGHT = 0.78
STRENGTH_DECAY = 0.35
ANSWER_S = {"single": 40.0, "predict": 50.0, "multiple": 60.0, "order": 60.0, "diagnose": 70.0, "code": 80.0, "number": 90.0, "trace": 120.0}
OTHER_ANSWER_S = 60.0
FEEDBACK_S = {True: 15.0, False: 30.0}
TIME_SD = 0.35


@dataclass(frozen=True)
class World:
    """The bank as arrays: which ideas each item tests, and the authored numbers. I items, K ideas, Q questions."""

    item_ids: tuple[str, ...]
    idea_ids: tuple[str, ...]
    tests: tuple[tuple[int, ...], ...]  # I: indices of ideas
    shares: Floats  # I K: 1 / number of ideas of the item
    question_of: NDArray[np.int64]  # I
    question_of_idea: NDArray[np.int64]  # K
    group_of: NDArray[np.int64]  # Q
    difficulty: Floats  # I
    guessing: Floats  # I
    answer_s: Floats  # I: median seconds

    @staticmethod
    def of(bank: QuestionBank) -> World:
        """The arrays of a bank."""
        questions = list(bank.questions)
        groups = {group: place for place, group in enumerate(bank.groups)}
        ideas = [(place, point.key) for place, question in enumerate(questions) for point in question.points]
        index = {idea: place for place, idea in enumerate(ideas)}
        items = [(place, item) for place, question in enumerate(questions) for item in question.items]
        tests = tuple(tuple(index[place, key] for key in item.points) for place, item in items)
        shares = np.zeros((len(items), len(ideas)))
        for row, tested in enumerate(tests):
            shares[row, list(tested)] = 1 / len(tested)
        return World(
            item_ids=tuple(f"{questions[place].id}/{item.key}" for place, item in items),
            idea_ids=tuple(f"{questions[place].id}/{key}" for place, key in ideas),
            tests=tests,
            shares=shares,
            question_of=np.array([place for place, _ in items]),
            question_of_idea=np.array([place for place, _ in ideas]),
            group_of=np.array([groups[question.group] for question in questions]),
            difficulty=np.array([item.difficulty for _, item in items]),
            guessing=np.array([item.guessing for _, item in items]),
            answer_s=np.array([ANSWER_S.get(item.format, OTHER_ANSWER_S) for _, item in items]),
        )


@dataclass
class Trace:
    """What one exposure left: laid down at `at` on the learner's clock, fading with `decay`."""

    at: float
    decay: float
    weight: float


Traces = list[Trace] | tuple[()]


@dataclass
class Learner:
    """One simulated person. It changes: `answer` learns. Times are seconds since the first day."""

    world: World
    model: Model
    ability: Floats  # Q: overall + group + own
    background: Floats  # I: discrimination x (ability + the ideas' backgrounds - true difficulty)
    rng: np.random.Generator
    ideas: dict[int, list[Trace]] = field(default_factory=dict)
    items: dict[int, list[Trace]] = field(default_factory=dict)
    clock: float = 0.0  # seconds as memory counts them
    last: float = 0.0

    @staticmethod
    def drawn(world: World, model: Model, seed: int) -> Learner:
        """A person drawn from the population; the same seed gives the same one for every policy."""
        rng = np.random.default_rng([seed, 1])
        questions = len(world.group_of)
        group = rng.normal(0, GROUP_SD, int(world.group_of.max()) + 1)
        ability = rng.normal(0, OVERALL_SD) + group[world.group_of] + rng.normal(0, OWN_SD, questions)
        idea = rng.normal(0, IDEA_SD, len(world.idea_ids))
        true_difficulty = world.difficulty + rng.normal(0, DIFFICULTY_ERROR_SD, len(world.item_ids))
        discrimination = np.exp(rng.normal(0, DISCRIMINATION_SD, len(world.item_ids)))
        background = discrimination * (ability[world.question_of] + world.shares @ idea - true_difficulty)
        return Learner(world, model, ability, background, np.random.default_rng([seed, 2]))

    def begin_session(self, at: float) -> None:
        """Time since the last session passes, slowly for memory."""
        self.clock += BETWEEN_SESSIONS * max(at - self.last, 0.0)
        self.last = at

    def answer(self, item: int, *, learn: bool = True) -> tuple[bool, float]:
        """Answer an item now and read the feedback: whether it was right, and the seconds both took."""
        know = self._know_on_sight(item)
        knows = bool(self.rng.random() < know)
        correct = bool(self.rng.random() < (1 - SLIP if knows else self.world.guessing[item]))
        answering, reading = np.exp(self.rng.normal(0, TIME_SD, 2))
        seconds = float(self.world.answer_s[item] * answering + FEEDBACK_S[correct] * reading)
        if learn:
            self._learn(item, 1.0 if knows else READ_WEIGHT)
            self.clock += seconds if self.model == "traces" else BETWEEN_SESSIONS * seconds
            self.last += seconds
        return correct, seconds

    def score(self, at: float) -> float:
        """The expected interview score at `at`, 0..100: the mean over the questions of `by_question`."""
        return float(100 * self.by_question(at).mean())

    def by_question(self, at: float) -> Floats:
        """Q: the chance of knowing what a question asks, in a form not practised, averaged over its items."""
        later = self.clock + BETWEEN_SESSIONS * max(at - self.last, 0.0)
        terms = self.world.shares @ np.array([self._idea(idea, later) for idea in range(len(self.world.idea_ids))])
        know = 1 - (1 - _sigmoid(self.background)) * (1 - terms) if self.model == "traces" else _sigmoid(self.background + terms)
        return np.asarray(np.bincount(self.world.question_of, know) / np.bincount(self.world.question_of))

    def true_gains(self, at: float) -> Floats:
        """I: how much the score at `at` would rise by answering each item now, to first order. Nobody can know this."""
        later = self.clock + BETWEEN_SESSIONS * max(at - self.last, 0.0)
        weigh = (1 / np.bincount(self.world.question_of) / len(self.world.group_of))[self.world.question_of]
        reason = _sigmoid(self.background)
        terms = np.array([self._idea(idea, later) for idea in range(len(self.world.idea_ids))])
        slope = 1 - reason if self.model == "traces" else (know := _sigmoid(self.background + self.world.shares @ terms)) * (1 - know)
        per_idea = self.world.shares.T @ (slope * weigh)
        now = self.world.shares @ np.array([self._idea(idea, self.clock) for idea in range(len(terms))])
        know_now = 1 - (1 - reason) * (1 - now) if self.model == "traces" else _sigmoid(self.background + now)
        gains = np.zeros(len(know_now))
        for weight, chance in ((1.0, know_now), (READ_WEIGHT, 1 - know_now)):
            rise = np.array([self._idea(idea, later, weight) for idea in range(len(terms))]) - terms
            gains += chance * ((self.world.shares > 0) @ (rise * per_idea))
        return 100 * gains

    def _idea(self, idea: int, at: float, more: float = 0.0) -> float:
        """What an idea gives at `at` on the learner's clock, if need be with a further trace of weight `more` laid down now."""
        traces = self.ideas.get(idea, ())
        if more:
            traces = [*traces, Trace(self.clock, DECAY_SCALE * _activation(traces, self.clock) + DECAY_BASE, more)]
        return self._retrieve(traces, at) if self.model == "traces" else _strength(traces, at / BETWEEN_SESSIONS / DAY_S)

    def _know_on_sight(self, item: int) -> float:
        tested = self.world.tests[item]
        if self.model == "traces":
            reason = 1 / (1 + math.exp(-self.background[item]))
            retrieve = sum(self._retrieve(self.ideas.get(idea, ()), self.clock) for idea in tested) / len(tested)
            again = self._retrieve(self.items.get(item, ()), self.clock)
            return 1 - (1 - reason) * (1 - retrieve) * (1 - again)
        days = self.clock / BETWEEN_SESSIONS / DAY_S
        strength = sum(_strength(self.ideas.get(idea, ()), days) for idea in tested) / len(tested)
        return float(1 / (1 + math.exp(-(self.background[item] + strength + _strength(self.items.get(item, ()), days)))))

    def _learn(self, item: int, weight: float) -> None:
        places = [self.ideas.setdefault(idea, []) for idea in self.world.tests[item]]
        for traces in (*places, self.items.setdefault(item, [])):
            decay = DECAY_SCALE * _activation(traces, self.clock) + DECAY_BASE
            traces.append(Trace(self.clock, decay, weight))

    @staticmethod
    def _retrieve(traces: Traces, clock: float) -> float:
        if not traces:
            return 0.0
        return 1 / (1 + math.exp(-(math.log(_activation(traces, clock)) - THRESHOLD) / NOISE))


def _activation(traces: Traces, clock: float) -> float:
    """e^m; 0 without traces."""
    return float(sum(trace.weight * max(clock - trace.at, 1.0) ** -trace.decay for trace in traces))


def _strength(traces: Traces, days: float) -> float:
    return math.log1p(sum(trace.weight * (1 + max(days - trace.at / BETWEEN_SESSIONS / DAY_S, 0.0)) ** -STRENGTH_DECAY for trace in traces))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))
