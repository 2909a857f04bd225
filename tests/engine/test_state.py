"""The state is a fold: all at once, step by step and from scratch are one and the same."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.engine.ability import DISCOUNT, REPEAT_WEIGHT
from quiz.engine.difficulty import AUTHORED_SD, LEVEL_PRIOR, Belief
from quiz.engine.facts import AttemptFact, merged
from quiz.engine.state import NOTHING_YET, ItemState, OutOfOrder, Pace, fold
from tests.engine.builders import NOON, fact


def counts(item: ItemState) -> tuple[int, int, datetime, bool]:
    return item.attempts, item.correct, item.answered_at, item.missed


def test_counts_are_kept_for_the_learner_the_question_and_the_item():
    state = fold(NOTHING_YET, [fact("a", True), fact("a", False, item="two", minutes=1), fact("b", True, minutes=2), fact("a", True, minutes=3)])
    assert (state.attempts, state.correct) == (4, 3)
    assert (state.questions["a"].attempts, state.questions["a"].correct) == (3, 2)
    assert counts(state.questions["a"].items["a/one"]) == (2, 2, NOON + timedelta(minutes=3), False)
    assert counts(state.questions["a"].items["a/two"]) == (1, 0, NOON + timedelta(minutes=1), True)


def test_an_item_answered_before_says_half_as_much():
    fresh = fold(NOTHING_YET, [fact("a", True), fact("a", True, item="two", minutes=1)]).questions["a"].evidence
    repeated = fold(NOTHING_YET, [fact("a", True), fact("a", True, minutes=1)]).questions["a"].evidence
    once = fold(NOTHING_YET, [fact("a", True)]).questions["a"].evidence
    assert repeated == tuple(DISCOUNT * old + REPEAT_WEIGHT * old for old in once)
    assert fresh == tuple(DISCOUNT * old + old for old in once)


def test_folding_leaves_the_old_state_alone():
    before = fold(NOTHING_YET, [fact("a", True)])
    after = fold(before, [fact("a", False, minutes=1)])
    assert (before.attempts, after.attempts, NOTHING_YET.attempts) == (1, 2, 0)
    assert before.questions["a"].attempts == 1


def test_times_are_added_up_by_format_and_a_forgotten_tab_counts_as_ten_minutes():
    slow, away = (replace(fact("a", True, minutes=n), format="number", seconds=seconds) for n, seconds in ((0, 90.0), (1, 7200.0)))
    assert fold(NOTHING_YET, [slow, away]).pace == {"number": Pace(2, 690.0)}


def test_the_first_answer_to_an_item_sharpens_its_difficulty_and_later_ones_do_not():
    once = fold(NOTHING_YET, [fact("a", False)])
    assert once.questions["a"].items["a/one"].difficulty.mean > 0
    twice = fold(once, [fact("a", False, minutes=1)])
    assert twice.questions["a"].items["a/one"].difficulty == once.questions["a"].items["a/one"].difficulty


def test_frozen_items_keep_their_authored_difficulty():
    state = fold(replace(NOTHING_YET, frozen=True), [fact("a", False), fact("b", True, minutes=1)])
    assert state.questions["a"].items["a/one"].difficulty == Belief(0.0, AUTHORED_SD**2)
    assert state.level == LEVEL_PRIOR


def test_a_fact_from_before_what_was_folded_is_refused():
    state = fold(NOTHING_YET, [fact("a", True, minutes=5)])
    with pytest.raises(OutOfOrder, match="belongs before"):
        fold(state, [fact("a", True, minutes=4)])


histories = st.lists(
    st.builds(
        AttemptFact,
        question_id=st.sampled_from("abc"),
        item_id=st.sampled_from(["x/one", "x/two", "x/three"]),
        difficulty=st.floats(-3, 3),
        guessing=st.sampled_from([0.0, 0.25, 1 / 6]),
        correct=st.booleans(),
        confidence=st.sampled_from([None, "guess", "unsure", "sure"]),
        answered_at=st.integers(0, 10**6).map(lambda seconds: NOON + timedelta(seconds=seconds)),
        points=st.sets(st.sampled_from(["p", "q", "r"])).map(lambda keys: tuple(sorted(keys))),
        format=st.sampled_from(["single", "number"]),
        seconds=st.sampled_from([None, 5.0, 5000.0]),
        id=st.text("ab", max_size=2),
    ),
    max_size=40,
)


@given(histories, st.data())
def test_folding_in_pieces_is_folding_at_once_exactly(facts, data):
    history = merged(facts)
    cut = data.draw(st.integers(0, len(history)))
    at_once = fold(NOTHING_YET, history)
    assert fold(fold(NOTHING_YET, history[:cut]), history[cut:]) == at_once
    step_by_step = NOTHING_YET
    for one in history:
        step_by_step = fold(step_by_step, [one])
    assert step_by_step == at_once


@given(histories, histories, histories)
def test_devices_merged_in_any_order_give_one_state(phone, laptop, work):
    expected = merged(phone, laptop, work)
    for order in permutations((phone, laptop, work)):
        assert merged(merged(*order[:2]), order[2]) == merged(order[0], merged(*order[1:])) == expected
    assert fold(NOTHING_YET, expected) == fold(NOTHING_YET, merged(expected, laptop, laptop))
