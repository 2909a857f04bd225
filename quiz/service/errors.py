"""What the service refuses, each error naming the id it was asked for."""

from __future__ import annotations


class QuizError(Exception):
    """A request the service refuses."""


class _AboutId(QuizError):
    text = "{id}"

    def __init__(self, id_: object) -> None:
        self.id = id_
        super().__init__(self.text.format(id=id_))


class UnknownLearner(_AboutId):
    """No learner has this id."""

    text = "there is no learner {id}"


class UnknownQuestion(_AboutId):
    """The bank has no question with this id."""

    text = "there is no question {id!r} in the bank"


class UnknownSession(_AboutId):
    """No practice session has this id, or it is another learner's."""

    text = "there is no practice session {id!r}"


class UnknownPresentation(_AboutId):
    """No presentation has this id, or it is another learner's."""

    text = "there is no presentation {id!r}"


class PresentationClosed(_AboutId):
    """The item was skipped, or its session ended, before an answer came."""

    text = "presentation {id!r} was closed without an answer; it takes none any more"


class NotAnswered(_AboutId):
    """Only an answered item can be left by `advance`."""

    text = "presentation {id!r} is not answered yet; answer it or skip it"


class UnknownRun(_AboutId):
    """No run has this id, or it is another learner's."""

    text = "there is no run {id!r}"


class NoInterview(_AboutId):
    """The learner prepares for no interview."""

    text = "learner {id} has set no interview"


class InvalidName(QuizError):
    """A name that no profile can have; the message says what is expected and what came, as the page shows it."""


class NotConfirmed(QuizError):
    """What cannot be undone was not confirmed as it must be, and was not done."""


class InvalidInterview(QuizError):
    """An interview that cannot be planned for; the message names what is expected and what came."""
