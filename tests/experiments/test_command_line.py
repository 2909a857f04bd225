"""`python -m sandbox` lists, runs and verifies, and refuses by name."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from sandbox.__main__ import main
from sandbox.registry import find_experiment

SMALL = ["run", "forget-gate", "--seeds", "2", "--set", "updates=50", "hidden=2"]


def test_list_names_every_experiment_with_its_settings_and_their_bounds(capsys):
    assert main(["list"]) == 0
    told = capsys.readouterr().out
    assert "forget-gate  (question 7)" in told
    assert "a whole number from 50 to 2000" in told


def test_list_as_json(capsys):
    assert main(["list", "--json"]) == 0
    listed = {one["id"]: one for one in json.loads(capsys.readouterr().out)}
    assert {"forget-gate", "gradient-clipping", "bilstm"} <= listed.keys()
    assert listed["bilstm"]["settings"][0] == {"name": "reach", "label": "Reach", "default": 3, "allowed": "a whole number from 1 to 6 steps"}


def test_run_prints_settings_measures_and_verdict_as_json(capsys):
    assert main([*SMALL, "--first-seed", "4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["settings"] == {"hidden": 2, "forget_bias": 1.0, "values": "real", "between": "silent", "updates": 50, "learning_rate": 0.01}
    assert [one["seed"] for one in told["seeds"]] == [4, 5]
    assert told["device"] == "cpu"
    assert told["verdict"]["seeds"] == 2
    assert told["verdict"]["checks"][0]["values"] == [one["measured"]["full"] for one in told["seeds"]]


def test_run_tells_the_verdict_in_words(capsys):
    assert main(SMALL) == 0
    out, err = capsys.readouterr()
    assert "CONTRADICTED: the rule holds on 0 of 2 seeds" in out
    assert "What happened: Both fail" in out
    assert "seed 1: full " in err


def test_seeds_in_processes_of_their_own_give_the_same_numbers(capsys):
    def measured(*options):
        assert main([*SMALL, "--json", *options]) == 0
        return [one["measured"] for one in json.loads(capsys.readouterr().out)["seeds"]]

    assert measured("--processes", "2") == measured()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nope"], "unknown experiment 'nope'; known experiments: "),
        (["run", "bilstm", "--set", "reach=9"], "reach must be a whole number from 1 to 6 steps, got '9'"),
        (["run", "bilstm", "--set", "reech=3"], "unknown setting 'reech'; known settings: reach, delay"),
        (["run", "bilstm", "--set", "reach"], "--set takes NAME=VALUE, got 'reach'"),
        (["run", "bilstm", "--seeds", "99"], "seeds must be a whole number from 1 to 20, got '99'"),
        (["run", "bilstm", "--first-seed", "2147483648"], "seed must be a whole number from 0 to 2147483647, got '2147483648'"),
        (["run", "lstm-vs-rnn", "--set", "short=30", "steps=20"], "steps must be a whole number from 30 to 120, got '20'; short must be"),
        (["run", "bilstm", "--device", "tpu"], "device must be one of auto, cpu, cuda, got 'tpu'"),
        (["run", "bilstm", "--preset", "slow"], "preset must be one of quick, thorough, got 'slow'"),
        (["verify", "nope"], "unknown experiment 'nope'"),
    ],
)
def test_what_is_asked_for_wrongly_ends_with_two_and_says_what_is_allowed(arguments, message, capsys):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_verify_passes_a_claim_that_holds(capsys):
    assert main(["verify", "gradient-clipping", "--seeds", "1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["holds"], row["verdict"]["passed"], row["verdict"]["seeds"]) == (True, 1, 1)


def test_verify_ends_with_one_when_a_claim_fails(capsys, monkeypatch):
    from dataclasses import replace

    from sandbox import __main__ as command
    from sandbox.protocol import Preset
    from sandbox.registry import find_experiment

    bilstm = find_experiment("bilstm")
    late = replace(bilstm, presets={**bilstm.presets, "quick": Preset("Quick", 1, {"updates": 50, "delay": 0})})
    monkeypatch.setattr(command, "find_experiment", lambda _: late)
    assert main(["verify", "bilstm", "--seeds", "1"]) == 1
    assert capsys.readouterr().out.startswith("BAD bilstm ")


def test_bench_sets_every_figure_beside_its_target(capsys):
    main(["bench", "--repetitions", "1", "--cell-only", "--json"])  # a busy machine may miss the target: not asserted
    figures = json.loads(capsys.readouterr().out)
    (judged,) = [figure for figure in figures if figure["target"] is not None]
    assert judged["what"] == "general cell: training step ÷ torch.nn.LSTM's"
    assert (judged["target"], judged["unit"]) == (2.5, "×")
    assert judged["ok"] == (judged["value"] <= 2.5)
    assert all(figure["value"] > 0 for figure in figures)


def test_seeds_trained_in_two_processes_give_the_numbers_of_one():
    def measured(processes: str) -> list[dict[str, float]]:
        asked = ["run", "bilstm", "--seeds", "2", "--set", "updates=50", "--processes", processes, "--json"]
        done = subprocess.run([sys.executable, "-m", "sandbox", *asked], capture_output=True, text=True, timeout=300, check=True)
        return [one["measured"] for one in json.loads(done.stdout)["seeds"]]

    assert measured("2") == measured("1")


def test_verify_can_print_the_page_of_evidence(capsys):
    assert main(["verify", "bilstm", "--seeds", "1", "--markdown"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# What the experiments showed")
    assert "**1 of 1** hold" in printed
    (first, *more) = [line for line in printed.splitlines() if line.startswith(("| bilstm |", "| | | |"))]
    assert first.startswith("| bilstm | 1 of 1 | ")
    assert len([first, *more]) == len(find_experiment("bilstm").checks)
