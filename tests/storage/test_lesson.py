"""The log that forecasts are compared on: the learner's own once it is long enough, a simulated learner's until then."""

from __future__ import annotations

from dataclasses import replace

from questions.loader import load_bank
from quiz.engine.calibration import Track, followed
from quiz.engine.forecast import Catalogue
from quiz.engine.history import ENOUGH
from quiz.service.lesson import own_log, simulated
from tests.engine.builders import fact

BANK = load_bank()


def test_the_own_log_is_enough_from_two_hundred_answers_that_fsrs_has_a_forecast_for() -> None:
    catalogue = Catalogue.of(BANK.questions)
    question = BANK.questions[0]
    name = catalogue.item_ids[0][0]
    facts = [replace(fact(question.id, number % 3 > 0, minutes=1440 * number), item_id=name, id=f"{number:03d}") for number in range(ENOUGH + 1)]
    track = followed(catalogue, Track(), facts)
    enough, short = own_log(catalogue, facts, track), own_log(catalogue, facts[:-1], track)
    assert (enough.own, enough.enough, enough.simulated) == (ENOUGH, True, False)
    assert (short.own, short.enough) == (ENOUGH - 1, False)
    assert enough.history.ours == tuple(one.chance for one in track.made)


def test_the_simulated_log_is_long_enough_and_always_the_same() -> None:
    log = simulated(BANK)
    assert log == simulated(BANK)
    assert log.forecast >= 2 * ENOUGH
    assert None not in log.ours
    assert list(log.days) == sorted(log.days)
