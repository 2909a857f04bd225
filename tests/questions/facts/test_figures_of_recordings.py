"""Figures that diagnose items read off their recorded runs: they stand in the texts, so they must stand in the curves."""

import math
from statistics import median

import pytest

from questions.recordings import RECORDINGS, load_recording


def curves(name: str) -> dict[str, dict[float, float]]:
    """Of a recording, by the name of the curve: y at x."""
    recording = load_recording(RECORDINGS / f"{name}.json")
    return {series.name: dict(zip(series.x, series.y, strict=True)) for panel in recording.panels for series in panel.series}


def test_two_runs_by_distance_the_gradient_loses_a_power_of_ten_in_one_and_a_half_steps() -> None:
    gradient = curves("forget-bias")["run A: gradient"]
    factors = [gradient[step + 1] / gradient[step] for step in range(1, 19)]
    assert all(0.15 <= factor < 0.25 for factor in factors)
    assert 1.4 <= -18 / math.log10(gradient[19] / gradient[1]) <= 1.7


def test_long_stream_the_first_twenty_steps_have_an_error_of_0_003() -> None:
    error, size = curves("open-forget-gate").values()
    assert round(error[20], 3) == 0.003
    assert min(size.values()) == size[20]


def test_falls_and_jumps_back_a_burst_of_several_times_the_usual_norm_undoes_fifty_updates() -> None:
    loss, norm = curves("no-clipping").values()
    assert loss[50] == pytest.approx(math.log(4), abs=0.02)  # guessing, which costs 1.39 nats
    assert round(math.log(4), 2) == 1.39
    assert loss[98] < 0.6
    assert loss[104] > 1.4
    assert all(max(norm[update] for update in norm if abs(update - jump) <= 4) > 4 * median(norm.values()) for jump in (104, 122, 138, 234, 246, 290))
    fell, times = False, 0
    for value in loss.values():
        times += fell and value > 1.3
        fell = value < 1 or (fell and value <= 1.3)
    assert times > 3


def test_one_label_in_ten_the_figures_of_update_40_and_300() -> None:
    every = curves("overfitting")
    loss, accuracy = every["validation loss"], every["validation accuracy"]
    assert min(loss, key=loss.__getitem__) == 40
    assert loss[300] / loss[40] == pytest.approx(4, abs=0.1)
    assert (round(accuracy[40], 2), round(accuracy[300], 2)) == (0.79, 0.70)
    assert every["training accuracy"][300] == 1
    assert round(every["training loss"][300], 4) == 0.0004


def test_three_evaluations_differ_by_up_to_0_13_nats_and_agree_at_update_0() -> None:
    one, two, three = curves("dropout-left-on").values()
    spread = {update: max(values) - min(values) for update, values in zip(one, zip(one.values(), two.values(), three.values(), strict=True), strict=True)}
    assert round(max(spread.values()), 2) == 0.13
    assert spread[0] < 0.005


def test_below_the_noise_the_errors_are_0_10_and_0_13_and_live_0_46() -> None:
    every = curves("reads-ahead")
    assert [round(every[name][300], 2) for name in ("training", "validation", "live")] == [0.10, 0.13, 0.46]


def test_ten_layers_one_cause_the_largest_norm_is_about_0_01() -> None:
    every = curves("deep-stack")
    assert max(value for name in ("layer 1", "layer 5", "layer 10") for value in every[name].values()) == pytest.approx(0.01, abs=0.002)


def test_one_network_two_runs_after_twenty_steps_it_is_about_as_bad_as_answering_0_and_climbs_for_thirty() -> None:
    _, alone = curves("fed-back").values()
    assert alone[20] == pytest.approx(math.sqrt(1 / 2), abs=0.05)  # the root mean square of a sine
    assert max(alone, key=alone.__getitem__) > 30


def test_three_runs_one_setting_the_rates_are_those_of_the_recording() -> None:
    settings = load_recording(RECORDINGS / "three-rates.json").made_by.settings
    assert [settings[f"rate_{run}"] for run in "abc"] == [0.6, 0.01, 0.00001]
    c = curves("three-rates")["run C"]
    assert all(value == pytest.approx(math.log(8), abs=0.02) for value in c.values())  # guessing among eight symbols


def test_nothing_above_one_half_the_figures_of_the_end_and_of_updates_100_and_220() -> None:
    every = curves("cut-out-of-reach")
    assert (round(every["accuracy"][500], 2), every["recall"][500]) == (0.96, 0)
    assert (round(every["of positives"][500], 2), round(every["of negatives"][500], 2)) == (0.11, 0.03)
    ratio = {update: every["of positives"][update] / every["of negatives"][update] for update in every["recall"]}
    assert all(value < 1.2 for update, value in ratio.items() if update <= 100)
    assert all(value > 2 for update, value in ratio.items() if update >= 220)


def test_recall_on_fresh_data_training_and_validation_reach_1_and_nearly_half_of_the_fresh_positives_are_missed() -> None:
    every = curves("copied-before-split")
    assert every["training"][500] == every["validation"][500] == 1
    assert 0.4 < 1 - every["fresh data"][500] < 0.5


def test_first_text_second_text_the_losses_and_the_thirty_updates() -> None:
    first, second = curves("forgotten-task").values()
    assert round(math.log(12), 2) == 2.48  # guessing among twelve symbols
    assert (round(first[200], 1), round(second[400], 1), round(first[400], 1)) == (1.7, 1.7, 2.9)
    assert second[230] < second[400] + 0.05
    assert first[230] > math.log(12)


def test_what_stands_in_grad_is_half_as_large_again_at_update_2_and_soon_many_times_as_large() -> None:
    every = curves("kept-gradients")
    own, used = every["of this batch's loss"], every["in .grad at the step"]
    assert used[2] / own[2] == pytest.approx(1.5, abs=0.02)
    assert all(used[update] > 5 * own[update] for update in own if update >= 6)
    assert max(own.values()) < 0.8
