"""Every page by axe-core, light and dark, and at twice its size; the whole loop without a mouse; less motion.

Streamlit's markup has no serious finding that stays, so there is no list of exceptions: what axe-core calls serious or critical fails.
"""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from questions.schema import FORMAT_LABELS
from quiz.ui.shortcuts import SHORTCUTS
from quiz.views import Turn
from sandbox.registry import find_experiment
from tests.browser.answers import open_turn, right_response, service_on, wrong_response
from tests.browser.conftest import Pages
from tests.browser.server import Server
from tests.browser.steps import PAGES, VERDICT, button, check, choose, keyed, open_lab, settle, sideways_px, visit

TALL = (1280, 4000)  # axe-core judges the contrast only of what is on the screen
ZOOMED = (640, 400)  # what 1280 × 800 is at 200 %
RUN_MS = 180_000
SHORT_RUN = "experiment=forget-gate&updates=50&hidden=1&seeds=2"
# A chart's drawing is left out: axe-core cannot judge the text of an SVG, and its alternative stands on the box around it.
WHERE = {"exclude": [".plot-container"]}
# The theme changes piece by piece: it has come when nothing is written in the other one's ink any more.
OTHER_INK = {"dark": "rgb(30, 38, 41)", "light": "rgb(232, 230, 224)"}
REPAINTED = """([scheme, ink]) => getComputedStyle(document.querySelector('[data-testid="stApp"]')).colorScheme === scheme
  && ![...document.querySelectorAll('[data-testid="stApp"] *')].some(one => !one.closest('.stPlotlyChart, [inert]') && getComputedStyle(one).color === ink)"""
EVERYTHING = {"resultTypes": ["violations"]}
COLOUR_ONLY = {**EVERYTHING, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
ADDRESSES = [*PAGES.values(), "/study?question=forget-gate", "/study?question=nothing", "/lab?experiment=forget-gate&hidden=500", "/lab?run=nothing"]


def serious(page: Page) -> list[str]:
    """What axe-core finds serious or critical in the page as it stands, of colours in dark, then of everything in light."""
    found = []
    for scheme, options in (("dark", COLOUR_ONLY), ("light", EVERYTHING)):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(REPAINTED, arg=[scheme, OTHER_INK[scheme]])
        settle(page)
        for violation in Axe().run(page, context=WHERE, options=options).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                found += [f"{scheme}: {violation['id']}: {node['html'][:200]}: {node['failureSummary']}" for node in violation["nodes"]]
    return found


def leave_open(database: Path, format_: str) -> Turn:
    """Leave an item of this format in front of the learner."""
    end_session(database)
    with service_on(database) as service:
        learner, now = service.default_learner(), datetime.now(UTC)
        question = next(question.id for question in service.bank.questions if any(item.format == format_ for item in question.items))
        session = service.start_session(learner, 5, now, (question,))
        while (turn := service.current(session.id, now, random.Random(1))) is not None and turn.item.format != format_:
            service.skip(turn.presentation_id, now)
        assert turn is not None
        return turn


def end_session(database: Path) -> None:
    with service_on(database) as service:
        session = service.open_session(service.default_learner())
        if session is not None:
            service.end_session(session.id, datetime.now(UTC))


# --- axe-core ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_has_no_serious_finding_and_at_200_percent_it_does_not_scroll_sideways(app: Server, open_page: Pages, address: str) -> None:
    page = open_page(size=TALL)
    visit(page, app.url + address)
    assert serious(page) == []
    page.set_viewport_size(dict(zip(("width", "height"), ZOOMED, strict=True)))
    settle(page)
    assert sideways_px(page) == 0


@pytest.mark.parametrize("format_", list(FORMAT_LABELS))
def test_nothing_serious_is_found_in_an_item_and_its_feedback(app: Server, open_page: Pages, format_: str) -> None:
    turn = leave_open(app.database, format_)
    page = open_page(size=TALL)
    visit(page, app.url + PAGES["practice"])
    choose(page, turn, wrong_response(turn.item))
    assert serious(page) == []
    check(page)
    page.get_by_text("A model answer to").click()
    expect(keyed(page, "model_answer").get_by_test_id("stExpanderDetails")).to_be_visible()
    assert serious(page) == []


def test_nothing_serious_is_found_behind_the_tabs_of_a_card(app: Server, open_page: Pages) -> None:
    page = open_page(size=TALL)
    visit(page, f"{app.url}/study?question=forget-gate")
    for name in ("Go deeper", "Traps", "Equations", "Sources"):
        page.get_by_role("tab", name=name).click()
        assert serious(page) == []


def test_nothing_serious_is_found_in_the_lab_before_and_after_a_run(app: Server, open_page: Pages) -> None:
    page = open_page(size=TALL)
    open_lab(page, app.url, SHORT_RUN)
    page.get_by_text("Share this set-up").click()
    assert serious(page) == []
    page.keyboard.press("Escape")
    button(page, "lab_run_unpredicted").click()
    page.locator(VERDICT).wait_for(timeout=RUN_MS)
    assert serious(page) == []
    for name in ("progress", "runs"):  # with a run and answers on it
        visit(page, app.url + PAGES[name])
        assert serious(page) == []


# --- Without a mouse --------------------------------------------------------------------------------------------

FOCUSED = """() => {
  const at = document.activeElement, label = at.closest('label') ?? at;
  const outlined = [at, label].some(one => getComputedStyle(one).outlineStyle !== 'none' && parseFloat(getComputedStyle(one).outlineWidth) >= 2);
  return at === document.body ? null : {name: at.matches('button, a') ? at.innerText.trim() : '', html: at.outerHTML.slice(0, 200), outlined};
}"""
MOST_STOPS = 200


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control with `name` as a line of its text has the focus."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused and name in focused["name"].splitlines():
            return
    raise AssertionError(f"Tab never comes to “{name}”")


def answer_by_keyboard(page: Page, turn: Turn) -> None:
    """Give the right answer and check it."""
    response = right_response(turn.item)
    fields = page.get_by_test_id("stMain").get_by_role("textbox")
    for place, text in enumerate([response.text] if response.text else response.texts.values()):
        while not fields.nth(place).evaluate("field => field === document.activeElement"):
            page.keyboard.press("Tab")
        page.keyboard.type(text)
    for key in response.keys:
        place = turn.order.index(key) + 1
        page.keyboard.press(str(place))
        keyed(page, f"choice_{place}").get_by_test_id("stBaseButton-primary").wait_for()
    expect(button(page, "check")).to_be_enabled()
    page.keyboard.press("Enter")
    keyed(page, "next").wait_for()
    settle(page)


def test_a_session_from_start_to_summary_needs_no_mouse(app: Server, open_page: Pages) -> None:
    end_session(app.database)
    page = open_page(size=TALL)
    visit(page, app.url + PAGES["practice"])
    keyed(page, "shortcuts").wait_for()
    settle(page)
    tab_to(page, "5")
    page.keyboard.press("Space")
    expect(keyed(page, "length").get_by_role("radio", name="5", exact=True)).to_be_checked()
    tab_to(page, "Start")
    page.keyboard.press("Enter")
    for position in range(1, 6):
        expect(page.get_by_text(f"Question {position} of 5")).to_be_visible()
        keyed(page, "check").wait_for()
        settle(page)
        answer_by_keyboard(page, open_turn(app.database))
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text("5 of 5 right")).to_be_visible()
    assert serious(page) == []


def tab_into(page: Page, group: str) -> None:
    """Press Tab until one of the options of the group with this name has the focus."""
    options = page.get_by_role("radiogroup", name=group)
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if options.evaluate("group => group.contains(document.activeElement)"):
            return
    raise AssertionError(f"Tab never comes to an option of “{group}”")


def test_the_introduction_goes_from_its_question_to_what_it_shows_and_to_the_ways_on(fresh_app: Server, open_page: Pages) -> None:
    page = open_page(size=TALL)
    visit(page, fresh_app.url)
    tab_to(page, "99%")
    page.keyboard.press("Enter")
    expect(page.get_by_text("That is left after one step.")).to_be_visible()
    expect(page.get_by_text("half is left after 69 steps, a hundredth after 458")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("slider").press("End")
    expect(page.get_by_text("the constant error carousel")).to_be_visible()
    settle(page)
    assert serious(page) == []
    assert sideways_px(page) == 0
    tab_to(page, "Try 3 questions")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Question 1 of 3")).to_be_visible()


def test_the_whole_loop_from_today_over_an_answer_and_its_proof_to_progress_and_back_needs_no_mouse(fresh_app: Server, page: Page) -> None:
    visit(page, fresh_app.url)
    tab_to(page, "Try 3 questions")
    page.keyboard.press("Enter")
    keyed(page, "check").wait_for()
    settle(page)
    turn = open_turn(fresh_app.database)
    answer_by_keyboard(page, turn)
    tab_to(page, "See it happen")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/lab\\?.*experiment={turn.link.experiment}"))
    expect(button(page, "lab_run_unpredicted")).to_be_enabled()
    settle(page)
    tab_into(page, "Your prediction")
    page.keyboard.press("Space")
    expect(button(page, "lab_run")).to_be_enabled()
    settle(page)
    tab_to(page, button(page, "lab_run").inner_text().splitlines()[-1])
    page.keyboard.press("Enter")
    page.locator(VERDICT).wait_for(timeout=RUN_MS)
    settle(page)
    expect(keyed(page, "lab_prediction_result")).to_contain_text("You predicted")
    tab_to(page, "Progress")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stMetric").filter(has_text="Answers")).to_contain_text("1")
    settle(page)
    tab_into(page, "Section")
    while page.evaluate("document.activeElement.innerText.trim()") != "Predictions":
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_text(find_experiment(turn.link.experiment).title)).to_be_visible()
    tab_to(page, "Today")
    page.keyboard.press("Enter")
    expect(button(page, "begin")).to_contain_text("Go on practising")


@pytest.mark.parametrize("address", PAGES.values())
def test_the_focus_is_outlined_wherever_tab_leads_and_a_question_mark_lists_the_shortcuts(app: Server, page: Page, address: str) -> None:
    visit(page, app.url + address)
    keyed(page, "shortcuts").wait_for()
    settle(page)
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUSED))
        if stops[-1] is None:
            break
    assert stops.pop() is None, f"Tab does not come round within {MOST_STOPS} controls"
    assert len(stops) > len(PAGES)
    assert [stop["html"] for stop in stops if not stop["outlined"]] == []
    page.keyboard.press("?")
    for keys in SHORTCUTS.values():
        for action in keys.values():
            expect(page.get_by_role("dialog").get_by_text(action, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_button_opens_the_list_and_a_question_mark_typed_into_a_field_does_not(app: Server, open_page: Pages) -> None:
    page = open_page(size=TALL)
    visit(page, f"{app.url}/study")
    search = page.get_by_test_id("stMain").get_by_role("searchbox")
    search.press("?")
    expect(search).to_have_value("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    button(page, "shortcuts").click()
    expect(page.get_by_role("dialog")).to_contain_text("shows this list")
    assert serious(page) == []


# --- Less motion -----------------------------------------------------------------------------------


def test_nothing_moves_for_those_who_asked_for_less_motion(app: Server, page: Page) -> None:
    visit(page, app.url + PAGES["study"])
    moving = """() => [...document.querySelectorAll('body *')].filter(one => !one.className.toString().includes('st-key-face_'))
      .map(one => getComputedStyle(one)).filter(style => [...style.transitionDuration.split(', '), ...style.animationDuration.split(', ')]
      .some(time => parseFloat(time) > 0.001)).length"""
    assert page.evaluate(moving) == 0
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) > 0
