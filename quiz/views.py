"""What the service hands to a page: plain frozen values, already worked out, in UTC.

A page renders these and calls the service; it computes nothing about the learner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from questions.schema import Asked, Group, SandboxLink
from quiz.engine.calibration import Calibration
from quiz.engine.diagnostic import Ending
from quiz.engine.facts import Confidence, Reason
from quiz.engine.grading import Grade, Response
from quiz.engine.history import ENOUGH as ENOUGH_HISTORY
from quiz.engine.history import History
from quiz.engine.planner import Plan
from quiz.engine.points import Certainty
from quiz.engine.readiness import Chance

__all__ = [
    "Calibration",
    "Certainty",
    "Chance",
    "Confidence",
    "DayStat",
    "DiagnosticView",
    "Ending",
    "Feedback",
    "History",
    "InterviewView",
    "Kind",
    "LessonLog",
    "LevelLine",
    "MasteryCell",
    "Plan",
    "PlanView",
    "PlannedStep",
    "Profile",
    "ProgressView",
    "ReadinessLine",
    "ReadinessView",
    "Reason",
    "RunRow",
    "SessionSummary",
    "SessionView",
    "Suggestion",
    "SummaryLine",
    "TodayView",
    "Turn",
    "Went",
]

Kind = Literal["practice", "diagnostic"]
Went = Literal["well", "mixed", "badly", "not held"]


@dataclass(frozen=True)
class Profile:
    """Somebody who practises here, and how much they have done; `last` is when they last answered."""

    id: int
    name: str
    answers: int
    runs: int
    last: datetime | None


@dataclass(frozen=True)
class SessionView:
    """A session: `length` items are planned (for a diagnostic: at most), `answered` are done."""

    id: str
    length: int
    answered: int
    started_at: datetime
    ended_at: datetime | None
    only: tuple[str, ...] = ()  # question ids it is limited to; empty: all
    kind: Kind = "practice"


@dataclass(frozen=True)
class Feedback:
    """What came of an answer, as it was first recorded."""

    response: Response
    confidence: Confidence | None
    grade: Grade
    answered_at: datetime
    repeated: bool = False  # the submit found an earlier answer (double click, second tab) and returned that one


@dataclass(frozen=True)
class Turn:
    """One item in front of the learner. `order` is the shuffled order of option or step keys, the same after a
    refresh, as are the numbers of the item. `reason`: why it is asked now. `feedback` is None until it is answered.
    """

    presentation_id: str
    session: SessionView
    position: int  # 1-based
    item: Asked
    item_id: str
    question_id: str
    question_number: int
    question_title: str
    order: tuple[str, ...]
    reason: Reason
    link: SandboxLink
    model_answer: str
    feedback: Feedback | None


@dataclass(frozen=True)
class SummaryLine:
    """One answered item of a session."""

    question_id: str
    question_title: str
    item_id: str
    prompt: str
    correct: bool
    link: SandboxLink


@dataclass(frozen=True)
class SessionSummary:
    """How a session went."""

    session: SessionView
    correct: int
    lines: tuple[SummaryLine, ...]


@dataclass(frozen=True)
class MasteryCell:
    """One of the 24. `mastery`: the chance of a good answer to a middling item of this question now, by ability,
    with its 95% interval `low`..`high`; None before the first attempt. `recall`: the memory model's chance of
    remembering now; `due_at`: when it falls due.
    """

    question_id: str
    number: int
    title: str
    group: Group
    attempts: int
    correct: int
    mastery: float | None
    low: float | None
    high: float | None
    recall: float | None
    due_at: datetime | None
    due: bool


@dataclass(frozen=True)
class DayStat:
    """Attempts of one local day."""

    day: date
    attempts: int
    correct: int


@dataclass(frozen=True)
class RunRow:
    """One stored sandbox run. `status` is the verdict's, None when there is none; `state` the run's."""

    id: str
    experiment: str
    settings: Mapping[str, bool | int | float | str]
    first_seed: int
    seeds: int
    device: str
    state: str
    status: str | None
    prediction: str | None
    outcome: str | None
    error: str | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class ProgressView:
    """Everything the progress page shows. Cells in question number order; days without attempts left out."""

    cells: tuple[MasteryCell, ...]
    days: tuple[DayStat, ...]
    attempts: int
    correct: int
    runs: tuple[RunRow, ...]  # the latest, newest first
    run_count: int  # all of them


# --- The adaptive part ---


@dataclass(frozen=True)
class LevelLine:
    """A level: `mastery` is the chance of a good answer to a middling item, with its 95% interval. `key`: a group's or a question's."""

    key: str
    label: str
    mastery: float
    low: float
    high: float
    answers: int


@dataclass(frozen=True)
class DiagnosticView:
    """A diagnostic as far as it is. `ending` says why it ended: "precise" (the level is known well enough), "ready" or
    "not ready" (that much is decided), "cap", "no items", "stopped" (the learner ended it); None while it goes on. `se` is
    in logits, of the overall level. `ready` is the chance that the overall level is at least 70%. A page shows the lines
    when it has ended.
    """

    session: SessionView
    ending: Ending | Literal["stopped"] | None
    overall: LevelLine
    se: float
    ready: float
    groups: tuple[LevelLine, ...]
    weakest: tuple[LevelLine, ...]  # three questions


@dataclass(frozen=True)
class InterviewView:
    """The interview prepared for. `days_off`: weekdays, Monday 0. `over`: its day has passed, so ask how it went."""

    day: date
    minutes: int
    days_off: tuple[int, ...]
    set_at: datetime
    over: bool
    went: Went | None = None


@dataclass(frozen=True)
class PlanView:
    """Today's plan and the days after it. `done_minutes`: practised today so far."""

    interview: InterviewView
    plan: Plan
    done_minutes: float
    days_left: int


@dataclass(frozen=True)
class ReadinessLine:
    """One question: the chance of a good answer today and on the interview's day (None without one), with 95% intervals.
    When not `enough`, say "too little data": the figures rest on other questions and the author's guess.
    """

    question_id: str
    number: int
    title: str
    group: Group
    answers: int
    enough: bool
    today: Chance
    on_the_day: Chance | None


@dataclass(frozen=True)
class ReadinessView:
    """Every question, and the expected score 0..100 over all of them, with nothing practised until then."""

    lines: tuple[ReadinessLine, ...]
    score_today: float
    score_on_the_day: float | None
    interview: InterviewView | None


@dataclass(frozen=True)
class LessonLog:
    """A log to compare forecasts on. `own`: how many answers of the learner FSRS has a forecast for; below `least` the
    history is a simulated learner's.
    """

    history: History
    own: int
    simulated: bool = False
    least: int = ENOUGH_HISTORY

    @property
    def enough(self) -> bool:
        """Whether the learner's own answers are enough."""
        return self.own >= self.least


# --- Today ---


@dataclass(frozen=True)
class PlannedStep:
    """A question's share of today's plan. `new`: never answered before."""

    question_id: str
    title: str
    items: int
    minutes: float
    new: bool


@dataclass(frozen=True)
class Suggestion:
    """An experiment worth running today, and `why`: answers of its question were "missed"; or nothing was, and of those never run
    it belongs to the "weakest" question answered, or to a "new" one. `seen`: it was run before.
    """

    question_id: str
    question_title: str
    link: SandboxLink
    seen: bool
    why: Literal["missed", "weakest", "new"] = "missed"


@dataclass(frozen=True)
class TodayView:
    """The day at one look. `due`: ids of the questions about to be forgotten, the longest waiting first; `new`: how many were
    never answered. `length` items, about `minutes`, make a session of the right length; with an interview set both are 0 when
    nothing is left to do today. `steps` is what is left of today's plan, empty without an interview. The learner practised on
    `days_practised` of the latest `days_looked_at` days: two weeks, or as long as there have been answers.
    """

    attempts: int
    session: SessionView | None  # open, of either kind
    due: tuple[str, ...]
    new: int
    answers_today: int
    minutes_today: float
    plan: PlanView | None
    steps: tuple[PlannedStep, ...]
    length: int
    minutes: float
    suggestion: Suggestion | None
    days_practised: int
    days_looked_at: int
