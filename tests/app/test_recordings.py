"""Recorded curves as figures: every recording that ships can be drawn, told apart and read."""

import pytest

from questions.recordings import RECORDINGS, Recording, load_recording
from quiz.ui.charts import CURVES, recording_figure
from tests.engine.builders import RECORDING

SHIPPED = sorted(RECORDINGS.glob("*.json"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_curve_of_a_recording_is_drawn_with_its_axis_named(path) -> None:
    recording = load_recording(path)
    figure = recording_figure(recording)
    series = [one for panel in recording.panels for one in panel.series]
    assert [trace.name for trace in figure.data] == [one.name for one in series]
    assert [list(trace.y) for trace in figure.data] == [list(one.y) for one in series]
    assert figure.layout.xaxis.title.text == recording.x.label
    for axis, panel in zip(("yaxis", "yaxis2"), recording.panels, strict=False):
        assert figure.layout[axis].title.text == panel.y.label


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_curves_of_one_panel_differ_by_colour_and_by_dashes(path) -> None:
    recording = load_recording(path)
    figure = recording_figure(recording)
    looks = [(trace.yaxis, trace.line.color) for trace in figure.data]
    dashes = [(trace.yaxis, trace.line.dash) for trace in figure.data]
    assert len(set(looks)) == len(set(dashes)) == len(looks)


def test_one_name_in_two_panels_looks_the_same_and_stands_once_in_the_legend() -> None:
    panels = [{"y": {"label": label}, "series": RECORDING["panels"][0]["series"]} for label in ("Loss", "Accuracy")]
    first, second = recording_figure(Recording.model_validate({**RECORDING, "panels": panels})).data
    assert (first.line.color, first.line.dash) == (second.line.color, second.line.dash) == (CURVES[0], "solid")
    assert (first.showlegend, second.showlegend) == (True, False)


def test_a_curve_of_the_size_of_the_cell_has_the_colour_of_the_cell_everywhere() -> None:
    error, cell = recording_figure(load_recording(RECORDINGS / "open-forget-gate.json"), {"c": "#123456"}).data
    assert (error.line.color, cell.name, cell.line.color) == (CURVES[0], "mean |c|", "#123456")


def test_a_value_that_was_not_finite_leaves_a_gap() -> None:
    (trace,) = recording_figure(Recording.model_validate(RECORDING)).data
    assert trace.y == (1.0, 0.5, None)
    assert trace.connectgaps is False


def test_a_long_logarithmic_axis_is_numbered_at_powers_of_ten_and_a_short_one_at_1_2_5() -> None:
    def ticks(*values: float):
        series = [{"name": "norm", "x": list(range(len(values))), "y": list(values)}]
        panels = [{"y": {"label": "Gradient norm", "log": True}, "series": series}]
        return recording_figure(Recording.model_validate({**RECORDING, "panels": panels})).layout.yaxis

    assert ticks(1e-6, 1.0).dtick == 1
    assert {1, 2, 5, 10} <= set(ticks(0.6, 13.0).tickvals)
