"""When each question should come again: an `fsrs` card for each, with same-day steps of our own.

FSRS-6 (py-fsrs, after Ye, Su and Cao 2022) models the chance of recall after t days as

    R(t) = (1 + factor t / S) ^ -decay,    factor = 0.9 ^ (-1 / decay) - 1, so that R(S) = 0.9

and says how stability S and difficulty change with each review. It works in whole days and says little within one,
so what happens within `SAME_DAY` of an earlier answer is decided here:

- a miss comes back after `AGAIN_AFTER`; the first miss of the day also counts for FSRS, later ones do not;
- a right answer ends that step: the question is then due after FSRS's interval. It does not strengthen the memory,
  as the answer was shown minutes ago.

Nothing is fuzzed, so the same answers give the same dates.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from fsrs import Card, Rating, Scheduler, State

from quiz.engine.facts import Confidence

SAME_DAY = timedelta(hours=12)
AGAIN_AFTER = timedelta(minutes=10)
# Due dates lie a quarter of a day early, so that someone who practises at about the same hour every day finds
# yesterday's questions due.
EARLY = timedelta(hours=6)

_SCHEDULER = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
_DECAY = _SCHEDULER.parameters[20]
_FACTOR = 0.9 ** (-1 / _DECAY) - 1
_DAY = timedelta(days=1)


class _Card(Card):
    """A card made for one review: it may be changed, so the scheduler need not spend a third of its time on a copy."""

    def __copy__(self) -> _Card:
        return self


class Memory(NamedTuple):
    """One question's memory. `stability` in days, `difficulty` 1..10 (FSRS's, not the items'); `relearning` while a miss waits to be mended."""

    stability: float
    difficulty: float
    interval: timedelta
    reviewed_at: datetime  # the last answer FSRS was told of
    due_at: datetime
    relearning: bool


def rating(correct: bool, confidence: Confidence | None) -> Rating:
    """FSRS's rating of an answer. A right guess is hardly remembered; "sure" and right was easy."""
    if not correct:
        return Rating.Again
    return {"guess": Rating.Hard, "unsure": Rating.Good, "sure": Rating.Easy, None: Rating.Good}[confidence]


def after_answer(memory: Memory | None, correct: bool, confidence: Confidence | None, at: datetime) -> Memory:
    """The memory after an answer at `at` (aware, UTC)."""
    at = at.astimezone(UTC)
    if memory is None:
        return _reviewed(None, 0, rating(correct, confidence), at)
    elapsed = at - memory.reviewed_at
    if elapsed >= SAME_DAY:
        # FSRS counts whole days downward, so half past eight the next morning would be day 0 after nine o'clock.
        return _reviewed(memory, max(1, round(elapsed / _DAY)), rating(correct, confidence), at)
    if not correct:
        return _due(memory, at + AGAIN_AFTER, relearning=True) if memory.relearning else _reviewed(memory, 0, Rating.Again, at)
    return _due(memory, at + memory.interval - EARLY, relearning=False) if memory.relearning else memory


def _due(memory: Memory, at: datetime, *, relearning: bool) -> Memory:
    return Memory(memory.stability, memory.difficulty, memory.interval, memory.reviewed_at, at, relearning)


def recall(memory: Memory, at: datetime) -> float:
    """The chance of remembering at `at`."""
    days = max((at - memory.reviewed_at) / _DAY, 0.0)
    return float((1 + _FACTOR * days / memory.stability) ** -_DECAY)


def _reviewed(memory: Memory | None, days: int, graded: Rating, at: datetime) -> Memory:
    card, _ = _SCHEDULER.review_card(_card(memory, days, at), graded, at)
    if card.stability is None or card.difficulty is None:  # the library's types allow it; a reviewed card has both
        raise AssertionError(f"FSRS gave no stability or difficulty for {graded!r}")
    interval = card.due - at
    missed = graded is Rating.Again
    due_at = at + AGAIN_AFTER if missed else at + interval - EARLY
    return Memory(card.stability, card.difficulty, interval, at, due_at, relearning=missed)


def _card(memory: Memory | None, days: int, at: datetime) -> Card:
    if memory is None:
        return _Card(card_id=0, due=at)
    return _Card(
        card_id=0, state=State.Review, stability=memory.stability, difficulty=memory.difficulty, due=memory.due_at, last_review=at - timedelta(days=days)
    )
