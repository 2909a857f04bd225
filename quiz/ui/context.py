"""What the quiz's pages work with, handed over once by app.py. Pages hold no services of their own."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from questions.loader import QuestionBank
    from quiz.service import LearnerData, QuizService
    from quiz.views import History


@dataclass(frozen=True)
class Quiz:
    """The service, the bank and the learner the pages act for.

    The quiz knows experiments only by their ids: `lab_page` is the script of the page that runs them, as st.page_link
    wants it, `experiment_title` names one, and `outcome_text` says what a prediction's key stands for. `compare_forecasts`
    draws what the lab makes of a history of answers.
    """

    service: QuizService
    bank: QuestionBank
    learner: int
    lab_page: str
    experiment_title: Callable[[str], str]
    outcome_text: Callable[[str, str], str]
    compare_forecasts: Callable[[History], None]
    rng: random.Random
    data: LearnerData
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


_quiz: list[Quiz] = []
_bank: list[QuestionBank] = []
_closing: list[Callable[[], None]] = []


def configure(quiz: Quiz) -> None:
    """Set what the pages work with, replacing what was set before."""
    _quiz[:] = [quiz]


def quiz() -> Quiz:
    """What app.py configured. Errors: RuntimeError when it has not."""
    if not _quiz:
        raise RuntimeError("the pages run from app.py, which configures them: start it with `python -m quiz serve` or `streamlit run app.py`")
    return _quiz[0]


def keep_bank(bank: QuestionBank) -> None:
    """Keep the bank that was checked before the server started, so that the first visit need not read it again."""
    _bank[:] = [bank]


def checked_bank() -> QuestionBank | None:
    """The bank that was kept, if one was."""
    return _bank[0] if _bank else None


def on_close(action: Callable[[], None]) -> None:
    """Have `action` called once when the server stops."""
    _closing.append(action)


def close() -> None:
    """Call what was registered, last first; called again, it does nothing."""
    while _closing:
        _closing.pop()()
