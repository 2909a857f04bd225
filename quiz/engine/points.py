"""Certainty-based marking: points that reward saying honestly how sure one is.

The scheme is Gardner-Medwin's (2006, "Confidence-based marking: towards deeper learning and better exams"; used at UCL
since 1995 and in Moodle):

    guess   right 1   wrong  0      best below 67%
    unsure  right 2   wrong -2      best between 67% and 80%
    sure    right 3   wrong -6      best above 80%

With chance p of being right, "sure" pays 3p - 6(1 - p), "unsure" 2p - 2(1 - p), "guess" p: the lines cross at p = 2/3 and
p = 4/5, so that nobody gains by claiming more or less than they believe. Answers without a certainty give no points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from quiz.engine.calibration import wilson
from quiz.engine.facts import AttemptFact, Confidence

POINTS: dict[Confidence, tuple[int, int]] = {"guess": (1, 0), "unsure": (2, -2), "sure": (3, -6)}
BEST_FOR: dict[Confidence, tuple[float, float]] = {"guess": (0.0, 2 / 3), "unsure": (2 / 3, 0.8), "sure": (0.8, 1.0)}
ENOUGH = 10


def points(correct: bool, confidence: Confidence | None) -> int:
    """What an answer scores."""
    return 0 if confidence is None else POINTS[confidence][0 if correct else 1]


@dataclass(frozen=True)
class CertaintyLine:
    """How often one certainty was right, with its 95% interval, beside the chances it pays for (`best_low`..`best_high`).

    `share`, `low` and `high` are None without answers. `verdict`: "honest", "overconfident" (more sure than right),
    "underconfident", or "too little data" below `ENOUGH` answers; judged only when the whole interval lies outside.
    """

    confidence: Confidence
    answers: int
    right: int
    points: int
    share: float | None
    low: float | None
    high: float | None
    best_low: float
    best_high: float
    verdict: str


@dataclass(frozen=True)
class Certainty:
    """Points and answers in all, and how each certainty did."""

    points: int
    answers: int
    lines: tuple[CertaintyLine, ...]


def certainty(facts: Iterable[AttemptFact]) -> Certainty:
    """Points and calibration over the answers that were given with a certainty."""
    return certainty_of(Counter((fact.confidence, fact.correct) for fact in facts))


def certainty_of(counts: Mapping[tuple[Confidence | None, bool], int]) -> Certainty:
    """The same from how many answers there were of each certainty, right and wrong."""
    lines = tuple(_line(confidence, counts.get((confidence, True), 0), counts.get((confidence, False), 0)) for confidence in POINTS)
    return Certainty(sum(line.points for line in lines), sum(line.answers for line in lines), lines)


def _line(confidence: Confidence, right: int, wrong: int) -> CertaintyLine:
    answers = right + wrong
    share = right / answers if answers else None
    low, high = wilson(right, answers) if answers else (None, None)
    best_low, best_high = BEST_FOR[confidence]
    scored = right * points(True, confidence) + wrong * points(False, confidence)
    return CertaintyLine(confidence, answers, right, scored, share, low, high, best_low, best_high, _verdict(answers, low, high, best_low, best_high))


def _verdict(answers: int, low: float | None, high: float | None, best_low: float, best_high: float) -> str:
    if answers < ENOUGH or low is None or high is None:
        return "too little data"
    return "overconfident" if high < best_low else "underconfident" if low > best_high else "honest"
