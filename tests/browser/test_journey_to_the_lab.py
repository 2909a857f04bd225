"""The whole way: an answer, its feedback, the experiment that proves it, the verdict, and all of it on the pages that keep it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from sandbox.registry import find_experiment
from sandbox.settings import default_workers
from tests.browser.answers import open_turn, progress, runs, wrong_response
from tests.browser.conftest import Pages
from tests.browser.server import Server, wait_until
from tests.browser.steps import LIVE_POINT, VERDICT, button, check, choose, keyed, run_predicting, settle, start_practice, visit
from tests.browser.test_journeys import CONNECTION_LOST

RUN_MS = 180_000  # a deadline, not a measurement
WARM_S = 90


@pytest.fixture
def eager_app(tmp_path: Path) -> Iterator[Server]:
    """Carousel as it is started: the training processes are loaded soon after a first visit."""
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


def trainers(app: Server) -> list[psutil.Process]:
    """The processes of this server that have torch loaded."""
    return [one for one in app.workers() if any("libtorch" in part.path for part in one.memory_maps())]


def test_from_an_answer_through_the_lab_to_the_progress_page_and_over_a_restart(eager_app: Server, page: Page, open_page: Pages) -> None:
    start_practice(page, eager_app.url)
    turn = open_turn(eager_app.database)
    choose(page, turn, wrong_response(turn.item))
    check(page)
    wait_until(lambda: len(trainers(eager_app)) == default_workers(), WARM_S, "the training processes stand before anybody opens the lab")

    keyed(page, "see_it_happen").get_by_role("link").click()
    expect(page).to_have_url(re.compile(f"/lab\\?.*experiment={turn.link.experiment}"))
    experiment = find_experiment(turn.link.experiment)
    expect(page.get_by_role("heading", name=experiment.title, exact=True)).to_be_visible()
    expect(button(page, "lab_run")).to_be_disabled()
    run_predicting(page, experiment.predictions[0].text)
    page.locator(LIVE_POINT).first.wait_for(state="attached", timeout=RUN_MS)
    page.locator(VERDICT).wait_for(timeout=RUN_MS)
    settle(page)
    expect(keyed(page, "lab_prediction_result")).to_contain_text("You predicted:")
    [run] = runs(eager_app.database)
    assert (run.experiment, run.state, run.prediction) == (experiment.id, "finished", experiment.predictions[0].key)
    assert run.status in {"supported", "contradicted", "inconclusive"}

    verdict = page.locator(VERDICT).inner_text()
    open_page.forgive(CONNECTION_LOST)
    eager_app.restart()
    page.reload()
    expect(page.locator(VERDICT)).to_have_text(verdict, use_inner_text=True)

    visit(page, f"{eager_app.url}/progress")
    expect(page.get_by_test_id("stMetric").filter(has_text="Answers")).to_contain_text("1")
    visit(page, f"{eager_app.url}/runs")
    expect(keyed(page, "runs_run_0")).to_contain_text(experiment.title)
    assert progress(eager_app.database).attempts == 1
    visit(page, f"{eager_app.url}/practice")
    keyed(page, "next").wait_for()  # the feedback of the answer, where it was left
