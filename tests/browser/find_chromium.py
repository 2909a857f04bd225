"""Finds a Chromium for the browser tests and installs one when there is none: prints its path.

In this order: CAROUSEL_CHROMIUM, one on the PATH, Playwright's own if already there, then `playwright install
chromium`, then Debian's package through apt-get. Whatever is found must start (`--version`), so that a download
that lacks system libraries is passed over.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-liberation")
DOWNLOAD_LIMIT_S = 300


class NoChromium(RuntimeError):
    """No usable Chromium; the message says what was tried and what to do."""


def present() -> str | None:
    """Path of a Chromium that is there and starts, or None. Errors: NoChromium when CAROUSEL_CHROMIUM names none."""
    named = os.environ.get("CAROUSEL_CHROMIUM")
    if named:
        if not starts(named):
            raise NoChromium(f"CAROUSEL_CHROMIUM={named}: expected a Chromium that starts with --version")
        return named
    return next((path for path in _places() if path and starts(path)), None)


def _places() -> Iterator[str | None]:
    yield from (shutil.which(name) for name in NAMES)
    yield playwrights_own()


def starts(path: str) -> bool:
    """Whether the program at `path` answers --version."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def playwrights_own() -> str | None:
    """Path of the Chromium that Playwright has downloaded, or None."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Try Playwright's download, then Debian's package; what they print goes to stderr."""
    if run([sys.executable, "-m", "playwright", "install", "chromium"]) and present():
        return
    if shutil.which("apt-get"):
        as_root = [] if os.geteuid() == 0 else ["sudo"]
        run([*as_root, "apt-get", "update", "-qq"])
        run([*as_root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES], DEBIAN_FRONTEND="noninteractive")


def run(command: list[str], **environment: str) -> bool:
    """Run a command with all its output on stderr; whether it succeeded."""
    print("$", *command, file=sys.stderr)
    try:
        done = subprocess.run(command, stdout=sys.stderr, stdin=subprocess.DEVNULL, env={**os.environ, **environment}, timeout=DOWNLOAD_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return False
    return done.returncode == 0


def find() -> str:
    """Path of a Chromium, installed first when there is none. Errors: NoChromium."""
    path = present()
    if path is None:
        install()
        path = present()
    if path is None:
        raise NoChromium(
            "The browser tests need a Chromium, and neither Playwright's download nor apt-get brought one. "
            "Install Chromium or Google Chrome, or set CAROUSEL_CHROMIUM to its path."
        )
    return path


if __name__ == "__main__":
    try:
        print(find())
    except NoChromium as error:
        sys.exit(str(error))
