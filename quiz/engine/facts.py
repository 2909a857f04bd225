"""What the engine learns from: one fact per answer, in the order the answers were recorded.

Everything learnt about a learner (ability, memory, counts) is a fold over these facts; see quiz/engine/state.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Confidence = Literal["guess", "unsure", "sure"]
Reason = Literal["due", "new", "again", "ahead"]


@dataclass(frozen=True)
class AttemptFact:
    """One recorded answer. `difficulty` (logits) and `guessing` (a chance) are those of the wording that was asked,
    so that a later edit of the bank does not change what an old answer says. `answered_at` is aware and in UTC.
    """

    question_id: str
    item_id: str
    difficulty: float
    guessing: float
    correct: bool
    confidence: Confidence | None
    answered_at: datetime
