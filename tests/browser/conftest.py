"""The real server and a real Chromium for the tests in this folder.

`app` is a running server shared by one test file; `fresh_app` is one with an empty database for a single test.
`page` is a tab that fails its test on any console error, page error or request to a host that is not ours;
`open_page` opens more of them, also narrow or dark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.browser.find_chromium import present
from tests.browser.server import ROOT, Server

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = (1280, 800)
PHONE = (390, 844)
WAIT_MS = 30_000
# Opened at /study, Streamlit's page first asks /study/_stcore for its server and gets a 404, then asks /_stcore.
LOOKS_FOR_ITS_SERVER = re.compile(r"//[^/]+/[a-z]+/_stcore/(health|host-config)$")
FAILURES = ROOT / "build" / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder carries the `browser` mark, so that `-m "not browser"` leaves it out."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep a picture of every open page when a test fails, under build/browser."""
    report = yield
    if report.failed and call.when == "call":
        pages = getattr(item, "funcargs", {}).get("open_page")
        for number, page in enumerate(pages.pages if pages else ()):
            FAILURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=FAILURES / f"{re.sub(r'[^a-zA-Z0-9_]+', '-', item.name)}-{number}.png", full_page=True)
    return report


# --- The server -------------------------------------------------------------------------------------------------

# Most of these tests never train: loading torch into two processes for each of them would take most of their time.
QUIZ_FIRST = {"CAROUSEL_WARM_UP": "no"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Carousel, running, with one database for all tests of the file; see Server for what it can do."""
    server = Server(tmp_path_factory.mktemp("app"), environment=QUIZ_FIRST)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def fresh_app(tmp_path: Path) -> Iterator[Server]:
    """Carousel, running, as somebody sees it who starts it for the first time."""
    server = Server(tmp_path, environment=QUIZ_FIRST)
    server.start()
    yield server
    server.stop()


# --- The browser ------------------------------------------------------------------------------------------------


# One browser for this folder and no longer: Playwright keeps an event loop running in the main thread, in which no
# other test could call asyncio.run.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    path = present()
    assert path, "The browser tests need a Chromium: `make test` brings one, or set CAROUSEL_CHROMIUM to its path"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Visitors:
    """People with a browser of their own each, who have been here before: what is static is in their cache, and nothing else is left.

    A test's visitors are used again by later tests, as loading and compiling the page's code anew took a third of the time of all tests.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self._free: dict[tuple[tuple[int, int], bool], list[BrowserContext]] = {}

    def take(self, size: tuple[int, int], dark: bool) -> BrowserContext:
        """A visitor whom nobody else has, with a screen of the given size (CSS pixels)."""
        if free := self._free.get((size, dark)):
            return free.pop()
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
            has_touch=width < 600,
        )
        context.set_default_timeout(WAIT_MS)
        return context

    def give_back(self, context: BrowserContext, size: tuple[int, int], dark: bool, origins: Iterable[str]) -> None:
        """Close a visitor's tabs and take all from them that the servers at `origins` left there."""
        for page in context.pages:
            page.close()
        context.clear_cookies()
        blank = context.new_page()
        devtools = context.new_cdp_session(blank)
        for origin in origins:
            devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "cookies,local_storage,indexeddb,service_workers"})
        blank.close()
        self._free.setdefault((size, dark), []).append(context)


@pytest.fixture(scope="package")
def visitors(browser: Browser) -> Visitors:
    """Those of all tests of this process."""
    return Visitors(browser)


class Pages:
    """The tabs of one test and everything that went wrong in them."""

    def __init__(self, visitors: Visitors) -> None:
        self.visitors = visitors
        self.pages: list[Page] = []
        self.contexts: list[tuple[BrowserContext, tuple[int, int], bool]] = []
        self.origins: set[str] = set()
        self.errors: list[str] = []
        self.forgiven: list[str] = []

    def __call__(self, *, size: tuple[int, int] = DESKTOP, dark: bool = False, same_as: Page | None = None) -> Page:
        """Open a tab of the given size (CSS pixels)."""
        page = (same_as.context if same_as else self._context(size, dark)).new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._note("page error", str(error)))
        page.on("request", lambda request: self._check_host(request.url))
        self.pages.append(page)
        return page

    def forgive(self, pattern: str) -> None:
        """Expect errors that match `pattern`, such as the lost connection while the server restarts."""
        self.forgiven.append(pattern)

    def close(self) -> list[str]:
        """Close all tabs; the errors that nobody expected."""
        for context, size, dark in self.contexts:
            self.visitors.give_back(context, size, dark, self.origins)
        return [error for error in self.errors if not any(re.search(pattern, error) for pattern in self.forgiven)]

    def _context(self, size: tuple[int, int], dark: bool) -> BrowserContext:
        context = self.visitors.take(size, dark)
        self.contexts.append((context, size, dark))
        return context

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not LOOKS_FOR_ITS_SERVER.search(message.location["url"]):
            self._note("console", f"{message.text} {message.location['url']}")

    def _note(self, kind: str, text: str) -> None:
        self.errors.append(f"{kind}: {text}")

    def _check_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss"):
            if parts.hostname == "127.0.0.1":
                self.origins.add(f"{parts.scheme}://{parts.netloc}")
            else:
                self._note("outside request", url)


@pytest.fixture
def open_page(visitors: Visitors) -> Iterator[Pages]:
    """Opens tabs: `open_page(size=PHONE, dark=True)`."""
    pages = Pages(visitors)
    yield pages
    errors = pages.close()
    assert not errors, "in the browser:\n" + "\n".join(errors)


@pytest.fixture
def page(open_page: Pages) -> Page:
    """A light tab of 1280 × 800."""
    return open_page()


@pytest.fixture
def phone(open_page: Pages) -> Page:
    """A light tab as narrow as a phone, 390 px."""
    return open_page(size=PHONE)


@pytest.fixture
def screenshot() -> Callable[..., Path]:
    """`screenshot(page, "name")` writes build/browser/name.png and returns its path."""

    def take(page: Page, name: str, *, full_page: bool = True) -> Path:
        FAILURES.mkdir(parents=True, exist_ok=True)
        path = FAILURES / f"{name}.png"
        page.screenshot(path=path, full_page=full_page)
        return path

    return take
