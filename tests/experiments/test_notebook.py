"""A run taken along as a notebook: valid, runs by itself, and with the lab's numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from sandbox.__main__ import main
from sandbox.notebook import file_name, notebook
from sandbox.protocol import Measured, Measures, RunRequest
from sandbox.registry import all_experiments, find_experiment
from tests.experiments.smoke import smallest


def notebook_of(experiment_id: str, measured: dict[int, Measures] | None = None) -> str:
    return notebook(find_experiment(experiment_id), RunRequest(experiment_id, smallest(experiment_id), 3, 1), "cpu", measured or {})


def run_alone(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The code cells one after the other, in an empty folder, by a Python that cannot see this project."""
    cells = [cell.source for cell in nbformat.reads(text, as_version=4).cells if cell.cell_type == "code"]
    place = folder / "cells.py"
    place.write_text("\n\n".join(cells), "utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "OMP_NUM_THREADS")}
    return subprocess.run([sys.executable, "-P", str(place)], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("experiment_id", list(all_experiments()))
def test_every_experiments_notebook_is_valid_and_each_cell_is_python(experiment_id: str) -> None:
    text = notebook_of(experiment_id)
    book = nbformat.reads(text, as_version=4)
    nbformat.validate(book)
    assert notebook_of(experiment_id) == text
    assert len({cell.id for cell in book.cells}) == len(book.cells)
    for cell in book.cells:
        if cell.cell_type == "code":
            compile(cell.source, experiment_id, "exec")
    assert find_experiment(experiment_id).claim in book.cells[0].source


def train_here(experiment_id: str) -> dict[str, float]:
    experiment = find_experiment(experiment_id)
    (measured,) = (dict(step.values) for step in experiment.run(smallest(experiment_id), 3, "cpu") if isinstance(step, Measured))
    return measured


def test_a_notebooks_cells_are_plain_python_and_get_the_labs_numbers(tmp_path: Path) -> None:
    done = run_alone(notebook_of("peephole", {3: train_here("peephole")}), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "The lab's numbers again: 1 of 1 seeds identical, every digit." in done.stdout
    assert "What happened: " in done.stdout


def test_a_notebook_runs_in_a_jupyter_kernel_and_draws_its_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "OMP_NUM_THREADS", "MPLBACKEND"):  # the kernel is to choose for itself how it draws
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    book = nbformat.reads(notebook_of("bilstm", {3: train_here("bilstm")}), as_version=4)
    NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    said = "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")
    assert "The lab's numbers again: 1 of 1 seeds identical, every digit." in said
    curves = len(find_experiment("bilstm").curves)
    assert sum("image/png" in output.data for output in outputs if output.output_type == "display_data") == curves


def test_numbers_of_a_diverged_run_can_stand_in_a_notebook() -> None:
    book = nbformat.reads(notebook_of("gradient-clipping", {0: {"a": float("nan"), "b": float("-inf"), "c": 0.1}}), as_version=4)
    names: dict[str, dict[int, dict[str, float]]] = {}
    exec(book.cells[1].source, names)
    assert repr(names["MEASURED"]) == "{0: {'a': nan, 'b': -inf, 'c': 0.1}}"


def test_the_command_prints_a_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notebook", "forget-gate", "--seeds", "2", "--set", "hidden=16"]) == 0
    book = nbformat.reads(capsys.readouterr().out, as_version=4)
    assert "FIRST_SEED, SEEDS, DEVICE = 0, 2, 'cpu'" in book.cells[1].source
    assert "'hidden': 16" in book.cells[1].source
    assert file_name(find_experiment("forget-gate")) == "carousel_forget_gate.ipynb"
