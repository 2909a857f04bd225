"""Data out of one Carousel and into another, with a real browser's download and upload; and the report on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from questions.loader import load_bank
from quiz.service import LearnerData, QuizService
from quiz.storage.database import open_database
from tests.browser import demo
from tests.browser.answers import progress
from tests.browser.conftest import QUIZ_FIRST, Pages
from tests.browser.server import Server
from tests.browser.steps import button, keyed, settle, sideways_px, visit


@pytest.fixture(scope="module")
def other_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A second Carousel, whose learner has a history. The tests only read it."""
    server = Server(tmp_path_factory.mktemp("other"), environment=QUIZ_FIRST)
    demo.answers_only(server.database, datetime.now(UTC))
    server.start()
    yield server
    server.stop()


def download(page: Page, key: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        button(page, key).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def bring_in(page: Page, file: Path) -> None:
    page.locator('input[type="file"]').set_input_files(file)
    keyed(page, "data_preview").wait_for()
    settle(page)


def test_everything_leaves_one_carousel_and_gives_the_same_progress_in_a_fresh_one(
    fresh_app: Server, other_app: Server, open_page: Pages, tmp_path: Path
) -> None:
    there, here = open_page(), open_page()
    visit(there, f"{other_app.url}/data")
    file = download(there, "data_json", tmp_path)
    assert re.fullmatch(r"carousel-\d{4}-\d\d-\d\d\.json", file.name)
    file.write_bytes(file.read_bytes() + b" " * 1_500_000)  # still JSON, and more than other uploads may have
    visit(here, f"{fresh_app.url}/data")
    bring_in(here, file)
    before = progress(other_app.database)
    assert progress(fresh_app.database).attempts == 0
    expect(keyed(here, "data_preview")).to_contain_text(f"{before.attempts} new answers")
    button(here, "data_merge").click()
    expect(here.get_by_text("Taken in")).to_be_visible()
    after = progress(fresh_app.database)
    assert (after.attempts, after.correct, after.days) == (before.attempts, before.correct, before.days)
    assert [(cell.attempts, cell.mastery, cell.low, cell.high, cell.due_at) for cell in after.cells] == [
        (cell.attempts, cell.mastery, cell.low, cell.high, cell.due_at) for cell in before.cells
    ]
    bring_in(here, file)
    expect(keyed(here, "data_preview")).to_contain_text("Nothing new")
    assert download(here, "data_anki", tmp_path).read_bytes()[:2] == b"PK"
    assert download(here, "data_tables", tmp_path).read_bytes()[:2] == b"PK"


def test_the_page_fits_a_phone(other_app: Server, phone: Page) -> None:
    visit(phone, f"{other_app.url}/data")
    assert sideways_px(phone) == 0


def test_the_report_prints_on_one_sheet_and_fits_a_phone(other_app: Server, page: Page, phone: Page) -> None:
    database = open_database(f"sqlite:///{other_app.database}")
    service = QuizService(database, load_bank())
    html = LearnerData(service, database, 1).report(datetime.now(UTC) + timedelta(minutes=1), UTC, str, lambda _, key: key).decode()
    database.close()
    page.set_content(html)
    sheets = re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(prefer_css_page_size=True, print_background=True))
    assert len(sheets) == 1
    phone.set_content(html)
    assert phone.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
