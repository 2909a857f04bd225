"""Comparing forecasts of a log: what is judged and how, and the comparison in a real worker process."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest

from sandbox.forecasting import LEAST, MOST, AnswerLog, Comparison, Contender, Effort, lead
from sandbox.jobs import Laboratory
from sandbox.jobs.forecasting import compare
from sandbox.settings import LabSettings
from tests.experiments import lab_experiments
from tests.experiments.test_jobs_surgery import Shelf

SMOKE = Effort(seeds=2, blocks=2, updates=3)


def made_up(answers: int, seed: int = 0) -> AnswerLog:
    """Six questions in turns, eight answers a day; FSRS as made up here knows the chance, the app knows it with noise."""
    rng = random.Random(seed)
    chances = [rng.uniform(0.2, 0.95) for _ in range(answers)]
    return AnswerLog(
        questions=tuple(place % 6 for place in range(answers)),
        days=tuple(place / 8 for place in range(answers)),
        right=tuple(rng.random() < chance for chance in chances),
        fsrs=tuple(None if place < 6 else chance for place, chance in enumerate(chances)),
        app=tuple(min(max(chance + rng.gauss(0, 0.1), 0.01), 0.99) for chance in chances),
    )


def test_all_are_judged_on_the_same_later_answers_and_who_knows_the_chance_wins() -> None:
    found = compare(made_up(300), SMOKE)
    assert (found.answers, found.learnt_from, found.learnt_to, found.judged, len(found.seeds)) == (300, 100, 200, 200, 2)
    assert [one.key for one in found.contenders] == ["average", "fsrs", "rescaled", "app", "lstm"]
    assert min(found.contenders, key=lambda one: one.log_loss).key in ("fsrs", "rescaled")
    assert found.of("fsrs").standing == "better"
    assert found.of("lstm").log_loss == pytest.approx(sum(found.seeds) / 2)
    assert [picture.key for picture in found.pictures] == ["forecast_losses", "forecast_blocks"]


TOLD = [
    (0.0, "0 of 4 LSTMs trained, on the first 67 answers now"),
    (0.25, "1 of 4 LSTMs trained, on the first 67 answers now"),
    (0.5, "2 of 4 LSTMs trained, on the first 133 answers now"),
    (0.75, "3 of 4 LSTMs trained, on the first 133 answers now"),
]


def test_the_same_log_gives_the_same_comparison() -> None:
    one, two = (compare(made_up(200), SMOKE) for _ in range(2))
    assert (one.contenders, one.seeds) == (two.contenders, two.seeds)


def test_only_the_latest_answers_of_a_long_log_are_looked_at() -> None:
    assert len(made_up(MOST + 10).latest) == MOST
    assert made_up(MOST + 10).latest.days[0] == 10 / 8


def test_a_log_with_too_little_in_it_is_refused_with_the_number_needed() -> None:
    with pytest.raises(ValueError, match=f"needs {LEAST} answers that FSRS has a forecast for, got 94"):
        compare(made_up(100), SMOKE)


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (((0,), (1.0, 2.0), (True,), (None,), (None,)), r"equally long, got lengths \[1, 2\]"),
        (((0, 0), (2.0, 1.0), (True, True), (None, None), (None, None)), "answer 1 is of day 1, after day 2"),
        (((0,), (1.0,), (True,), (1.5,), (None,)), r"fsrs\[0\] must be a chance from 0 to 1 or nothing, got 1.5"),
        (((0,), (1.0,), (True,), (None,), (math.nan,)), r"app\[0\] must be a chance"),
    ],
)
def test_what_is_no_log_is_refused_with_its_place(log: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AnswerLog(*log)


def test_the_interval_of_a_lead_takes_a_days_answers_together() -> None:
    mean, low, high = lead([1.0, 3.0, 1.0, 3.0], [1, 1, 2, 2])  # both days have the same mean: nothing differs between them
    assert (mean, low, high) == (2.0, 2.0, 2.0)
    mean, low, high = lead([1.0, 1.0, 3.0, 3.0], [1, 1, 2, 2])
    assert (low, high) == pytest.approx((2 - 1.96 * math.sqrt(2 * 8) / 4, 2 + 1.96 * math.sqrt(2 * 8) / 4))
    assert lead([1.0, 2.0], [1, 1])[1:] == (-math.inf, math.inf)


WORSE, BETTER, EVEN = (0.02, 0.01, 0.03), (-0.02, -0.03, -0.01), (0.0, -0.1, 0.1)


@pytest.mark.parametrize(
    ("average", "rescaled", "headline"),
    [
        (WORSE, WORSE, "The LSTM forecasts better than the moving average and FSRS"),
        (EVEN, EVEN, "On this log the LSTM, the moving average and FSRS, rescaled, cannot be told apart"),
        (WORSE, BETTER, "The LSTM does not pay here: a simpler forecast is better"),
        (WORSE, EVEN, "The LSTM forecasts better than the moving average, and cannot be told apart from FSRS"),
        (EVEN, WORSE, "The LSTM forecasts better than FSRS, and cannot be told apart from the moving average"),
    ],
)
def test_the_headline_follows_from_the_intervals(average: tuple, rescaled: tuple, headline: str) -> None:
    three = (
        Contender("average", "the moving average", 0.6, *average),
        Contender("rescaled", "FSRS, rescaled", 0.6, *rescaled),
        Contender("lstm", "the LSTM", 0.6),
    )
    found = Comparison(300, 100, 200, 200, 20, three, (0.6,), 425, (), 1.0)
    assert found.headline == headline
    assert len(found.lines) == 2


def test_a_line_tells_the_lead_with_its_interval() -> None:
    three = (Contender("rescaled", "FSRS, rescaled", 0.62, *WORSE), Contender("lstm", "the LSTM", 0.6))
    line = Comparison(300, 100, 200, 200, 20, three, (0.6,), 425, (), 1.0).lines[0]
    assert line == "better than **FSRS, rescaled**: log loss 0.600 against 0.620, a lead of +0.020 (95% interval +0.010 to +0.030)"


# --- In a worker ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab() -> Iterator[Laboratory]:
    made = Laboratory(LabSettings(workers=1, budget_s=60), Shelf(), find=lab_experiments.find)
    yield made
    made.close()


def test_a_comparison_runs_in_a_worker_once_and_is_kept(lab: Laboratory) -> None:
    log = made_up(200)
    assert lab.comparisons.standing(log, SMOKE) is None
    lab.comparisons.start(log, SMOKE)
    lab.comparisons.start(log, SMOKE)
    lab.comparisons.wait(log, SMOKE, 120)
    standing = lab.comparisons.standing(made_up(200), SMOKE)  # an equal log is the same one
    assert standing is not None
    assert standing.result is not None
    assert standing.result.contenders == compare(log, SMOKE).contenders
    lab.comparisons.start(log, SMOKE)
    assert lab.comparisons.standing(log, SMOKE) is standing


def test_a_worker_tells_how_far_it_is(lab: Laboratory) -> None:
    engine, told = lab._floor.engine(), []
    engine.connect()
    engine.call(compare, made_up(200), SMOKE, wait_s=120, on_progress=lambda *both: told.append(both))
    assert told == TOLD  # what is told arrives before the result, over the same connection


def test_a_comparison_that_fails_says_why_and_can_be_started_again(lab: Laboratory) -> None:
    log = made_up(100)
    for _ in range(2):
        lab.comparisons.start(log, SMOKE)
        lab.comparisons.wait(log, SMOKE, 120)
        standing = lab.comparisons.standing(log, SMOKE)
        assert standing is not None
        assert standing.error == f"a comparison needs {LEAST} answers that FSRS has a forecast for, got 94"
