"""What the quiz's pages work with, handed over once by app.py. Pages hold no services of their own.

The services are for every learner; a page acts for the one whose browser session it is drawn in.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from streamlit.runtime.scriptrunner import get_script_run_ctx

from quiz.ui import visitors

if TYPE_CHECKING:
    from questions.loader import QuestionBank
    from quiz.service import Backups, LearnerData, Profiles, QuizService
    from quiz.views import History


@dataclass(frozen=True)
class Quiz:
    """The services, the bank and, in what `quiz()` gives, the learner the page acts for.

    The quiz knows experiments only by their ids: `lab_page` is the script of the page that runs them, as st.page_link
    wants it, `experiment_title` names one, and `outcome_text` says what a prediction's key stands for. `compare_forecasts`
    draws what the lab makes of a history of answers.
    """

    service: QuizService
    bank: QuestionBank
    profiles: Profiles
    backups: Backups
    lab_page: str
    experiment_title: Callable[[str], str]
    outcome_text: Callable[[str, str], str]
    compare_forecasts: Callable[[History], None]
    rng: random.Random
    data_of: Callable[[int], LearnerData]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    learner: int = 0

    @property
    def data(self) -> LearnerData:
        """The learner's data, out and in."""
        return self.data_of(self.learner)


class NobodyChosen(RuntimeError):
    """Nobody practises in this browser session: nobody was chosen yet, or the profile was deleted meanwhile."""


_quiz: list[Quiz] = []
_bank: list[QuestionBank] = []
_closing: list[Callable[[], None]] = []


def configure(quiz: Quiz) -> None:
    """Set what the pages work with, replacing what was set before; its learner does not matter."""
    _quiz[:] = [quiz]


def quiz() -> Quiz:
    """What app.py configured, for the learner of this browser session. Errors: RuntimeError when nothing was; NobodyChosen."""
    if not _quiz:
        raise RuntimeError("the pages run from app.py, which configures them: start it with `python -m quiz serve` or `streamlit run app.py`")
    learner = _visitor(_quiz[0].profiles)
    if learner is None:
        raise NobodyChosen("nobody is practising in this browser session")
    return replace(_quiz[0], learner=learner)


def profiles() -> Profiles:
    """The profiles, whoever looks, and also before anybody was chosen."""
    return _quiz[0].profiles


def _visitor(profiles: Profiles) -> int | None:
    """The learner of this browser session; outside of one, where no page acts, the one there is."""
    if get_script_run_ctx(suppress_warning=True) is not None:
        return visitors.visitor(profiles)
    return next(iter(profiles.names)) if len(profiles.names) == 1 else None


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
