"""What a page can ask for. One call, one transaction; `now` (aware) and `rng` come from the caller."""

from quiz.service.adaptive import Adaptive
from quiz.service.backup import Backups, Restored, RunsUnderWay, UnusableBackup
from quiz.service.datafile import UnusableFile
from quiz.service.errors import (
    InvalidInterview,
    InvalidName,
    NoInterview,
    NotAnswered,
    NotConfirmed,
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
from quiz.service.profiles import Profiles
from quiz.service.runs import INTERRUPTED, RunBook
from quiz.storage.database import DatabaseUnusable

__all__ = [
    "INTERRUPTED",
    "MAX_LENGTH",
    "Adaptive",
    "Backups",
    "DatabaseUnusable",
    "InvalidInterview",
    "InvalidName",
    "LearnerData",
    "Merged",
    "NoInterview",
    "NotAnswered",
    "NotConfirmed",
    "PresentationClosed",
    "Profiles",
    "QuizError",
    "QuizService",
    "Restored",
    "RunBook",
    "RunsUnderWay",
    "UnknownLearner",
    "UnknownPresentation",
    "UnknownQuestion",
    "UnknownRun",
    "UnknownSession",
    "UnusableBackup",
    "UnusableFile",
]
