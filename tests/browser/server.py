"""The real server as a process of its own, for browser tests, pictures and measurements."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
SERVE = (sys.executable, "-m", "quiz", "serve")
START_LIMIT_S = 90
STOP_LIMIT_S = 60


_running: set[int] = set()  # process groups


def end_servers_on_sigterm() -> None:
    """For a program that may be ended from outside: its servers go with it, at once.

    Raising SystemExit from the handler would not do: Playwright's loop in the main thread swallows it.
    """

    def end(number: int, frame: object) -> None:
        for group in _running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        os._exit(128 + number)

    signal.signal(signal.SIGTERM, end)


class ServerFailed(AssertionError):
    """The server did not start, or left processes behind; the message ends with what it printed."""


_ports: set[int] = set()  # of servers that have ended: at an address it knows, a browser has the static files in its cache


def free_port() -> int:
    """A port nobody listens on, one that was used before when there is one."""
    # Not from the range that the system takes ports from by itself: nobody else's connection gets it between two servers.
    for port in (*_ports, *random.sample(range(20_000, 32_000), 100)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            _ports.discard(port)
            return port
    raise ServerFailed("no free port from 20000 to 31999")


def wait_until(holds: Callable[[], bool], limit_s: float, what: str) -> None:
    """Poll until `holds()`. Errors: TimeoutError naming `what` after `limit_s` seconds."""
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {limit_s:g} s")
        time.sleep(0.02)


class Server:
    """Carousel at `url`, keeping its data in `database`; `start`, `stop`, `kill` and `restart` act on the process.

    `log` collects what it prints, over restarts. The port stays the same, so an open page can reconnect.
    """

    def __init__(self, folder: Path, *, command: Sequence[str] = SERVE, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> None:
        self.cwd = cwd
        self.database = folder / "carousel.db"
        self.log = folder / "server.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = tuple(part.format(port=self.port) for part in command)
        inherited = {name: value for name, value in os.environ.items() if name != "DASK_SCHEDULER_ADDRESS"}
        self.environment = inherited | {
            "CAROUSEL_HOST": "127.0.0.1",
            "CAROUSEL_PORT": str(self.port),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            **(environment or {}),
        }
        self.process: psutil.Popen | None = None
        self.family: dict[int, psutil.Process] = {}

    def start(self) -> None:
        """Start it and wait until it says it is healthy. Errors: ServerFailed."""
        with self.log.open("a") as log:
            self.process = psutil.Popen(
                self.command, cwd=self.cwd, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        _running.add(self.process.pid)
        try:
            wait_until(self.answers, START_LIMIT_S, f"{self.url} healthy")
        except TimeoutError as error:
            self.kill()
            raise ServerFailed(f"{error}\n{self.printed()}") from None

    def answers(self) -> bool:
        """Whether the health endpoint says ok. Errors: ServerFailed when the process has ended."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise ServerFailed(f"{' '.join(self.command)} ended with {self.process.returncode}:\n{self.printed()}")
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def printed(self) -> str:
        """The last of what the server printed."""
        return self.log.read_text(errors="replace")[-6000:]

    def workers(self) -> list[psutil.Process]:
        """The processes that the server has started and that are alive."""
        assert self.process is not None
        try:
            children = self.process.children(recursive=True)
        except psutil.NoSuchProcess:
            children = []
        self.family |= {child.pid: child for child in children}
        return children

    def stop(self) -> None:
        """End it as Ctrl-C does and see that nothing of it is left. Errors: ServerFailed naming what stayed."""
        self._end(signal.SIGINT)
        _ports.add(self.port)

    def kill(self) -> None:
        """End it as a power cut does (SIGKILL); its workers must notice by themselves. Errors: ServerFailed."""
        self._end(signal.SIGKILL)
        _ports.add(self.port)

    def restart(self, *, hard: bool = False) -> None:
        """Stop (or kill) it and start it again on the same port and database."""
        self._end(signal.SIGKILL if hard else signal.SIGINT)
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        family = [self.process, *self.workers(), *self.family.values()]
        if self.process.poll() is None:
            # Ctrl-C in a terminal reaches the workers, too.
            (os.killpg if how is signal.SIGINT else os.kill)(self.process.pid, how)
        _, left = psutil.wait_procs(set(family), timeout=STOP_LIMIT_S)
        stayed = [describe(one) for one in left]
        for one in left:
            one.kill()
        psutil.wait_procs(left, timeout=STOP_LIMIT_S)
        _running.discard(self.process.pid)
        self.process, self.family = None, {}
        if stayed:
            raise ServerFailed(f"still alive {STOP_LIMIT_S} s after {how.name}: {'; '.join(stayed)}\n{self.printed()}")


def describe(process: psutil.Process) -> str:
    """A process in words, also when it is just ending."""
    try:
        return f"{process.pid} {' '.join(process.cmdline())[:200]}"
    except psutil.Error:
        return str(process.pid)
