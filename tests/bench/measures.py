"""The measurements themselves: each starts the real server, clicks in Chromium and gives times."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page

from quiz.views import Turn
from sandbox.registry import all_experiments
from tests.bench import long_history
from tests.bench.clock import Times, click_to
from tests.browser.answers import open_turn, right_response, runs
from tests.browser.conftest import DESKTOP
from tests.browser.server import SERVE, Server
from tests.browser.steps import LIVE_POINT, VERDICT, button, choose, keyed, open_lab, settle, start_practice, visit

EMPTY = (sys.executable, "-m", "tests.bench.empty_server", "{port}")
LENGTH = 20
UNDER_WAY = {"queued", "running"}
RIGHT_OR_WRONG, FEEDBACK = ('[data-testid="stAlert"]', ""), (".st-key-next", "")  # the first thing that shows, and the last
ITEM, SUMMARY = (".st-key-check", ""), (".st-key-again", "")
CANCELLED = ('[data-testid="stAlert"]', "Cancelled")


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, started and stopped."""
    server.start()
    try:
        yield server
    finally:
        server.stop()


def new_page(browser: Browser) -> Page:
    """A tab of a browser that was never here before."""
    page = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]}).new_page()
    page.set_default_timeout(180_000)
    return page


def server_in(folder: Path, name: str, command: Sequence[str] = SERVE) -> Server:
    """A server with a folder of its own."""
    place = folder / name
    place.mkdir()
    return Server(place, command=command)


def warm_up(browser: Browser, app: Server) -> None:
    """Wait for the workers, which start with the first visit: a tiny run, through to its verdict."""
    page = new_page(browser)
    open_lab(page, app.url, "experiment=forget-gate&updates=50&seeds=2")
    button(page, "lab_run_unpredicted").click()
    page.locator(VERDICT).wait_for()
    page.context.close()


# --- Clicks in the quiz -----------------------------------------------------------------------------------------


def answer_once(page: Page, app: Server) -> tuple[float, float, float]:
    """Answer the item on screen; milliseconds from Check to right-or-wrong and to all of the feedback, and from Next to what follows."""
    turn: Turn = open_turn(app.database)
    choose(page, turn, right_response(turn.item))
    settle(page)
    verdict, feedback = click_to(page, button(page, "check"), RIGHT_OR_WRONG, FEEDBACK)
    settle(page)
    last = turn.session.answered + 1 >= turn.session.length
    (following,) = click_to(page, button(page, "next"), SUMMARY if last else ITEM)
    settle(page)
    if last:
        button(page, "again").click()
        keyed(page, "check").wait_for()
        settle(page)
    return verdict, feedback, following


@dataclass(frozen=True)
class Clicks:
    """From a click on the empty page to its changed word; from Check to right-or-wrong, to all feedback; from Next to what follows."""

    empty: Times
    verdict: Times
    feedback: Times
    following: Times


def clicks(browser: Browser, folder: Path, samples: int) -> Clicks:
    """The two servers take turns, so that both meet the same machine."""
    with running(server_in(folder, "empty", command=EMPTY)) as empty, running(server_in(folder, "quiz")) as app:
        bare, page = new_page(browser), new_page(browser)
        visit(bare, empty.url)
        start_practice(page, app.url, LENGTH)
        warm_up(browser, app)
        go = bare.get_by_role("button", name="Go")
        times = []
        for number in range(samples):
            first = click_to(bare, go, ('[data-testid="stText"]', f"clicks {number + 1}"))
            settle(bare)
            times.append((*first, *answer_once(page, app)))
    return Clicks(*(Times(column) for column in zip(*times, strict=True)))


def beside_training(browser: Browser, folder: Path, samples: int) -> tuple[Times, Times]:
    """Check → feedback without and with two runs in progress. Their tabs are left, as a learner leaves them to go on with the quiz."""
    with running(server_in(folder, "quiz")) as app:
        page = new_page(browser)
        start_practice(page, app.url, LENGTH)
        warm_up(browser, app)
        alone = [answer_once(page, app)[1] for _ in range(samples)]
        busy: list[float] = []
        while len(busy) < samples:
            while sum(run.state in UNDER_WAY for run in runs(app.database)) < 2:
                leave_training(browser, app)
            busy.append(answer_once(page, app)[1])
    return Times(tuple(alone)), Times(tuple(busy))


def leave_training(browser: Browser, app: Server) -> None:
    """Start a long training of one seed, see its first point and close the tab: it goes on until its lease ends."""
    tab = new_page(browser)
    open_lab(tab, app.url, "experiment=forget-gate&updates=2000&seeds=1")
    button(tab, "lab_run_unpredicted").click()
    tab.locator(LIVE_POINT).first.wait_for(state="attached")
    tab.context.close()


# --- Starting ---------------------------------------------------------------------------------------------------


STARTS = 5


def second_start(browser: Browser, folder: Path) -> tuple[float, float]:
    """Seconds from `make run` (everything installed, database there) until the server answers, and until a question is on screen.

    The medians of a few starts: one alone differs by half a second from the next.
    """
    app = server_in(folder, "run", command=("make", "run"))
    with running(app):
        start_and_finish(browser, app)
    answers, questions = zip(*(_one_start(browser, app) for _ in range(STARTS)), strict=True)
    return statistics.median(answers), statistics.median(questions)


def _one_start(browser: Browser, app: Server) -> tuple[float, float]:
    page = new_page(browser)
    begun = time.monotonic()
    app.start()
    answers = time.monotonic() - begun
    try:
        page.goto(app.url)
        button(page, "begin").click()
        keyed(page, "check").wait_for()
        return answers, time.monotonic() - begun
    finally:
        page.context.close()
        app.stop()


def start_and_finish(browser: Browser, app: Server) -> None:
    """Start a session and end it, so that everything was opened once and the next visit starts at the welcome."""
    page = new_page(browser)
    start_practice(page, app.url)
    button(page, "finish").click()
    keyed(page, "finish").wait_for(state="detached")


# --- The lab ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabTimes:
    """`verdict` in seconds by experiment; the others in milliseconds."""

    first_point: Times
    verdict: dict[str, float]
    cancel: Times


def lab(browser: Browser, folder: Path, samples: int) -> LabTimes:
    """Run and cancel `samples` times, then every experiment once to its verdict, by its quick preset."""
    with running(server_in(folder, "lab")) as app:
        warm_up(browser, app)
        page = new_page(browser)
        points: list[float] = []
        cancels: list[float] = []
        for _ in range(samples):
            open_lab(page, app.url, "experiment=forget-gate&preset=thorough")
            points += click_to(page, button(page, "lab_run_unpredicted"), (LIVE_POINT, ""))
            cancels += click_to(page, button(page, "lab_cancel"), CANCELLED)
        verdict = {}
        for experiment in all_experiments():
            open_lab(page, app.url, f"experiment={experiment}")
            (took,) = click_to(page, button(page, "lab_run_unpredicted"), (VERDICT, ""))
            verdict[experiment] = took / 1000
        assert {run.state for run in runs(app.database)} == {"finished", "cancelled"}
    return LabTimes(Times(tuple(points)), verdict, Times(tuple(cancels)))


# --- Looking back -----------------------------------------------------------------------------------------------

FEW, MANY, DAYS = 100, 100_000, 1000
FEW_RUNS, MANY_RUNS = 24, 2_000
DRAWN = " .main-svg"  # inside a chart: plotly has drawn it
# What is last on each section of the progress page.
SECTIONS = {
    "Over time": (f".st-key-accuracy{DRAWN}", ""),
    "Readiness": (f".st-key-readiness{DRAWN}", ""),
    "Forgetting": (f".st-key-forgetting{DRAWN}", ""),
    "Misconceptions": (".st-key-face_belief_11", ""),
    "Calibration": (f".st-key-certainty{DRAWN}", ""),
    "Predictions": (f".st-key-foretold{DRAWN}", ""),
    "LSTM forecast": (".st-key-compare_forecasts", ""),
    "Overview": (f".st-key-days{DRAWN}", ""),
}


@dataclass(frozen=True)
class PageTimes:
    """Milliseconds from the click on Progress to its chart, and from the click on each section to the last thing of it."""

    page: Times
    sections: dict[str, Times]


def progress(browser: Browser, folder: Path, samples: int) -> tuple[PageTimes, PageTimes, float]:
    """The progress page at FEW and at MANY answers over the same days, taking turns; and the seconds of the first look at MANY after a start."""
    few, many = (server_in(folder, name) for name in ("few", "many"))
    now = datetime.now(UTC)
    long_history.write(few.database, FEW, FEW_RUNS, now, DAYS)
    long_history.write(many.database, MANY, MANY_RUNS, now, DAYS)
    with running(few), running(many):
        pages = new_page(browser), new_page(browser)
        looks = [look_round(page, server) for _ in range(2) for page, server in zip(pages, (few, many), strict=True)]  # the first folds the history
        found: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])
        for _ in range(samples):
            for page, server, rounds in zip(pages, (few, many), found, strict=True):
                rounds.append(look_round(page, server))
    at_few, at_many = ({name: Times(tuple(one[name] for one in rounds)) for name in rounds[0]} for rounds in found)
    return PageTimes(at_few.pop(PAGE), at_few), PageTimes(at_many.pop(PAGE), at_many), looks[1][PAGE] / 1000


PAGE = "page"


def look_round(page: Page, server: Server) -> dict[str, float]:
    """From the study page to the progress page and through its sections; milliseconds for each."""
    visit(page, f"{server.url}/study")
    (took,) = click_to(page, page.get_by_role("link", name="Progress").first, SECTIONS["Overview"])
    times = {PAGE: took}
    for name, last in SECTIONS.items():
        settle(page)
        (times[name],) = click_to(page, page.get_by_role("radio", name=name, exact=True), last)
    settle(page)
    return times
