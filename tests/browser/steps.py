"""What people do and look for in a page, on top of Playwright."""

from __future__ import annotations

from playwright.sync_api import Page, expect

PAGES = {"practice": "/", "study": "/study", "lab": "/lab", "progress": "/progress"}


def settle(page: Page) -> None:
    """Wait until the page's script has run to its end and everything it sent is drawn."""
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_attached()
    expect(page.locator('[data-stale="true"]')).to_have_count(0)


def visit(page: Page, url: str) -> None:
    """Open an address and wait until the page stands."""
    page.goto(url)
    page.locator('[data-testid="stMainBlockContainer"]').wait_for()
    settle(page)


def sideways_px(page: Page) -> int:
    """By how many pixels the page can be scrolled sideways; 0 is right."""
    return int(
        page.evaluate(
            """() => Math.max(0, ...[document.documentElement, document.body, ...document.querySelectorAll(
                 '[data-testid="stMain"], [data-testid="stMainBlockContainer"], [data-testid="stAppViewContainer"]')]
               .map(box => box.scrollWidth - box.clientWidth))"""
        )
    )
