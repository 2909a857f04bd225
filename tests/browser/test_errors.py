"""What goes wrong in front of a learner, on a phone: said in words, nothing lost, a way on, and nothing serious for axe-core."""

from __future__ import annotations

import json
import random
import re
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.answers import open_turn, progress, right_response, service_on
from tests.browser.conftest import QUIZ_FIRST, Pages
from tests.browser.server import Server
from tests.browser.steps import button, check, choose, keyed, settle, sideways_px, start_practice, visit
from tests.browser.test_accessibility import EVERYTHING, serious

SHOPPING = "Milk, eggs, a better interview"
WHOLE = {"width": 390, "height": 4000}  # as narrow as a phone and all of the page on the screen, as axe-core needs it


def fits_and_is_accessible(page: Page) -> None:
    assert sideways_px(page) == 0
    page.set_viewport_size(WHOLE)
    assert serious(page) == []


def answer_one(database: Path) -> None:
    """Leave a session with one answer behind."""
    now = datetime.now(UTC)
    with service_on(database) as service:
        session = service.start_session(service.default_learner(), 5, now)
        turn = service.current(session.id, now, random.Random(1))
        assert turn is not None
        service.submit(turn.presentation_id, right_response(turn.item), "sure", now)
        service.end_session(session.id, now)


def test_an_unknown_address_gets_our_own_page_and_a_way_on(app: Server, phone: Page, open_page: Pages) -> None:
    open_page.forgive(r"404 \(Not Found\).*/nowhere$")
    answer = phone.goto(f"{app.url}/nowhere")
    assert answer is not None
    assert answer.status == 404
    expect(phone.get_by_role("heading", level=1)).to_have_text("There is no such page")
    assert sideways_px(phone) == 0
    for scheme in ("dark", "light"):
        phone.emulate_media(color_scheme=scheme)
        violations = Axe().run(phone, options=EVERYTHING).response["violations"]
        assert [one["id"] for one in violations if one["impact"] in ("serious", "critical")] == []
    phone.get_by_role("link", name="practise").click()
    button(phone, "start").wait_for()
    settle(phone)


@pytest.fixture
def on_no_database(tmp_path: Path) -> Iterator[Server]:
    """Carousel on a file that is something else, as Streamlit starts it: `python -m quiz serve` ends at once and says so in the terminal."""
    server = Server(tmp_path, environment=QUIZ_FIRST, command=(sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", "{port}"))
    server.database.write_text(SHOPPING)
    server.start()
    yield server
    server.stop()


def test_on_a_file_that_is_no_database_carousel_says_what_to_do_and_starts_once_the_file_is_gone(on_no_database: Server, phone: Page) -> None:
    visit(phone, on_no_database.url)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Carousel cannot start yet")
    expect(phone.locator("code").first).to_have_text(f"{on_no_database.database}: this file is not an SQLite database")
    expect(phone.get_by_text("What to do: move this file away, or set DATABASE_URL to another one.")).to_be_visible()
    fits_and_is_accessible(phone)
    assert on_no_database.database.read_text() == SHOPPING
    on_no_database.database.unlink()
    phone.reload()
    expect(phone.get_by_role("link", name="Practice").first).to_be_attached()
    settle(phone)


def test_an_answer_checked_while_another_program_keeps_the_database_is_not_lost_and_counts_when_checked_again(app: Server, phone: Page) -> None:
    before = progress(app.database).attempts
    start_practice(phone, app.url)
    turn = open_turn(app.database)
    choose(phone, turn, right_response(turn.item))
    other = sqlite3.connect(app.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    button(phone, "check").click()
    expect(phone.get_by_role("alert")).to_contain_text("nothing was changed. Everything recorded before is safe. What to do:")
    expect(phone.locator("code", has_text="another program keeps it locked")).to_be_visible()
    settle(phone)
    fits_and_is_accessible(phone)
    assert other.execute("SELECT count(*) FROM attempt").fetchone() == (before,)
    other.execute("ROLLBACK")
    other.close()
    check(phone)
    assert progress(app.database).attempts == before + 1
    expect(phone.get_by_text("another program keeps it locked")).to_have_count(0)


def test_a_damaged_file_is_refused_with_its_place_and_no_answer_comes_or_goes(app: Server, phone: Page, tmp_path: Path) -> None:
    answer_one(app.database)
    answers = progress(app.database).attempts
    visit(phone, f"{app.url}/data")
    with phone.expect_download() as started:
        button(phone, "data_json").click()
    content = json.loads(Path(started.value.path()).read_bytes())
    content["attempts"][0]["correct"] = "yes"
    damaged = tmp_path / "damaged.json"
    damaged.write_text(json.dumps(content))
    phone.locator('input[type="file"]').set_input_files(damaged)
    expect(phone.get_by_role("alert")).to_contain_text("This file was not taken in, and nothing was changed:")
    expect(phone.locator("code", has_text="attempts[0].correct: ")).to_be_visible()
    expect(keyed(phone, "data_preview")).to_have_count(0)
    expect(phone.get_by_text(re.compile(r"^Download the file once more"))).to_be_visible()
    settle(phone)
    fits_and_is_accessible(phone)
    assert progress(app.database).attempts == answers
