"""The formats that are more than options, in a browser: readable on a phone, answered with the keyboard alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from questions.schema import CodeItem, DiagnoseItem
from tests.browser import demo
from tests.browser.answers import open_turn, right_response, wrong_response
from tests.browser.conftest import PHONE, Pages
from tests.browser.server import Server
from tests.browser.steps import check, choose, keyed, settle, sideways_px, visit

FORMULAS = Path(__file__).with_name("formulas_page.py")


@pytest.mark.parametrize("item", demo.ONE_OF_EACH)
def test_each_format_fits_a_phone_before_and_after_the_answer(app: Server, open_page: Pages, item: str) -> None:
    demo.show_item(app.database, item)
    page = open_page(size=PHONE)
    visit(page, f"{app.url}/practice")
    keyed(page, "check").wait_for()
    assert sideways_px(page) == 0
    turn = open_turn(app.database)
    choose(page, turn, wrong_response(turn.item))
    check(page)
    assert sideways_px(page) == 0
    if isinstance(turn.item, CodeItem):
        expect(page.get_by_role("heading", name="The code, mended")).to_be_visible()


def test_code_scrolls_inside_itself_and_has_line_numbers(app: Server, open_page: Pages) -> None:
    demo.show_item(app.database, demo.WIDE_CODE)
    page = open_page(size=PHONE)
    visit(page, f"{app.url}/practice")
    code = keyed(page, "snippet").locator("pre")
    expect(code).to_contain_text(re.compile(r"1\s*import torch"))
    assert code.evaluate("box => box.scrollWidth > box.clientWidth")
    code.evaluate("box => box.scrollTo(1000, 0)")
    assert code.evaluate("box => box.scrollLeft > 0")
    assert sideways_px(page) == 0


def test_a_chart_can_be_read_without_being_seen(app: Server, page: Page) -> None:
    demo.show_item(app.database, demo.CURVES)
    visit(page, f"{app.url}/practice")
    item = open_turn(app.database).item
    assert isinstance(item, DiagnoseItem)
    assert item.curves is not None
    expect(page.get_by_role("figure", name=item.curves.text[:60])).to_be_attached()
    page.get_by_text("The chart in words").click()
    expect(page.get_by_test_id("stExpanderDetails")).to_contain_text(item.curves.text[:60])


def test_a_trace_is_answered_with_the_keyboard_alone(app: Server, page: Page) -> None:
    demo.show_item(app.database, demo.TRACE)
    visit(page, f"{app.url}/practice")
    turn = open_turn(app.database)
    first, *others = right_response(turn.item).texts.values()
    keyed(page, "trace_1").get_by_role("textbox").focus()
    page.keyboard.type(first)
    for text in others:
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    keyed(page, "next").wait_for()
    expect(page.get_by_test_id("stAlert").first).to_contain_text("Right")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Question 2 of")).to_be_visible()


# --- Formulas ---------------------------------------------------------------------------------------------------


@pytest.fixture
def formulas(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, command=(sys.executable, "-m", "streamlit", "run", str(FORMULAS), "--server.port", "{port}"))
    server.start()
    yield server
    server.stop()


def test_every_formula_of_the_bank_is_typeset_by_the_pages_own_renderer(formulas: Server, page: Page) -> None:
    visit(page, formulas.url)
    counted = page.get_by_text(re.compile(r"^\d+ formulas$"))
    counted.wait_for()
    settle(page)
    wrong = page.locator(".katex-error")
    expect(wrong).to_have_count(1)  # the one broken on purpose shows that errors would be seen
    assert page.locator(".katex").count() >= int(counted.inner_text().split()[0]) - 1 > 300
