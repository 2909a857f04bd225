"""Certainty-based marking: the points are Gardner-Medwin's, and honesty pays best."""

import pytest

from quiz.engine.points import BEST_FOR, ENOUGH, POINTS, certainty, points
from tests.engine.builders import fact


def test_the_points_are_those_of_the_scheme():
    assert [points(True, c) for c in ("guess", "unsure", "sure")] == [1, 2, 3]
    assert [points(False, c) for c in ("guess", "unsure", "sure")] == [0, -2, -6]
    assert (points(True, None), points(False, None)) == (0, 0)


@pytest.mark.parametrize("chance", [n / 100 for n in range(1, 100) if n not in (80,)])
def test_saying_what_one_believes_pays_best(chance):
    pays = {c: chance * right + (1 - chance) * wrong for c, (right, wrong) in POINTS.items()}
    best = max(pays, key=pays.__getitem__)
    low, high = BEST_FOR[best]
    assert low <= chance <= high


def test_points_and_shares_are_counted_by_certainty():
    facts = [fact("a", n < 9, confidence="sure", minutes=n) for n in range(10)] + [
        fact("a", False, confidence="guess", minutes=11),
        fact("a", True, minutes=12),
    ]
    found = certainty(facts)
    assert (found.points, found.answers) == (27 - 6, 11)
    guess, unsure, sure = found.lines
    assert (sure.answers, sure.right, sure.points, sure.share, sure.verdict) == (10, 9, 21, 0.9, "honest")
    assert (guess.verdict, unsure.share, unsure.low) == ("too little data", None, None)


@pytest.mark.parametrize(("right", "verdict"), [(3, "overconfident"), (18, "honest")])
def test_who_is_sure_and_mostly_wrong_is_told(right, verdict):
    found = certainty([fact("a", n < right, confidence="sure", minutes=n) for n in range(20)])
    assert found.lines[2].verdict == verdict
    assert ENOUGH <= 20


def test_who_guesses_and_is_nearly_always_right_is_told_too():
    assert certainty([fact("a", True, confidence="guess", minutes=n) for n in range(20)]).lines[0].verdict == "underconfident"
