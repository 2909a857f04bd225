"""What the service hands to a page: plain frozen values, already worked out, in UTC.

A page renders these and calls the service; it computes nothing about the learner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from questions.schema import Asked, Group, SandboxLink
from quiz.engine.facts import Confidence, Reason
from quiz.engine.grading import Grade, Response

__all__ = [
    "Confidence",
    "DayStat",
    "Feedback",
    "MasteryCell",
    "ProgressView",
    "Reason",
    "RunRow",
    "SessionSummary",
    "SessionView",
    "SummaryLine",
    "Turn",
]


@dataclass(frozen=True)
class SessionView:
    """A practice session: `length` items are planned, `answered` are done."""

    id: str
    length: int
    answered: int
    started_at: datetime
    ended_at: datetime | None
    only: tuple[str, ...] = ()  # question ids it is limited to; empty: all


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
    runs: tuple[RunRow, ...]  # newest first
