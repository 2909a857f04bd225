"""A history of answers as plain numbers, with what was forecast before each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from quiz.engine.calibration import Forecast
from quiz.engine.history import history, own_forecasts
from quiz.engine.memory import after_answer, recall
from tests.engine.builders import fact

DAY_MINUTES = 24 * 60


def test_fsrs_forecasts_an_answer_on_a_later_day_and_no_other() -> None:
    facts = [fact("a", True, minutes=0), fact("b", False, minutes=1), fact("a", True, minutes=30), fact("a", False, minutes=2 * DAY_MINUTES)]
    found = history(facts, {})
    assert (found.questions, found.right) == ((0, 1, 0, 0), (True, False, True, False))
    assert found.fsrs[:3] == (None, None, None)
    first = after_answer(None, True, None, facts[0].answered_at)
    assert found.fsrs[3] == pytest.approx(recall(first, facts[3].answered_at))
    assert found.days[3] - found.days[0] == pytest.approx(2)
    assert (found.forecast, found.ours) == (1, (None,) * 4)


def test_forecasts_are_those_of_the_latest_facts_whose_items_are_in_the_bank() -> None:
    facts = [replace(fact("a", True, item=name, minutes=number), id=name) for number, name in enumerate(("gone", "one", "two", "three"))]
    gone, *kept = facts
    made = [Forecast(chance, 0.5, True, gone.answered_at + timedelta(minutes=1)) for chance in (0.2, 0.3)]
    in_bank = {one.item_id: None for one in kept}
    assert own_forecasts(kept, made, in_bank) == {"two": 0.2, "three": 0.3}
    assert own_forecasts(facts, made, in_bank) == {"two": 0.2, "three": 0.3}
    assert own_forecasts(facts, made, {}) == {}


def test_the_latest_answers_of_a_history_keep_what_was_known_from_those_before() -> None:
    found = history([fact("a", True, minutes=day * DAY_MINUTES) for day in range(4)], {})
    latest = found.latest(2)
    assert (latest.days, latest.fsrs) == (found.days[2:], found.fsrs[2:])
    assert None not in latest.fsrs
    assert found.latest(4) is found
