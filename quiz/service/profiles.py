"""Profiles: several people practise on one machine, and share nothing but the questions.

A profile is a learner with a name. It is no lock: whoever uses the machine may choose any of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from quiz.service.errors import InvalidName, NotConfirmed, UnknownLearner
from quiz.service.practice import FIRST_NAME, QuizService
from quiz.storage.database import Database, DatabaseUnusable
from quiz.views import Profile

LONGEST_NAME = 40
JOINERS = "\u200c\u200d"  # hold letters apart or together, in Persian and Indic names and in 👩‍👩‍👧‍👦; invisible by themselves


class Profiles:
    """The profiles of a database. One instance serves every thread of the process.

    `names` is asked at every click, so it is kept: `refresh` looks again, which matters when another program adds a profile.
    """

    def __init__(self, database: Database, service: QuizService) -> None:
        self._database = database
        self._service = service
        self._names: Mapping[int, str] = {}
        self.refresh()

    @property
    def names(self) -> Mapping[int, str]:
        """The name of every profile by its learner's id, in the order in which they were made."""
        return self._names

    def refresh(self) -> None:
        """Read the names again; a database that cannot be read just now leaves them as they were."""
        try:
            self._read()
        except DatabaseUnusable:
            if not self._names:
                raise

    def all(self) -> tuple[Profile, ...]:
        """Every profile with how much it holds."""
        return people(self._database)

    def add(self, name: str) -> int:
        """A new profile; gives its learner's id. Errors: InvalidName."""
        with self._database.write() as repository:
            wanted = checked_name(name, [one.name for one in repository.learners()])
            learner = repository.add_learner(wanted)
        self._read()
        return learner

    def rename(self, learner: int, name: str) -> None:
        """Give a profile another name. Errors: UnknownLearner, InvalidName."""
        with self._database.write() as repository:
            if not repository.has_learner(learner):
                raise UnknownLearner(learner)
            repository.rename_learner(learner, checked_name(name, [one.name for one in repository.learners() if one.id != learner]))
        self._read()

    def delete(self, learner: int, typed: str) -> int | None:
        """Delete a profile with everything it holds. `typed` must be its name. Where it was the last, a fresh one takes its place.

        Gives the learner of the fresh one, if there is one. Errors: UnknownLearner; NotConfirmed, and then nothing is deleted.
        """
        with self._database.write() as repository:
            names = {one.id: one.name for one in repository.learners()}
            if learner not in names:
                raise UnknownLearner(learner)
            if _seen(_plain(typed)) != _seen(names[learner]):
                raise NotConfirmed(f"The name typed is not “{names[learner]}”, so nothing was deleted. Type it as it stands there.")
            repository.delete_learner(learner)
            fresh = repository.add_learner(FIRST_NAME) if len(names) == 1 else None
        self._service.forget_learner(learner)
        self._read()
        return fresh

    def _read(self) -> None:
        with self._database.read() as repository:
            self._names = {one.id: one.name for one in repository.learners()}


def people(database: Database) -> tuple[Profile, ...]:
    """Every profile of a database with how much it holds."""
    with database.read() as repository:
        return tuple(Profile(*row) for row in repository.people())


def checked_name(name: str, taken: list[str]) -> str:
    """The name as it is stored: composed, with single spaces. Errors: InvalidName, saying what is expected and what came."""
    plain = _plain(name)
    if not plain:
        raise InvalidName("A profile needs a name: type one.")
    if len(plain) > LONGEST_NAME:
        raise InvalidName(f"A name has at most {LONGEST_NAME} characters; this one has {len(plain)}: shorten it.")
    unseen = [place for place, letter in enumerate(plain) if not letter.isprintable() and not _joins(plain, place)]
    if unseen:
        shown = "".join("?" if place in unseen else letter for place, letter in enumerate(plain))
        found = " and ".join(dict.fromkeys(_described(plain[place]) for place in unseen))
        raise InvalidName(f"A name has no invisible characters. Where the question mark stands in “{shown}” there is {found}: leave it out.")
    same = [one for one in taken if _seen(one).casefold() == _seen(plain).casefold()]
    if same:
        raise InvalidName(f"There is a profile called “{same[0]}” already: choose another name.")
    return plain


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())


def _joins(name: str, place: int) -> bool:
    """Whether a joiner stands here, between what it joins, or after a mark, as at the end of a word in Malayalam."""
    before, after = name[place - 1 : place], name[place + 1 : place + 2]
    can_join = before.isprintable() and not before.isspace() and before != ""
    return name[place] in JOINERS and can_join and (after.strip() != "" or unicodedata.category(before)[0] == "M")


def _seen(name: str) -> str:
    """What can be seen of a name, and so can be asked to be typed."""
    return name.translate(dict.fromkeys(map(ord, JOINERS)))


def _described(letter: str) -> str:
    """`U+202E (right-to-left override)`."""
    return f"U+{ord(letter):04X}" + (f" ({called.lower()})" if (called := unicodedata.name(letter, "")) else "")
