"""Finds a learner's level in few items.

Each next item is the one after whose answer the overall ability is expected to be known best (least expected variance,
van der Linden 1998), out of the group that is furthest behind its share of the items so far (constrained adaptive
testing, Kingsbury and Zara 1989), so that all six groups are heard. Items never seen come first: one that was seen says
what is remembered of its feedback. It ends when the overall level is known well enough, when ready or not ready is
decided, or at the cap. What an item teaches is left for the end: nothing should be learnt while it is measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from quiz.engine.ability import NO_EVIDENCE, Ability, Levels, LogLikelihood, beliefs, expected_variances, levels, with_answer
from quiz.engine.forecast import Catalogue

SE_GOAL = 0.35
DECIDED = 0.975
MOST_ITEMS = 60
FEWEST_ITEMS = 8  # by then every group was asked
WEAKEST = 3

Ending = Literal["precise", "ready", "not ready", "cap", "no items"]


@dataclass(frozen=True)
class Probe:
    """One answer of a diagnostic."""

    item_id: str
    correct: bool


@dataclass(frozen=True)
class Finding:
    """What a diagnostic found: the levels with their intervals, and the questions with the lowest abilities."""

    levels: Levels
    answered: int
    ending: Ending | None  # None while it goes on
    weakest: tuple[str, ...]

    @property
    def overall(self) -> Ability:
        """The overall level."""
        return self.levels.overall


def evidence_of(catalogue: Catalogue, probes: Sequence[Probe]) -> dict[str, LogLikelihood]:
    """What the answers say, by question. Only this diagnostic's: it measures anew."""
    evidence: dict[str, LogLikelihood] = {}
    for probe in probes:
        row, column = catalogue.place[probe.item_id]
        name = catalogue.questions[row]
        difficulty, guessing = float(catalogue.difficulty[row, column]), float(catalogue.guessing[row, column])
        evidence[name] = with_answer(evidence.get(name, NO_EVIDENCE), difficulty, guessing, probe.correct, seen_before=False)
    return evidence


def finding(catalogue: Catalogue, probes: Sequence[Probe], *, decide: bool = True, cap: int = MOST_ITEMS) -> Finding:
    """What the answers so far have found, and whether that is enough. With `decide`, ready or not ready ends it too."""
    found = levels(evidence_of(catalogue, probes), catalogue.groups)
    weakest = sorted(catalogue.questions, key=lambda name: found.questions[name].mean)[:WEAKEST]
    return Finding(found, len(probes), _ending(found, len(probes), decide, cap, len(catalogue.place)), tuple(weakest))


def _ending(found: Levels, answered: int, decide: bool, cap: int, there_are: int) -> Ending | None:
    if answered >= there_are:
        return "no items"
    if answered >= FEWEST_ITEMS:
        if found.overall.se <= SE_GOAL:
            return "precise"
        if decide and found.ready >= DECIDED:
            return "ready"
        if decide and found.ready <= 1 - DECIDED:
            return "not ready"
    return "cap" if answered >= cap else None


def next_item(catalogue: Catalogue, probes: Sequence[Probe], seen: frozenset[str] = frozenset()) -> str:
    """The id of the item to ask next; `seen` before this diagnostic. Errors: ValueError when every item was asked."""
    asked = {probe.item_id for probe in probes}
    rest = [name for name in catalogue.place if name not in asked]
    if not rest:
        raise ValueError(f"all {len(asked)} items of the bank were asked")
    rest = [name for name in rest if name not in seen] or rest
    wanted = _group_behind(catalogue, probes, {_group(catalogue, name) for name in rest})
    candidates = [name for name in rest if _group(catalogue, name) == wanted]
    places = np.array([catalogue.place[name] for name in candidates])
    found = beliefs(evidence_of(catalogue, probes), catalogue.groups)
    expected = expected_variances(found, places[:, 0], catalogue.difficulty[*places.T], catalogue.guessing[*places.T])
    return candidates[int(expected.argmin())]


def _group(catalogue: Catalogue, item: str) -> str:
    return catalogue.groups[catalogue.questions[catalogue.place[item][0]]]


def _group_behind(catalogue: Catalogue, probes: Sequence[Probe], there: set[str]) -> str:
    """The group furthest behind its share; a group's share is that of its questions."""
    sizes, asked = Counter(catalogue.groups.values()), Counter(_group(catalogue, probe.item_id) for probe in probes)
    return min((name for name in sizes if name in there), key=lambda name: (asked[name] + 0.5) / sizes[name])
