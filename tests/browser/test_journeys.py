"""Whole journeys through the quiz, as people make them: with a mouse, a keyboard, two tabs, a phone and a lost connection."""

from __future__ import annotations

import os
import re
import select
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.answers import open_turn, progress, right_response, wrong_response
from tests.browser.conftest import Pages
from tests.browser.server import Server
from tests.browser.steps import PAGES, button, check, choose, go_on, keyed, settle, sideways_px, start_practice, visit

WIDE: ViewportSize = {"width": 1920, "height": 1080}
# In widths of an m: some 110 letters.
MOST_EM = 56
LONGEST_LINE = """() => Math.max(...[...document.querySelectorAll('[data-testid="stMain"] p')].map(paragraph => {
  const range = document.createRange();
  range.selectNodeContents(paragraph);
  return range.getBoundingClientRect().width / parseFloat(getComputedStyle(paragraph).fontSize);
}))"""
# What a page may complain about while its server is away.
CONNECTION_LOST = (
    r"ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket connection|Failed to fetch|Client Error in reaching|server is not responding"
)


def text_of(page: Page) -> str:
    """Everything the page says."""
    return page.get_by_test_id("stMainBlockContainer").inner_text()


def expect_text(page: Page, text: str) -> None:
    """The page comes to say exactly this."""
    expect(page.get_by_test_id("stMainBlockContainer")).to_have_text(text, use_inner_text=True)


# --- Answering --------------------------------------------------------------------------------------------------


def test_a_session_of_right_answers_ends_with_all_of_them_right(fresh_app: Server, page: Page) -> None:
    start_practice(page, fresh_app.url, length=5)
    for position in range(1, 6):
        expect(page.get_by_text(f"Question {position} of 5")).to_be_visible()
        turn = open_turn(fresh_app.database)
        choose(page, turn, right_response(turn.item))
        check(page)
        expect(page.get_by_test_id("stAlert").first).to_contain_text("Right")
        go_on(page)
    expect(page.get_by_text("5 of 5 right")).to_be_visible()
    assert (progress(fresh_app.database).attempts, progress(fresh_app.database).correct) == (5, 5)


def test_a_wrong_answer_shows_why_and_a_model_answer(fresh_app: Server, page: Page) -> None:
    start_practice(page, fresh_app.url)
    turn = open_turn(fresh_app.database)
    choose(page, turn, wrong_response(turn.item))
    check(page)
    expect(page.get_by_test_id("stAlert").first).to_contain_text("Not quite")
    expect(page.get_by_role("heading", name="Why")).to_be_visible()
    page.get_by_text("A model answer to").click()
    expect(page.get_by_test_id("stExpanderDetails")).to_be_visible()
    assert (progress(fresh_app.database).attempts, progress(fresh_app.database).correct) == (1, 0)


def test_an_item_can_be_answered_with_the_keyboard_alone(fresh_app: Server, page: Page) -> None:
    visit(page, f"{fresh_app.url}/practice")
    page.keyboard.press("s")  # Start
    keyed(page, "check").wait_for()
    settle(page)
    turn = open_turn(fresh_app.database)
    response = right_response(turn.item)
    if response.text:
        keyed(page, "number").get_by_role("textbox").focus()
        page.keyboard.type(response.text)
    for key in response.keys:
        place = turn.order.index(key) + 1
        page.keyboard.press(str(place))
        keyed(page, f"choice_{place}").get_by_test_id("stBaseButton-primary").wait_for()
    page.keyboard.press("Enter")
    keyed(page, "next").wait_for()
    assert progress(fresh_app.database).correct == 1
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Question 2 of")).to_be_visible()


# --- Once and only once -----------------------------------------------------------------------------------------


def test_a_double_click_on_check_records_one_attempt(fresh_app: Server, page: Page) -> None:
    start_practice(page, fresh_app.url)
    turn = open_turn(fresh_app.database)
    choose(page, turn, right_response(turn.item))
    button(page, "check").dblclick()
    keyed(page, "next").wait_for()
    settle(page)
    assert progress(fresh_app.database).attempts == 1
    expect(page.get_by_text("Question 1 of 5")).to_be_visible()


def test_a_refresh_in_the_middle_of_an_item_shows_the_same_item(fresh_app: Server, page: Page) -> None:
    start_practice(page, fresh_app.url)
    before, turn = text_of(page), open_turn(fresh_app.database)
    page.reload()
    keyed(page, "check").wait_for()
    settle(page)
    expect_text(page, before)
    assert open_turn(fresh_app.database).presentation_id == turn.presentation_id


def test_a_refresh_after_an_answer_shows_the_same_feedback_and_records_nothing(fresh_app: Server, page: Page) -> None:
    start_practice(page, fresh_app.url)
    turn = open_turn(fresh_app.database)
    choose(page, turn, wrong_response(turn.item))
    check(page)
    before = text_of(page)
    page.reload()
    keyed(page, "next").wait_for()
    settle(page)
    expect_text(page, before)
    assert progress(fresh_app.database).attempts == 1


def test_a_second_tab_that_answers_the_same_item_gets_the_first_answer(fresh_app: Server, page: Page, open_page: Pages) -> None:
    start_practice(page, fresh_app.url)
    other = open_page(same_as=page)
    visit(other, f"{fresh_app.url}/practice")
    turn = open_turn(fresh_app.database)
    choose(page, turn, right_response(turn.item))
    choose(other, turn, wrong_response(turn.item))
    check(page)
    check(other)
    expect(other.get_by_text("The first answer counts")).to_be_visible()
    view = progress(fresh_app.database)
    assert (view.attempts, view.correct) == (1, 1)


def test_the_back_button_returns_from_a_study_card_to_the_same_item(fresh_app: Server, page: Page) -> None:
    start_practice(page, fresh_app.url)
    before = text_of(page)
    page.get_by_role("link", name="Study").first.click()
    expect(page).to_have_url(re.compile("/study"))
    settle(page)
    page.go_back()
    keyed(page, "check").wait_for()
    settle(page)
    expect_text(page, before)


@pytest.mark.parametrize("hard", [False, True], ids=["stopped", "killed"])
def test_a_restart_of_the_server_keeps_answers_and_the_open_session(fresh_app: Server, page: Page, open_page: Pages, hard: bool) -> None:
    open_page.forgive(CONNECTION_LOST)
    start_practice(page, fresh_app.url)
    turn = open_turn(fresh_app.database)
    choose(page, turn, right_response(turn.item))
    check(page)
    go_on(page)
    before = text_of(page)
    fresh_app.restart(hard=hard)
    visit(page, f"{fresh_app.url}/practice")
    keyed(page, "check").wait_for()
    settle(page)
    expect_text(page, before)
    assert progress(fresh_app.database).attempts == 1


def test_the_start_opens_the_browser_at_the_printed_address(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    os.mkfifo(opened)
    opener = tmp_path / "opener"
    opener.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    opener.chmod(0o755)
    reader = os.open(opened, os.O_RDONLY | os.O_NONBLOCK)
    server = Server(tmp_path, environment={"CAROUSEL_OPEN": "yes", "BROWSER": f"{opener} %s"})
    try:
        server.start()
        assert select.select([reader], [], [], 60)[0]
        assert os.read(reader, 1000).decode().strip() == server.url
        assert f"Carousel is running at {server.url}\n" in server.printed()
    finally:
        server.stop()
        os.close(reader)


# --- Every page -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [*PAGES.values(), "/study?question=forget-gate", "/lab?experiment=bilstm"])
def test_no_page_scrolls_sideways_on_a_phone_or_has_lines_too_long_to_read_on_a_wide_screen(app: Server, phone: Page, address: str) -> None:
    visit(phone, app.url + address)
    assert sideways_px(phone) == 0
    phone.emulate_media(color_scheme="dark")
    settle(phone)
    assert sideways_px(phone) == 0
    phone.set_viewport_size(WIDE)
    settle(phone)
    assert sideways_px(phone) == 0
    assert phone.evaluate(LONGEST_LINE) < MOST_EM


def test_every_page_is_one_click_away_from_every_other(app: Server, page: Page) -> None:
    visit(page, app.url)
    for name in ("Practice", "Study", "Lab", "Runs", "Progress", "Today"):
        page.get_by_test_id("stHeader").get_by_role("link", name=name).click()
        expect(page).to_have_url(re.compile(f"{PAGES[name.lower()]}$"))
        settle(page)
        expect(page.get_by_role("heading").first).to_be_visible()
