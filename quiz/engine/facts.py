"""What the engine learns from: one fact per answer.

Everything learnt about a learner (ability, memory, counts) is a fold over these facts; see quiz/engine/state.py.
Facts have one order, the canonical one: by time of answering, then by id. It does not depend on the device an answer
was given on, nor on when it was copied from there, so histories can be merged in any order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Confidence = Literal["guess", "unsure", "sure"]
Reason = Literal["due", "new", "again", "ahead", "level"]
Key = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class AttemptFact:
    """One recorded answer. `difficulty` (logits) and `guessing` (a chance) are those of the wording that was asked,
    so that a later edit of the bank does not change what an old answer says. `answered_at` is aware and in UTC.

    `points` are the key points the wording tested, `seconds` the time from showing to answering, `chosen` the wrong options
    that were chosen. `id` names the answer the same on every device (the id of its presentation); `version` names the
    wording on this one alone.
    """

    question_id: str
    item_id: str
    difficulty: float
    guessing: float
    correct: bool
    confidence: Confidence | None
    answered_at: datetime
    points: tuple[str, ...] = ()
    format: str = ""
    seconds: float | None = None
    id: str = ""
    chosen: tuple[str, ...] = ()
    version: int = field(default=0, compare=False)

    @property
    def key(self) -> Key:
        """Its place in the canonical order."""
        return self.answered_at, self.id


def merged(*histories: Iterable[AttemptFact]) -> list[AttemptFact]:
    """Every answer of several histories once, in canonical order. The same whatever order the histories come in.

    Two answers count as the same when they are equal; two with one id that differ are both kept, and ordered by what
    they say, as nobody can tell which is right.
    """
    return sorted(set().union(*histories), key=lambda fact: (fact.key, fact.item_id, fact.correct, repr(fact)))
