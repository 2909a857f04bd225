"""Operating on the networks of a run, in real worker processes: what comes of it, and every way it cannot be done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.jobs import Laboratory, NoSpecimen, OperationFailed, UnknownRun, laboratory
from sandbox.operations import Operation
from sandbox.protocol import InvalidSetting, RunRequest, RunState
from sandbox.records import Snapshot, SpecimenView, read_snapshot
from sandbox.settings import LabSettings
from tests.experiments import lab_experiments


class Shelf:
    """A store in memory."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}

    def begin(self, run_id: str, facts: Any) -> None:
        self.runs[run_id] = dict(facts)

    def end(self, run_id: str, facts: Any) -> None:
        self.runs[run_id] |= dict(facts)

    def load(self, run_id: str) -> Any:
        return self.runs.get(run_id)


SHELF = Shelf()


@pytest.fixture(scope="module")
def lab() -> Iterator[Laboratory]:
    made = Laboratory(LabSettings(workers=1, budget_s=60), SHELF, find=lab_experiments.find)
    yield made
    made.close()


def finish(lab: Laboratory, run_id: str) -> Snapshot:
    while not (seen := lab.snapshot(run_id)).state.final:
        lab.wait(run_id, 1, final=True)
    return seen


@pytest.fixture(scope="module")
def operable(lab: Laboratory) -> str:
    """A finished run whose first three of four seeds kept two networks each."""
    run_id = lab.start(RunRequest("networks", {}, first_seed=5, seeds=4))
    finish(lab, run_id)
    return run_id


def test_a_run_keeps_the_networks_of_its_first_seeds_and_tells_so(lab: Laboratory, operable: str) -> None:
    seen = lab.snapshot(operable)
    assert seen.specimens == tuple(SpecimenView(seed, arm, last) for seed in (5, 6, 7) for arm, last in (("plain", 9), ("wild", 0)))
    assert lab.has_specimens(operable)


def test_a_network_left_alone_is_as_it_was_and_one_that_shows_nothing_is_not(lab: Laboratory, operable: str) -> None:
    alone = lab.operate(operable, 5, "plain", Operation())
    assert (alone.measure, alone.own, alone.donor, alone.counted, alone.sequences) == ("accuracy", (1.0, 1.0), None, 32, 32)
    assert alone.mean.title == "As learnt: accuracy 100%"
    blind = lab.operate(operable, 5, "plain", Operation(gate="o", hold="0"))
    assert blind.own[0] == 1.0
    assert blind.own[1] < 1.0
    assert blind.mean.title.startswith("Output gate held at 0: accuracy 100% → ")
    gate = blind.mean.panels[1]
    assert gate.title == "Output gate, mean over units"
    operated, learnt = gate.series
    assert (operated.label, learnt.label) == ("operated on", "as learnt")
    assert set(operated.y) == {0.0}
    assert all(0 < value < 1 for value in learnt.y)


def test_with_c_and_h_exchanged_the_donor_s_answers_are_scored_as_well(lab: Laboratory, operable: str) -> None:
    seen = lab.operate(operable, 5, "plain", Operation(exchange="both", at=9))
    assert seen.donor is not None
    assert seen.own[0] == 1.0
    assert seen.donor[0] == 0.0  # only pairs are counted whose answers differ
    assert 0 < seen.counted < 32
    assert seen.mean.title.startswith("c and h exchanged after step 9: its own answer 100% → ")
    assert [series.label for series in seen.mean.panels[0].series] == ["operated on", "as learnt", "operated on: the donor's answer"]
    assert seen.mean.panels[0].events == [(9.5, "exchange"), (10.0, "asked")]


def test_values_are_scored_by_their_error(lab: Laboratory, operable: str) -> None:
    seen = lab.operate(operable, 6, "wild", Operation(gate="o", hold="0"))
    assert seen.measure == "error"
    assert seen.own[0] < 1e-4
    assert seen.own[1] > 1.0  # always the same answer, and not even the mean
    assert seen.guess == 1.0
    assert "error ÷ variance" in seen.unit.title


def test_the_same_operation_gives_the_same_numbers(lab: Laboratory, operable: str) -> None:
    how = Operation(gate="i", hold="coupled", exchange="c", at=3)
    assert lab.operate(operable, 7, "plain", how) == lab.operate(operable, 7, "plain", how)


@pytest.mark.parametrize(
    ("arm", "operation", "problem"),
    [
        ("plain", Operation(gate="x"), "gate must be one of i, f, g, o, got 'x'"),  # type: ignore[arg-type]
        ("plain", Operation(hold="0.5"), "hold must be one of learnt, 0, 1, coupled, got '0.5'"),  # type: ignore[arg-type]
        ("plain", Operation(gate="o", hold="coupled"), "hold 'coupled' goes with the gates i and f, got 'o'"),
        ("plain", Operation(exchange="c", at=10), "at must be a whole number from 1 to 9, got 10"),
        ("wild", Operation(exchange="c", at=1), "exchange must be none: these sequences are not asked at the same steps, got 'c'"),
    ],
)
def test_what_a_network_does_not_allow_is_refused_with_what_it_does(lab: Laboratory, operable: str, arm: str, operation: Operation, problem: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        lab.operate(operable, 5, arm, operation)
    assert caught.value.problems == (problem,)


def test_a_run_unknown_without_networks_or_of_an_earlier_start_says_which(lab: Laboratory, operable: str) -> None:
    with pytest.raises(UnknownRun, match="unknown run 'nonsense'"):
        lab.operate("nonsense", 0, "plain", Operation())
    without = lab.start(RunRequest("walk", {"updates": 2}, seeds=1))
    assert finish(lab, without).specimens == ()
    assert not lab.has_specimens(without)
    with pytest.raises(NoSpecimen, match="keeps no network of 'plain' with seed 0; it keeps: none"):
        lab.operate(without, 0, "plain", Operation())
    with pytest.raises(NoSpecimen, match="keeps no network of 'plain' with seed 8; it keeps: seed 5 of plain"):
        lab.operate(operable, 8, "plain", Operation())

    restarted = Laboratory(LabSettings(workers=1), SHELF, find=lab_experiments.find)
    assert restarted.snapshot(operable).specimens == lab.snapshot(operable).specimens
    assert not restarted.has_specimens(operable)
    with pytest.raises(NoSpecimen, match="kept in memory only and are gone"):
        restarted.operate(operable, 5, "plain", Operation())
    restarted.close()


def test_a_run_stored_before_networks_were_kept_still_reads(lab: Laboratory, operable: str) -> None:
    facts = {**SHELF.runs[operable], "record": {name: value for name, value in SHELF.runs[operable]["record"].items() if name != "specimens"}}
    assert read_snapshot("old", facts).specimens == ()


def test_an_operation_goes_before_seeds_that_wait_and_gives_up_on_workers_that_only_train(
    lab: Laboratory, operable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = lab.start(RunRequest("walk", {"updates": 20, "pause": 0.01}, seeds=12))
    lab.wait(long, 60)
    lab.operate(operable, 5, "plain", Operation())
    assert lab.snapshot(long).state is RunState.RUNNING  # eleven more seeds were waiting
    lab.cancel(long)

    endless = lab.start(RunRequest("walk", {"updates": 100_000, "pause": 0.01}, seeds=1))
    lab.wait(endless, 60)
    monkeypatch.setattr(laboratory, "OPERATION_S", 0.2)
    with pytest.raises(OperationFailed, match="All training processes are busy"):
        lab.operate(operable, 5, "plain", Operation())
    lab.cancel(endless)
    monkeypatch.undo()
    assert lab.operate(operable, 5, "plain", Operation()).own == (1.0, 1.0)


def test_many_people_operate_at_once(lab: Laboratory, operable: str) -> None:
    got: list[float] = []
    threads = [threading.Thread(target=lambda: got.append(lab.operate(operable, 5, "plain", Operation()).own[0])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [1.0] * 6


def test_without_a_connection_it_says_so(operable: str, lab: Laboratory) -> None:
    engine = lab._floor.engine()
    assert engine._client is not None
    engine._client.close()
    assert lab.operate(operable, 5, "plain", Operation()).own == (1.0, 1.0)  # connected anew, workers and all
    engine.close()
    with pytest.raises(OperationFailed, match=r"cannot be reached \(the laboratory is closed\)"):
        lab.operate(operable, 5, "plain", Operation())
