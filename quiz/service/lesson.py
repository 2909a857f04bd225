"""The log that ways of forecasting are compared on: the learner's own, or a simulated one while that is too short."""

from __future__ import annotations

from collections.abc import Sequence

from questions.loader import QuestionBank
from quiz.engine.calibration import Track
from quiz.engine.facts import AttemptFact
from quiz.engine.forecast import Catalogue
from quiz.engine.history import History, history, own_forecasts
from quiz.simulate.play import Subject, play
from quiz.simulate.policies import anki
from quiz.views import LessonLog

SIMULATED_DAYS, SIMULATED_MINUTES = 90, 15.0
MOST = 5000  # answers of a log: an LSTM trains on it while somebody waits


def own_log(catalogue: Catalogue, facts: Sequence[AttemptFact], track: Track) -> LessonLog:
    """The learner's own answers, the latest `MOST` of them; FSRS's forecasts of these rest on all before."""
    own = history(facts, own_forecasts(facts, track.made, catalogue.place)).latest(MOST)
    return LessonLog(own, own.forecast)


def simulated(bank: QuestionBank) -> History:
    """A simulated learner's answers over three months of evenings, asked as FSRS would have it; always the same ones.

    The learner forgets by another law than FSRS assumes ("strength" of quiz/simulate/learner.py), or it would win unfairly.
    """
    subject = Subject.of(bank)
    course = play(subject, anki, "strength", 0, SIMULATED_DAYS, SIMULATED_MINUTES, forecasting=True)
    return history(course.facts, own_forecasts(course.facts, course.made, subject.catalogue.place))
