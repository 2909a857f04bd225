"""The lab's figures and words: exact values in, exact traces and sentences out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sandbox.protocol import Arm, Axis, Bars, Check, CheckResult, Curve, HeatMap, Lines, Number, Panel, Parallel, Point, RunRequest, RunState, Series, judge
from sandbox.records import SeedView, Snapshot
from sandbox.registry import all_experiments, find_experiment
from sandbox.ui import words
from sandbox.ui.charts import curves_figure, main_curve, median_line, preview_figure, strip_figure
from sandbox.ui.controls import log_stops
from sandbox.ui.figures import COLOURS, GATES, Look
from sandbox.ui.messages import LONGEST, curves_message, preview_message, strip_message
from sandbox.ui.pictures import picture_figure
from tests.app.contrast import GROUNDS, contrast
from tests.experiments.lab_experiments import find

WALK = find("walk")


@pytest.mark.parametrize("role", COLOURS)
def test_every_colour_stands_out_from_paper_and_from_ink(role: str) -> None:
    assert min(contrast(colour, ground) for colour, ground in zip(COLOURS[role], GROUNDS, strict=True)) >= 3


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize(("dark", "grounds"), [(False, ("#FBFAF6", "#F1EEE5", "#E8F0ED")), (True, ("#15191C", "#1F262A", "#152125"))])
def test_a_gates_colour_can_be_read_as_text_on_the_page_on_code_and_on_the_tint_of_the_way_to_the_lab(gate: str, dark: bool, grounds: tuple[str, ...]) -> None:
    assert min(contrast(Look(dark).colour(gate), ground) for ground in grounds) >= 4.5


def seed(number: int, *values: float, state: str = "running") -> SeedView:
    return SeedView(number, state, tuple(Point("plain", update, {"loss": value}) for update, value in enumerate(values, 1)))  # type: ignore[arg-type]


def shot(*seeds: SeedView, **changes: object) -> Snapshot:
    request = RunRequest("walk", {"updates": 10, "pause": 0.0}, seeds[0].seed, len(seeds))
    return Snapshot("r", request, RunState.RUNNING, seeds, **changes)  # type: ignore[arg-type]


def test_the_thick_line_is_the_median_of_the_seeds_that_got_there() -> None:
    assert median_line([{1: 1.0, 2: 5.0}, {1: 3.0}, {1: 2.0, 2: 7.0}]) == ([1, 2], [2.0, 6.0])


def test_a_diverged_seed_counts_as_infinite_in_the_median() -> None:
    assert median_line([{1: 1.0}, {1: math.nan}, {1: math.nan}]) == ([1], [math.inf])


def test_a_median_between_two_readings_takes_what_a_seed_had_last_and_at_the_end_every_seed_that_came_so_far() -> None:
    lines = [{10: 9.0, 100: 1.0}, {50: 5.0, 98: 3.0}, {10: 7.0, 60: 4.0}]
    assert median_line(lines) == ([10, 50, 60, 98, 100], [8.0, 7.0, 5.0, 6.0, 2.0])


def test_a_reference_lines_words_stand_where_they_hide_least() -> None:
    def words_of(values: dict[int, float]) -> tuple[object, object]:
        points = tuple(Point("arm", update, {"accuracy": value}) for update, value in values.items())
        seeds = (SeedView(0, "finished", points, None, 0.0),)
        figure = curves_figure((Arm("arm", "Arm", "lstm"),), (Curve("accuracy", "accuracy", rules=((0.5, "guessing"),)),), seeds, 100, Look())
        [words] = [one for one in figure.layout.annotations if one.text == "guessing"]
        return words.xanchor, words.yanchor

    assert words_of({0: 0.0, 50: 0.9, 100: 1.0}) == ("right", "bottom")
    assert words_of({0: 0.0, 50: 0.52, 100: 0.53}) == ("right", "top")
    assert words_of({0: 0.9, 40: 0.9, 60: 0.51, 80: 0.49, 90: 0.51, 100: 0.48}) == ("left", "bottom")


def test_curves_show_thin_seeds_a_thick_median_and_a_cross_where_the_line_ends() -> None:
    figure = curves_figure(WALK.arms, WALK.curves, [seed(0, 1.0, 0.5, math.nan), seed(1, 3.0, 1.5, math.nan)], 10, Look())
    thin, thick, cross = figure.data
    assert list(thin.x) == [1, 2, 3, None, 1, 2, 3, None]
    assert list(thin.y) == [1.0, 0.5, None, None, 3.0, 1.5, None, None]
    assert (thick.name, list(thick.y)) == ("Plain", [2.0, 1.0, None])
    assert (cross.marker.symbol, list(cross.x), list(cross.y)) == ("x", [2], [1.0])
    assert list(figure.layout.xaxis.range) == [0, 10]


def test_a_diverging_arm_leaves_a_logarithmic_panel_through_the_top() -> None:
    points = [*(Point("plain", update, {"loss": 1.0}) for update in (1, 2, 3)), Point("wild", 1, {"loss": 2.0}), Point("wild", 2, {"loss": 1e30})]
    seeds = [SeedView(0, "running", (*points, Point("wild", 3, {"loss": math.inf})))]
    figure = curves_figure(WALK.arms, (replace(WALK.curves[0], log_y=True),), seeds, 3, Look())
    assert list(figure.layout.yaxis.range) == [math.log10(0.5), 3.0]
    assert [list(trace.y) for trace in figure.data if trace.mode == "markers"] == [[1000.0]]


def test_a_line_that_goes_on_after_the_others_makes_the_axis_longer() -> None:
    figure = curves_figure(WALK.arms, WALK.curves, [seed(0, *[1.0] * 14)], 10, Look())
    assert list(figure.layout.xaxis.range) == [0, 14]


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.3, 2.5, ["0.5", "1", "2"]), (0.55, 0.95, ["0.6", "0.7", "0.8", "0.9"]), (0.61, 0.69, ["0.62", "0.64", "0.66", "0.68"])],
)
def test_a_short_logarithmic_axis_says_its_values_in_full(low: float, high: float, told: list[str]) -> None:
    figure = curves_figure(WALK.arms, (replace(WALK.curves[0], log_y=True),), [seed(0, low, high)], 10, Look())
    ticks = zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True)
    assert [text for value, text in ticks if low <= value <= high] == told


def test_each_arm_is_in_the_legend_once() -> None:
    points = tuple(Point(arm, 1, {"loss": 1.0}) for arm in ("plain", "wild"))
    figure = curves_figure(WALK.arms, (*WALK.curves, *WALK.curves), [SeedView(0, "running", points)], 10, Look())
    assert [trace.name for trace in figure.data if trace.showlegend] == ["Plain", "Wild"]
    assert len({trace.line.dash for trace in figure.data}) == 2


def test_the_preview_names_every_arm_and_holds_the_axis_of_the_run() -> None:
    figure = preview_figure(WALK.arms, (*WALK.curves, replace(WALK.curves[0], label="Ruled", rules=((0.4, "needed"),))), 10, Look())
    assert [trace.name for trace in figure.data if trace.showlegend is not False] == ["Plain", "Wild"]
    assert list(figure.data[0].y) == [0.4, 0.4]
    assert list(figure.layout.xaxis.range) == [0, 10]


def test_every_kind_of_picture_draws_and_nan_leaves_a_gap() -> None:
    panel = Panel(
        "Gates", "value", (Series("f", "f", (1.0, 2.0), (0.5, math.nan), steps=True),), y_range=(0, 1), rules=((0.2, "low"),), events=((1.5, "start"),)
    )
    lines = picture_figure(Lines("l", "t", "a", "step", (panel, panel)), Look())
    assert [list(trace.y) for trace in lines.data if trace.name == "f"] == [[0.5, None]] * 2
    assert [trace.name for trace in lines.data if trace.showlegend is not False] == ["f", "start"]
    heat = picture_figure(HeatMap("h", "t", "a", "x", "y", ("a",), ("b",), ((math.inf,),), "z", (0, 1)), Look(dark=True))
    assert heat.data[0].z.tolist() == [[None]] if hasattr(heat.data[0].z, "tolist") else [list(row) for row in heat.data[0].z] == [[None]]
    bars = picture_figure(Bars("b", "t", "a", "accuracy", ("one",), (Series("s", "lstm", (), (0.5,)),), rules=((0.25, "chance"),)), Look())
    assert (list(bars.data[0].x), list(bars.data[0].y)) == (["one"], [0.5])
    assert [trace.name for trace in bars.data if trace.showlegend is not False] == ["chance"]  # beside a bar its words would stand on the bar


@pytest.mark.parametrize(
    ("values", "rule", "log_y", "where"),
    [
        ((0.5, 0.8), 0.25, False, ["outside", "outside"]),
        ((0.24, 0.8), 0.25, False, ["inside", "inside"]),  # the line would strike the first one out
        ((0.24, 0.02), 0.25, False, ["inside", "outside"]),  # no room in the second
        ((0.24, 0.27), 0.25, False, ["inside", "outside"]),  # inside the second it would be struck out, too
        ((1e-3, 1.0), 1.5e-3, True, ["outside", "inside"]),  # the first one begins at the bottom of the axis
        ((math.nan, 0.24), 0.25, False, ["outside", "inside"]),
    ],
)
def test_no_reference_line_strikes_a_bars_number_out(values: tuple[float, ...], rule: float, log_y: bool, where: list[str]) -> None:
    series = (Series("s", "lstm", (), values), Series("t", "lstm", (), (1.0,) * len(values)))
    bars = Bars("b", "t", "a", "accuracy", tuple("ab"), series, rules=((rule, "chance"),), log_y=log_y)
    assert list(picture_figure(bars, Look()).data[0].textposition) == where


def test_many_groups_of_bars_are_named_in_lines_that_fit_a_phone() -> None:
    groups = ("nothing done", "c exchanged", "h exchanged", "both exchanged", "c set to 0", "h set to 0")
    series = (Series("own", "lstm", (), (1.0,) * 6), Series("donor's", "remedy", (), (2e-5,) * 6))
    figure = picture_figure(Bars("b", "t", "a", "share", groups, series), Look())
    assert list(figure.data[0].x) == ["nothing<br>done", "c<br>exchanged", "h<br>exchanged", "both<br>exchanged", "c set to<br>0", "h set to<br>0"]
    assert figure.data[1].text[0] == "2.0·10⁻⁵"


def test_a_heading_too_long_for_a_phone_is_broken() -> None:
    panel = Panel("Gradient that arrives, after training", "relative to the last step", (Series("f", "f", (1.0,), (1.0,)),))
    figure = picture_figure(Lines("l", "t", "a", "step", (panel,)), Look())
    assert figure.layout.annotations[0].text == "Gradient that arrives, after training (relative to the last<br>step)"


def test_parallel_coordinates_run_through_every_axis_and_the_lowest_end_is_drawn_strongest_and_last() -> None:
    axes = (Axis("learning rate", 1e-4, 1e-2, log=True), Axis("units", 10, 40), Axis("loss", 0, 2))
    rows = ((1e-3, 10.0, 0.5), (1e-4, 25.0, 2.0), (1e-2, 40.0, math.nan))
    figure = picture_figure(Parallel("p", "t", "a", axes, rows), Look())
    assert [tuple(round(value, 9) for value in trace.y) for trace in figure.data] == [(0, 0.5, 1), (1, 1, 1), (0.5, 0, 0.25)]
    assert figure.data[-1].line.width > figure.data[0].line.width
    assert figure.data[-1].line.color != figure.data[0].line.color
    assert "learning rate: 0.001" in figure.data[-1].text[0]
    assert [one.text for one in figure.layout.annotations] == ["1.0·10⁻⁴", "0.01", "10", "40", "0", "2"]


def test_the_strip_marks_each_seed_by_shape_as_well_as_by_colour() -> None:
    checks = (CheckResult("Loss", "loss", "<", 0.5, (0.1, 0.9, math.nan), 1, 0.9), CheckResult("Ratio", "ratio", ">", 10.0, (5000.0, math.inf), 2, math.inf))
    figure = strip_figure(checks, Look())
    loss, ratio = figure.data
    assert list(loss.marker.symbol) == ["circle", "x", "x"]
    assert list(loss.hovertext) == ["0.1", "0.9", "diverged"]
    assert loss.x[2] == max(figure.layout.xaxis.range)  # drawn at the end it belongs to
    assert list(ratio.marker.symbol) == ["circle", "circle"]
    assert figure.layout.xaxis2.type == "log"
    assert (list(loss.text), list(ratio.text)) == (["", "", "diverged"], ["", "∞"])  # what has no place on the axis is named
    assert len({*loss.y}) == 3  # equal values can be counted


# --- Words ------------------------------------------------------------------------------------------------------


def test_progress_in_words_and_as_a_share() -> None:
    snapshot = shot(seed(4, *[1.0] * 5), seed(5, state="waiting"), seed(6, 1.0, state="finished"), seed(7, *[1.0] * 10))
    assert words.progress(snapshot) == "Seed 1 of 4: update 5 of 10 · Seed 4 of 4: measuring"
    assert words.fraction(snapshot) == pytest.approx((0.5 + 0 + 1 + 1) / 4)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0499, "0.0499"), (1017.0, "1,017"), (7.2e17, "7.2·10¹⁷"), (4e-7, "4.0·10⁻⁷"), (-2.5, "−2.5"), (0.0, "0"), (math.nan, "diverged"), (math.inf, "∞")],
)
def test_numbers_are_readable(value: float, text: str) -> None:
    assert words.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.05, "0.05"), (1.0001, "1.0001"), (1e-9, "1.0·10⁻⁹"), (-0.15, "−0.15"), (1000.0, "1,000")])
def test_a_threshold_keeps_the_digits_that_decide(value: float, text: str) -> None:
    assert words.threshold(value) == text


def test_the_verdict_says_how_many_and_how_sure() -> None:
    verdict = judge(WALK, {}, [{"loss": 0.1, "ratio": 20.0}, {"loss": 0.2, "ratio": 20.0}, {"loss": 0.9, "ratio": 20.0}])
    sentence = "**2 of 3 seeds** satisfied the whole rule. 3 seeds can only bound the true share: between 21\u00a0% and 94\u00a0% (95\u00a0% interval)."
    assert words.verdict_sentence(verdict) == sentence
    assert words.checks_table(verdict.checks).splitlines()[2] == "| Loss | **0.2** | <\u00a00.4 | :orange[–\u00a02\u00a0of\u00a03] |"


@pytest.mark.parametrize(
    ("computed", "set_"),
    [
        ("23% right, 5 % not", "23\u00a0% right, 5\u00a0% not"),
        ("off by 8e-17, then -1.79e+03", "off by 8·10⁻¹⁷, then −1,790"),
        ("2-grams, seed-1, -0.5 and 3 - 1", "2-grams, seed-1, −0.5 and 3 - 1"),
    ],
)
def test_a_computed_message_is_set_as_people_write(computed: str, set_: str) -> None:
    assert words.message(computed) == set_


def test_a_diverged_arm_is_named() -> None:
    snapshot = shot(seed(0, 1.0, math.nan), seed(1, 1.0, 2.0))
    assert words.diverged(snapshot, WALK) == ["Plain: diverged in 1 of 2 seeds (its values are no longer finite numbers)."]


def test_escaped_text_is_only_text() -> None:
    assert words.escape("a ![x](u) :red[b]\n<i>") == r"a \!\[x\]\(u\) \:red\[b\] \<i\>"


def test_a_logarithmic_slider_stops_at_round_numbers_its_bounds_and_where_it_stands() -> None:
    control = Number(name="lr", label="", help="", default=0.01, low=0.004, high=0.1, log=True)
    assert log_stops(control, 0.007) == [0.004, 0.005, 0.007, 0.01, 0.02, 0.03, 0.05, 0.1]


def test_an_address_is_exact() -> None:
    values = {"updates": 7, "pause": 0.1 + 0.2, "seed": 0, "seeds": 1, "device": "auto"}
    assert words.address(WALK, values) == {"experiment": "walk", "updates": "7", "pause": "0.30000000000000004", "seed": "0", "seeds": "1", "device": "auto"}


def test_a_run_from_before_a_control_existed_shows_what_it_had_and_repeats_with_the_default() -> None:
    old = Snapshot("r", RunRequest("walk", {"updates": 10, "gone": 3}, 0, 1), RunState.FINISHED, ())
    assert words.setup_lines(WALK, old)[:2] == [("Updates", "10"), ("First seed", "0")]
    assert words.values_of(WALK, old) == {"updates": 10, "pause": 0.0, "seed": 0, "seeds": 1, "device": "auto"}


# --- Messages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seeds", "state", "message"),
    [
        ([seed(0, 1.0, 0.5)], RunState.RUNNING, "Loss: 0.5 for Plain so far"),
        ([seed(0, 1.0, 0.5), seed(1, 1.0, 0.3), seed(2, 1.0)], RunState.FINISHED, "Loss: 0.4 for Plain at the end"),  # the median of those that got there
        ([seed(0, 1.0, math.nan)], RunState.FINISHED, "It diverged at the end"),
        ([SeedView(0, "stopped", (Point("plain", 1, {"loss": 0.25}), Point("wild", 1, {"loss": math.inf})))], RunState.CANCELLED,
         "Loss: 0.25 for Plain when it stopped; 1 diverged"),
        ([SeedView(0, "finished", (Point("plain", 1, {"loss": 2e-4}), Point("wild", 1, {"loss": 1.5})))], RunState.FINISHED,
         "Loss: Plain 2.0·10⁻⁴; Wild 1.5 at the end"),
        ([SeedView(0, "finished", (Point("plain", 1, {"loss": 1.0}), Point("wild", 1, {"loss": 1.0})))], RunState.FINISHED,
         "Loss: all 2 networks at 1 at the end"),
        ([seed(0)], RunState.CANCELLED, "Nothing measured when it stopped"),
    ],
)  # fmt: skip
def test_the_curves_say_where_each_network_stands(seeds: list[SeedView], state: RunState, message: str) -> None:
    assert curves_message(WALK, replace(shot(*seeds), state=state)) == message


def test_messages_stay_short_for_every_experiment_whatever_it_measured() -> None:
    for name in all_experiments():
        experiment = find_experiment(name)
        curve = main_curve(experiment.curves)
        for values in ([1.0] * 9, [1.23e-7 * 10**place for place in range(9)], [math.nan, *(0.123 * place for place in range(8))]):
            points = tuple(Point(arm.key, 1, {curve.metric: value}) for arm, value in zip(experiment.arms, values, strict=False))
            snapshot = Snapshot("r", RunRequest(name, {}, 0, 1), RunState.FINISHED, (SeedView(0, "finished", points),))
            assert len(curves_message(experiment, snapshot)) <= LONGEST
        assert len(preview_message(experiment, 2000)) <= LONGEST, preview_message(experiment, 2000)


def test_before_a_run_the_chart_asks_what_the_run_will_answer() -> None:
    assert preview_message(find_experiment("forget-gate"), 1200) == "Which networks will be at “solved” after 1,200 updates?"
    assert preview_message(find_experiment("cell-state"), None) == "Where will the network be at the end: accuracy?"
    assert preview_message(find_experiment("peephole"), 50) == "Where will each network be after 50 updates: accuracy of the best net?"


@pytest.mark.parametrize(
    ("measured", "message"),
    [
        ([(0.1, 2.0)], "The seed satisfies both parts of the rule"),
        ([(0.1, 2.0)] * 3, "All 3 seeds satisfy both parts of the rule"),
        ([(0.1, 2.0), (0.1, 0.5), (0.1, 2.0)], "2 of 3 seeds satisfy the whole rule: ratio above 1 in 2 of 3"),
        ([(0.9, 0.5), (math.nan, 2.0)], "None of 2 seeds satisfies the whole rule: loss below 0.5 in 0 of 2"),
    ],
)
def test_the_strip_says_how_many_seeds_satisfied_the_rule_and_what_failed_most(measured: list[tuple[float, float]], message: str) -> None:
    checks = (Check("loss", "loss", "<", 0.5), Check("ratio", "ratio", ">", 1.0))
    verdict = judge(replace(WALK, checks=checks), {}, [{"loss": loss, "ratio": ratio} for loss, ratio in measured])
    assert strip_message(verdict) == message
