"""Every answer as columns: appended in pieces, counted by days and kinds, and what was known at earlier times."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from quiz.engine.ability import estimate
from quiz.engine.facts import AttemptFact
from quiz.engine.journal import EMPTY, Journal, Tally, abilities_at, all_rows, certainties, chosen_rows, extended, tallies_between, tallies_by
from quiz.engine.state import NOTHING_YET, OutOfOrder, fold
from tests.engine.builders import NOON

DAY = timedelta(days=1)
GROUPS = {"gates": "g", "clipping": "t", "never": "t"}


def given(
    question: str, correct: bool, at: datetime = NOON, item: str = "one", chosen: str = "", format_: str = "single", difficulty: float = 0.0
) -> AttemptFact:
    said = {"id": at.isoformat(), "format": format_, "seconds": 30.0, "chosen": tuple(chosen), "version": 1}
    return AttemptFact(question, f"{question}/{item}", difficulty, 0.25, correct, "sure", at, **said)


def long_history(count: int) -> list[AttemptFact]:
    rng = random.Random(1)
    return [
        given(
            rng.choice(("gates", "clipping")),
            rng.random() < 0.6,
            NOON + number * timedelta(hours=2),
            rng.choice("abcdefgh"),
            difficulty=rng.choice((-1.0, 0.5)),
        )
        for number in range(count)
    ]


def test_a_journal_extended_in_pieces_is_the_one_made_at_once() -> None:
    answers = long_history(60)
    pieces = EMPTY
    for begin in range(0, 60, 7):
        pieces = extended(pieces, answers[begin : begin + 7])
    whole = extended(EMPTY, answers)
    for name in ("at", "seconds", "weight", "right", "question", "format", "kind", "certainty"):
        assert getattr(pieces, name).tolist() == getattr(whole, name).tolist(), name
    assert (pieces.kinds, pieces.misconceptions, pieces.last) == (whole.kinds, whole.misconceptions, whole.last)
    assert extended(whole, []) is whole


def test_an_answer_from_before_the_last_one_is_refused() -> None:
    journal = extended(EMPTY, [given("gates", True, NOON)])
    with pytest.raises(OutOfOrder, match="the journal has already"):
        extended(journal, [given("gates", True, NOON - DAY)])


# --- Mastery at earlier times -----------------------------------------------------------------------------------


def test_mastery_at_a_time_is_what_folding_the_answers_until_then_gives() -> None:
    answers = long_history(900)  # more than REACH of each question
    times = [NOON, NOON + 3 * DAY, NOON + 40 * DAY, NOON + 100 * DAY]
    for at, found in zip(times, abilities_at(extended(EMPTY, answers), GROUPS, times), strict=True):
        state = fold(NOTHING_YET, [one for one in answers if one.answered_at < at])
        expected = estimate(state.evidence, GROUPS)
        assert found.keys() == state.questions.keys()
        for name, ability in found.items():
            assert (ability.mean, ability.se) == pytest.approx((expected[name].mean, expected[name].se), abs=1e-7)


def test_questions_that_left_the_bank_say_nothing() -> None:
    (found,) = abilities_at(extended(EMPTY, [given("gone", True), given("gates", True)]), GROUPS, [NOON + DAY])
    assert list(found) == ["gates"]
    assert abilities_at(EMPTY, GROUPS, [NOON]) == [{}]


# --- Counting ---------------------------------------------------------------------------------------------------


@pytest.fixture
def three_days() -> Journal:
    return extended(
        EMPTY,
        [
            given("gates", True, NOON),
            given("gates", False, NOON + timedelta(hours=1), "two", format_="order"),
            given("clipping", True, NOON + DAY),
            given("gates", True, NOON + 2 * DAY),
        ],
    )


def test_answers_are_counted_between_bounds_and_by_kind(three_days: Journal) -> None:
    rows = all_rows(three_days)
    bounds = [NOON, NOON + DAY, NOON + 2 * DAY, NOON + 3 * DAY]
    assert tallies_between(three_days, rows, bounds) == [Tally(2, 1, 60.0), Tally(1, 1, 30.0), Tally(1, 1, 30.0)]
    assert tallies_by(three_days, rows, three_days.format, three_days.formats) == {"single": Tally(3, 3, 90.0), "order": Tally(1, 0, 30.0)}
    assert certainties(three_days, all_rows(three_days))["sure", True] == 3
    assert sum(certainties(three_days, all_rows(three_days)).values()) == 4


def test_rows_are_chosen_by_question_and_time_with_the_end_left_out(three_days: Journal) -> None:
    assert chosen_rows(three_days, ["gates"], NOON, NOON + 2 * DAY).tolist() == [0, 1]
    assert chosen_rows(three_days, ["gates", "clipping"], NOON + DAY, NOON + 9 * DAY).tolist() == [2, 3]
    assert chosen_rows(EMPTY, ["gates"], NOON, NOON + DAY).tolist() == []


def test_someone_who_went_away_counts_for_ten_minutes() -> None:
    slow = AttemptFact("gates", "gates/one", 0.0, 0.25, True, None, NOON, seconds=5000.0, id="x")
    assert extended(EMPTY, [slow]).seconds.tolist() == [600.0]


# --- Misconceptions ---------------------------------------------------------------------------------------------


def test_a_wrong_option_is_overcome_by_a_right_answer_to_its_item_and_open_again_when_chosen_again() -> None:
    journal = extended(EMPTY, [given("gates", False, NOON, chosen="b"), given("gates", False, NOON + DAY, chosen="c")])
    assert {name: one.overcome_at for name, one in journal.misconceptions["gates/one"].items()} == {"b": None, "c": None}
    journal = extended(journal, [given("gates", True, NOON + 2 * DAY), given("gates", True, NOON + 3 * DAY)])
    assert {name: one.overcome_at for name, one in journal.misconceptions["gates/one"].items()} == {"b": NOON + 2 * DAY, "c": NOON + 2 * DAY}
    journal = extended(journal, [given("gates", False, NOON + 4 * DAY, chosen="b")])
    again = journal.misconceptions["gates/one"]
    assert (again["b"].times, again["b"].last_at, again["b"].overcome_at) == (2, NOON + 4 * DAY, None)
    assert again["c"].overcome_at == NOON + 2 * DAY


def test_a_right_answer_to_another_item_overcomes_nothing() -> None:
    journal = extended(EMPTY, [given("gates", False, NOON, chosen="b"), given("gates", True, NOON + DAY, item="two")])
    assert journal.misconceptions["gates/one"]["b"].overcome_at is None
