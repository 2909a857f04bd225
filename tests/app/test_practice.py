"""The practice page, clicked through: every format, every way in and out, and nothing recorded twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url
from streamlit.testing.v1 import AppTest

from questions.loader import load_bank
from quiz.settings import Settings
from tests.app.learner import PRACTICE, STUDY, Open, attempts, check, give, has_button, right_answer, says, shown_turn, skip_to, wrong_answer

FORMATS = sorted({item.format for _, item in load_bank().items.values()})


@pytest.fixture
def practising(open_app: Open) -> AppTest:
    return open_app(PRACTICE).button(key="start").click().run()


def test_the_first_visit_has_one_obvious_button_and_nothing_to_configure(open_app: Open) -> None:
    tab = open_app(PRACTICE)
    assert not tab.exception
    assert [button.label for button in tab.button if button.key != "shortcuts"] == ["Start"]
    assert "Ready for the LSTM interview?" in says(tab)


def test_the_chosen_length_is_the_sessions_length(open_app: Open) -> None:
    tab = open_app(PRACTICE)
    tab.get_by_key("length").set_value(5)
    tab.button(key="start").click().run()
    assert shown_turn().session.length == 5


@pytest.mark.parametrize("format_", FORMATS)
def test_a_right_answer_is_recorded_and_praised(practising: AppTest, format_: str) -> None:
    turn = skip_to(practising, format_)
    give(practising, turn, right_answer(turn.item))
    check(practising)
    assert not practising.exception
    assert practising.success[0].value == "That is the answer."
    assert attempts() == (1, 1)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_wrong_answer_shows_every_reason_and_the_way_to_the_lab(practising: AppTest, format_: str) -> None:
    turn = skip_to(practising, format_)
    give(practising, turn, wrong_answer(turn.item))
    check(practising)
    page = says(practising)
    assert practising.error
    assert attempts() == (1, 0)
    answered = shown_turn()
    assert answered.feedback is not None
    for line in answered.feedback.grade.lines:
        assert line.feedback.strip() in page
    assert turn.item.explanation.strip() in page
    assert turn.link.look_for.strip() in page
    assert any("See it happen" in link.value for link in practising.page_link)


def test_the_model_answer_is_there_on_demand(practising: AppTest) -> None:
    turn = skip_to(practising, "single")
    give(practising, turn, right_answer(turn.item))
    check(practising)
    assert turn.model_answer.strip() not in says(practising)
    practising.session_state.model_answer = True
    assert turn.model_answer.strip() in says(practising.run())


@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_leaks_from_one_item_into_the_next(practising: AppTest, format_: str) -> None:
    turn = skip_to(practising, format_)
    give(practising, turn, wrong_answer(turn.item))
    practising.get_by_key("confidence").set_value("sure")
    check(practising)
    practising.button(key="next").click().run()
    again = skip_to(practising, format_)
    assert again.presentation_id != turn.presentation_id
    assert practising.get_by_key("confidence").value is None
    assert practising.session_state.draft.keys == ()
    if format_ in ("number", "trace"):
        assert {field.value for field in practising.text_input} == {""}
    else:
        assert practising.button(key="check").disabled


def test_confidence_is_recorded_with_the_answer(practising: AppTest) -> None:
    turn = skip_to(practising, "single")
    give(practising, turn, right_answer(turn.item))
    practising.get_by_key("confidence").set_value("guess")
    check(practising)
    feedback = shown_turn().feedback
    assert feedback is not None
    assert feedback.confidence == "guess"
    assert "A good guess" in says(practising)


def test_confidence_may_be_left_open(practising: AppTest) -> None:
    turn = skip_to(practising, "single")
    give(practising, turn, right_answer(turn.item))
    check(practising)
    feedback = shown_turn().feedback
    assert feedback is not None
    assert feedback.confidence is None


def test_check_is_asleep_until_something_is_chosen(practising: AppTest) -> None:
    skip_to(practising, "single")
    assert practising.button(key="check").disabled
    practising.button(key="choice_1").click().run()
    assert not practising.button(key="check").disabled


def test_choosing_another_option_replaces_the_first(practising: AppTest) -> None:
    turn = skip_to(practising, "single")
    practising.button(key="choice_1").click().run()
    practising.button(key="choice_2").click().run()
    assert practising.session_state.draft.keys == (turn.order[1],)


def test_an_option_of_several_is_let_go_by_choosing_it_again(practising: AppTest) -> None:
    turn = skip_to(practising, "multiple")
    for place in (1, 2, 1):
        practising.button(key=f"choice_{place}").click().run()
    assert practising.session_state.draft.keys == (turn.order[1],)


def test_steps_are_numbered_in_the_order_they_are_tapped(practising: AppTest) -> None:
    skip_to(practising, "order")
    practising.button(key="choice_2").click().run()
    practising.button(key="choice_1").click().run()
    assert practising.button(key="choice_2").icon == ":material/counter_1:"
    assert practising.button(key="choice_1").icon == ":material/counter_2:"


def test_the_last_step_can_be_taken_back_and_all_of_them_cleared(practising: AppTest) -> None:
    turn = skip_to(practising, "order")
    for place in (1, 2, 3):
        practising.button(key=f"choice_{place}").click().run()
    practising.button(key="undo").click().run()
    assert practising.session_state.draft.keys == turn.order[:2]
    practising.button(key="clear").click().run()
    assert practising.session_state.draft.keys == ()


def test_an_order_can_be_checked_only_when_every_step_is_placed(practising: AppTest) -> None:
    turn = skip_to(practising, "order")
    for place in range(1, len(turn.order)):
        practising.button(key=f"choice_{place}").click().run()
        assert practising.button(key="check").disabled
    practising.button(key=f"choice_{len(turn.order)}").click().run()
    assert not practising.button(key="check").disabled


@pytest.mark.parametrize("text", ["", "about three", "1/0", "nan"])
def test_what_is_no_number_is_explained_and_not_recorded(practising: AppTest, text: str) -> None:
    turn = skip_to(practising, "number")
    practising.text_input(key="number").set_value(text)
    check(practising)
    assert practising.warning[0].value.startswith("Nothing is recorded yet: ")
    assert "a number such as" in practising.warning[0].value
    assert attempts() == (0, 0)
    assert shown_turn().presentation_id == turn.presentation_id
    practising.text_input(key="number").set_value(right_answer(turn.item).text)
    check(practising)
    assert attempts() == (1, 1)


def test_a_refresh_before_the_answer_shows_the_same_item(open_app: Open, practising: AppTest) -> None:
    before = says(practising)
    assert says(open_app(PRACTICE)) == before


def test_a_refresh_after_the_answer_shows_the_same_feedback(open_app: Open, practising: AppTest) -> None:
    turn = skip_to(practising, "single")
    give(practising, turn, wrong_answer(turn.item))
    before = says(check(practising))
    assert says(open_app(PRACTICE)) == before
    assert attempts() == (1, 0)


def test_a_second_tab_gets_the_first_answer_and_is_told_so(open_app: Open, practising: AppTest) -> None:
    turn = skip_to(practising, "single")
    other = open_app(PRACTICE)
    give(other, turn, wrong_answer(turn.item))
    give(practising, turn, right_answer(turn.item))
    check(practising)
    check(other)
    assert other.success
    assert "The first answer counts" in other.info[0].value
    assert not practising.info
    assert attempts() == (1, 1)


def test_a_second_tab_that_gives_the_same_answer_needs_no_telling(open_app: Open, practising: AppTest) -> None:
    turn = skip_to(practising, "single")
    other = open_app(PRACTICE)
    for tab in (practising, other):
        give(tab, turn, right_answer(turn.item))
    check(practising)
    check(other)
    assert not other.info
    assert attempts() == (1, 1)


def test_an_item_skipped_in_another_tab_takes_no_answer_and_the_page_goes_on(open_app: Open, practising: AppTest) -> None:
    turn = skip_to(practising, "single")
    other = open_app(PRACTICE)
    give(other, turn, right_answer(turn.item))
    practising.button(key="skip").click().run()
    check(other)
    assert not other.exception
    assert "closed in another tab" in other.toast[0].value
    assert attempts() == (0, 0)


def test_skipping_records_nothing_and_shows_another_item(practising: AppTest) -> None:
    before = shown_turn()
    practising.button(key="skip").click().run()
    assert shown_turn().presentation_id != before.presentation_id
    assert attempts() == (0, 0)
    assert "Question 1 of 10" in practising.progress[0].text


def test_the_last_answer_leads_to_a_summary_and_to_practising_again(open_app: Open) -> None:
    tab = open_app(PRACTICE)
    tab.get_by_key("length").set_value(5)
    tab.button(key="start").click().run()
    for number in range(5):
        turn = shown_turn()
        give(tab, turn, right_answer(turn.item) if number else wrong_answer(turn.item))
        check(tab)
        assert tab.button(key="next").label == ("Next question" if number < 4 else "See the summary")
        tab.button(key="next").click().run()
    assert "4 of 5 right" in says(tab)
    assert len([link for link in tab.page_link if link.value == "See it happen"]) == 5
    tab.button(key="again").click().run()
    assert "Question 1 of 5" in tab.progress[0].text


def test_a_session_can_be_finished_early_with_nothing_answered(practising: AppTest) -> None:
    practising.button(key="finish").click().run()
    assert "You answered no question this time" in says(practising)
    practising.button(key="leave").click().run()
    assert has_button(practising, "start")


def test_a_session_is_resumed_where_it_was_left(open_app: Open, practising: AppTest) -> None:
    turn = skip_to(practising, "single")
    give(practising, turn, right_answer(turn.item))
    check(practising)
    practising.button(key="next").click().run()
    practising.switch_page(STUDY).run()
    later = open_app(PRACTICE)
    assert "Question 2 of 10" in later.progress[0].text


def test_a_returning_learner_can_look_at_the_last_session_again(open_app: Open, practising: AppTest) -> None:
    turn = skip_to(practising, "single")
    give(practising, turn, right_answer(turn.item))
    check(practising)
    practising.button(key="finish").click().run()
    later = open_app(PRACTICE)
    assert "Last time: 1 of 1 question right" in says(later)
    later.button(key="last").click().run()
    assert "1 of 1 right" in says(later)


# --- When the database fails in use -----------------------------------------------------------------------------


@pytest.fixture
def locked_out(practising: AppTest) -> Iterator[tuple[AppTest, sqlite3.Connection]]:
    """The practice page on an item, while another program holds the write lock."""
    path = make_url(Settings.from_environment().database_url).database
    other = sqlite3.connect(str(path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield practising, other
    other.close()


def test_an_answer_the_database_refused_is_not_lost_and_counts_when_checked_again(locked_out: tuple[AppTest, sqlite3.Connection]) -> None:
    tab, other = locked_out
    turn = shown_turn()
    give(tab, turn, right_answer(turn.item))
    check(tab)
    assert not tab.exception
    assert "another program keeps it locked" in says(tab)
    assert attempts() == (0, 0)
    other.execute("ROLLBACK")
    check(tab)
    assert "locked" not in says(tab)
    assert tab.success[0].value == "That is the answer."
    assert attempts() == (1, 1)
