"""Times a click inside the browser: from the click event to the moment the awaited thing is in the document.

Playwright's own round trips (several milliseconds each) are therefore not part of any figure.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

# `css` must match an element whose text contains `text` (any element when it is empty) and that was not there before the click.
_ARM = """([css, text]) => {
  window.__took = null;
  let clicked = null;
  const there = () => [...document.querySelectorAll(css)].some(box => box.textContent.includes(text));
  const look = () => {
    if (clicked === null || window.__took !== null || !there()) return;
    window.__took = performance.now() - clicked;
    observer.disconnect();
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, {childList: true, subtree: true, characterData: true, attributes: true});
  addEventListener('click', () => { clicked = performance.now(); }, {capture: true, once: true});
}"""


def click_to(page: Page, button: Locator, css: str, text: str = "") -> float:
    """Click `button`; milliseconds until `css` (containing `text`) appears. It must not be there before."""
    button.wait_for()
    page.evaluate(_ARM, [css, text])
    button.click()
    page.wait_for_function("() => window.__took !== null", polling=20)
    return float(page.evaluate("() => window.__took"))


@dataclass(frozen=True)
class Times:
    """Measured times in milliseconds."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        """The 95th percentile, interpolated (needs two samples or more)."""
        return statistics.quantiles(self.samples, n=20, method="inclusive")[-1]
