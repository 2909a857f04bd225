"""What the service hands to the sections of the progress page that look back: plain frozen values, already worked out.

Days are those of the learner's zone; times are in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from questions.schema import Group, SandboxLink
from quiz.engine.calibration import wilson
from quiz.engine.journal import Misconception
from quiz.engine.periods import Period, Step

__all__ = [
    "EVERYTHING",
    "Accuracy",
    "Belief",
    "Curve",
    "Foretold",
    "ForgettingView",
    "Growth",
    "GrowthRow",
    "Misconception",
    "Period",
    "PeriodStat",
    "Step",
    "Within",
    "right_of",
]


@dataclass(frozen=True)
class Within:
    """What to look at: the groups (none: all), and the days from `first` to `last`, both included (None: without a bound)."""

    groups: frozenset[Group] = frozenset()
    first: date | None = None
    last: date | None = None


EVERYTHING = Within()


@dataclass(frozen=True)
class PeriodStat:
    """Answers of one stretch of days; `minutes` with those for reading the feedback."""

    period: Period
    answers: int
    right: int
    minutes: float


@dataclass(frozen=True)
class Accuracy:
    """Answers of one kind, at least one: how many were right, with the 95% interval of the share (Wilson), and the minutes they took."""

    key: str
    label: str
    answers: int
    right: int
    minutes: float

    @property
    def share(self) -> float:
        """The share that was right."""
        return self.right / self.answers

    @property
    def interval(self) -> tuple[float, float]:
        """The share's 95% interval."""
        return wilson(self.right, self.answers)


@dataclass(frozen=True)
class GrowthRow:
    """One question's mastery at the end of each period, as it was known then; None before the first answer."""

    question_id: str
    number: int
    title: str
    group: Group
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Growth:
    """How it grew: the answers of each period, by group, by format and by day, and every question's mastery.

    `days` holds the latest 52 weeks of the time looked at; days without answers are left out, as are groups and formats.
    """

    step: Step
    periods: tuple[PeriodStat, ...]
    rows: tuple[GrowthRow, ...]
    groups: tuple[Accuracy, ...]
    formats: tuple[Accuracy, ...]
    days: tuple[PeriodStat, ...]
    days_active: int

    @property
    def answers(self) -> int:
        """All answers in that time."""
        return sum(one.answers for one in self.periods)

    @property
    def right(self) -> int:
        """The right ones among them."""
        return sum(one.right for one in self.periods)

    @property
    def minutes(self) -> float:
        """Minutes in all."""
        return sum(one.minutes for one in self.periods)


@dataclass(frozen=True)
class Curve:
    """How one question is being forgotten: the chance of remembering it, by FSRS, from its last review on.

    `on_the_day` is None without an interview ahead. `points` are times with the chance then, when nothing is practised.
    """

    question_id: str
    number: int
    title: str
    group: Group
    reviewed_at: datetime
    due_at: datetime
    today: float
    on_the_day: float | None
    points: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True)
class ForgettingView:
    """The curves of the questions answered so far, in number order, up to `until`; `interview` is its day."""

    curves: tuple[Curve, ...]
    now: datetime
    interview: date | None
    interview_at: datetime | None


@dataclass(frozen=True)
class Belief:
    """A wrong option that was chosen: what it says, why it is wrong, and whether the item was answered rightly since."""

    question_id: str
    question_title: str
    prompt: str
    text: str
    why: str
    times: int
    last_at: datetime
    overcome_at: datetime | None
    link: SandboxLink | None  # None when the question has left the bank


@dataclass(frozen=True)
class Foretold:
    """How many of an experiment's runs had a prediction and an outcome, and how many of those predictions came true."""

    experiment: str
    runs: int
    right: int


def right_of(foretold: Sequence[Foretold]) -> tuple[int, int]:
    """Predictions that came true, and predictions, in all."""
    return sum(one.right for one in foretold), sum(one.runs for one in foretold)
