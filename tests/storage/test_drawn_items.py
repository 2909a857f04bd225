"""Items with drawn numbers, from presentation to summary: the same numbers after a refresh, a restart, an edit of the bank."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from questions.templates import drawn
from quiz.engine.grading import Response
from quiz.service import QuizService
from quiz.storage import upgrade
from tests.engine.builders import NOON, bank, code, diagnose, number_template, question, single, trace, trace_template
from tests.storage.builders import BANK, opened, right, turn_of, wrong
from tests.storage.test_database import used

DRAWN = bank(question("drawn", 1, items=(number_template("one"), trace_template("two"), trace("three"))))
SHOWN = bank(question("shown", 1, items=(code("one"), diagnose("two"), single("three"))))


@pytest.fixture
def service(database):
    return QuizService(database, DRAWN)


def test_a_refresh_a_restart_and_a_second_tab_show_the_same_numbers(service, database, learner):
    session = service.start_session(learner, 3, NOON)
    turn = turn_of(service, session.id, seed=5)
    again = [turn_of(service, session.id, seed=6), turn_of(QuizService(database, DRAWN), session.id, seed=7)]
    assert again == [turn, turn]


def test_the_numbers_come_from_the_seed_that_rng_gives(service, database, learner):
    session = service.start_session(learner, 100, NOON)
    seen = set()
    for seed in range(60):
        turn = turn_of(service, session.id, seed=seed)
        seen.add(turn.item.prompt)
        with database.read() as repository:
            stored = repository.presentation(turn.presentation_id).seed
        _, template = DRAWN.items[turn.item_id]
        assert turn.item == drawn(template, stored)
        service.skip(turn.presentation_id, NOON)
    assert len(seen) > 10


@pytest.mark.parametrize("which", [DRAWN, SHOWN], ids=["drawn", "shown"])
@pytest.mark.parametrize("correct", [True, False])
def test_every_format_is_answered_recorded_and_summed_up_as_it_was_shown(database, which, correct):
    service = QuizService(database, which)
    session = service.start_session(service.default_learner(), 3, NOON)
    turns = []
    for minute in range(3):
        turn = turn_of(service, session.id, NOON + timedelta(minutes=minute), seed=minute)
        response = (right if correct else wrong)(turn.item)
        answered = service.submit(turn.presentation_id, response, "sure", NOON + timedelta(minutes=minute))
        assert answered.feedback.grade.correct is correct
        assert answered.feedback.response == response
        assert service.submit(turn.presentation_id, wrong(turn.item), None, NOON).feedback.repeated
        service.advance(turn.presentation_id, NOON + timedelta(minutes=minute))
        turns.append(turn)
    assert [line.prompt for line in service.summary(session.id).lines] == [turn.item.prompt for turn in turns]
    assert {turn.item.format for turn in turns} == {item.format for _, item in which.items.values()}


def test_a_trace_keeps_its_texts_by_key_and_nothing_else(service, database, learner):
    session = service.start_session(learner, 3, NOON)
    while (turn := turn_of(service, session.id)).item.format != "trace":
        service.skip(turn.presentation_id, NOON)
    response = Response(("a",), "1", {**right(turn.item).texts, "other": "1"})
    service.submit(turn.presentation_id, response, None, NOON)
    with database.read() as repository:
        stored = repository.presentation(turn.presentation_id).attempt.response
    assert stored == {"keys": [], "text": "", "texts": right(turn.item).texts}


def test_an_edited_template_leaves_an_old_answer_as_it_was_asked(service, database, learner):
    session = service.start_session(learner, 3, NOON)
    while (turn := turn_of(service, session.id)).item.format != "number":
        service.skip(turn.presentation_id, NOON)
    answered = service.submit(turn.presentation_id, wrong(turn.item), None, NOON)
    edited = bank(question("drawn", 1, items=(number_template("one", prompt="Now {{D}} by {{H}}?", answer="D*H + 1"), trace("two"), trace("three"))))
    assert turn_of(QuizService(database, edited), session.id) == answered


def test_curves_that_were_recorded_anew_leave_an_old_item_with_its_own(database):
    service = QuizService(database, SHOWN)
    session = service.start_session(1, 3, NOON)
    while (turn := turn_of(service, session.id)).item.format != "diagnose":
        service.skip(turn.presentation_id, NOON)
    changed = diagnose("two").model_copy(update={"curves": turn.item.curves.model_copy(update={"title": "Another run"})})
    later = QuizService(database, bank(question("shown", 1, items=(code("one"), changed, single("three")))))
    assert turn_of(later, session.id).item.curves.title == "A run"


def test_presentations_from_before_there_were_seeds_get_seed_0_and_read_as_before(tmp_path, monkeypatch):
    (tmp_path / "today").mkdir()
    today = used(tmp_path / "today")
    with monkeypatch.context() as patched:
        patched.setattr(upgrade, "revisions", lambda: ["0001"])
        opened(tmp_path).close()
    copy_rows(today, tmp_path / "carousel.db")
    database = opened(tmp_path)
    with database.read() as repository:
        session = repository.last_ended_session(1)
        assert [presentation.seed for presentation in repository.presentations(session.id)] == [0, 0]
    assert QuizService(database, BANK).last_summary(1).correct == 1
    database.close()


def copy_rows(source, target):
    """Every row of `source` into `target`, as far as that has the columns."""
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("ATTACH ? AS source", (str(source),))
        tables = ("item_version", "question_version", "practice_session", "presentation", "attempt")
        for table in tables:
            columns = ", ".join(f'"{row[1]}"' for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM source.{table}")
        connection.commit()
