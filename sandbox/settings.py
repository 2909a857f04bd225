"""How the laboratory is set up, read from the environment once.

Variables: DASK_SCHEDULER_ADDRESS (a remote scheduler; without it a local cluster is started when it is first needed),
CAROUSEL_WORKERS (local training processes), CAROUSEL_WARM_UP (whether they are loaded before somebody asks for the lab),
CAROUSEL_RUN_BUDGET (wall-clock seconds a seed may take).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

MOST_LOCAL_WORKERS = 8  # a worker with torch loaded holds about 264 MB


class InvalidLabSetting(ValueError):
    """An environment variable has a value that cannot be used; the message names it, what is allowed and what was given."""


@dataclass(frozen=True)
class LabSettings:
    """`scheduler_address` None: a local cluster of `workers` processes. Times are seconds.

    `warm_up`: the workers are loaded soon after the first visit to any page, not only when the lab is opened.
    `budget_s` bounds one seed; `lease_s` is how long a run goes on when nobody looks at it.
    """

    scheduler_address: str | None = None
    workers: int = 2
    budget_s: float = 120.0
    lease_s: float = 25.0
    warm_up: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> LabSettings:
        """Read the environment (`os.environ` unless given). Errors: InvalidLabSetting."""
        env = os.environ if environment is None else environment
        return cls(
            scheduler_address=_address(env.get("DASK_SCHEDULER_ADDRESS", "").strip()),
            workers=int(_number(env, "CAROUSEL_WORKERS", default_workers(), 1, 64, whole=True)),
            budget_s=_number(env, "CAROUSEL_RUN_BUDGET", 120.0, 1, 86_400),
            warm_up=_yes(env, "CAROUSEL_WARM_UP"),
        )


def default_workers() -> int:
    """All cores of a two-core machine, all but one of a bigger one: a niced worker does not disturb the page."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores if cores <= 2 else cores - 1, MOST_LOCAL_WORKERS)


def _address(raw: str) -> str | None:
    if not raw:
        return None
    scheme, separator, place = raw.partition("://")
    if not separator or scheme not in {"tcp", "tls", "ws", "wss", "ucx"} or not place:
        raise InvalidLabSetting(f"DASK_SCHEDULER_ADDRESS must look like tcp://host:8786, got {raw!r}")
    return raw


def _yes(env: Mapping[str, str], name: str) -> bool:
    raw = env.get(name, "").strip()
    if raw.lower() not in ("", "yes", "no"):
        raise InvalidLabSetting(f"{name} must be yes or no, got {raw!r}")
    return raw.lower() != "no"


def _number(env: Mapping[str, str], name: str, default: float, low: float, high: float, *, whole: bool = False) -> float:
    raw = env.get(name, "").strip()
    if not raw:
        return default
    try:
        value = float(raw)
    except ValueError:
        value = float("nan")
    if not low <= value <= high or (whole and value != int(value)):
        raise InvalidLabSetting(f"{name} must be {'a whole number' if whole else 'a number'} from {low:g} to {high:g}, got {raw!r}")
    return value
