"""Surgery in a real browser: a click operates on the trained network, and scores and timelines change without a reload."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.server import Server
from tests.browser.steps import VERDICT, button, hold_at, keyed, open_lab, settle, sideways_px

RUN_MS = 180_000  # a deadline, not a measurement
SMALL = "experiment=forget-gate&updates=250&hidden=6&seeds=1"
NUMBER = r"(\d+(?:\.\d+)?)"


def run_and_hold_f_at_one(page: Page, app: Server) -> tuple[float, float]:
    """The error before and after."""
    open_lab(page, app.url, SMALL)
    button(page, "lab_run_unpredicted").click()
    page.locator(VERDICT).wait_for(timeout=RUN_MS)
    told = keyed(page, "surgery_scores")
    expect(told).to_contain_text(re.compile(rf"Error ÷ variance: {NUMBER}\b"))
    hold_at(page, "1")
    expect(told).to_contain_text("→")
    settle(page)
    found = re.search(rf"Error ÷ variance: {NUMBER} → {NUMBER}", told.inner_text())
    assert found
    return float(found[1]), float(found[2])


def test_holding_the_forget_gate_at_one_worsens_a_stream_s_answers_at_a_click(app: Server, page: Page) -> None:
    before, after = run_and_hold_f_at_one(page, app)
    assert before < 0.5
    assert after > 2 * before
    expect(page.get_by_text("Forget gate held at 1: error ÷ variance")).to_be_visible()
    legend = keyed(page, "surgery_picture").locator(".legendtext")
    expect(legend).to_have_text(["operated on", "as learnt", "right answer"])
    keyed(page, "lab_surgery").get_by_role("button", name="Put everything back").click()
    expect(keyed(page, "surgery_scores")).not_to_contain_text("→")
    expect(legend).to_have_text(["as learnt", "right answer"])


def test_on_a_dark_phone_surgery_fits(app: Server, open_page) -> None:
    phone = open_page(size=(390, 844), dark=True)
    run_and_hold_f_at_one(phone, app)
    assert sideways_px(phone) == 0
