"""Data out of one Carousel and into another, with a real browser's download and upload; and the report on paper."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from anki.collection import Collection
from anki.import_export_pb2 import ImportAnkiPackageOptions, ImportAnkiPackageRequest
from playwright.sync_api import Page, expect

from questions.loader import load_bank
from quiz.service.anki import weak_spots
from tests.browser import demo
from tests.browser.answers import progress
from tests.browser.conftest import QUIZ_FIRST, Pages
from tests.browser.server import Server
from tests.browser.steps import button, download, keyed, settle, sideways_px, visit


@pytest.fixture(scope="module")
def other_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A second Carousel, whose learner has a history. The tests only read it."""
    server = Server(tmp_path_factory.mktemp("other"), environment=QUIZ_FIRST)
    demo.answers_only(server.database, datetime.now(UTC))
    server.start()
    yield server
    server.stop()


def cards_in(package: Path, folder: Path) -> int:
    """How many cards Anki itself finds in a package."""
    collection = Collection(str(folder / f"{package.stem}.anki2"))
    try:
        collection.import_anki_package(ImportAnkiPackageRequest(package_path=str(package), options=ImportAnkiPackageOptions(merge_notetypes=True)))
        return int(collection.card_count())
    finally:
        collection.close()


def rows_in(tables: Path) -> dict[str, int]:
    """Rows under the head of each table."""
    with zipfile.ZipFile(tables) as archive:
        return {name: len(list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))) for name in archive.namelist()}


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
    bank, weak = load_bank(), weak_spots({cell.question_id: cell.mastery for cell in after.cells})
    assert cards_in(download(here, "data_anki", tmp_path), tmp_path) == len(bank.items)
    assert cards_in(download(here, "data_anki_weak", tmp_path), tmp_path) == sum(len(bank.by_id[one].items) for one in weak)
    assert 0 < len(weak) < len(bank.questions)
    assert rows_in(download(here, "data_tables", tmp_path)) == {"attempts.csv": before.attempts, "runs.csv": 0}


def test_the_page_fits_a_phone_and_its_report_does_so_too_and_prints_on_one_sheet(other_app: Server, phone: Page, tmp_path: Path) -> None:
    visit(phone, f"{other_app.url}/data")
    assert sideways_px(phone) == 0
    report = download(phone, "data_report", tmp_path)
    assert re.fullmatch(r"carousel-\d{4}-\d\d-\d\d-report\.html", report.name)
    phone.goto(report.as_uri())
    expect(phone.locator("body")).to_contain_text(f"{progress(other_app.database).attempts}answers")
    assert phone.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", phone.pdf(prefer_css_page_size=True, print_background=True))) == 1
