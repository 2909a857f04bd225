"""The service: what a page relies on, on a real database file."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from threading import Barrier

import pytest

from quiz.engine.grading import InvalidResponse, Response
from quiz.service import (
    MAX_LENGTH,
    NotAnswered,
    PresentationClosed,
    UnknownLearner,
    UnknownPresentation,
    UnknownQuestion,
    UnknownSession,
)
from quiz.storage.database import Database
from quiz.storage.models import Learner
from tests.engine.builders import NOON
from tests.storage.builders import BANK, attempts, practise, right, turn_of, wrong

# --- the path of a session ---


def test_a_new_installation_has_one_learner_and_no_session(service, learner):
    assert learner == 1
    assert service.open_session(learner) is None
    assert service.last_summary(learner) is None


def test_a_session_asks_grades_moves_on_and_sums_up(service, learner):
    session = service.start_session(learner, 3, NOON)
    assert (session.length, session.answered, session.started_at, session.ended_at) == (3, 0, NOON, None)
    turns = practise(service, session.id, [True, False, True])
    assert [turn.position for turn in turns] == [1, 2, 3]
    assert [turn.session.answered for turn in turns] == [1, 2, 3]
    assert [turn.question_id for turn in turns] == ["forget-gate", "clipping", "overfitting"]
    assert service.current(session.id, NOON, random.Random(0)) is None
    assert service.open_session(learner) is None
    summary = service.summary(session.id)
    assert (summary.correct, [line.correct for line in summary.lines]) == (2, [True, False, True])
    assert summary.session.ended_at == NOON + timedelta(minutes=2, seconds=30)
    assert service.last_summary(learner) == summary
    assert service.end_session(session.id, NOON + timedelta(days=1)) == summary


def test_a_turn_carries_all_a_page_shows(service, learner):
    session = service.start_session(learner, 5, NOON)
    turn = turn_of(service, session.id)
    question_, item = BANK.items[turn.item_id]
    assert turn.item == item
    assert (turn.question_id, turn.question_number, turn.question_title) == (question_.id, question_.number, question_.title)
    assert (turn.reason, turn.link, turn.model_answer, turn.feedback) == ("new", question_.link_for(item), question_.card.model_answer, None)


def test_feedback_says_what_was_recorded_and_when_it_comes_again(service, learner):
    session = service.start_session(learner, 5, NOON)
    turn = turn_of(service, session.id)
    at = NOON + timedelta(seconds=42)
    answered = service.submit(turn.presentation_id, right(turn.item), "sure", at)
    assert answered.feedback is not None
    assert answered.feedback.response == right(turn.item)
    assert (answered.feedback.confidence, answered.feedback.answered_at, answered.feedback.repeated) == ("sure", at, False)
    assert (answered.feedback.grade.correct, answered.feedback.grade.score) == (True, 1.0)
    assert service.next_due(learner, turn.question_id) == at + timedelta(days=8) - timedelta(hours=6)
    assert (answered.position, answered.session.answered) == (1, 1)


def test_a_miss_comes_again_in_the_session_in_another_form(service, learner):
    session = service.start_session(learner, 4, NOON)
    turns = practise(service, session.id, [False, True, True, True])
    assert [(turn.question_id, turn.reason) for turn in turns][-1] == ("forget-gate", "again")
    assert turns[0].item_id != turns[3].item_id


def test_a_session_can_be_limited_to_questions(service, learner):
    session = service.start_session(learner, 3, NOON, only=("overfitting", "overfitting"))
    assert session.only == ("overfitting",)
    turns = practise(service, session.id, [True, True, True])
    assert {turn.question_id for turn in turns} == {"overfitting"}
    assert len({turn.item_id for turn in turns}) == 3


def test_a_skipped_item_is_no_attempt_and_the_next_one_has_the_same_number(service, database, learner):
    session = service.start_session(learner, 2, NOON)
    first = turn_of(service, session.id)
    service.skip(first.presentation_id, NOON)
    service.skip(first.presentation_id, NOON)
    second_ = turn_of(service, session.id)
    assert second_.presentation_id != first.presentation_id
    assert second_.question_id != first.question_id
    assert (first.position, second_.position, attempts(database)) == (1, 1, 0)
    with pytest.raises(PresentationClosed, match=first.presentation_id):
        service.submit(first.presentation_id, right(first.item), None, NOON)
    assert attempts(database) == 0


def test_skipping_everything_goes_on_forever_and_never_repeats_an_item_at_once(service, learner):
    session = service.start_session(learner, 1, NOON)
    items = []
    for seed in range(20):
        turn = turn_of(service, session.id, seed=seed)
        items.append(turn.item_id)
        service.skip(turn.presentation_id, NOON)
    assert all(a != b for a, b in pairwise(items))
    assert len(set(items)) == 12


def test_skip_leaves_an_answered_item_alone_and_advance_wants_an_answer(service, learner):
    session = service.start_session(learner, 2, NOON)
    turn = turn_of(service, session.id)
    with pytest.raises(NotAnswered, match=turn.presentation_id):
        service.advance(turn.presentation_id, NOON)
    answered = service.submit(turn.presentation_id, right(turn.item), None, NOON)
    service.skip(turn.presentation_id, NOON)
    assert turn_of(service, session.id) == answered


def test_ending_early_closes_the_open_item_and_keeps_what_was_answered(service, database, learner):
    session = service.start_session(learner, 5, NOON)
    practise(service, session.id, [True])
    left = turn_of(service, session.id)
    summary = service.end_session(session.id, NOON + timedelta(hours=1))
    assert (summary.session.answered, summary.session.ended_at) == (1, NOON + timedelta(hours=1))
    with pytest.raises(PresentationClosed):
        service.submit(left.presentation_id, right(left.item), None, NOON)
    assert service.current(session.id, NOON, random.Random(0)) is None
    assert service.start_session(learner, 5, NOON).id != session.id
    assert attempts(database) == 1


# --- once and only once ---


def test_starting_twice_gives_one_session(service, learner):
    assert service.start_session(learner, 5, NOON) == service.start_session(learner, 20, NOON + timedelta(hours=1), only=("clipping",))


def test_a_refresh_shows_the_same_item_in_the_same_order_whatever_the_chance(service, learner):
    session = service.start_session(learner, 5, NOON)
    first = turn_of(service, session.id, seed=1)
    assert all(turn_of(service, session.id, NOON + timedelta(days=seed), seed=seed) == first for seed in range(5))


def test_a_refresh_after_answering_shows_the_same_feedback(service, learner):
    session = service.start_session(learner, 5, NOON)
    turn = turn_of(service, session.id)
    answered = service.submit(turn.presentation_id, wrong(turn.item), "guess", NOON)
    assert turn_of(service, session.id, NOON + timedelta(hours=3)) == answered


def test_a_double_click_records_one_attempt_and_the_first_answer_wins(service, database, learner):
    session = service.start_session(learner, 5, NOON)
    turn = turn_of(service, session.id)
    first = service.submit(turn.presentation_id, wrong(turn.item), "guess", NOON)
    again = service.submit(turn.presentation_id, right(turn.item), "sure", NOON + timedelta(seconds=1))
    assert first.feedback is not None
    assert again.feedback is not None
    assert (first.feedback.repeated, again.feedback.repeated) == (False, True)
    assert (again.feedback.response, again.feedback.confidence, again.feedback.grade.correct) == (wrong(turn.item), "guess", False)
    assert attempts(database) == 1
    service.advance(turn.presentation_id, NOON)
    late = service.submit(turn.presentation_id, right(turn.item), None, NOON)
    assert late.feedback is not None
    assert late.feedback.repeated
    assert attempts(database) == 1


def test_two_threads_that_submit_at_once_record_one_attempt(service, database, learner):
    session = service.start_session(learner, 10, NOON)
    for _ in range(10):
        turn = turn_of(service, session.id)
        barrier = Barrier(4)

        def click(response, turn=turn, barrier=barrier):
            barrier.wait()
            return service.submit(turn.presentation_id, response, None, NOON)

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(click, [right(turn.item), wrong(turn.item)] * 2))
        assert sorted(result.feedback.repeated for result in results) == [False, True, True, True]
        assert len({result.feedback.grade.correct for result in results}) == 1
        service.advance(turn.presentation_id, NOON)
    assert attempts(database) == 10


def test_tabs_that_ask_at_once_get_the_same_item_and_starts_at_once_one_session(service, learner):
    barrier = Barrier(6)

    def open_tab(seed):
        barrier.wait()
        session = service.start_session(learner, 5, NOON)
        return service.current(session.id, NOON, random.Random(seed))

    with ThreadPoolExecutor(6) as pool:
        turns = list(pool.map(open_tab, range(6)))
    assert all(turn == turns[0] for turn in turns)


def test_advancing_twice_moves_on_once(service, learner):
    session = service.start_session(learner, 3, NOON)
    turn = turn_of(service, session.id)
    service.submit(turn.presentation_id, right(turn.item), None, NOON)
    service.advance(turn.presentation_id, NOON)
    following = turn_of(service, session.id)
    service.advance(turn.presentation_id, NOON)
    assert turn_of(service, session.id) == following


@pytest.mark.parametrize("response", [Response(), Response(keys=("z",)), Response(text="no number")])
def test_an_invalid_response_leaves_nothing_recorded(service, database, learner, response):
    session = service.start_session(learner, 3, NOON)
    turn = turn_of(service, session.id)
    with pytest.raises(InvalidResponse):
        service.submit(turn.presentation_id, response, None, NOON)
    assert attempts(database) == 0
    assert turn_of(service, session.id) == turn
    assert service.submit(turn.presentation_id, right(turn.item), None, NOON).feedback is not None


def test_only_what_the_format_uses_is_kept_of_a_response(service, learner):
    session = service.start_session(learner, 3, NOON)
    turn = turn_of(service, session.id)
    noise = Response(keys=right(turn.item).keys or ("a",), text=right(turn.item).text or "x" * 10_000)
    answered = service.submit(turn.presentation_id, noise, None, NOON)
    assert answered.feedback is not None
    assert answered.feedback.response == right(turn.item)


def test_an_unknown_confidence_is_refused(service, database, learner):
    session = service.start_session(learner, 3, NOON)
    turn = turn_of(service, session.id)
    with pytest.raises(InvalidResponse, match="guess, unsure, sure"):
        service.submit(turn.presentation_id, right(turn.item), "certain", NOON)
    assert attempts(database) == 0


# --- who may do what ---


def second(database: Database) -> int:
    with database.write() as repository:
        row = Learner(name="second")
        repository.add(row)
        return row.id


def test_unknown_ids_are_named(service, learner):
    for call in (
        lambda: service.current("nope", NOON, random.Random(0)),
        lambda: service.summary("nope"),
        lambda: service.end_session("nope", NOON),
    ):
        with pytest.raises(UnknownSession, match="nope"):
            call()
    for call in (
        lambda: service.submit("nope", Response(), None, NOON),
        lambda: service.advance("nope", NOON),
        lambda: service.skip("nope", NOON),
    ):
        with pytest.raises(UnknownPresentation, match="nope"):
            call()
    with pytest.raises(UnknownLearner, match="99"):
        service.start_session(99, 5, NOON)
    with pytest.raises(UnknownQuestion, match="'transformer'"):
        service.start_session(learner, 5, NOON, only=("transformer",))


@pytest.mark.parametrize("length", [0, -1, MAX_LENGTH + 1])
def test_a_length_out_of_bounds_is_refused(service, learner, length):
    with pytest.raises(ValueError, match=f"1 to {MAX_LENGTH} items, got {length}"):
        service.start_session(learner, length, NOON)


def test_another_learners_session_and_items_are_refused_as_unknown(service, database, learner):
    other = second(database)
    session = service.start_session(learner, 5, NOON)
    turn = turn_of(service, session.id)
    with pytest.raises(UnknownPresentation):
        service.submit(turn.presentation_id, right(turn.item), None, NOON, learner=other)
    with pytest.raises(UnknownPresentation):
        service.skip(turn.presentation_id, NOON, learner=other)
    with pytest.raises(UnknownSession):
        service.current(session.id, NOON, random.Random(0), learner=other)
    with pytest.raises(UnknownSession):
        service.end_session(session.id, NOON, learner=other)
    assert attempts(database) == 0
    assert service.submit(turn.presentation_id, right(turn.item), None, NOON, learner=learner).feedback is not None


def test_learners_do_not_see_each_others_progress(service, database, learner):
    other = second(database)
    practise(service, service.start_session(learner, 2, NOON).id, [True, True])
    practise(service, service.start_session(other, 1, NOON).id, [False])
    assert (service.progress(learner, NOON, UTC).attempts, service.progress(other, NOON, UTC).attempts) == (2, 1)
    assert service.progress(other, NOON, UTC).correct == 0


def test_a_time_without_a_zone_is_refused(service, database, learner):
    session = service.start_session(learner, 5, NOON)
    turn = turn_of(service, session.id)
    with pytest.raises(ValueError, match="time zone"):
        service.submit(turn.presentation_id, right(turn.item), None, datetime(2026, 3, 2, 12))  # noqa: DTZ001
    assert attempts(database) == 0


def test_times_of_other_zones_are_kept_as_utc(service, learner):
    tokyo = timezone(timedelta(hours=9))
    session = service.start_session(learner, 5, NOON.astimezone(tokyo))
    assert (session.started_at, session.started_at.tzinfo) == (NOON, UTC)
