"""What people do and look for in a page, on top of Playwright."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from questions.schema import NumberItem
from quiz.engine.grading import Response
from quiz.views import Turn

# Deadlines, not measurements: a busy machine is slow, a page that never comes is wrong.
expect.set_options(timeout=30_000)

PAGES = {
    "today": "/",
    "practice": "/practice",
    "study": "/study",
    "lab": "/lab",
    "runs": "/runs",
    "progress": "/progress",
    "data": "/data",
    "diagnostic": "/diagnostic",
    "profiles": "/profiles",
}


def settle(page: Page) -> None:
    """Wait until the page's script has run to its end and everything it sent is drawn."""
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_attached()
    expect(page.locator('[data-stale="true"], [data-testid="stSkeleton"]')).to_have_count(0)


def visit(page: Page, url: str) -> None:
    """Open an address and wait until the page stands."""
    page.goto(url)
    page.locator('[data-testid="stMainBlockContainer"]').wait_for()
    settle(page)


def sideways_px(page: Page) -> int:
    """By how many pixels the page can be scrolled sideways; 0 is right."""
    return int(
        page.evaluate(
            """() => Math.max(0, ...[document.documentElement, document.body, ...document.querySelectorAll(
                 '[data-testid="stMain"], [data-testid="stMainBlockContainer"], [data-testid="stAppViewContainer"]')]
               .map(box => box.scrollWidth - box.clientWidth))"""
        )
    )


def figure(page: Page, label: str) -> Locator:
    """The number under this label, of those that stand in boxes."""
    return page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True)).get_by_test_id("stMetricValue")


def download(page: Page, key: str, folder: Path) -> Path:
    """Press the download button with this key and keep the file in the folder, under its own name."""
    with page.expect_download() as waiting:
        button(page, key).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


# --- Practice ---------------------------------------------------------------------------------------------------


def keyed(page: Page, key: str) -> Locator:
    """The element that the app gave this key."""
    return page.locator(f".st-key-{key}")


def button(page: Page, key: str) -> Locator:
    """The button with this key."""
    return keyed(page, key).get_by_role("button")


def start_practice(page: Page, url: str, length: int = 5) -> None:
    """Open the practice page, choose a length and start; the first item is on screen then."""
    visit(page, f"{url}/practice")
    keyed(page, "length").get_by_role("radio", name=str(length), exact=True).click()
    button(page, "start").click()
    keyed(page, "check").wait_for()
    settle(page)


def choose(page: Page, turn: Turn, response: Response) -> None:
    """Give an answer with the mouse, without checking it."""
    if isinstance(turn.item, NumberItem):
        keyed(page, "number").get_by_role("textbox").fill(response.text)
        return
    for place, text in enumerate(response.texts.values(), start=1):
        keyed(page, f"trace_{place}").get_by_role("textbox").fill(text)
    for key in response.keys:
        option = keyed(page, f"choice_{turn.order.index(key) + 1}")
        option.get_by_role("button").click()
        option.get_by_test_id("stBaseButton-primary").wait_for()


def check(page: Page) -> None:
    """Check the answer; the feedback is on screen then."""
    button(page, "check").click()
    keyed(page, "next").wait_for()
    settle(page)


def go_on(page: Page) -> None:
    """Leave the feedback; the next item, or the summary, is on screen then."""
    button(page, "next").click()
    keyed(page, "next").wait_for(state="detached")
    settle(page)


# --- The lab ----------------------------------------------------------------------------------------------------

LIVE_POINT = ".st-key-lab_curves .scatterlayer .trace"
VERDICT = ".st-key-lab_verdict"


def open_lab(page: Page, url: str, address: str) -> None:
    """Open the lab at `address` ("experiment=forget-gate&updates=50"), ready to run."""
    visit(page, f"{url}/lab?{address}")
    keyed(page, "lab_run_unpredicted").wait_for()


def run_predicting(page: Page, prediction: str) -> None:
    """Lock in the prediction with this text and run; the run's page is on screen then."""
    page.get_by_role("radiogroup", name="Your prediction").get_by_text(prediction, exact=True).click()
    run = button(page, "lab_run")
    expect(run).to_be_enabled()
    run.click()
    expect(page).to_have_url(re.compile("run="))


def hold_at(page: Page, value: str) -> None:
    """Under a finished run: hold the chosen gate of the trained network at a value."""
    keyed(page, "lab_surgery").get_by_role("radiogroup", name="Hold it at").get_by_role("radio", name=value, exact=True).click()
