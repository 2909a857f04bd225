"""A run taken along as one file: whole, readable, and with the same numbers as the lab's."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import standalone
from sandbox.protocol import Measured, Measures, RunRequest, parse_settings
from sandbox.registry import UnknownExperiment, all_experiments, find_experiment, module_name
from tests.experiments.smoke import smallest

EXPERIMENTS = list(all_experiments())


def script_of(experiment_id: str, measured: dict[int, Measures] | None = None) -> str:
    experiment = find_experiment(experiment_id)
    return standalone.script(experiment, RunRequest(experiment_id, smallest(experiment_id), 3, 1), "cpu", measured or {})


def run_alone(script: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script in an empty folder, by a Python that cannot see this project; numbers of threads as a user has them."""
    place = folder / "alone.py"
    place.write_text(script, "utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "OMP_NUM_THREADS")}
    return subprocess.run([sys.executable, "-P", str(place), *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def train_here(experiment_id: str, seed: int) -> dict[str, float]:
    experiment = find_experiment(experiment_id)
    (measured,) = (dict(step.values) for step in experiment.run(smallest(experiment_id), seed, "cpu") if isinstance(step, Measured))
    return measured


@pytest.mark.parametrize("experiment_id", EXPERIMENTS)
def test_a_script_holds_every_module_it_needs_and_none_of_the_pages(experiment_id: str) -> None:
    tree = ast.parse(script_of(experiment_id))
    files = {
        ast.literal_eval(node.targets[0].slice): ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript) and getattr(node.targets[0].value, "id", "") == "FILES"
    }
    module = module_name(experiment_id).replace(".", "/") + ".py"
    assert module in files
    assert "sandbox/protocol.py" in files
    imported = {
        name
        for text in files.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    ours = {name.replace(".", "/") for name in imported if name.startswith("sandbox")}
    assert {name for name in ours if f"{name}.py" not in files and f"{name}/__init__.py" not in files} == set()
    assert {name.partition(".")[0] for name in imported} <= {"", "sandbox", "torch", "optuna", *sys.stdlib_module_names}


# Of each kind one: nn.LSTM alone, a bank of one-cell nets, the general cell, two tasks at once, and corpora that travel along.
@pytest.mark.parametrize("experiment_id", ["bilstm", "output-gate", "activations", "teacher-forcing", "real-text"])
def test_a_script_needs_nothing_of_this_project_and_gets_the_labs_numbers(experiment_id: str, tmp_path: Path) -> None:
    script = script_of(experiment_id, {3: train_here(experiment_id, 3)})
    done = run_alone(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "The lab's numbers again: 1 of 1 seeds identical, every digit." in done.stdout
    assert "seed 3: " in done.stdout
    assert list(tmp_path.iterdir()) == [tmp_path / "alone.py"]


def test_a_script_says_when_the_numbers_are_others(tmp_path: Path) -> None:
    recorded = train_here("bilstm", 3)
    name = min(recorded)
    done = run_alone(script_of("bilstm", {3: recorded | {name: recorded[name] + 1}}), tmp_path)
    assert done.returncode == 1
    assert "0 of 1 seeds identical" in done.stdout


def test_other_seeds_can_be_asked_for_and_are_not_compared(tmp_path: Path) -> None:
    done = run_alone(script_of("bilstm", {3: {"anything": 1.0}}), tmp_path, "--first-seed", "7", "--seeds", "2")
    assert done.returncode == 0, done.stderr
    assert "seed 7: " in done.stdout
    assert "seed 8: " in done.stdout
    assert "identical" not in done.stdout


def test_an_unknown_experiment_has_no_module() -> None:
    with pytest.raises(UnknownExperiment):
        module_name("perpetual-motion")


def test_the_numbers_of_a_diverged_seed_survive_the_way_into_the_script() -> None:
    experiment = find_experiment("gradient-clipping")
    text = standalone.script(
        experiment, RunRequest(experiment.id, parse_settings(experiment.controls, {}), 0, 1), "cpu", {0: {"a": float("nan"), "b": float("inf")}}
    )
    assert '"a": NaN, "b": Infinity' in text


def test_what_a_run_needs_from_pypi_is_torch_and_for_the_searches_optuna() -> None:
    needed = {experiment_id: standalone.needed(experiment_id) for experiment_id in EXPERIMENTS}
    assert needed.pop("hyperparameters") == ("torch", "optuna")
    assert set(needed.values()) == {("torch",)}
