"""The state is a fold: all at once, step by step and from scratch are one and the same."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from quiz.engine.ability import DISCOUNT, REPEAT_WEIGHT
from quiz.engine.facts import AttemptFact
from quiz.engine.state import NOTHING_YET, ItemState, fold
from tests.engine.builders import NOON, fact


def test_counts_are_kept_for_the_learner_the_question_and_the_item():
    state = fold(NOTHING_YET, [fact("a", True), fact("a", False, item="two", minutes=1), fact("b", True, minutes=2), fact("a", True, minutes=3)])
    assert (state.attempts, state.correct) == (4, 3)
    assert (state.questions["a"].attempts, state.questions["a"].correct) == (3, 2)
    assert state.questions["a"].items["a/one"] == ItemState(2, 2, NOON + timedelta(minutes=3))
    assert state.questions["a"].items["a/two"] == ItemState(1, 0, NOON + timedelta(minutes=1))


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


facts = st.lists(
    st.builds(
        AttemptFact,
        question_id=st.sampled_from("abc"),
        item_id=st.sampled_from(["x/one", "x/two", "x/three"]),
        difficulty=st.floats(-3, 3),
        guessing=st.sampled_from([0.0, 0.25, 1 / 6]),
        correct=st.booleans(),
        confidence=st.sampled_from([None, "guess", "unsure", "sure"]),
        answered_at=st.integers(0, 10**7).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    ),
    max_size=40,
)


@given(facts, st.data())
def test_folding_in_pieces_is_folding_at_once_exactly(history, data):
    cut = data.draw(st.integers(0, len(history)))
    at_once = fold(NOTHING_YET, history)
    assert fold(fold(NOTHING_YET, history[:cut]), history[cut:]) == at_once
    step_by_step = NOTHING_YET
    for one in history:
        step_by_step = fold(step_by_step, [one])
    assert step_by_step == at_once
    assert fold(NOTHING_YET, list(history)) == at_once
