"""What the app knows, in a real browser: readiness with a date, calibration and certainty on a phone, and an LSTM trained to forecast."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from quiz.service import RunBook
from quiz.ui.text import duration
from tests.browser import demo
from tests.browser.answers import right_response, service_on
from tests.browser.conftest import QUIZ_FIRST
from tests.browser.server import Server
from tests.browser.steps import button, figure, keyed, settle, sideways_px, visit
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


SAYS = {
    "Forgetting": re.compile(r": \d+% today, \d+% on the day of the interview; it is due"),
    "Predictions": "You predicted 2 of 3 runs rightly",
}
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)  # no session of the history goes on past midnight


@pytest.fixture(scope="module")
def practised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Carousel with one answer of long ago, three weeks of answers, three runs that were predicted, and an interview in two weeks."""
    server = Server(tmp_path_factory.mktemp("practised"), environment=QUIZ_FIRST)
    _one_answer(server.database, NOON - timedelta(days=40))
    demo.answers_only(server.database, NOON)
    demo.set_interview(server.database, datetime.now(UTC), days=14, minutes=20)
    _predicted_runs(server.database, "hit", "hit", "miss")
    server.start()
    yield server
    server.stop()


def _one_answer(database: Path, at: datetime) -> None:
    with service_on(database) as service:
        session = service.start_session(service.default_learner(), 1, at)
        turn = service.current(session.id, at, random.Random(0))
        assert turn is not None
        service.submit(turn.presentation_id, right_response(turn.item), None, at)
        service.advance(turn.presentation_id, at)


def _predicted_runs(database: Path, *outcomes: str) -> None:
    """Runs of one experiment that came to these outcomes, each predicted to come to "hit"."""
    with service_on(database) as service:
        book = RunBook(service._database, service.default_learner())
        for number, outcome in enumerate(outcomes):
            book.begin(str(number), {"experiment": "forget-gate", "settings": {}, "first_seed": 0, "seeds": 1, "prediction": "hit"})
            book.end(str(number), {"state": "finished", "verdict": {"outcome": outcome}, "record": {}})


def test_every_section_has_an_address_fits_a_phone_and_has_no_serious_finding(practised: Server, phone: Page) -> None:
    for name, heading in HEADINGS.items():
        visit(phone, f"{practised.url}/progress?section={name}")
        expect(phone.get_by_role("heading", name=heading)).to_be_visible()
        assert sideways_px(phone) == 0
        assert serious(phone) == []
        if name in SAYS:
            expect(phone.get_by_text(SAYS[name])).to_be_visible()
        for chart in phone.locator(".stPlotlyChart").all():
            expect(chart).to_have_accessible_name(re.compile(r"\w+ \w+"))
        if name == "Misconceptions":
            met, overcome, still = (int(figure(phone, label).inner_text()) for label in ("Met", "Overcome", "Still open"))
            assert met == overcome + still > 0


def test_the_filters_of_looking_back_choose_what_is_counted_and_stay_in_the_address(practised: Server, page: Page) -> None:
    visit(page, f"{practised.url}/progress?section=Over+time")
    with service_on(practised.database) as service:
        spent = duration(service.hindsight.growth(service.default_learner(), datetime.now(UTC), UTC).minutes)
    expect(page.get_by_text(re.compile(rf"^106 answers on 13 days, \d+% right, in {spent}"))).to_be_visible()
    _choose_time(page, "The last 4 weeks")
    expect(page.get_by_text("105 answers on 12 days")).to_be_visible()
    _choose_time(page, "Between two days")
    _type_day(page, "From", 19)  # days ago, as in demo.SESSIONS
    _type_day(page, "To", 15)
    expect(page.get_by_text("25 answers on 3 days")).to_be_visible()
    keyed(page, "groups").get_by_role("combobox").fill("Gates")
    page.get_by_role("option", name="Gates").click()
    expect(page.get_by_text("25 answers on 3 days")).to_be_hidden()
    expect(page).to_have_url(re.compile("groups=Gates"))
    page.keyboard.press("Escape")  # as long as the list is open, the page behind it is not there for anybody
    told = page.get_by_text(re.compile(r"^\d+ answers on \d+ days?,")).inner_text()
    expect(keyed(page, "calendar").get_by_label(re.compile(r"^A calendar\. You practised on .* most on .*: \d+ answers?\."))).to_be_visible()
    keyed(page, "measure").get_by_role("radio", name="Minutes").click()
    calendar = keyed(page, "calendar").get_by_label(re.compile(r"^A calendar\. You practised on .* most on .*: \d+ minutes\."))
    expect(calendar.locator(".main-svg").first).to_be_visible()
    page.reload()
    expect(page.get_by_text(told)).to_be_visible()
    expect(keyed(page, "measure").get_by_role("radio", name="Minutes")).to_be_checked()


def _choose_time(page: Page, span: str) -> None:
    keyed(page, "time").get_by_role("combobox").click()
    page.get_by_role("option", name=span).click()
    settle(page)


def _type_day(page: Page, label: str, days_ago: int) -> None:
    page.get_by_role("group", name=label, exact=True).get_by_role("spinbutton").first.click()
    page.keyboard.type(f"{NOON - timedelta(days=days_ago):%Y%m%d}")
    page.get_by_role("heading", name="Progress").click()  # a date counts when its field is left
    settle(page)


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
