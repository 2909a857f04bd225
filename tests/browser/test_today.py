"""From the first visit through the diagnostic to the plan of the day, with a keyboard, a refresh, double clicks and missed days."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.browser.answers import open_turn, progress, right_response, service_on, wrong_response
from tests.browser.conftest import PHONE, Pages
from tests.browser.server import Server
from tests.browser.steps import button, choose, keyed, settle, sideways_px, visit


def answer(page: Page, app: Server, number: int) -> None:
    """Answer question `number` of a diagnostic wrongly."""
    expect(page.get_by_text(f"Diagnostic, question {number}:")).to_be_visible()
    settle(page)
    turn = open_turn(app.database)
    choose(page, turn, wrong_response(turn.item))
    button(page, "check").click()


def test_from_the_first_visit_through_the_diagnostic_to_its_result_and_to_today(fresh_app: Server, page: Page) -> None:
    visit(page, fresh_app.url)
    button(page, "first_diagnostic").dblclick()
    for number in range(1, 4):
        answer(page, fresh_app, number)
    expect(page.get_by_text("Diagnostic, question 4:")).to_be_visible()
    settle(page)
    before = open_turn(fresh_app.database).presentation_id
    page.reload()
    expect(page.get_by_text("Diagnostic, question 4:")).to_be_visible()
    settle(page)
    assert open_turn(fresh_app.database).presentation_id == before
    for number in range(4, 9):
        answer(page, fresh_app, number)
    expect(page.get_by_role("heading", name="Not ready yet", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("/diagnostic$"))
    assert progress(fresh_app.database).attempts == 8
    page.reload()
    expect(page.get_by_role("heading", name="Begin with these three")).to_be_visible()
    page.get_by_role("link", name="On to today's plan").click()
    expect(page.get_by_text("Your level on")).to_be_visible()
    button(page, "begin").click()
    expect(page.get_by_text(re.compile("Question 1 of"))).to_be_visible()


def test_a_double_click_on_i_do_not_know_leaves_one_question(fresh_app: Server, page: Page) -> None:
    visit(page, f"{fresh_app.url}/diagnostic")
    button(page, "start_diagnostic").click()
    expect(page.get_by_text("Diagnostic, question 1:")).to_be_visible()
    settle(page)
    page.wait_for_function("start => performance.now() - start > 700", arg=page.evaluate("performance.now()"))  # as long as nobody decides in
    button(page, "skip").dblclick()
    expect(page.get_by_text("Diagnostic, question 2:")).to_be_visible()
    settle(page)
    assert open_turn(fresh_app.database).position == 2


def test_a_date_is_set_with_the_keyboard_and_the_days_are_planned(fresh_app: Server, page: Page) -> None:
    with service_on(fresh_app.database) as service:
        learner, at = service.default_learner(), datetime.now(UTC) - timedelta(days=1)
        session = service.start_session(learner, 1, at)
        turn = service.current(session.id, at, random.Random(0))
        assert turn is not None
        service.submit(turn.presentation_id, right_response(turn.item), None, at)
        service.advance(turn.presentation_id, at)
    visit(page, fresh_app.url)
    minutes = keyed(page, "interview_minutes").get_by_role("spinbutton")
    minutes.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stAlert")).to_contain_text("minutes a day must be 5 to 240, got 2")
    minutes.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("25")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"0 of \d+ minutes done today"))).to_be_visible()
    expect(page.get_by_test_id("stMetric").filter(has_text="Until the interview")).to_contain_text("14 days")
    settle(page)
    page.keyboard.press("s")  # the one button
    expect(page.get_by_text(re.compile("Question 1 of"))).to_be_visible()


def test_after_missed_days_the_plan_fits_the_days_that_are_left(fresh_app: Server, open_page: Pages) -> None:
    now = datetime.now(UTC)
    with service_on(fresh_app.database) as service:
        service.adaptive.set_interview(service.default_learner(), now.date() + timedelta(days=5), 20, now - timedelta(days=4), UTC)
    page = open_page(size=PHONE)
    visit(page, fresh_app.url)
    expect(page.get_by_test_id("stMetric").filter(has_text="Until the interview")).to_contain_text("5 days")
    expect(page.get_by_text(re.compile(r"0 of \d+ minutes done today"))).to_be_visible()
    keyed(page, "day_by_day").get_by_text("Day by day").click()
    rows = keyed(page, "day_by_day").get_by_role("row")
    expect(rows).to_have_count(7)  # a head and six days, today's the first
    for minutes in rows.get_by_role("cell").all_inner_texts()[1::3]:
        assert float(minutes or 0) <= 20
    assert sideways_px(page) == 0


def test_enter_on_a_link_follows_the_link_and_starts_nothing(fresh_app: Server, page: Page) -> None:
    with service_on(fresh_app.database) as service:
        service.adaptive.set_interview(service.default_learner(), datetime.now(UTC).date() + timedelta(days=5), 20, datetime.now(UTC), UTC)
    visit(page, fresh_app.url)
    page.get_by_role("link", name="Find your level").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/diagnostic$"))
    settle(page)
    with service_on(fresh_app.database) as service:
        assert service.open_session(service.default_learner()) is None
