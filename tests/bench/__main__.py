"""`make bench`: how fast Carousel is where a person waits, each figure with its target beside it.

Times are taken inside Chromium, against the real server with real training, on the machine as it is: close what else runs.
Exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.bench import measures
from tests.browser.conftest import FLAGS
from tests.browser.find_chromium import find
from tests.browser.server import end_servers_on_sigterm


@dataclass(frozen=True)
class Line:
    """One figure. `target` is the most it may be; None: only reported."""

    what: str
    value: float
    unit: str
    target: float | None
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether the target is met."""
        return self.target is None or self.value <= self.target


def clicks(browser: Browser, folder: Path, samples: int) -> Iterator[Line]:
    """Click on Check → feedback, against a click on the empty page."""
    found = measures.clicks(browser, folder, samples)
    named = {
        "click → changed word, empty page": found.empty,
        "Check → right or wrong": found.verdict,
        "Check → last line of the feedback": found.feedback,
        "Next → item": found.following,
    }
    for name, times in named.items():
        yield Line(f"{name}: median", times.median, "ms", None, f"n = {len(times.samples)}")
        yield Line(f"{name}: p95", times.p95, "ms", None)
    yield Line("Check → right or wrong ÷ empty page: median", found.verdict.median / found.empty.median, "×", 1.6)
    yield Line("Check → right or wrong ÷ empty page: p95", found.verdict.p95 / found.empty.p95, "×", 1.6)
    yield Line("Check → last line ÷ empty page: median", found.feedback.median / found.empty.median, "×", None)
    yield Line("Check → last line ÷ empty page: p95", found.feedback.p95 / found.empty.p95, "×", None)


def start(browser: Browser, folder: Path, samples: int) -> Iterator[Line]:
    """`make run` for the second time → the first question on screen."""
    del samples
    address, question = measures.second_start(browser, folder)
    yield Line("second make run → server answers", address, "s", None)
    yield Line("second make run → first question on screen", question, "s", 3.0, "with the click on Start")


def lab(browser: Browser, folder: Path, samples: int) -> Iterator[Line]:
    """Click on Run → first live point, → verdict; click on Cancel → shown. Workers are warm."""
    found = measures.lab(browser, folder, max(3, samples // 10))
    yield Line("Run → first live point, warm workers: median", found.first_point.median / 1000, "s", 0.7, f"n = {len(found.first_point.samples)}")
    for experiment, seconds in found.verdict.items():
        yield Line(f"Run → verdict: {experiment}", seconds, "s", None, "quick preset")
    yield Line("Cancel → shown: median", found.cancel.median / 1000, "s", 0.6, f"n = {len(found.cancel.samples)}")


def beside(browser: Browser, folder: Path, samples: int) -> Iterator[Line]:
    """The quiz while two trainings run, against the quiz alone."""
    alone, busy = measures.beside_training(browser, folder, samples)
    yield Line("Check → feedback alone: p95", alone.p95, "ms", None, f"n = {len(alone.samples)}")
    yield Line("Check → feedback, two trainings running: p95", busy.p95, "ms", None, f"n = {len(busy.samples)}")
    yield Line("Quiz p95 with two trainings ÷ without", busy.p95 / alone.p95, "×", 2.5)


def progress(browser: Browser, folder: Path, samples: int) -> Iterator[Line]:
    """The progress page at 100,000 answers against 100. The first look after a start reads the whole history and is reported apart."""
    few, many, first = measures.progress(browser, folder, max(3, samples // 12))
    yield Line("Progress, first look after a start, 100,000 answers", first, "s", None)
    yield Line("Progress at 100 answers: median", few.page.median, "ms", None, f"n = {len(few.page.samples)}")
    yield Line("Progress at 100,000 answers: median", many.page.median, "ms", None)
    yield Line("Progress at 100,000 answers ÷ at 100: median", many.page.median / few.page.median, "×", 1.5)
    for name, times in many.sections.items():
        yield Line(f"{name} at 100,000 answers ÷ at 100: median", times.median / few.sections[name].median, "×", 1.5, f"{times.median:.0f} ms at 100,000")


PARTS: dict[str, Callable[[Browser, Path, int], Iterator[Line]]] = {"clicks": clicks, "start": start, "lab": lab, "beside": beside, "progress": progress}


def show(line: Line) -> str:
    """A line of the table."""
    target = "" if line.target is None else f"≤ {line.target:g} {line.unit}   {'ok' if line.ok else 'MISSED'}"
    return f"{line.what:<58} {line.value:>9.2f} {line.unit:<3} {target:<20} {line.detail}".rstrip()


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to measure (default: everything)")
    parser.add_argument("--samples", type=int, default=120, help="clicks a figure (default 120)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    lines: list[Line] = []
    end_servers_on_sigterm()
    chromium = find()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for part in arguments.parts or PARTS:
            place = Path(folder) / part
            place.mkdir()
            for line in PARTS[part](browser, place, arguments.samples):
                lines.append(line)
                if not arguments.json:
                    print(show(line), flush=True)
        browser.close()
    if arguments.json:
        print(json.dumps([asdict(line) | {"ok": line.ok} for line in lines], ensure_ascii=False, indent=2))
    return 0 if all(line.ok for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
