"""The history of runs, in a real browser: a run is annotated, found, repeated, compared, deleted and had back, and fits a phone."""

from __future__ import annotations

import re
from typing import Literal

from playwright.sync_api import Page, expect

from sandbox.registry import find_experiment
from tests.browser.conftest import PHONE, Pages
from tests.browser.server import Server
from tests.browser.steps import VERDICT, button, keyed, open_lab, run_predicting, settle, sideways_px, visit

RUN_MS = 180_000  # a deadline, not a measurement
SMALL = "experiment=forget-gate&updates=50&hidden=1&seeds=1&seed=4"

SMALL_FIELDS: tuple[tuple[str, Literal["slider", "spinbutton"], str], ...] = (
    ("updates", "spinbutton", "50"),
    ("hidden", "slider", "1"),
    ("seeds", "slider", "1"),
    ("seed", "spinbutton", "4"),
)


def search(page: Page, text: str) -> None:
    box = keyed(page, "runs_search").get_by_role("searchbox")
    box.fill(text)
    box.press("Enter")


def test_a_run_is_annotated_found_repeated_compared_deleted_and_had_back(fresh_app: Server, page: Page, open_page: Pages) -> None:
    open_lab(page, fresh_app.url, SMALL)
    run_predicting(page, find_experiment("forget-gate").predictions[0].text)
    page.locator(VERDICT).wait_for(timeout=RUN_MS)

    page.get_by_role("link", name="All your runs").click()
    button(page, "runs_note_0").click()
    keyed(page, "runs_run_0").get_by_role("textbox").fill("One unit only: *far* too small?\nTry 16.")
    button(page, "runs_save").click()
    expect(page.get_by_text("One unit only: *far* too small?")).to_be_visible()
    search(page, "zebra")
    expect(page.get_by_text("None of your 1 run fits.")).to_be_visible()
    search(page, "FAR q7")
    expect(keyed(page, "runs_run_0")).to_be_visible()

    button(page, "runs_link_0").click()
    link = keyed(page, "runs_run_0").locator("code")
    expect(link).to_contain_text(re.compile(r"/lab\?experiment=forget-gate&.*hidden=1.*seed=4"))
    other = open_page()  # somebody else's
    visit(other, link.inner_text())
    for name, role, value in SMALL_FIELDS:
        expect(keyed(other, f"lab_set_forget-gate_{name}").get_by_role(role)).to_have_value(value)
    keyed(page, "runs_again_0").get_by_role("button").dblclick()
    page.locator(VERDICT).wait_for(timeout=RUN_MS)
    expect(keyed(page, "lab_repeat")).to_contain_text("Every number of 1 seed is the same")

    visit(page, f"{fresh_app.url}/runs")
    expect(page.get_by_text("2 runs, the newest first")).to_be_visible()  # the double click started one
    button(page, "runs_compare_1").click()
    button(page, "runs_with_0").click()
    keyed(page, "lab_compared_curves").wait_for()
    expect(page.get_by_text("What was set differently:")).to_be_visible()

    phone = open_page(size=PHONE, dark=True)
    visit(phone, f"{fresh_app.url}/runs")
    assert sideways_px(phone) == 0
    button(phone, "runs_delete_1").click()
    expect(keyed(phone, "runs_deleted")).to_be_visible()
    expect(phone.get_by_text("One unit only")).to_have_count(0)
    button(phone, "runs_undo").click()
    expect(phone.get_by_text("One unit only")).to_be_visible()
    settle(phone)
    assert sideways_px(phone) == 0
