"""What a page can ask for. One call, one transaction; `now` (aware) and `rng` come from the caller."""

from quiz.service.adaptive import Adaptive
from quiz.service.datafile import UnusableFile
from quiz.service.errors import (
    InvalidInterview,
    NoInterview,
    NotAnswered,
    PresentationClosed,
    QuizError,
    UnknownLearner,
    UnknownPresentation,
    UnknownQuestion,
    UnknownRun,
    UnknownSession,
)
from quiz.service.importing import Merged
from quiz.service.learnerdata import LearnerData
from quiz.service.practice import MAX_LENGTH, QuizService
from quiz.service.runs import INTERRUPTED, RunBook
from quiz.storage.database import DatabaseUnusable

__all__ = [
    "INTERRUPTED",
    "MAX_LENGTH",
    "Adaptive",
    "DatabaseUnusable",
    "InvalidInterview",
    "LearnerData",
    "Merged",
    "NoInterview",
    "NotAnswered",
    "PresentationClosed",
    "QuizError",
    "QuizService",
    "RunBook",
    "UnknownLearner",
    "UnknownPresentation",
    "UnknownQuestion",
    "UnknownRun",
    "UnknownSession",
    "UnusableFile",
]
