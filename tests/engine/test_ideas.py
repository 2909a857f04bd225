"""The memory of ideas: held to the library whose formulas it repeats, alone and on arrays."""

from datetime import timedelta

import numpy as np
import pytest
from fsrs import Card, Rating, Scheduler, State
from hypothesis import given
from hypothesis import strategies as st

from quiz.engine.ideas import IdeaState, after_answer, recall, recalls, what_if
from tests.engine.builders import NOON

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SCHEDULER = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


def by_the_library(answers: list[tuple[bool, int]]) -> Card:
    card, at = Card(card_id=0, due=NOON), NOON
    for correct, days in answers:
        at += days * DAY
        card, _ = SCHEDULER.review_card(card, Rating.Good if correct else Rating.Again, at)
    return card


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60)), min_size=1, max_size=15))
def test_answers_on_different_days_give_the_librarys_stability_and_difficulty(answers):
    idea, at = None, NOON
    for correct, days in answers:
        at += days * DAY
        idea = after_answer(idea, correct, at)
    expected = by_the_library(answers)
    assert isinstance(idea, IdeaState)
    assert (idea.stability, idea.difficulty) == (pytest.approx(expected.stability), pytest.approx(expected.difficulty))
    card = Card(card_id=0, state=State.Review, stability=idea.stability, difficulty=idea.difficulty, due=at, last_review=at)
    assert recall(idea.stability, 5) == pytest.approx(SCHEDULER.get_card_retrievability(card, at + 5 * DAY))


def test_right_again_on_the_same_day_changes_nothing_but_the_count():
    once = after_answer(None, True, NOON)
    assert after_answer(once, True, NOON + HOUR) == IdeaState(once.stability, once.difficulty, NOON, 2, missed=False)


def test_the_first_miss_of_a_day_weakens_and_a_second_one_does_not():
    known = after_answer(None, True, NOON)
    missed = after_answer(known, False, NOON + HOUR)
    assert missed.stability < known.stability
    assert missed.missed
    assert after_answer(missed, False, NOON + 2 * HOUR).stability == missed.stability


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), min_size=1, max_size=8), st.integers(1, 40))
def test_what_if_is_what_happens(answers, days):
    idea, at = None, NOON
    for correct, gap in answers:
        at += gap * DAY
        idea = after_answer(idea, correct, at)
    assert idea is not None
    right, wrong = what_if(np.array([True, False]), np.array([idea.stability, 1.0]), np.array([idea.difficulty, 5.0]), np.array([float(days), 0.0]))
    later = at + days * DAY
    assert right.tolist() == pytest.approx([after_answer(idea, True, later).stability, after_answer(None, True, later).stability])
    assert wrong.tolist() == pytest.approx([after_answer(idea, False, later).stability, after_answer(None, False, later).stability])
    assert recalls(right, np.array([3.0, 3.0])).tolist() == pytest.approx([recall(x, 3) for x in right])
