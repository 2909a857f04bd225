"""Memory: exact dates out of FSRS with its default parameters, and the same-day steps of our own."""

from datetime import timedelta

import pytest
from fsrs import Card, Rating, Scheduler, State
from hypothesis import given
from hypothesis import strategies as st

from quiz.engine.memory import AGAIN_AFTER, EARLY, Memory, after_answer, rating, recall
from tests.engine.builders import NOON

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FIRST_STABILITY = {Rating.Again: 0.212, Rating.Hard: 1.2931, Rating.Good: 2.3065, Rating.Easy: 8.2956}  # fsrs 6 defaults


def first(correct: bool, confidence=None) -> Memory:
    return after_answer(None, correct, confidence, NOON)


@pytest.mark.parametrize(
    ("correct", "confidence", "expected"),
    [
        (False, None, Rating.Again),
        (False, "sure", Rating.Again),
        (True, "guess", Rating.Hard),
        (True, "unsure", Rating.Good),
        (True, None, Rating.Good),
        (True, "sure", Rating.Easy),
    ],
)
def test_the_rating_comes_from_the_outcome_and_the_confidence(correct, confidence, expected):
    assert rating(correct, confidence) is expected
    assert first(correct, confidence).stability == FIRST_STABILITY[expected]


@pytest.mark.parametrize(("confidence", "days"), [("guess", 1), (None, 2), ("sure", 8)])
def test_a_right_first_answer_is_due_after_whole_days_and_a_little_early(confidence, days):
    assert first(True, confidence).due_at == NOON + days * DAY - EARLY


def test_a_miss_is_due_again_within_minutes_and_mending_it_waits_for_fsrs():
    missed = first(False)
    assert (missed.due_at, missed.relearning) == (NOON + AGAIN_AFTER, True)
    mended = after_answer(missed, True, None, NOON + 12 * timedelta(minutes=1))
    assert (mended.relearning, mended.due_at) == (False, NOON + timedelta(minutes=12) + DAY - EARLY)
    assert (mended.stability, mended.difficulty) == (missed.stability, missed.difficulty)


def test_right_answers_on_the_same_day_do_not_strengthen_the_memory():
    once = first(True)
    assert after_answer(once, True, "sure", NOON + HOUR) == once


def test_the_first_miss_of_a_day_counts_and_further_ones_only_wait():
    once = first(True)
    missed = after_answer(once, False, None, NOON + HOUR)
    assert missed.stability < once.stability
    assert missed.due_at == NOON + HOUR + AGAIN_AFTER
    twice = after_answer(missed, False, None, NOON + 2 * HOUR)
    assert (twice.stability, twice.due_at) == (missed.stability, NOON + 2 * HOUR + AGAIN_AFTER)


def test_a_review_a_little_before_the_same_hour_of_the_next_day_counts_as_a_day():
    at = NOON + DAY - HOUR
    reviewed = after_answer(first(True), True, None, at)
    card = Card(card_id=0, state=State.Review, stability=2.3065, difficulty=first(True).difficulty, due=at, last_review=at - DAY)
    expected, _ = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False).review_card(card, Rating.Good, at)
    assert reviewed.stability == expected.stability > 2.3065
    assert reviewed.due_at == expected.due - EARLY


def test_recall_is_one_at_the_answer_nine_tenths_after_the_stability_and_agrees_with_fsrs_on_whole_days():
    memory = first(True)
    assert recall(memory, NOON) == 1
    assert recall(memory, NOON + memory.stability * DAY) == pytest.approx(0.9)
    card = Card(card_id=0, state=State.Review, stability=memory.stability, difficulty=memory.difficulty, due=NOON, last_review=NOON)
    for days in (1, 3, 40):
        assert recall(memory, NOON + days * DAY) == pytest.approx(Scheduler().get_card_retrievability(card, NOON + days * DAY))


def test_a_clock_that_goes_back_counts_as_the_same_day():
    once = first(True)
    assert after_answer(once, True, None, NOON - 3 * DAY) == once
    assert recall(once, NOON - DAY) == 1


histories = st.lists(st.tuples(st.booleans(), st.sampled_from([None, "guess", "unsure", "sure"]), st.floats(0, 60 * 24 * 30)), min_size=1, max_size=30)


@given(histories)
def test_any_history_keeps_fsrs_in_range_and_the_due_date_ahead(history):
    memory, at = None, NOON
    for correct, confidence, minutes in history:
        at += timedelta(minutes=minutes)
        memory = after_answer(memory, correct, confidence, at)
        assert memory.stability >= 0.001
        assert 1 <= memory.difficulty <= 10
        assert correct or memory.due_at == at + AGAIN_AFTER
        assert memory.relearning is not correct
        assert 0 < recall(memory, at) <= 1


@given(histories)
def test_the_same_answers_give_the_same_memory(history):
    def play() -> Memory | None:
        memory, at = None, NOON
        for correct, confidence, minutes in history:
            at += timedelta(minutes=minutes)
            memory = after_answer(memory, correct, confidence, at)
        return memory

    assert play() == play()
