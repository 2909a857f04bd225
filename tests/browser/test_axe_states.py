"""States of pages that a plain visit does not show, by axe-core: a plan, a diagnostic, what opens at a click, and two people.

All on one server that is prepared step by step, as each server and each visit takes seconds; `test_accessibility.py` has the pages as they open.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from questions.loader import load_bank
from quiz.service import QuizService, RunBook
from quiz.storage.database import open_database
from sandbox.registry import find_experiment
from sandbox.requests import preset_values
from tests.browser import demo
from tests.browser.answers import service_on
from tests.browser.conftest import Pages
from tests.browser.server import Server
from tests.browser.steps import button, keyed, settle, visit
from tests.browser.test_accessibility import TALL, serious

PLACE = ("seed", "seeds", "device")  # of a run's set-up, kept beside its settings


def keep_a_run(database: Path) -> None:
    """A run that was cancelled."""
    opened = open_database(f"sqlite:///{database}")
    book = RunBook(opened, QuizService(opened, load_bank()).default_learner())
    settings = {name: value for name, value in preset_values(find_experiment("forget-gate"), "quick").items() if name not in PLACE}
    book.begin("run-1", {"experiment": "forget-gate", "settings": settings, "first_seed": 4, "seeds": 1, "device": "cpu", "prediction": None})
    book.end("run-1", {"state": "cancelled", "error": None, "verdict": None, "record": {}})
    opened.close()


def stop_the_session(database: Path) -> None:
    with service_on(database) as service:
        session = service.open_session(service.default_learner())
        assert session is not None
        service.end_session(session.id, datetime.now(UTC))


def turn_to(page: Page, name: str) -> None:
    page.get_by_test_id("stTopNavLink").get_by_text(name, exact=True).click()


def from_elsewhere(own: Path) -> bytes:
    """The learner's own file as somebody else's: with other ids, all of it is new."""
    text = own.read_text("utf-8")
    content = json.loads(text)
    for row in content["sessions"] + content["presentations"]:
        text = text.replace(row["id"], row["id"][::-1])
    return text.encode()


def see_the_plan(page: Page, app: Server) -> None:
    demo.open_diagnostic(app.database)
    stop_the_session(app.database)
    demo.prepare_for_two_weeks(app.database)
    visit(page, app.url)
    keyed(page, "day_by_day").get_by_text("Day by day").click()
    expect(keyed(page, "day_by_day").get_by_role("row").first).to_be_visible()
    page.locator(".stPlotlyChart .main-svg").first.wait_for()


def see_a_result(page: Page, app: Server) -> None:
    page.get_by_role("link", name="Your level on").click()
    page.get_by_text("The chart in words").click()
    page.get_by_text("What this can't tell").click()
    keyed(page, "review").get_by_role("combobox").click()
    page.get_by_role("option").first.click()
    keyed(page, "face_review").wait_for()


def be_asked_in_a_diagnostic(page: Page, app: Server) -> None:
    demo.open_diagnostic(app.database)
    turn_to(page, "Practice")
    expect(page.get_by_text("Diagnostic, question 4:")).to_be_visible()


def write_a_note(page: Page, app: Server) -> None:
    keep_a_run(app.database)
    turn_to(page, "Runs")
    button(page, "runs_note_0").click()
    keyed(page, "runs_run_0").get_by_role("textbox").wait_for()


def share_a_run(page: Page, app: Server) -> None:
    button(page, "runs_link_0").click()
    keyed(page, "runs_run_0").locator("code").wait_for()


def see_what_a_file_would_add(page: Page, app: Server) -> None:
    turn_to(page, "Your data")
    with page.expect_download() as started:
        button(page, "data_json").click()
    file = {"name": "learner.json", "mimeType": "application/json", "buffer": from_elsewhere(Path(started.value.path()))}
    page.locator('input[type="file"]').set_input_files(file)
    keyed(page, "data_merge").wait_for()


def be_asked_who_is_practising(page: Page, app: Server) -> None:
    demo.add_profile(app.database)
    page.context.clear_cookies()  # another browser, which nobody has chosen a profile in
    visit(page, f"{app.url}/profiles")
    keyed(page, "profile_choice").wait_for()


def rename_a_profile(page: Page, app: Server) -> None:
    button(page, "profile_1").click()
    keyed(page, "profile_row_2").get_by_role("button", name="Rename", exact=True).click()
    keyed(page, "profile_name_2").get_by_role("textbox").wait_for()


def delete_a_profile(page: Page, app: Server) -> None:
    page.keyboard.press("Escape")
    keyed(page, "profile_row_2").get_by_role("button", name="Delete", exact=True).click()
    button(page, "profile_do_delete_2").click()
    expect(page.get_by_text("The name typed is not “Ben”, so nothing was deleted")).to_be_visible()


STEPS = (
    see_the_plan,
    see_a_result,
    be_asked_in_a_diagnostic,
    write_a_note,
    share_a_run,
    see_what_a_file_would_add,
    be_asked_who_is_practising,
    rename_a_profile,
    delete_a_profile,
)


def test_nothing_serious_is_found_in_what_a_plain_visit_does_not_show(app: Server, open_page: Pages) -> None:
    page, found = open_page(size=TALL), {}
    for step in STEPS:
        step(page, app)
        settle(page)
        found[step.__name__] = serious(page)
    assert {step: findings for step, findings in found.items() if findings} == {}
