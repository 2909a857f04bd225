"""The lab in a real browser: live curves to a verdict, a refresh in the middle, cancel, double clicks, a phone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import nbformat
import pytest
from playwright.sync_api import Page, expect

from sandbox.registry import all_experiments
from tests.browser.answers import runs
from tests.browser.server import Server, wait_until
from tests.browser.steps import LIVE_POINT, VERDICT, button, download, keyed, open_lab, run_predicting, settle, sideways_px, visit
from tests.experiments.smoke import smallest
from tests.experiments.test_notebook import run_alone

RUN_MS = 180_000  # a deadline, not a measurement
SHORT = "experiment=forget-gate&updates=50&hidden=1&seeds=2"
DRAWN = ".scatterlayer .trace path, .scatterlayer .trace .point, .barlayer .point, .heatmaplayer image"
LONG = "experiment=forget-gate&updates=2000&hidden=64&seeds=2"


def run_number(page: Page) -> str:
    found = re.search(r"run=([0-9a-f]+)", page.url)
    assert found
    return found[1]


def state_of(app: Server, run_id: str) -> str:
    return next(run.state for run in runs(app.database) if run.id == run_id)


def test_a_run_shows_live_curves_then_its_verdict_without_a_reload(app: Server, page: Page) -> None:
    open_lab(page, app.url, SHORT)
    run_predicting(page, "It fails, and its cell state grows more than a hundredfold")
    page.locator(LIVE_POINT).first.wait_for(state="attached", timeout=RUN_MS)
    page.locator(VERDICT).wait_for(timeout=RUN_MS)
    expect(keyed(page, "lab_prediction_result")).to_contain_text("You predicted: It fails, and its cell state grows more than a hundredfold")
    expect(keyed(page, "lab_cancel")).to_have_count(0)
    expect(page.get_by_text("WHAT IS TRUE")).to_be_visible()
    assert state_of(app, run_number(page)) == "finished"


def test_a_refresh_in_the_middle_finds_the_run_going_on_and_cancel_ends_it(app: Server, page: Page) -> None:
    open_lab(page, app.url, LONG)
    button(page, "lab_run_unpredicted").click()
    page.locator(LIVE_POINT).first.wait_for(state="attached", timeout=RUN_MS)
    run_id = run_number(page)
    page.reload()
    page.locator(LIVE_POINT).first.wait_for(state="attached", timeout=RUN_MS)
    assert run_number(page) == run_id
    button(page, "lab_cancel").click()
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    wait_until(lambda: state_of(app, run_id) == "cancelled", 30, "the cancelled run is stored")
    button(page, "lab_change").click()
    expect(page).to_have_url(re.compile("updates=2000"))
    expect(button(page, "lab_run_unpredicted")).to_be_visible()


def test_a_double_click_starts_one_run_and_a_visit_elsewhere_does_not_end_it(app: Server, page: Page) -> None:
    before = len(runs(app.database))
    open_lab(page, app.url, LONG)
    button(page, "lab_run_unpredicted").dblclick()
    expect(page).to_have_url(re.compile("run="))
    page.locator(LIVE_POINT).first.wait_for(state="attached", timeout=RUN_MS)
    assert len(runs(app.database)) == before + 1
    page.get_by_role("link", name="Study").first.click()
    expect(page).to_have_url(re.compile("/study"))
    page.get_by_role("link", name="Lab").first.click()
    button(page, "lab_cancel").click()
    expect(page.get_by_text("Cancelled.")).to_be_visible()


def test_the_run_starts_by_keyboard(app: Server, page: Page) -> None:
    open_lab(page, app.url, SHORT)
    page.get_by_role("radiogroup", name="Your prediction").get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    expect(button(page, "lab_run")).to_be_enabled()
    page.keyboard.press("Alt+l")
    expect(page).to_have_url(re.compile("run="))
    page.locator(VERDICT).wait_for(timeout=RUN_MS)


def test_on_a_phone_no_state_of_the_page_scrolls_sideways(app: Server, phone: Page) -> None:
    open_lab(phone, app.url, SHORT)
    assert sideways_px(phone) == 0
    button(phone, "lab_run_unpredicted").click()
    phone.locator(VERDICT).wait_for(timeout=RUN_MS)
    settle(phone)
    assert sideways_px(phone) == 0
    visit(phone, f"{app.url}/lab?experiment=forget-gate&hidden=500&seeds=0")
    expect(phone.get_by_text("hidden must be a whole number from 1 to 64")).to_be_visible()
    assert sideways_px(phone) == 0


@pytest.mark.parametrize("experiment_id", list(all_experiments()))
def test_every_experiment_runs_to_a_verdict_and_all_its_figures_hold_something(app: Server, page: Page, experiment_id: str) -> None:
    updates = {name: value for name, value in smallest(experiment_id).items() if name == "updates"}
    open_lab(page, app.url, urlencode({"experiment": experiment_id, **updates, "seeds": 1}))
    button(page, "lab_run_unpredicted").click()
    page.locator(VERDICT).wait_for(timeout=RUN_MS)
    settle(page)
    for key in ("lab_curves", "lab_strip"):
        keyed(page, key).locator(DRAWN).first.wait_for(state="attached")
    pictures = page.locator('[class*="st-key-lab_picture_"]')
    assert pictures.count() >= 1
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        picture.locator(DRAWN).first.wait_for(state="attached")


def run_script(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-P", str(script)], cwd=script.parent, capture_output=True, text=True, timeout=300)


def test_a_finished_run_can_be_taken_as_a_script_and_as_a_notebook_that_get_its_numbers(app: Server, page: Page, tmp_path: Path) -> None:
    open_lab(page, app.url, SHORT)
    button(page, "lab_run_unpredicted").click()
    page.locator(VERDICT).wait_for(timeout=RUN_MS)
    script, book = download(page, "lab_script", tmp_path), download(page, "lab_notebook", tmp_path)
    assert (script.name, book.name) == ("carousel_forget_gate.py", "carousel_forget_gate.ipynb")
    nbformat.validate(nbformat.read(book, as_version=4))
    for done in (run_script(script), run_alone(book.read_text("utf-8"), tmp_path)):
        assert done.returncode == 0, done.stderr
        assert "2 of 2 seeds identical, every digit" in done.stdout
