"""From the first visit through the diagnostic to the plan of the day, with a keyboard, a refresh, double clicks and missed days."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from quiz.views import Turn
from tests.browser import demo
from tests.browser.answers import open_turn, progress, right_response, service_on, wrong_response
from tests.browser.conftest import PHONE, Pages
from tests.browser.server import Server
from tests.browser.steps import button, check, choose, figure, keyed, settle, sideways_px, visit


def _ask(app: Server, at: datetime) -> Turn:
    """Put an item in front of the learner at this time."""
    with service_on(app.database) as service:
        session = service.start_session(service.default_learner(), 1, at)
        turn = service.current(session.id, at, random.Random(0))
        assert turn is not None
        return turn


def _practise_one(app: Server, at: datetime) -> None:
    """One right answer at this time."""
    turn = _ask(app, at)
    with service_on(app.database) as service:
        service.submit(turn.presentation_id, right_response(turn.item), None, at)
        service.advance(turn.presentation_id, at)


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
    _practise_one(fresh_app, datetime.now(UTC) - timedelta(days=1))
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


def test_today_tells_what_was_practised_and_what_comes_and_counts_the_minutes_done(fresh_app: Server, page: Page) -> None:
    now = datetime.now(UTC)
    noon, in_two_days = now.replace(hour=12, minute=0), (now.weekday() + 2) % 7
    for days_ago in (20, 3, 1):
        _practise_one(fresh_app, noon - timedelta(days=days_ago))
    demo.set_interview(fresh_app.database, now, days=16, minutes=20, off=(in_two_days, (in_two_days + 1) % 7))
    _ask(fresh_app, now - timedelta(minutes=4))
    with service_on(fresh_app.database) as service:
        view = service.today.view(service.default_learner(), now, UTC)
    visit(page, fresh_app.url)
    expect(page.get_by_text("You practised on 2 of the last 14 days.")).to_be_visible()
    for label, value in {"Until the interview": "16 days", "Due": str(len(view.due)), "New": str(view.new)}.items():
        expect(figure(page, label)).to_have_text(value)
    expect(page.get_by_text(re.compile(r"^0 of \d+ minutes done today"))).to_be_visible()
    expect(page.get_by_test_id("stBaseButton-primary")).to_have_count(1)
    button(page, "begin").click()
    expect(page.get_by_text(re.compile("Question 1 of"))).to_be_visible()
    settle(page)
    turn = open_turn(fresh_app.database)
    choose(page, turn, right_response(turn.item))
    check(page)
    page.get_by_role("link", name="Today").click()
    expect(page.get_by_text(re.compile(r"^[4-9] of \d+ minutes done today"))).to_be_visible()  # it was in front of the learner for four
    keyed(page, "see_it_happen").get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/lab\?experiment="))
