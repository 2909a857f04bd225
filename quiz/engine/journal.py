"""Every answer of a learner as columns, so that looking back over 100,000 answers takes milliseconds.

The folded state says what holds now; a journal says how it came about. It is appended to as answers come, in canonical
order, and can be thrown away and built again. What is counted by days, groups or formats is counted over its columns,
for any time zone and any choice of questions.

Mastery at an earlier time needs no snapshots: evidence is discounted with every answer (quiz/engine/ability.py), so the
latest `REACH` answers to a question are all that is left of it:

    evidence = sum over the latest answers of  DISCOUNT^age  weight  log-likelihood,     DISCOUNT^REACH < 1e-9
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from quiz.engine.ability import DISCOUNT, GRID, REPEAT_WEIGHT, Ability, LogLikelihood, estimate, likelihood
from quiz.engine.facts import AttemptFact, Confidence, Key
from quiz.engine.state import LONGEST_ANSWER_S, OutOfOrder

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Kind = tuple[float, float, bool]  # difficulty, guessing, right: all that the likelihood of an answer depends on

REACH = 200  # answers; 0.9^200 = 7e-10
CERTAINTIES: tuple[Confidence | None, ...] = (None, "guess", "unsure", "sure")


@dataclass(frozen=True, slots=True)
class Misconception:
    """A wrong option that was chosen, with the wording it stood in last. `overcome_at`: when the item was first answered
    rightly after that; None while it has not been.
    """

    question_id: str
    item_id: str
    option: str
    version: int
    times: int
    last_at: datetime
    overcome_at: datetime | None


def _floats() -> Floats:
    return np.zeros(0)


def _ints() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Journal:
    """N answers in canonical order, a column a fact. `question`, `format` and `kind` are places in the tuples of their names."""

    at: Floats = field(default_factory=_floats)  # N: seconds since 1970
    seconds: Floats = field(default_factory=_floats)  # N: from showing to answering, at most LONGEST_ANSWER_S
    weight: Floats = field(default_factory=_floats)  # N: what it counts as evidence
    right: Ints = field(default_factory=_ints)  # N: 1 or 0
    question: Ints = field(default_factory=_ints)
    format: Ints = field(default_factory=_ints)
    kind: Ints = field(default_factory=_ints)
    certainty: Ints = field(default_factory=_ints)  # place in CERTAINTIES
    questions: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    seen: frozenset[str] = frozenset()  # item ids
    misconceptions: Mapping[str, Mapping[str, Misconception]] = field(default_factory=dict)  # item id -> option -> it
    last: Key | None = None

    @property
    def count(self) -> int:
        """N."""
        return len(self.at)


EMPTY = Journal()


def extended(journal: Journal, facts: Iterable[AttemptFact]) -> Journal:
    """`journal` with further answers, in canonical order. Errors: OutOfOrder."""
    questions, formats = ({name: place for place, name in enumerate(names)} for names in (journal.questions, journal.formats))
    kinds = {kind: place for place, kind in enumerate(journal.kinds)}
    seen, beliefs, last = set(journal.seen), dict(journal.misconceptions), journal.last
    rows: list[tuple[float, float, float, int, int, int, int, int]] = []
    for one in facts:
        key = one.key
        if last is not None and key < last:
            raise OutOfOrder(f"the answer {one.id!r} of {one.answered_at.isoformat()} belongs before {last[0].isoformat()}, which the journal has already")
        kind = one.difficulty, one.guessing, one.correct
        rows.append((
            one.answered_at.timestamp(), min(one.seconds or 0.0, LONGEST_ANSWER_S), REPEAT_WEIGHT if one.item_id in seen else 1.0, one.correct,
            questions.setdefault(one.question_id, len(questions)), formats.setdefault(one.format, len(formats)),
            kinds.setdefault(kind, len(kinds)), CERTAINTIES.index(one.confidence),
        ))  # fmt: skip
        if one.chosen or (one.correct and one.item_id in beliefs):
            beliefs[one.item_id] = _believed(beliefs.get(one.item_id, {}), one)
        seen.add(one.item_id)
        last = key
    if not rows:
        return journal
    at, seconds, weight, *whole = (np.array(column) for column in zip(*rows, strict=True))
    right, question, format_, kind_column, certainty = (np.asarray(column, np.int64) for column in whole)
    return Journal(
        at=np.concatenate((journal.at, at)),
        seconds=np.concatenate((journal.seconds, seconds)),
        weight=np.concatenate((journal.weight, weight)),
        right=np.concatenate((journal.right, right)),
        question=np.concatenate((journal.question, question)),
        format=np.concatenate((journal.format, format_)),
        kind=np.concatenate((journal.kind, kind_column)),
        certainty=np.concatenate((journal.certainty, certainty)),
        questions=tuple(questions),
        formats=tuple(formats),
        kinds=tuple(kinds),
        seen=frozenset(seen),
        misconceptions=beliefs,
        last=last,
    )


def _believed(known: Mapping[str, Misconception], one: AttemptFact) -> Mapping[str, Misconception]:
    """What is believed of an item after an answer: a right one overcomes all that is open, a wrong one opens what it chose."""
    if one.correct:
        return {name: belief if belief.overcome_at else replace(belief, overcome_at=one.answered_at) for name, belief in known.items()}
    chosen = {
        name: Misconception(one.question_id, one.item_id, name, one.version, (known[name].times if name in known else 0) + 1, one.answered_at, None)
        for name in one.chosen
    }
    return {**known, **chosen}


# --- Counting ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tally:
    """How many answers, how many of them right, and the seconds they took."""

    answers: int
    right: int
    seconds: float


def chosen_rows(journal: Journal, questions: Iterable[str], first: datetime, end: datetime) -> Ints:
    """Places of the answers to `questions` from `first` up to, not including, `end`."""
    low, high = np.searchsorted(journal.at, (first.timestamp(), end.timestamp()))
    wanted = set(questions)
    member = np.array([name in wanted for name in journal.questions], bool)
    places = np.arange(low, high)
    return places[member[journal.question[low:high]]] if len(member) else places


def all_rows(journal: Journal) -> Ints:
    """Places of all answers."""
    return np.arange(journal.count)


def tallies_between(journal: Journal, rows: Ints, bounds: Sequence[datetime]) -> list[Tally]:
    """A tally for each stretch between two neighbours of `bounds`; `rows` must lie within them."""
    if len(bounds) < 2:
        return []
    edges = np.array([bound.timestamp() for bound in bounds])
    return _tallies(journal, rows, np.searchsorted(edges, journal.at[rows], side="right") - 1, len(bounds) - 1)


def tallies_by(journal: Journal, rows: Ints, column: Ints, names: Sequence[str]) -> dict[str, Tally]:
    """A tally for each name of a column (`question` or `format`) that occurs in `rows`."""
    found = _tallies(journal, rows, column[rows], len(names))
    return {name: tally for name, tally in zip(names, found, strict=True) if tally.answers}


def _tallies(journal: Journal, rows: Ints, places: Ints, size: int) -> list[Tally]:
    answers = np.bincount(places, minlength=size)
    right = np.bincount(places, journal.right[rows], size)
    seconds = np.bincount(places, journal.seconds[rows], size)
    return [Tally(int(a), int(r), float(s)) for a, r, s in zip(answers, right, seconds, strict=True)]


def certainties(journal: Journal, rows: Ints) -> dict[tuple[Confidence | None, bool], int]:
    """How many of these answers were given with each certainty, right and wrong."""
    counts = np.bincount(2 * journal.certainty[rows] + journal.right[rows], minlength=2 * len(CERTAINTIES))
    return {(said, bool(right)): int(counts[2 * place + right]) for place, said in enumerate(CERTAINTIES) for right in (0, 1)}


# --- Mastery at earlier times -----------------------------------------------------------------------------------


def abilities_at(journal: Journal, groups: Mapping[str, str], times: Sequence[datetime]) -> list[dict[str, Ability]]:
    """At each time, the ability at every question that had been answered before it, estimated from the answers before it alone.

    `groups` names each question's group; answers to other questions are left out.
    """
    table = np.array([likelihood(*kind) for kind in journal.kinds]).reshape(len(journal.kinds), len(GRID))
    answers = {name: np.flatnonzero(journal.question == place) for place, name in enumerate(journal.questions) if name in groups}
    ends = np.searchsorted(journal.at, [time.timestamp() for time in times])
    known: dict[tuple[str, int], LogLikelihood] = {}
    found = []
    for end in ends:
        evidence = {}
        for name, rows in answers.items():
            before = int(np.searchsorted(rows, end))
            if before and (name, before) not in known:
                known[name, before] = _evidence(journal, rows[max(before - REACH, 0) : before], table)
            if before:
                evidence[name] = known[name, before]
        abilities = estimate(evidence, groups) if evidence else {}
        found.append({name: abilities[name] for name in evidence})
    return found


def _evidence(journal: Journal, rows: Ints, table: Floats) -> LogLikelihood:
    weights = journal.weight[rows] * DISCOUNT ** np.arange(len(rows) - 1, -1, -1)
    return tuple((weights @ table[journal.kind[rows]]).tolist())
