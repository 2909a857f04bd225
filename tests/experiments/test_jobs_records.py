"""A run as JSON and back, requests read from links, and the laboratory's own settings."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from sandbox import player
from sandbox.protocol import CLOCK, Axis, Bars, HeatMap, InvalidSetting, Lines, Panel, Parallel, Point, RunRequest, RunState, Series, judge
from sandbox.records import SeedView, Snapshot, UnreadableRecord, begin_facts, compare, end_facts, read_snapshot
from sandbox.requests import make_request, preset_values, read_values, request_values
from sandbox.settings import InvalidLabSetting, LabSettings, default_workers
from tests.experiments.lab_experiments import find

WALK = find("walk")
PICTURES = (
    Lines("l", "t", "a", "x", (Panel("p", "y", (Series("s", "i", (1.0, 2.0), (math.nan, -math.inf), steps=True),), rules=((0.5, "half"),)),)),
    HeatMap("h", "t", "a", "x", "y", ("a", 2.0), (1.0,), ((0.1, math.inf),), "z", (0.0, 1.0)),
    Bars("b", "t", "a", "y", ("one",), (Series("s", "lstm", (), (3.0,)),)),
    Parallel("p", "t", "a", (Axis("rate", 0.1, 1.0, log=True), Axis("loss", 0.0, 2.0)), ((0.5, math.nan),)),
)


def snapshot(run_id: str = "r", values: tuple[float, ...] = (0.1, 0.2), **changes: object) -> Snapshot:
    measured = [{"loss": value, "ratio": math.inf} for value in values]
    points = (Point("plain", 1, {"loss": 1 / 3}), Point("wild", 1, {"loss": math.nan, "norm": 2.0}), Point("plain", 2, {"loss": math.inf}))
    return Snapshot(
        run_id=run_id,
        request=RunRequest("walk", {"updates": 2, "pause": 0.0}, 3, len(values), "auto", "falls"),
        state=RunState.FINISHED,
        seeds=tuple(SeedView(3 + number, "finished", points, one, 1.5) for number, one in enumerate(measured)),
        pictures=PICTURES,
        verdict=judge(WALK, {}, measured),
        device="cpu",
        device_why="small",
        versions={"torch": "2"},
        **changes,  # type: ignore[arg-type]
    )


def stored(one: Snapshot) -> dict[str, object]:
    facts: dict[str, object] = json.loads(json.dumps(begin_facts(one.request, {"torch": "2"}) | end_facts(one), allow_nan=False))
    return facts


def test_a_snapshot_survives_standard_json_with_nan_and_infinity() -> None:
    before = snapshot()
    after = read_snapshot("r", stored(before))
    assert (after.request, after.state, after.verdict, after.versions) == (before.request, before.state, before.verdict, before.versions)
    assert after.measured == before.measured
    assert after.cpu_seconds == 3.0
    by_arm = sorted(before.seeds[0].points, key=lambda point: point.arm)
    assert repr(after.seeds[0].points) == repr(tuple(by_arm))  # repr: NaN differs from itself
    assert [type(picture) for picture in after.pictures] == [Lines, HeatMap, Bars, Parallel]
    assert repr(after.pictures[0].panels[0].series[0].y) == "[nan, -inf]"  # type: ignore[union-attr]
    assert after.pictures[1].x == ["a", 2.0]  # type: ignore[union-attr]


def test_a_record_of_another_shape_is_refused_with_its_run() -> None:
    facts = stored(snapshot())
    facts["record"]["seeds"][0]["curves"] = {"plain": {"loss": [1]}}  # type: ignore[index]
    with pytest.raises(UnreadableRecord, match=r"^run r: the stored record cannot be read"):
        read_snapshot("r", facts)


def test_a_seed_is_as_far_as_its_slowest_arm() -> None:
    assert snapshot().seeds[0].update == 1


def test_equal_runs_compare_as_identical_also_after_storage() -> None:
    repeat = compare(snapshot("new"), read_snapshot("old", stored(snapshot("old"))))
    assert (repeat.run_id, repeat.identical, repeat.note) == ("old", True, "Every number of 2 seeds is the same, to the last bit.")


def test_a_difference_in_the_last_bit_is_found_and_the_changed_version_named() -> None:
    old = snapshot("old", (0.1, 0.2))
    new = snapshot("new", (0.1, math.nextafter(0.2, 1)))
    assert compare(new, old).note == "1 of 2 seeds gave other numbers."
    updated = Snapshot(**{**new.__dict__, "versions": {"torch": "3"}})
    assert compare(updated, old).note == "1 of 2 seeds gave other numbers. What changed: torch 2 then, 3 now."


def test_timings_may_differ_and_are_said_to_be_left_aside() -> None:
    def timed(run_id: str, seconds: float, loss: float = 0.5) -> Snapshot:
        seed = SeedView(3, "finished", (Point("plain", 1, {"loss": loss, "clock_step": seconds}),), {"loss": loss, "clock_step": seconds})
        return replace(snapshot(run_id), seeds=(seed,))

    repeat = compare(timed("new", 0.1), timed("old", 0.2))
    assert (repeat.identical, repeat.note) == (
        True, "Every number of 1 seed is the same, to the last bit. Timings are left aside: no clock reads the same twice."
    )  # fmt: skip
    assert not compare(timed("new", 0.1, 0.5), timed("old", 0.1, 0.6)).identical


@pytest.mark.parametrize(("name", "code"), [(CLOCK + "step", 0), ("step", 1)])
def test_a_script_leaves_timings_aside_as_well(name: str, code: int) -> None:
    assert player._compare({3: {"loss": math.nan, name: 0.1}}, {3: {"loss": math.nan, name: 0.2}}) == code


# --- Requests ---------------------------------------------------------------------------------------------------


def test_a_link_names_what_differs_and_the_quick_preset_gives_the_rest() -> None:
    assert read_values(WALK, {"updates": "7", "seed": "5"}) == {"updates": 7, "pause": 0.0, "seed": 5, "seeds": 2, "device": "auto"}
    assert read_values(WALK, {"preset": "thorough"}) == {"updates": 40, "pause": 0.0, "seed": 0, "seeds": 4, "device": "auto"}


def test_every_problem_of_a_link_is_named_at_once() -> None:
    with pytest.raises(InvalidSetting) as caught:
        read_values(WALK, {"preset": "slow", "updates": "many", "depth": "2", "seeds": "0", "device": "abacus"})
    assert caught.value.problems == (
        "preset must be one of quick, thorough, got 'slow'",
        "unknown setting 'depth'; known settings: updates, pause, seed, seeds, device",
        "updates must be a whole number from 1 to 100000, got 'many'",
        "seeds must be a whole number from 1 to 20, got '0'",
        "device must be one of auto, cpu, cuda, got 'abacus'",
    )


def test_a_request_and_its_values_are_two_forms_of_one_thing() -> None:
    values = preset_values(WALK, "thorough")
    request = make_request(WALK, values, "falls")
    assert request == RunRequest("walk", {"updates": 40, "pause": 0.0}, 0, 4, "auto", "falls")
    assert request_values(request) == values


# --- Settings ---------------------------------------------------------------------------------------------------


def test_without_variables_the_cluster_is_local() -> None:
    assert LabSettings.from_environment({}) == LabSettings(None, default_workers(), 120.0, 25.0, warm_up=True)


def test_variables_are_read() -> None:
    env = {"DASK_SCHEDULER_ADDRESS": " tcp://big:8786 ", "CAROUSEL_WORKERS": "3", "CAROUSEL_RUN_BUDGET": "7.5", "CAROUSEL_WARM_UP": "No"}
    assert LabSettings.from_environment(env) == LabSettings("tcp://big:8786", 3, 7.5, 25.0, warm_up=False)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"DASK_SCHEDULER_ADDRESS": "big:8786"}, "DASK_SCHEDULER_ADDRESS must look like tcp://host:8786, got 'big:8786'"),
        ({"CAROUSEL_WORKERS": "2.5"}, "CAROUSEL_WORKERS must be a whole number from 1 to 64, got '2.5'"),
        ({"CAROUSEL_WARM_UP": "later"}, "CAROUSEL_WARM_UP must be yes or no, got 'later'"),
        ({"CAROUSEL_RUN_BUDGET": "soon"}, "CAROUSEL_RUN_BUDGET must be a number from 1 to 86400, got 'soon'"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(env: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidLabSetting) as caught:
        LabSettings.from_environment(env)
    assert str(caught.value) == message
