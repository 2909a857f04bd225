"""Every recording is what its recipe makes, and its curves show the fault that was put in."""

from __future__ import annotations

import json
import math

import pytest

from questions.recordings import RECORDINGS, load_recording
from sandbox.__main__ import main
from sandbox.recordings import store
from sandbox.recordings.chart import Chart, Panel, Recipe, Series, document

RECIPES = store.all_recipes()
FILES = {path.stem: path for path in RECORDINGS.glob("*.json")}


def curves(name: str) -> dict[str, dict[float, float]]:
    """Of a recording, by the name of the curve: y at x."""
    recording = load_recording(FILES[name])
    return {series.name: dict(zip(series.x, series.y, strict=True)) for panel in recording.panels for series in panel.series}


def ends(name: str) -> dict[str, float]:
    """The last value of each curve."""
    return {curve: values[max(values)] for curve, values in curves(name).items()}


def test_every_recipe_has_its_recording_and_every_recording_its_recipe():
    assert FILES.keys() == RECIPES.keys()
    assert len(FILES) >= 10


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_recording_can_be_drawn_and_says_how_it_was_made(name):
    recording, recipe = load_recording(FILES[name]), RECIPES[name]
    assert recording.made_by.recipe == name
    assert recording.made_by.settings == recipe.settings
    assert recording.made_by.seed == recipe.seed


@pytest.mark.parametrize("name", ["kept-gradients", "fed-back"])
def test_recording_again_gives_the_same_curves(name):
    made = store.record(RECIPES[name])
    assert store.record(RECIPES[name]) == made
    again = {one["name"]: one["y"] for panel in made["panels"] for one in panel["series"]}
    # Another processor may round differently; these two trainings do not blow that up.
    assert {curve: list(values.values()) for curve, values in curves(name).items()} == {curve: pytest.approx(y, rel=0.01) for curve, y in again.items()}


# --- The command --------------------------------------------------------------------------------------------------


def test_the_check_tells_a_changed_file_and_leaves_it_alone(tmp_path, capsys):
    assert main(["record", "kept-gradients", "--folder", str(tmp_path)]) == 0
    file = tmp_path / "kept-gradients.json"
    assert main(["record", "kept-gradients", "--check", "--folder", str(tmp_path)]) == 0
    assert "the same" in capsys.readouterr().out
    changed = file.read_text("utf-8").replace('"title": "An LSTM', '"title": "A GRU')
    file.write_text(changed, "utf-8")
    assert main(["record", "kept-gradients", "--check", "--folder", str(tmp_path)]) == 1
    assert "differs in title" in capsys.readouterr().out
    assert file.read_text("utf-8") == changed


def test_an_unknown_recording_is_refused_with_those_there_are(capsys):
    assert main(["record", "no-such-run"]) == 2
    told = capsys.readouterr().err
    assert "'no-such-run'" in told
    assert "no-clipping" in told


def test_what_is_not_finite_becomes_a_gap_that_the_words_tell():
    chart = Chart("A run", "One chart.", "Update", [Panel("Loss", [Series("loss", [1, 2, 3], [0.51234, math.inf, math.nan])])])
    made = json.loads(store.text_of(document(Recipe("blown-up", {}, lambda settings, seed: chart), chart, "2.13.0")))
    assert made["panels"][0]["series"][0]["y"] == [0.5123, None, None]
    assert "not a finite number from 2 on" in made["text"]


def test_a_series_with_too_many_points_is_refused_by_name():
    chart = Chart("A run", "One chart.", "Update", [Panel("Loss", [Series("loss", range(151), [1.0] * 151)])])
    with pytest.raises(ValueError, match="too-long: series 'loss' must have 1 to 150 points, as many x as y, got 151 and 151"):
        document(Recipe("too-long", {}, lambda settings, seed: chart), chart, "2.13.0")


# --- What each recording shows ------------------------------------------------------------------------------------


def test_no_clipping_the_loss_falls_and_jumps_back_to_chance_when_the_gradient_bursts():
    loss, norm = curves("no-clipping").values()
    first_low = min((update for update in loss if update < 110), key=loss.get)
    burst = max((update for update in norm if update <= 110), key=norm.get)
    assert loss[first_low] < 0.6
    assert 0 < burst - first_low < 10
    assert norm[burst] > 8 * norm[min(norm)]
    assert all(loss[update] > 1.2 for update in loss if 150 < update < 200)


def test_three_rates_one_is_right_one_jumps_about_one_hardly_moves():
    a, b, c = curves("three-rates").values()
    late = [a[update] for update in a if update > 120]
    assert min(late) > 0.8
    assert max(late) - min(late) > 0.15
    assert b[max(b)] < 0.05
    assert max(c.values()) - min(c.values()) < 0.03


def test_deep_stack_the_gradient_fades_a_hundredthousandfold_towards_the_input():
    every = curves("deep-stack")
    assert all(every["layer 1"][update] < 1e-5 * every["layer 10"][update] for update in every["layer 1"])
    assert ends("deep-stack")["1 layer"] < 0.3
    assert ends("deep-stack")["10 layers"] == pytest.approx(math.log(8), abs=0.01)


def test_kept_gradients_what_the_step_uses_outgrows_the_batchs_own_gradient():
    every = curves("kept-gradients")
    own, used = every["of this batch's loss"], every["in .grad at the step"]
    assert used[2] < 2 * own[2]
    assert all(used[update] > 5 * own[update] for update in used if update > 50)


def test_forget_bias_the_gradient_fades_and_only_the_nearest_bits_are_recalled():
    every = curves("forget-bias")
    assert every["run A: gradient"][12] < 1e-6 * every["run A: gradient"][1]
    assert every["run B: gradient"][60] > 0.1 * every["run B: gradient"][1]
    assert every["run A: accuracy"][1] > 0.95
    assert sum(value for lag, value in every["run A: accuracy"].items() if lag > 10) / 50 < 0.55
    assert min(every["run B: accuracy"].values()) > 0.95


def test_window_reset_the_accuracy_is_the_share_of_bits_in_the_same_window():
    accuracy = curves("window-reset")["accuracy"]
    expected = {lag: 0.5 + 0.5 * max(0, 20 - lag) / 20 for lag in range(1, 37)}
    assert accuracy == pytest.approx(expected, abs=0.06)


def test_open_forget_gate_the_error_rises_beyond_the_trained_length_and_the_cell_grows_along_a_line():
    error, size = curves("open-forget-gate").values()
    assert error[20] < 0.01
    assert min(value for step, value in error.items() if step > 150) > 0.35
    assert size[800] / size[400] == pytest.approx(2, abs=0.2)


def test_fed_back_the_error_grows_on_its_own_predictions_alone():
    told, alone = curves("fed-back").values()
    assert max(told.values()) < 0.03
    assert alone[1] == told[1]
    assert alone[20] > 0.6


def test_overfitting_the_validation_loss_turns_early_while_training_goes_to_zero():
    every = curves("overfitting")
    loss = every["validation loss"]
    turn = min(loss, key=loss.get)
    assert turn < 60
    assert loss[300] > 3 * loss[turn]
    assert ends("overfitting")["training loss"] < 0.01
    assert ends("overfitting")["validation accuracy"] < max(every["validation accuracy"].values()) - 0.05


def test_dropout_left_on_the_same_weights_on_the_same_data_give_different_losses():
    one, two, three = curves("dropout-left-on").values()
    spreads = [max(values) - min(values) for values in zip(one.values(), two.values(), three.values(), strict=True)]
    assert sum(spreads) / len(spreads) > 0.04


def test_forgotten_task_the_first_loss_rises_above_chance_while_the_second_falls():
    first, second = curves("forgotten-task").values()
    assert first[200] < 1.8
    assert second[200] > 2.4
    assert first[400] > math.log(12)
    assert second[400] < 1.8


def test_reads_ahead_the_validation_error_is_below_the_sensors_noise_and_live_it_is_above():
    every = ends("reads-ahead")
    assert every["training"] < 0.2
    assert every["validation"] < 0.5 * 0.3
    assert every["live"] > 0.4


def test_shuffled_split_validation_goes_with_training_and_the_later_test_is_worse_than_the_mean():
    every = ends("shuffled-split")
    assert every["validation"] < 0.4
    assert every["later test"] > 1.5


def test_copied_before_split_validation_goes_with_training_and_fresh_positives_are_missed():
    every = curves("copied-before-split")
    assert max(abs(every["training"][update] - every["validation"][update]) for update in every["training"]) < 0.1
    assert ends("copied-before-split")["validation"] > 0.95
    assert ends("copied-before-split")["fresh data"] < 0.65


def test_cut_out_of_reach_positives_get_more_probability_and_yet_none_is_found():
    every = ends("cut-out-of-reach")
    assert every["recall"] < 0.02
    assert every["accuracy"] > 0.95
    assert every["of positives"] > 2.5 * every["of negatives"]
    assert every["of positives"] < 0.2
