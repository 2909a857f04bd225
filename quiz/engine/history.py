"""A learner's answers as plain numbers, each with what was forecast just before it: for whoever wants to forecast better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quiz.engine import memory
from quiz.engine.calibration import Forecast
from quiz.engine.facts import AttemptFact
from quiz.engine.forecast import day_number
from quiz.engine.memory import Memory

ENOUGH = 200  # answers that FSRS has a forecast for; below, a simulated learner's are used


@dataclass(frozen=True)
class History:
    """Answers in order of time, as columns: the question (a number of its own), the day since 1970 with its fraction, whether right.

    `fsrs` is FSRS's chance of recall just before the answer. FSRS says little within a day, so it is None within
    `memory.SAME_DAY` of the answer it counts from, and at a question's first answer. `ours` is the app's own forecast;
    None where none was kept.
    """

    questions: tuple[int, ...] = ()
    days: tuple[float, ...] = ()
    right: tuple[bool, ...] = ()
    fsrs: tuple[float | None, ...] = ()
    ours: tuple[float | None, ...] = ()

    @property
    def forecast(self) -> int:
        """How many answers FSRS has a forecast for."""
        return sum(chance is not None for chance in self.fsrs)

    def latest(self, count: int) -> History:
        """The last `count` answers of it."""
        if len(self.days) <= count:
            return self
        return History(self.questions[-count:], self.days[-count:], self.right[-count:], self.fsrs[-count:], self.ours[-count:])


def history(facts: Sequence[AttemptFact], ours: Mapping[str, float]) -> History:
    """The history of facts in canonical order; `ours` maps a fact's id to the app's forecast of it."""
    memories: dict[str, Memory] = {}
    numbers: dict[str, int] = {}
    recalls: list[float | None] = []
    for fact in facts:
        known, at = memories.get(fact.question_id), fact.answered_at
        recalls.append(None if known is None or at - known.reviewed_at < memory.SAME_DAY else memory.recall(known, at))
        memories[fact.question_id] = memory.after_answer(known, fact.correct, fact.confidence, at)
        numbers.setdefault(fact.question_id, len(numbers))
    return History(
        questions=tuple(numbers[fact.question_id] for fact in facts),
        days=tuple(day_number(fact.answered_at) for fact in facts),
        right=tuple(fact.correct for fact in facts),
        fsrs=tuple(recalls),
        ours=tuple(ours.get(fact.id) for fact in facts),
    )


def own_forecasts(facts: Sequence[AttemptFact], made: Sequence[Forecast], in_bank: Mapping[str, object]) -> dict[str, float]:
    """The forecasts of a track by the id of the fact they are of. Forecasts are kept for the latest facts on items of the bank."""
    forecast = [fact for fact in facts if fact.item_id in in_bank]
    count = min(len(forecast), len(made))
    return {fact.id: one.chance for fact, one in zip(forecast[len(forecast) - count :], made[len(made) - count :], strict=True)}
