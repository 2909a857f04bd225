"""The adaptive use cases, on a real database file: diagnostic, interview and plan, readiness, calibration, points."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from quiz.engine.diagnostic import FEWEST_ITEMS
from quiz.service import InvalidInterview, LearnerData, NoInterview, QuizService, UnknownLearner
from quiz.service.adaptive import diagnostic_length
from tests.engine.builders import NOON
from tests.storage.builders import BANK, attempts, opened, practise, right, turn_of, wrong

TODAY = NOON.date()
DAY = timedelta(days=1)


def set_interview(service, learner, days=14, minutes=15, days_off=()):
    return service.adaptive.set_interview(learner, TODAY + days * DAY, minutes, NOON, UTC, days_off)


def run_diagnostic(service, learner, outcome, at=NOON):
    session = service.start_diagnostic(learner, at)
    while (turn := service.current(session.id, at, random.Random(0))) is not None:
        service.submit(turn.presentation_id, right(turn.item) if outcome(turn) else wrong(turn.item), None, at)
        service.advance(turn.presentation_id, at)
    return session


# --- diagnostic ---


def test_a_diagnostic_asks_until_it_has_found_enough_and_then_ends(service, learner):
    assert service.adaptive.diagnostic(learner) is None
    session = run_diagnostic(service, learner, lambda turn: True)
    found = service.adaptive.diagnostic(learner)
    assert (session.kind, session.length) == ("diagnostic", diagnostic_length(BANK)) == ("diagnostic", len(BANK.items))
    assert FEWEST_ITEMS <= found.session.answered <= len(BANK.items)
    assert found.ending in {"ready", "no items", "precise"}
    assert found.session.ended_at == NOON
    assert service.open_session(learner) is None


def test_a_diagnostic_shows_levels_with_intervals_and_the_weakest_questions(service, learner):
    run_diagnostic(service, learner, lambda turn: turn.question_id != "clipping")
    found = service.adaptive.diagnostic(learner)
    assert [line.key for line in found.groups] == ["gates", "training", "generalisation"]
    assert all(0 < line.low < line.mastery < line.high < 1 for line in (found.overall, *found.groups))
    assert (found.weakest[0].key, found.weakest[0].label) == ("clipping", "Title clipping")
    assert len(found.weakest) == 3
    assert sum(line.answers for line in found.groups) == found.overall.answers == found.session.answered


def test_every_item_of_a_diagnostic_is_asked_to_measure_and_none_twice(service, learner):
    session = service.start_diagnostic(learner, NOON)
    names = []
    for _ in range(6):
        turn = turn_of(service, session.id)
        assert turn.reason == "level"
        names.append(turn.item_id)
        service.submit(turn.presentation_id, right(turn.item), None, NOON)
        service.advance(turn.presentation_id, NOON)
    assert len(set(names)) == 6
    assert service.adaptive.diagnostic(learner).ending is None


def test_a_diagnostic_can_be_left_and_resumed_after_a_restart(tmp_path):
    database = opened(tmp_path)
    service = QuizService(database, BANK)
    session = service.start_diagnostic(1, NOON)
    turn = turn_of(service, session.id)
    service.submit(turn.presentation_id, wrong(turn.item), None, NOON)
    database.close()
    database = opened(tmp_path)
    service = QuizService(database, BANK)
    assert service.open_session(1).kind == "diagnostic"
    assert service.start_diagnostic(1, NOON).id == session.id
    assert service.adaptive.diagnostic(1).overall.answers == 1
    database.close()


def test_a_skipped_item_counts_as_not_known(service, learner):
    session = service.start_diagnostic(learner, NOON)
    before = service.adaptive.diagnostic(learner).overall.mastery
    service.skip(turn_of(service, session.id).presentation_id, NOON)
    assert service.adaptive.diagnostic(learner).overall.mastery < before


def test_a_diagnostic_ended_early_says_so(service, learner):
    session = service.start_diagnostic(learner, NOON)
    service.end_session(session.id, NOON)
    assert service.adaptive.diagnostic(learner).ending == "stopped"


def test_its_answers_count_for_practice_too(service, database, learner):
    run_diagnostic(service, learner, lambda turn: True)
    assert service.state(learner).attempts == attempts(database) > 0


def test_a_diagnostic_is_one_on_the_device_its_file_is_taken_to_as_well(service, database, learner, tmp_path):
    run_diagnostic(service, learner, lambda turn: True)
    there = opened(tmp_path / "there")
    other = QuizService(there, BANK)
    assert other.adaptive.calibration(1).count == 0
    LearnerData(other, there, 1).merge(LearnerData(service, database, learner).json(NOON), NOON)
    assert other.adaptive.diagnostic(1) == service.adaptive.diagnostic(learner)
    assert other.adaptive.calibration(1) == service.adaptive.calibration(learner)
    there.close()


# --- interview and plan ---


def test_an_interview_is_kept_over_a_restart_and_can_be_changed(tmp_path):
    database = opened(tmp_path)
    service = QuizService(database, BANK)
    assert service.adaptive.interview(1, NOON, UTC) is None
    first = set_interview(service, 1, days_off=(6, 5, 6))
    assert (first.day, first.minutes, first.days_off, first.over) == (TODAY + 14 * DAY, 15, (5, 6), False)
    changed = set_interview(service, 1, days=20, minutes=30)
    database.close()
    database = opened(tmp_path)
    assert QuizService(database, BANK).adaptive.interview(1, NOON, UTC) == changed
    database.close()


@pytest.mark.parametrize(
    ("days", "minutes", "days_off", "message"),
    [
        (-1, 15, (), "the interview must be today or within 366 days, got 2026-03-01"),
        (367, 15, (), "within 366 days"),
        (5, 4, (), "minutes a day must be 5 to 240, got 4"),
        (5, 241, (), "got 241"),
        (5, 15, (7,), "days off are weekdays 0 .Monday. to 6 .Sunday., got 7"),
        (5, 15, range(7), "at least one day of the week"),
    ],
)
def test_an_interview_that_cannot_be_is_refused_and_nothing_is_stored(service, learner, days, minutes, days_off, message):
    with pytest.raises(InvalidInterview, match=message):
        set_interview(service, learner, days, minutes, days_off)
    assert service.adaptive.interview(learner, NOON, UTC) is None


def test_everything_wrong_is_named_at_once(service, learner):
    with pytest.raises(InvalidInterview) as caught:
        set_interview(service, learner, -3, 0, (9,))
    assert str(caught.value).count(";") == 2


def test_nobody_else_can_set_an_interview(service):
    with pytest.raises(UnknownLearner):
        set_interview(service, 99)


def test_the_plan_has_a_day_for_every_day_and_takes_off_what_was_done_today(service, learner):
    assert service.adaptive.plan(learner, NOON, UTC) is None
    set_interview(service, learner, days=3)
    before = service.adaptive.plan(learner, NOON, UTC)
    assert [one.day for one in before.plan.days] == [TODAY + n * DAY for n in range(3)]
    assert (before.done_minutes, before.days_left) == (0, 3)
    assert before.plan.score_with > before.plan.score_without
    practise(service, service.start_session(learner, 6, NOON).id, [True] * 6)
    later = service.adaptive.plan(learner, NOON + timedelta(minutes=10), UTC)
    assert later.done_minutes == pytest.approx(6 * 40 / 60)
    assert later.plan.days[0].minutes <= 15 - later.done_minutes
    assert service.adaptive.plan(learner, NOON + DAY, UTC).done_minutes == 0


def test_the_day_is_that_of_the_learners_zone(service, learner):
    late = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    service.adaptive.set_interview(learner, date(2026, 3, 5), 15, late, ZoneInfo("Asia/Tokyo"))
    assert service.adaptive.plan(learner, late, ZoneInfo("Asia/Tokyo")).days_left == 2
    assert service.adaptive.plan(learner, late, UTC).days_left == 3


def test_after_the_day_it_asks_how_it_went_and_starts_over(service, learner):
    set_interview(service, learner, days=2)
    after = NOON + 3 * DAY
    assert service.adaptive.interview(learner, after, UTC).over
    assert service.adaptive.plan(learner, after, UTC).plan.over
    service.adaptive.close_interview(learner, "well", after)
    assert service.adaptive.interview(learner, after, UTC) is None
    assert [(one.day, one.went) for one in service.adaptive.past_interviews(learner)] == [(TODAY + 2 * DAY, "well")]
    with pytest.raises(NoInterview):
        service.adaptive.close_interview(learner, None, after)


def test_how_it_went_is_one_of_four_words(service, learner):
    set_interview(service, learner)
    with pytest.raises(InvalidInterview, match="well, mixed, badly, not held or nothing, got 'fine'"):
        service.adaptive.close_interview(learner, "fine", NOON)


def test_with_an_interview_what_is_due_gives_way_to_what_is_worth_more(service, learner):
    """Everything but one question is known and due; a day before the interview the unknown one is asked first."""
    names = ("forget-gate", "clipping", "overfitting")
    for day in range(6):
        practise(service, service.start_session(learner, 9, NOON + 3 * day * DAY, only=names).id, [True] * 9, at=NOON + 3 * day * DAY)
    now = NOON + 60 * DAY
    service.adaptive.set_interview(learner, now.date() + DAY, 15, now, UTC)
    turn = turn_of(service, service.start_session(learner, 5, now).id, now)
    assert (turn.question_id, turn.reason) == ("input-gate", "new")


def test_without_an_interview_what_is_due_comes_first(service, learner):
    practise(service, service.start_session(learner, 1, NOON, only=("clipping",)).id, [True])
    turn = turn_of(service, service.start_session(learner, 5, NOON + 30 * DAY).id, NOON + 30 * DAY)
    assert (turn.question_id, turn.reason) == ("clipping", "due")


# --- readiness, calibration, points ---


def test_readiness_shows_every_question_today_and_on_the_day(service, learner):
    empty = service.adaptive.readiness(learner, NOON, UTC)
    assert [line.number for line in empty.lines] == [7, 8, 9, 10]
    assert (empty.score_on_the_day, empty.interview, any(line.enough for line in empty.lines)) == (None, None, False)
    set_interview(service, learner)
    practise(service, service.start_session(learner, 3, NOON, only=("clipping",)).id, [True] * 3)
    found = service.adaptive.readiness(learner, NOON + timedelta(hours=1), UTC)
    by_id = {line.question_id: line for line in found.lines}
    assert (by_id["clipping"].answers, by_id["clipping"].enough, by_id["input-gate"].enough) == (3, True, False)
    assert by_id["clipping"].today.chance > by_id["input-gate"].today.chance
    assert by_id["clipping"].on_the_day.chance < by_id["clipping"].today.chance
    assert found.score_today == pytest.approx(25 * sum(line.today.chance for line in found.lines))


def test_calibration_has_a_forecast_for_every_answer_and_is_the_same_after_a_restart(service, database, learner):
    assert service.adaptive.calibration(learner).ours is None
    session = service.start_session(learner, 100, NOON)
    for outcome in (True, False, True, True):
        practise(service, session.id, [outcome] * 8)
        service.adaptive.calibration(learner)
    found = service.adaptive.calibration(learner)
    assert (found.count, found.enough, sum(one.count for one in found.bins)) == (32, True, 32)
    assert QuizService(database, BANK).adaptive.calibration(learner) == found


def test_points_reward_certainty_that_was_right(service, learner):
    session = service.start_session(learner, 2, NOON)
    for confidence, outcome in (("sure", right), ("unsure", wrong)):
        turn = turn_of(service, session.id)
        service.submit(turn.presentation_id, outcome(turn.item), confidence, NOON)
        service.advance(turn.presentation_id, NOON)
    found = service.adaptive.certainty(learner)
    assert (found.points, found.answers) == (3 - 2, 2)


def test_answering_works_nothing_out(service, learner, monkeypatch):
    """What adapts is worked out when the next item is chosen, not while an answer waits for its feedback."""
    session = service.start_session(learner, 3, NOON)
    turn = turn_of(service, session.id)
    monkeypatch.setattr("quiz.service.adaptive.followed", None)
    monkeypatch.setattr("quiz.service.adaptive.worth", None)
    assert service.submit(turn.presentation_id, right(turn.item), None, NOON).feedback is not None
