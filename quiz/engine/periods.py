"""Stretches of days to draw by: as fine as there is room for, so that one day and ten years both make a chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Step = Literal["day", "week", "month", "quarter", "year"]
MOST = 26  # periods of a chart: a phone has 13 px for each

_NEXT: Mapping[Step, Callable[[date], date]] = {
    "day": lambda day: day + timedelta(days=1),
    "week": lambda day: day + timedelta(days=7 - day.weekday()),
    "month": lambda day: _months_on(day, 1),
    "quarter": lambda day: _months_on(day, 3 - (day.month - 1) % 3),
    "year": lambda day: _months_on(day, 12 - (day.month - 1) % 12),
}


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both included. The outer ones of a row may be cut short."""

    first: date
    last: date


def periods(first: date, last: date, most: int = MOST) -> tuple[Step, tuple[Period, ...]]:
    """The days from `first` to `last` in steps of the calendar (weeks begin on Monday), the finest of which at most `most` are
    needed; years where even those are too many. Errors: ValueError when `last` is before `first`.
    """
    if last < first:
        raise ValueError(f"expected a last day on or after the first, {first.isoformat()}, got {last.isoformat()}")
    for step, following in _NEXT.items():
        found = tuple(_walk(first, last, following, most))
        if len(found) <= most or step == "year":
            break
    return step, found


def _walk(first: date, last: date, following: Callable[[date], date], most: int) -> list[Period]:
    found: list[Period] = []
    while first <= last and (len(found) <= most or following is _NEXT["year"]):
        end = min(following(first) - timedelta(days=1), last)
        found.append(Period(first, end))
        first = end + timedelta(days=1)
    return found


def _months_on(day: date, months: int) -> date:
    """The first of the month so many months on."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)
