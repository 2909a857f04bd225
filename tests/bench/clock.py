"""Times a click inside the browser: from the click event to the moment the awaited thing is in the document.

Playwright's own round trips (several milliseconds each) are therefore not part of any figure.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

# Each mark is a selector and a text: the mark is reached when an element matches whose text contains it.
_ARM = """(marks) => {
  window.__took = marks.map(() => null);
  let clicked = null;
  const there = ([css, text]) => [...document.querySelectorAll(css)].some(box => box.textContent.includes(text));
  const look = () => {
    if (clicked === null) return;
    marks.forEach((mark, place) => {
      if (window.__took[place] === null && there(mark)) window.__took[place] = performance.now() - clicked;
    });
    if (window.__took.every(took => took !== null)) observer.disconnect();
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, {childList: true, subtree: true, characterData: true, attributes: true});
  addEventListener('click', () => { clicked = performance.now(); }, {capture: true, once: true});
}"""

Mark = tuple[str, str]


def click_to(page: Page, button: Locator, *marks: Mark) -> list[float]:
    """Click `button`; milliseconds until each mark is reached. None of them may be there before."""
    button.wait_for()
    page.evaluate(_ARM, [list(mark) for mark in marks])
    button.click()
    page.wait_for_function("() => window.__took.every(took => took !== null)", polling=20)
    return [float(took) for took in page.evaluate("() => window.__took")]


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
