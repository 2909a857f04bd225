"""Forecasts, readiness and their calibration: what raises a chance, and that the fit finds what was put in."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from questions.schema import Group
from quiz.engine.calibration import BINS, Forecast, Losses, Track, calibration, followed, losses, wilson
from quiz.engine.forecast import SLIP, WEIGHTS, Catalogue, Snapshot, adapted, day_number
from quiz.engine.ideas import after_answer
from quiz.engine.readiness import ENOUGH, readiness
from quiz.engine.state import NOTHING_YET, Pace, fold
from tests.engine.builders import NOON, fact, multiple, number, question, single

DAY = timedelta(days=1)
ONE = single("one").model_copy(update={"points": ("p1",)})
TWO = single("two").model_copy(update={"points": ("p2", "p3")})
BOTH = number("three").model_copy(update={"points": ("p1", "p2")})
A = question("a", 1, Group.GATES, (ONE, TWO, BOTH))
B = question("b", 2, Group.TRAINING, (single("one"), multiple("two"), single("three", difficulty=2.0)))
CATALOGUE = Catalogue.of((A, B))


def answered(correct: bool, item: str = "one", minutes: float = 0, name: str = "a"):
    points = {"one": ("p1",), "two": ("p2", "p3"), "three": ("p1", "p2")}[item] if name == "a" else ("p1",)
    return replace(fact(name, correct, item=item, minutes=minutes), points=points, id=f"{name}{item}{minutes}")


def snapshot(*facts) -> Snapshot:
    return Snapshot.of(CATALOGUE, fold(NOTHING_YET, facts), WEIGHTS)


def test_the_catalogue_knows_each_items_ideas_and_share_of_the_score():
    assert CATALOGUE.place["a/three"] == (0, 2)
    assert CATALOGUE.shares[0, 1].tolist() == [0, 0.5, 0.5, 0]
    assert CATALOGUE.share_of_score.sum() == pytest.approx(1)
    assert CATALOGUE.share_of_score[0].tolist() == pytest.approx([1 / 6] * 3)


def test_before_any_answer_the_chance_is_that_of_the_difficulty_alone():
    know = snapshot().know(day_number(NOON))
    assert know[0].tolist() == pytest.approx([0.5, 0.5, 0.5], abs=1e-6)
    assert know[1, 2] == pytest.approx(1 / (1 + math.exp(2 * WEIGHTS.ability)))
    assert snapshot().right(day_number(NOON))[0, 0] == pytest.approx(0.25 + (1 - SLIP - 0.25) * 0.5)


def test_an_answer_raises_the_chance_of_every_item_on_its_idea_and_time_lowers_it_again():
    at = day_number(NOON)
    before, after = snapshot().know(at + 1), snapshot(answered(True)).know(at + 1)
    assert after[0, 0] > after[0, 2] > before[0, 2]
    assert snapshot(answered(True)).know(at + 30)[0, 0] < after[0, 0]
    assert snapshot(answered(False)).know(at + 1)[0, 0] < after[0, 0]


def test_the_very_item_again_is_answered_better_than_another_on_its_idea():
    later = snapshot(answered(True))
    assert (later.logits(1.0) + later.weights.seen * later.seen)[0, 0] > later.logits(1.0)[0, 0]
    assert later.seen[0].tolist() == [1, 0, 0]


def test_a_gain_is_the_rise_of_the_score_when_it_really_happens():
    """The gain of an item is the mean over its two outcomes of the scores after them, with ability left as it was."""
    state = fold(NOTHING_YET, [answered(True), answered(False, "three", minutes=60)])
    now, on = NOON + 2 * DAY, NOON + 9 * DAY
    here = Snapshot.of(CATALOGUE, state, WEIGHTS)
    chance = here.right(day_number(now))[CATALOGUE.place["a/two"]]
    scores = {}
    for correct in (True, False):
        ideas = {key: after_answer(state.questions["a"].ideas.get(key), correct, now) for key in TWO.points}
        after = replace(state, questions={"a": replace(state.questions["a"], ideas={**state.questions["a"].ideas, **ideas})})
        scores[correct] = Snapshot.of(CATALOGUE, after, WEIGHTS, ability=here.ability).score(day_number(on))
    expected = chance * scores[True] + (1 - chance) * scores[False] - here.score(day_number(on))
    assert here.gains(day_number(now), day_number(on))[CATALOGUE.place["a/two"]] == pytest.approx(expected)


def test_ideas_of_a_question_that_left_the_bank_are_ignored():
    state = fold(NOTHING_YET, [answered(True), replace(answered(True, minutes=1), question_id="gone", item_id="gone/x")])
    assert np.array_equal(Snapshot.of(CATALOGUE, state, WEIGHTS).practised, snapshot(answered(True)).practised)


def test_expected_seconds_move_from_the_formats_to_the_learners_own():
    usual, slow = CATALOGUE.seconds({}), CATALOGUE.seconds({"single": Pace(20, 20 * 100.0)})
    assert usual[0].tolist() == [60, 60, 110]
    assert slow[0].tolist() == pytest.approx([(5 * 60 + 20 * 120) / 25] * 2 + [110])


def test_without_answers_the_weights_are_the_prior_and_with_many_they_are_the_learners():
    assert adapted(np.zeros((0, 5)), np.zeros(0), np.zeros(0)) == WEIGHTS
    rng = np.random.default_rng(0)
    true = np.array([0.9, 0.0, 0.2, 0.3, 0.5])
    features = rng.normal(0, 1, (4000, 5))
    chance = 0.25 + (1 - SLIP - 0.25) / (1 + np.exp(-features @ true))
    found = adapted(features, np.full(4000, 0.25), (rng.random(4000) < chance).astype(float))
    assert [found.ability, found.practised, found.recall, found.missed, found.seen] == pytest.approx(true.tolist(), abs=0.15)


def test_readiness_has_intervals_and_says_when_there_is_too_little():
    state = fold(NOTHING_YET, [answered(True, minutes=n) for n in range(ENOUGH)])
    a, b = readiness(CATALOGUE, state, WEIGHTS, NOON + DAY, NOON + 10 * DAY)
    assert (a.answers, a.enough, b.answers, b.enough) == (ENOUGH, True, 0, False)
    assert a.on_the_day is not None
    assert a.today.low < a.today.chance < a.today.high
    assert a.on_the_day.chance < a.today.chance
    assert readiness(CATALOGUE, state, WEIGHTS, NOON, None)[0].on_the_day is None


# --- calibration ---


def test_every_answer_has_the_forecast_made_just_before_it():
    facts = [answered(True), answered(False, "two", minutes=1), answered(True, minutes=2000)]
    track = followed(CATALOGUE, Track(), facts)
    expected = [float(snapshot(*facts[:n]).right(day_number(one.answered_at))[CATALOGUE.place[one.item_id]]) for n, one in enumerate(facts)]
    assert [one.chance for one in track.made] == expected
    assert [one.average for one in track.made] == [1 / 2, 2 / 3, 2 / 4]
    assert track.state == fold(NOTHING_YET, facts)


def test_following_in_pieces_is_following_at_once_exactly():
    facts = [answered(n % 3 > 0, ("one", "two", "three")[n % 3], minutes=400 * n) for n in range(25)]
    at_once = followed(CATALOGUE, Track(), facts)
    in_pieces = followed(CATALOGUE, followed(CATALOGUE, Track(), facts[:13]), facts[13:])
    assert in_pieces == at_once
    assert at_once.weights != WEIGHTS


def test_losses_are_those_of_the_textbook():
    assert losses([(0.8, True), (0.6, False)]) == Losses((0.04 + 0.36) / 2, pytest.approx(-(math.log(0.8) + math.log(0.4)) / 2))


def test_the_reliability_bins_hold_what_was_said_and_what_came():
    made = [Forecast(0.85, 0.5, n < 8, NOON) for n in range(10)] + [Forecast(1.0, 0.5, True, NOON)]
    found = calibration(made)
    (first, last) = found.bins
    assert (first.low, first.high, first.count, first.observed) == (0.8, 0.9, 10, 0.8)
    assert (first.observed_low, first.observed_high) == wilson(8, 10)
    assert (last.low, last.count, last.observed) == ((BINS - 1) / BINS, 1, 1.0)
    assert (found.count, found.enough, calibration([]).ours) == (11, False, None)


def test_wilsons_interval_of_eight_in_ten():
    assert wilson(8, 10) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
