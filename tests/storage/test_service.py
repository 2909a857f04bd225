"""The service: what a page relies on, on a real database file."""

import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest

from questions.loader import QuestionBank
from questions.schema import Group
from quiz.engine.grading import InvalidResponse, Response
from quiz.engine.state import NOTHING_YET, fold
from quiz.service import (
    MAX_LENGTH,
    DatabaseUnusable,
    NotAnswered,
    PresentationClosed,
    QuizService,
    UnknownLearner,
    UnknownPresentation,
    UnknownQuestion,
    UnknownSession,
)
from quiz.storage.database import Database, open_database
from quiz.storage.models import Learner
from quiz.views import DayStat
from tests.engine.builders import NOON, bank, number, question, single
from tests.storage.builders import BANK, opened, practise, right, turn_of, url, wrong


@pytest.fixture
def database(tmp_path):
    database = opened(tmp_path)
    yield database
    database.close()


@pytest.fixture
def service(database) -> QuizService:
    return QuizService(database, BANK)


@pytest.fixture
def learner(service) -> int:
    return service.default_learner()


def second(database: Database) -> int:
    with database.write() as repository:
        row = Learner(name="second")
        repository.add(row)
        return row.id


def attempts(database: Database) -> int:
    with database.read() as repository:
        return sum(1 for _ in repository.outcomes(1))


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
    assert [turn.question_id for turn in turns] == ["forget-gate", "clipping", "input-gate"]
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
    assert answered.feedback.next_due == at + timedelta(days=8) - timedelta(hours=6)
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


# --- restart, rebuild, edited banks ---


def test_everything_is_there_after_a_restart(tmp_path):
    before = opened(tmp_path)
    service = QuizService(before, BANK)
    session = service.start_session(1, 5, NOON)
    practise(service, session.id, [True, False])
    turn = turn_of(service, session.id)
    answered = service.submit(turn.presentation_id, right(turn.item), "unsure", NOON)
    progress = service.progress(1, NOON, UTC)
    before.close()
    after = opened(tmp_path)
    service = QuizService(after, BANK)
    assert service.open_session(1) == answered.session
    assert turn_of(service, session.id, seed=9) == answered
    assert service.progress(1, NOON, UTC) == progress
    after.close()


def test_the_state_kept_in_memory_is_the_one_folded_anew(service, database, learner):
    session = service.start_session(learner, 20, NOON)
    for outcome in [True, False, True, True, False, False, True]:
        practise(service, session.id, [outcome])
        with database.read() as repository:
            facts, _ = repository.facts_after(learner, 0)
        assert service.state(learner) == fold(NOTHING_YET, facts)
    assert QuizService(database, BANK).state(learner) == service.state(learner)


def test_an_attempt_that_the_database_refuses_leaves_no_trace(service, database, learner):
    session = service.start_session(learner, 5, NOON)
    turn = turn_of(service, session.id)
    with closing(sqlite3.connect(database.place)) as raw:
        raw.execute("CREATE TRIGGER full AFTER INSERT ON attempt BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        with pytest.raises(Exception, match="disk full"):
            service.submit(turn.presentation_id, right(turn.item), None, NOON)
        assert (attempts(database), service.state(learner)) == (0, NOTHING_YET)
        raw.execute("DROP TRIGGER full")
    assert turn_of(service, session.id) == turn
    assert service.submit(turn.presentation_id, right(turn.item), None, NOON).session.answered == 1


def test_an_answer_while_another_program_holds_the_database_is_refused_and_can_be_given_again(tmp_path):
    database = open_database(url(tmp_path), busy_timeout_s=0.05)
    service = QuizService(database, BANK)
    session = service.start_session(1, 5, NOON)
    turn = turn_of(service, session.id)
    with closing(sqlite3.connect(database.place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnusable, match="another program keeps it locked"):
            service.submit(turn.presentation_id, right(turn.item), None, NOON)
        assert turn_of(service, session.id) == turn
        other.execute("ROLLBACK")
    answered = service.submit(turn.presentation_id, right(turn.item), None, NOON)
    assert (answered.session.answered, answered.feedback.repeated) == (1, False)
    database.close()


def test_a_full_disk_is_named_and_leaves_nothing_half_written(tmp_path):
    """A real SQLITE_FULL: the file may not grow any more."""
    database = opened(tmp_path)
    service = QuizService(database, BANK)
    session = service.start_session(1, 100, NOON)
    practise(service, session.id, [True])
    with database.read() as repository:
        connection = repository._session.connection().connection.dbapi_connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DatabaseUnusable, match="the disk is full"):
        practise(service, session.id, [True] * 99)
    recorded = attempts(database)
    database.close()
    again = opened(tmp_path)
    service = QuizService(again, BANK)
    assert service.summary(session.id).session.answered == recorded > 1
    practise(service, session.id, [True])
    assert attempts(again) in {recorded, recorded + 1}
    again.close()


def edited(*, drop: str = "", item: str = "") -> QuestionBank:
    """BANK without one question, or with the forget gate's first item reworded."""
    questions = [one for one in BANK.questions if one.id != drop]
    if item:
        gate = questions[0]
        reworded = gate.items[0].model_copy(update={"prompt": item})
        questions[0] = gate.model_copy(update={"items": (reworded, *gate.items[1:]), "title": "New title"})
    return bank(*questions)


def test_an_open_item_keeps_the_wording_it_was_shown_with(database, learner):
    old = QuizService(database, BANK)
    session = old.start_session(learner, 5, NOON, only=("forget-gate",))
    shown = turn_of(old, session.id)
    new = QuizService(database, bank(question("forget-gate", 7, Group.GATES, (number("two", answer=1.0), single("x"), single("y")))))
    assert turn_of(new, session.id) == shown
    answered = new.submit(shown.presentation_id, right(shown.item), None, NOON)
    assert answered.feedback is not None
    assert answered.feedback.grade.correct
    new.advance(shown.presentation_id, NOON)
    assert turn_of(new, session.id).item in new.bank.by_id["forget-gate"].items


def test_old_answers_are_summed_up_in_their_old_wording(database, learner):
    service = QuizService(database, BANK)
    session = service.start_session(learner, 2, NOON, only=("forget-gate",))
    practise(service, session.id, [True, True])
    old = service.summary(session.id)
    assert QuizService(database, edited(item="A new prompt")).summary(session.id) == old


def test_a_question_that_left_the_bank_is_not_asked_nor_shown_but_counted(database, learner):
    service = QuizService(database, BANK)
    practise(service, service.start_session(learner, 1, NOON, only=("clipping",)).id, [True])
    session = service.start_session(learner, 3, NOON, only=("clipping", "overfitting"))
    smaller = QuizService(database, edited(drop="clipping"))
    assert {turn.question_id for turn in practise(smaller, session.id, [True, True, True])} == {"overfitting"}
    progress = smaller.progress(learner, NOON, UTC)
    assert [cell.question_id for cell in progress.cells] == ["forget-gate", "input-gate", "overfitting"]
    assert progress.attempts == 4


def test_a_session_whose_questions_all_left_the_bank_is_over(database, learner):
    session = QuizService(database, BANK).start_session(learner, 3, NOON, only=("clipping",))
    smaller = QuizService(database, edited(drop="clipping"))
    assert smaller.current(session.id, NOON, random.Random(0)) is None
    assert smaller.end_session(session.id, NOON).lines == ()


def test_wordings_are_stored_once_however_often_the_app_starts(database):
    def counted() -> tuple[int, int]:
        with database.read() as repository:
            return len(repository.question_versions()), len(repository.item_versions())

    QuizService(database, BANK)
    assert counted() == (4, 12)
    QuizService(database, BANK)
    assert counted() == (4, 12)
    QuizService(database, edited(item="A new prompt"))
    assert counted() == (5, 13)


# --- progress ---


def test_progress_before_the_first_answer_has_empty_cells(service, learner):
    progress = service.progress(learner, NOON, UTC)
    assert (progress.attempts, progress.correct, progress.days, progress.runs) == (0, 0, (), ())
    assert [cell.number for cell in progress.cells] == [7, 8, 9, 10]
    assert all((cell.mastery, cell.low, cell.high, cell.recall, cell.due_at, cell.due) == (None, None, None, None, None, False) for cell in progress.cells)


def test_progress_shows_mastery_with_its_interval_recall_and_what_is_due(service, learner):
    practise(service, service.start_session(learner, 3, NOON).id, [True, False, True])
    by_id = {cell.question_id: cell for cell in service.progress(learner, NOON + timedelta(days=3), UTC).cells}
    good, poor, fresh = by_id["forget-gate"], by_id["clipping"], by_id["overfitting"]
    assert (good.attempts, good.correct, poor.attempts, poor.correct, fresh.attempts) == (1, 1, 1, 0, 0)
    assert good.mastery is not None
    assert poor.mastery is not None
    assert poor.mastery < good.mastery
    for cell in (good, poor):
        assert 0 < cell.low < cell.mastery < cell.high < 1
        assert 0 < cell.recall < 1
        assert cell.due
    assert fresh.mastery is None
    assert not service.progress(learner, NOON + timedelta(hours=1), UTC).cells[0].due


def test_days_are_those_of_the_learners_zone(service, learner):
    late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    practise(service, service.start_session(learner, 2, late).id, [True, False], at=late)
    assert service.progress(learner, late, UTC).days == (DayStat(late.date(), 2, 1),)
    assert service.progress(learner, late, ZoneInfo("Asia/Tokyo")).days == (DayStat(late.date() + timedelta(days=1), 2, 1),)
    split = service.progress(learner, late, timezone(timedelta(minutes=29, seconds=10))).days
    assert split == (DayStat(late.date(), 1, 1), DayStat(late.date() + timedelta(days=1), 1, 0))
