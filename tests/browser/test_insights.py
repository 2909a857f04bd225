"""What the app knows, in a real browser: readiness with a date, calibration and certainty on a phone, and an LSTM trained to forecast."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.browser import demo
from tests.browser.conftest import QUIZ_FIRST
from tests.browser.server import Server
from tests.browser.steps import button, keyed, settle, sideways_px, visit
from tests.browser.test_accessibility import serious

HEADINGS = {
    "Readiness": "Readiness",
    "Calibration": "Do the app's forecasts come true?",
    "LSTM+forecast": "Would an LSTM forecast you better?",
    "Over+time&time=The+last+4+weeks&groups=Gates": "Where you are right",
    "Forgetting": "Forgetting",
    "Misconceptions": "Misconceptions",
    "Predictions": "Predictions",
}


@pytest.fixture(scope="module")
def practised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Carousel with three weeks of answers and an interview in two weeks."""
    server = Server(tmp_path_factory.mktemp("practised"), environment=QUIZ_FIRST)
    now = datetime.now(UTC)
    demo.answers_only(server.database, now)
    demo.set_interview(server.database, now, days=14, minutes=20)
    server.start()
    yield server
    server.stop()


def test_every_section_has_an_address_fits_a_phone_and_has_no_serious_finding(practised: Server, phone: Page) -> None:
    for name, heading in HEADINGS.items():
        visit(phone, f"{practised.url}/progress?section={name}")
        expect(phone.get_by_role("heading", name=heading)).to_be_visible()
        assert sideways_px(phone) == 0
        assert serious(phone) == []


def test_the_filters_of_looking_back_stay_in_the_address(practised: Server, page: Page) -> None:
    visit(page, f"{practised.url}/progress?section=Over+time")
    expect(page.get_by_text("105 answers on 12 days")).to_be_visible()
    keyed(page, "groups").get_by_role("combobox").fill("Gates")
    page.get_by_role("option", name="Gates").click()
    expect(page.get_by_text("105 answers on 12 days")).to_be_hidden()
    expect(page).to_have_url(re.compile("groups=Gates"))
    expect(page.locator(".stPlotlyChart .main-svg").first).to_be_visible()
    told = page.get_by_text(re.compile(r"^\d+ answers on \d+ days")).inner_text()
    page.reload()
    expect(page.get_by_text(told)).to_be_visible()


def test_from_readiness_through_calibration_to_a_trained_lstm(practised: Server, page: Page) -> None:
    visit(page, f"{practised.url}/progress")
    page.get_by_role("radio", name="Readiness").click()
    expect(page.get_by_text("without practice").first).to_be_visible()
    expect(page.locator(".stPlotlyChart").first).to_be_visible()
    page.get_by_role("radio", name="Calibration").click()
    expect(page.get_by_text("When it said").first).to_be_visible()
    expect(page.get_by_text("Points", exact=True).first).to_be_visible()
    page.get_by_role("radio", name="LSTM forecast").click()
    expect(page.get_by_text("200 are needed")).to_be_visible()
    button(page, "compare_forecasts").click()
    keyed(page, "forecast_verdict").wait_for(timeout=120_000)
    settle(page)
    expect(page.locator(".stPlotlyChart")).to_have_count(2)
    page.reload()
    keyed(page, "forecast_verdict").wait_for()
