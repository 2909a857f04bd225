"""The service over time: restarts, rebuilds, refusals of the database, edited banks, and progress."""

import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from questions.loader import QuestionBank
from questions.schema import Group
from quiz.engine.state import NOTHING_YET, fold
from quiz.service import (
    DatabaseUnusable,
    QuizService,
)
from quiz.storage.database import open_database
from quiz.views import DayStat
from tests.engine.builders import NOON, bank, number, question, single
from tests.storage.builders import BANK, attempts, opened, practise, right, turn_of, url

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


def test_answers_given_after_the_clock_was_set_back_are_folded_in_their_place(service, database, learner):
    session = service.start_session(learner, 20, NOON)
    practise(service, session.id, [True, False], at=NOON + timedelta(hours=1))
    assert service.state(learner).attempts == 2
    practise(service, session.id, [False, True])
    assert service.state(learner) == QuizService(database, BANK).state(learner)
    assert service.state(learner).last[0] == NOON + timedelta(hours=1, minutes=1, seconds=20)


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
    practise(service, service.start_session(learner, 2, NOON).id, [True, False])
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
