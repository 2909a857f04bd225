"""Steps of the calendar: as fine as there is room for."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from quiz.engine.periods import Period, periods

MONDAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("days", "step", "count"),
    [(1, "day", 1), (26, "day", 26), (27, "week", 4), (182, "week", 26), (183, "month", 6), (1000, "quarter", 12), (4000, "year", 12), (20_000, "year", 55)],
)
def test_the_finest_step_is_taken_of_which_there_are_few_enough(days: int, step: str, count: int) -> None:
    found, spans = periods(MONDAY, MONDAY + timedelta(days=days - 1))
    assert (found, len(spans)) == (step, count)
    assert (spans[0].first, spans[-1].last) == (MONDAY, MONDAY + timedelta(days=days - 1))
    assert all(later.first - earlier.last == timedelta(days=1) for earlier, later in pairwise(spans))


def test_the_outer_weeks_are_cut_short_and_the_others_begin_on_monday() -> None:
    step, spans = periods(date(2026, 3, 5), date(2026, 3, 18), most=3)
    assert step == "week"
    assert spans == (
        Period(date(2026, 3, 5), date(2026, 3, 8)),
        Period(date(2026, 3, 9), date(2026, 3, 15)),
        Period(date(2026, 3, 16), date(2026, 3, 18)),
    )


def test_quarters_and_years_begin_where_the_calendar_has_them() -> None:
    assert [one.first for one in periods(date(2025, 2, 10), date(2026, 2, 1), most=5)[1]] == [
        date(2025, 2, 10), date(2025, 4, 1), date(2025, 7, 1), date(2025, 10, 1), date(2026, 1, 1),
    ]  # fmt: skip
    assert [one.first for one in periods(date(2025, 2, 10), date(2027, 2, 1), most=3)[1]] == [date(2025, 2, 10), date(2026, 1, 1), date(2027, 1, 1)]


def test_a_last_day_before_the_first_is_refused() -> None:
    with pytest.raises(ValueError, match="on or after the first, 2026-03-02, got 2026-03-01"):
        periods(MONDAY, MONDAY - timedelta(days=1))
