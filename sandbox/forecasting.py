"""Who foretells a learner's answers best? What is compared, on what, and how the comparison is judged.

The log is plain numbers: nothing here knows whose answers they are, or of what. All forecasts are judged on the same
answers, those that come at least a day's step after an earlier one to the same question, as only of these FSRS says
something. Each is made from what came before it (forward-chained): the log's later part is cut into blocks, and whatever
learns has learnt from the answers before its block. The training itself is in core.forecasting, and happens in a worker.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sandbox.protocol import Picture

LEAST = 150  # answers that FSRS has a forecast for; below, there is nothing to tell apart
MOST = 1500  # answers that are looked at, the latest
Z = 1.96
LSTM = "lstm"


@dataclass(frozen=True)
class AnswerLog:
    """Answers in order of time, N of each: which question (any number), on which day (with its fraction), whether right.

    `fsrs` is FSRS's chance of recall just before the answer, None where it makes no claim: at a question's first answer
    and at another one the same day. `app` is a further forecast to hold the others against, None where there is none.
    Errors: ValueError, naming the place, for lengths that differ, days that go back and chances outside 0..1.
    """

    questions: tuple[int, ...]
    days: tuple[float, ...]
    right: tuple[bool, ...]
    fsrs: tuple[float | None, ...]
    app: tuple[float | None, ...]

    def __post_init__(self) -> None:
        """Refuse a log that is none."""
        lengths = {len(column) for column in (self.questions, self.days, self.right, self.fsrs, self.app)}
        if len(lengths) != 1:
            raise ValueError(f"the columns of a log must be equally long, got lengths {sorted(lengths)}")
        for place in range(1, len(self.days)):
            if not self.days[place] >= self.days[place - 1]:
                raise ValueError(f"answers must be in order of time: answer {place} is of day {self.days[place]:g}, after day {self.days[place - 1]:g}")
        for name, column in (("fsrs", self.fsrs), ("app", self.app)):
            for place, chance in enumerate(column):
                if chance is not None and not 0 <= chance <= 1:
                    raise ValueError(f"{name}[{place}] must be a chance from 0 to 1 or nothing, got {chance!r}")

    def __len__(self) -> int:
        return len(self.right)

    @property
    def judgeable(self) -> int:
        """How many answers FSRS has a forecast for."""
        return sum(chance is not None for chance in self.fsrs)

    @property
    def latest(self) -> AnswerLog:
        """The latest `MOST` answers."""
        return AnswerLog(self.questions[-MOST:], self.days[-MOST:], self.right[-MOST:], self.fsrs[-MOST:], self.app[-MOST:])


@dataclass(frozen=True)
class Effort:
    """How hard is tried: networks from `seeds` different starts, in each of `blocks` blocks, with `updates` updates."""

    seeds: int = 3
    blocks: int = 5
    updates: int = 100


QUICK = Effort()


@dataclass(frozen=True)
class Contender:
    """One way of forecasting: its mean log loss over the judged answers, and how much more that is than the LSTM's, with a
    95% interval (both 0 for the LSTM itself).
    """

    key: str
    label: str
    log_loss: float
    behind: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @property
    def standing(self) -> Literal["worse", "better", "no telling"]:
        """How it did against the LSTM; told apart only when the whole interval lies on one side."""
        return "worse" if self.low > 0 else "better" if self.high < 0 else "no telling"


@dataclass(frozen=True)
class Comparison:
    """What came of it. `learnt_from` answers came before the first judged block, `learnt_to` before
    the last; `seeds` are the log losses
    of the LSTM's starts, `weights` is how many numbers it learns.
    """

    answers: int
    learnt_from: int
    learnt_to: int
    judged: int
    days: int
    contenders: tuple[Contender, ...]
    seeds: tuple[float, ...]
    weights: int
    pictures: tuple[Picture, ...]
    seconds: float

    def of(self, key: str) -> Contender:
        """The contender with this key. Errors: KeyError."""
        return {one.key: one for one in self.contenders}[key]

    @property
    def headline(self) -> str:
        """The outcome against the two it has to beat, in a few words."""
        average, rescaled = (self.of(key).standing for key in ("average", "rescaled"))
        if average == rescaled == "worse":
            return "The LSTM forecasts better than the moving average and FSRS"
        if average == rescaled == "no telling":
            return "On this log the LSTM, the moving average and FSRS, rescaled, cannot be told apart"
        if "better" in (average, rescaled):
            return "The LSTM does not pay here: a simpler forecast is better"
        beaten, even = ("the moving average", "FSRS") if average == "worse" else ("FSRS", "the moving average")
        return f"The LSTM forecasts better than {beaten}, and cannot be told apart from {even}"

    @property
    def lines(self) -> tuple[str, ...]:
        """Everybody against the LSTM, a sentence each, from the figures; the names in Markdown's bold."""
        lstm = self.of(LSTM)
        return tuple(_against(one, lstm) for one in self.contenders if one.key != LSTM)


def _against(other: Contender, lstm: Contender) -> str:
    words = {"worse": "better than", "better": "worse than", "no telling": "not to be told apart from"}
    interval = f"{_signed(other.low)} to {_signed(other.high)}"
    figures = f"log loss {lstm.log_loss:.3f} against {other.log_loss:.3f}, a lead of {_signed(other.behind)} (95% interval {interval})"
    return f"{words[other.standing]} **{other.label}**: {figures}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def lead(more: Sequence[float], days: Sequence[int]) -> tuple[float, float, float]:
    """The mean of the differences `more`, with a 95% interval that takes the answers of one day (`days`, N) to hang together."""
    mean = statistics.fmean(more)
    by_day: dict[int, float] = {}
    for day, one in zip(days, more, strict=True):
        by_day[day] = by_day.get(day, 0.0) + one - mean
    groups = len(by_day)
    if groups < 2:
        return mean, -math.inf, math.inf
    error = math.sqrt(groups / (groups - 1) * sum(total * total for total in by_day.values())) / len(more)
    return mean, mean - Z * error, mean + Z * error


def contenders(labels: Mapping[str, str], losses: Mapping[str, Sequence[float]], days: Sequence[int]) -> tuple[Contender, ...]:
    """Everybody's mean loss, and the lead of the LSTM over each; `losses` has one a judged answer."""
    found = []
    for key, label in labels.items():
        behind = lead([theirs - ours for theirs, ours in zip(losses[key], losses[LSTM], strict=True)], days) if key != LSTM else (0.0, 0.0, 0.0)
        found.append(Contender(key, label, statistics.fmean(losses[key]), *behind))
    return tuple(found)
