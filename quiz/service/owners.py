"""Which process keeps a run: so that a second app on the same database does not declare the first one's runs dead."""

from __future__ import annotations

import os
import socket

import psutil


def this_process() -> str:
    """The name of the process one is in: host, process id and when it started, in seconds since 1970."""
    return f"{socket.gethostname()} {os.getpid()} {psutil.Process().create_time():.2f}"


def lives_elsewhere(owner: object) -> bool:
    """Whether `owner` names a process of this machine that is alive and not this one. What cannot be told counts as gone."""
    if not isinstance(owner, str) or owner == this_process():
        return False
    host, _, rest = owner.partition(" ")
    pid, _, started = rest.partition(" ")
    try:
        return host == socket.gethostname() and abs(psutil.Process(int(pid)).create_time() - float(started)) < 1
    except (psutil.Error, ValueError):
        return False
