r"""How able the learner is at each question, and how sure that is.

Item response model with guessing (3PL, Birnbaum 1968), discrimination fixed at 1:

    P(correct | theta) = c + (1 - c) sigma(theta - b)          b difficulty, c chance of a blind guess

Abilities are pooled partially, over the group and over the whole, by a normal hierarchy with fixed variances:

    theta_question = overall + group + own,    overall ~ N(0, 0.5),  group ~ N(0, 0.2),  own ~ N(0, 0.3)

so that any one ability is N(0, 1) before an answer, correlates 0.7 with the others of its group and 0.5 with the
rest. (The split is a judgement, not an estimate: one learner's answers cannot tell the three variances apart.)
The hierarchy is a tree, so its posterior on a grid is exact by passing messages up and down once (Pearl 1988);
the estimate is the posterior mean, EAP (Bock and Mislevy 1982).

Learners change. Evidence about a question is discounted by `DISCOUNT` with every further answer to it (power
discounting, Smith 1979), so the estimate follows what the learner can do now and is never surer than about
1 / (1 - DISCOUNT) = 10 answers make it. An answer to an item seen before says less, as its answer has been
shown: it counts `REPEAT_WEIGHT`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LogLikelihood = tuple[float, ...]

GRID: tuple[float, ...] = tuple(round(-4 + 0.2 * step, 1) for step in range(41))
OVERALL_VARIANCE, GROUP_VARIANCE, OWN_VARIANCE = 0.5, 0.2, 0.3
DISCOUNT = 0.9
REPEAT_WEIGHT = 0.5
READY_AT = 0.85  # ready: on the whole, a good answer to a middling item has a chance of 70% (logit 0.85)
NO_EVIDENCE: LogLikelihood = (0.0,) * len(GRID)


@dataclass(frozen=True)
class Ability:
    """Posterior of one ability: mean and standard error in logits, and its 95% interval."""

    mean: float
    se: float
    low: float
    high: float


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x)."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def chance_correct(theta: float, difficulty: float, guessing: float) -> float:
    """P(correct) at ability `theta`."""
    return guessing + (1 - guessing) * sigmoid(theta - difficulty)


def information(theta: float, difficulty: float, guessing: float) -> float:
    """Fisher information of an item at ability `theta` (Lord 1980): how much its answer narrows the estimate."""
    p = chance_correct(theta, difficulty, guessing)
    return (1 - p) / p * ((p - guessing) / (1 - guessing)) ** 2


def with_answer(evidence: LogLikelihood, difficulty: float, guessing: float, correct: bool, seen_before: bool) -> LogLikelihood:
    """The log-likelihood over GRID after one more answer."""
    return with_answers(evidence, [said(difficulty, guessing, correct, seen_before)])


def with_answers(evidence: LogLikelihood, answers: Iterable[Floats]) -> LogLikelihood:
    """The log-likelihood over GRID after further answers, given as what each has `said`."""
    found = np.array(evidence)
    for one in answers:
        found *= DISCOUNT
        found += one
    return tuple(found.tolist())


@lru_cache(maxsize=4096)
def said(difficulty: float, guessing: float, correct: bool, seen_before: bool) -> Floats:
    """What an answer adds to the evidence: its log-likelihood over GRID, weighted."""
    return np.array(likelihood(difficulty, guessing, correct)) * (REPEAT_WEIGHT if seen_before else 1.0)


@lru_cache(maxsize=4096)
def likelihood(difficulty: float, guessing: float, correct: bool) -> LogLikelihood:
    """What one answer says about the ability: the log-likelihood over GRID."""
    chances = (chance_correct(theta, difficulty, guessing) for theta in GRID)
    return tuple(math.log(p if correct else 1 - p) for p in chances)


@dataclass(frozen=True)
class Levels:
    """Abilities at every height of the hierarchy: the mean over all questions, each group's level, each question's."""

    overall: Ability
    groups: Mapping[str, Ability]
    questions: Mapping[str, Ability]
    ready: float  # P(the overall ability is above READY_AT)


def estimate(evidence: Mapping[str, LogLikelihood], groups: Mapping[str, str]) -> dict[str, Ability]:
    """Every question's ability. `groups` names each question's group; a question without evidence borrows all it has from the others.

    `evidence` of questions that are not in `groups` is left out: they are no longer in the bank.
    """
    return dict(zip(groups, _abilities(beliefs(evidence, groups).questions), strict=True)) if groups else {}


def levels(evidence: Mapping[str, LogLikelihood], groups: Mapping[str, str]) -> Levels:
    """Abilities overall, by group and by question (`groups` names each question's group; at least one question)."""
    found = beliefs(evidence, groups)
    by_group = _normalised(found.group_down + found.member @ found.up)
    mean, variance = _mean_over_questions(found)
    se = math.sqrt(variance)
    return Levels(
        overall=Ability(mean, se, mean - 1.96 * se, mean + 1.96 * se),
        groups=dict(zip(dict.fromkeys(groups.values()), _abilities(by_group), strict=True)),
        questions=dict(zip(groups, _abilities(found.questions), strict=True)),
        ready=0.5 * (1 + math.erf((mean - READY_AT) / (se * math.sqrt(2)))),
    )


@dataclass(frozen=True)
class Beliefs:
    """The messages of the tree and the posteriors they give. Q questions, K groups, G grid points."""

    likelihood: Floats  # Q G: what its answers say about each question's ability
    member: Floats  # K Q: 1 where the question is of the group
    up: Floats  # Q G, logs: what each question says about its group's level
    group_up: Floats  # K G, logs: what each group says about the overall level
    group_down: Floats  # K G, logs: what the rest says about each group's level
    log_overall: Floats  # G, logs, not normalised: the overall level
    questions: Floats  # Q G: each question's ability


def beliefs(evidence: Mapping[str, LogLikelihood], groups: Mapping[str, str]) -> Beliefs:
    """Pass messages up the tree and down again."""
    names = list(groups)
    likelihood = _normalised(np.array([evidence.get(name, NO_EVIDENCE) for name in names]))
    member = np.array([[groups[name] == group for name in names] for group in dict.fromkeys(groups.values())], dtype=float)
    up = np.log(likelihood @ _OWN)
    group_up = np.log(_normalised(member @ up) @ _GROUP)
    overall = _LOG_PRIOR + group_up.sum(axis=0)
    group_down = np.log(_normalised(overall - group_up) @ _GROUP.T)
    down = member.T @ (group_down + member @ up) - up
    questions = _normalised(np.log(likelihood) + np.log(_normalised(down) @ _OWN.T))
    return Beliefs(likelihood, member, up, group_up, group_down, overall, questions)


def expected_variances(found: Beliefs, questions: NDArray[np.int64], difficulty: Floats, guessing: Floats) -> Floats:
    """The variance of the mean ability over all questions to expect after one answer to each of I items (van der Linden 1998).

    `questions` holds each item's place among the questions; `difficulty` and `guessing` are the items'. An answer to a
    question that was asked already says less, as part of what it shows is known.
    """
    right = guessing[:, None] + (1 - guessing[:, None]) / (1 + np.exp(difficulty[:, None] - _GRID[None, :]))  # I G
    chance = (found.questions[questions] * right).sum(axis=1)  # I
    group = found.member.argmax(axis=0)[questions]  # I
    old = _moments(found.likelihood)
    sums = _Moments(found.member @ old.log_weight, found.member @ old.mean, found.member @ old.variance)
    whole = _lifted(sums, _GROUP)
    expected = np.zeros(len(questions))
    for outcome, weight in ((right, chance), (1 - right, 1 - chance)):
        new = _moments(_normalised(np.log(found.likelihood[questions]) + np.log(outcome)))
        changed = _lifted(_Moments(*(s[group] - o[questions] + n for s, o, n in zip(sums, old, new, strict=True))), _GROUP)
        together = _Moments(*(w.sum(axis=0) - w[group] + c for w, c in zip(whole, changed, strict=True)))
        _, variance = _total(together, len(found.likelihood))
        expected += weight * variance
    return expected


class _Moments(NamedTuple):
    """Of a node's abilities summed, for each value of its parent: log-likelihood, conditional mean and variance. N G each."""

    log_weight: Floats
    mean: Floats
    variance: Floats


def _moments(likelihood: Floats) -> _Moments:
    """Of questions, given their group's level."""
    weight = likelihood @ _OWN
    mean = (likelihood * _GRID) @ _OWN / weight
    return _Moments(np.log(weight), mean, (likelihood * _GRID**2) @ _OWN / weight - mean**2)


def _lifted(sums: _Moments, kernel: Floats) -> _Moments:
    """Of groups, given the overall level, from the sums over their questions."""
    weight = _normalised(sums.log_weight)
    total = weight @ kernel
    mean = (weight * sums.mean) @ kernel / total
    return _Moments(np.log(total), mean, (weight * (sums.variance + sums.mean**2)) @ kernel / total - mean**2)


def _total(sums: _Moments, questions: int) -> tuple[Floats, Floats]:
    """Mean and variance of the mean ability over `questions`, from the sums over groups given the overall level; N G in, N out."""
    weight = _normalised(_LOG_PRIOR + sums.log_weight)
    expected = (weight * sums.mean).sum(axis=-1)
    return expected / questions, ((weight * (sums.variance + sums.mean**2)).sum(axis=-1) - expected**2) / questions**2


def _mean_over_questions(found: Beliefs) -> tuple[float, float]:
    """Posterior mean and variance of the mean ability over all questions: exact, by conditioning up the tree."""
    old = _moments(found.likelihood)
    whole = _lifted(_Moments(*(found.member @ one for one in old)), _GROUP)
    mean, variance = _total(_Moments(*(one.sum(axis=0) for one in whole)), len(found.likelihood))
    return float(mean), float(variance)


def _abilities(posteriors: Floats) -> list[Ability]:
    """Summaries of posteriors on the grid, one a row."""
    mean = posteriors @ _GRID
    se = np.sqrt(np.maximum((posteriors * (_GRID - mean[:, None]) ** 2).sum(axis=1), 0.0))
    middles = np.cumsum(posteriors, axis=1) - posteriors / 2
    bounds = [[float(x) for x in np.interp([0.025, 0.975], row, _GRID)] for row in middles]
    return [Ability(m, s, low, high) for m, s, (low, high) in zip(mean.tolist(), se.tolist(), bounds, strict=True)]


def _normalised(log_weights: Floats) -> Floats:
    """exp(log_weights) scaled to sum to 1 along the last axis; a tiny floor keeps the next logarithm finite."""
    weights = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True)) + 1e-300
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _kernel(variance: float) -> Floats:
    """K[child, parent] = N(child; parent, variance) on the grid, each parent's column summing to 1."""
    density = np.exp(-((_GRID[:, None] - _GRID[None, :]) ** 2) / (2 * variance))
    return np.asarray(density / density.sum(axis=0, keepdims=True))


_GRID: Floats = np.array(GRID)
_OWN, _GROUP = _kernel(OWN_VARIANCE), _kernel(GROUP_VARIANCE)
_LOG_PRIOR: Floats = -(_GRID**2) / (2 * OVERALL_VARIANCE)
