"""The project as a whole: pins, documents, a first start, and what it takes to add a question."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.browser.server import Server

ROOT = Path(__file__).parents[1]
CODE = ("app.py", "questions", "quiz", "sandbox")
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
VARIABLE = re.compile(r"\b(?:CAROUSEL_[A-Z_]+|DATABASE_URL|QUESTIONS_PATH|DASK_SCHEDULER_ADDRESS)\b")
# A CUDA build of torch brings these and pins them itself.
CUDA_ONLY = re.compile(r"^(nvidia|triton|cuda)")


def pins(file: str) -> dict[str, str]:
    """Package -> version of every `name==version` line."""
    lines = (ROOT / file).read_text().splitlines()
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {canonicalize_name(name): version.split()[0] for name, version in pairs}


def source_files() -> list[Path]:
    return [file for part in CODE for file in ([ROOT / part] if (ROOT / part).is_file() else (ROOT / part).rglob("*.py"))]


def copy_of_the_project(folder: Path) -> Path:
    """The checkout's own files, as a clone has them: no environment, data or caches."""
    copy = folder / "carousel"
    names = (".streamlit", *CODE, "Makefile", "requirements.txt", "requirements-dev.txt", "constraints.txt", "pyproject.toml")
    copy.mkdir()
    for name in names:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, copy / name)
    return copy


# --- Pins -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_as_in_the_constraints(file: str) -> None:
    lines = [line for line in (ROOT / file).read_text().splitlines() if line and not line.startswith(("#", "-"))]
    assert len(pins(file)) == len(lines) > 0
    assert pins(file).items() <= pins("constraints.txt").items()


def test_everything_that_the_requirements_bring_in_is_pinned_at_the_version_tested_here() -> None:
    waiting = list(pins("requirements.txt") | pins("requirements-dev.txt"))
    installed: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in installed or CUDA_ONLY.match(name):
            continue
        distribution = importlib.metadata.distribution(name)
        installed[name] = distribution.version.split("+")[0]
        needs = (Requirement(text) for text in distribution.requires or [])
        waiting += [canonicalize_name(need.name) for need in needs if not need.marker or need.marker.evaluate({"extra": ""})]
    assert installed.items() <= pins("constraints.txt").items(), sorted(installed.items() - pins("constraints.txt").items())


# --- Documents --------------------------------------------------------------------------------------------------


def test_the_readme_explains_every_environment_variable_that_the_code_reads() -> None:
    read = {name for file in source_files() for name in VARIABLE.findall(file.read_text())}
    explained = set(VARIABLE.findall((ROOT / "README.md").read_text()))
    assert read <= explained
    assert explained - read <= {"CAROUSEL_CHROMIUM"}  # the tests read this one


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_in_a_document_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)|(?:src|srcset)=\"([^\"]+)\"", document.read_text())
    local = [target for pair in targets for target in pair if target and "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


def test_the_pictures_in_the_documents_are_small() -> None:
    pictures = list((ROOT / "docs" / "pictures").glob("*.png"))
    assert pictures
    assert [(picture.name, picture.stat().st_size) for picture in pictures if picture.stat().st_size > 165_000] == []


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / "README.md").read_text()))
    assert {"run", "test", "check", "bench"} <= named <= targets


def test_make_bench_measures_pages_and_laboratory_and_ends_badly_when_either_misses_a_target(tmp_path: Path) -> None:
    copy = copy_of_the_project(tmp_path)
    binaries = copy / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (copy / ".venv" / "installed").touch()
    (copy / ".venv" / "installed-dev").touch()
    outside = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "ARGS")}  # not of `make test`
    for missing in ("tests.bench", "sandbox bench", "neither"):
        (binaries / "python").write_text(f'#!/bin/sh\necho "$@"\ncase "$*" in *"{missing}"*) exit 1 ;; esac\n')
        (binaries / "python").chmod(0o755)
        done = subprocess.run(["make", "bench"], cwd=copy, capture_output=True, text=True, env=outside)
        assert done.stdout.splitlines() == ["-m tests.bench", "-m sandbox bench"]
        assert (done.returncode == 0) is (missing == "neither")


# --- A first start ----------------------------------------------------------------------------------------------


def test_make_run_in_a_fresh_folder_starts_the_app_prints_its_address_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    copy = copy_of_the_project(tmp_path)
    # The packages are there already: make takes their stamp for new, and installs nothing.
    (copy / ".venv" / "bin").mkdir(parents=True)
    (copy / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (copy / ".venv" / "bin" / "python").chmod(0o755)
    (copy / ".venv" / "installed").touch()
    server = Server(tmp_path, command=("make", "run"), cwd=copy)
    del server.environment["DATABASE_URL"]
    server.start()
    with urllib.request.urlopen(server.url, timeout=10) as response:
        assert response.status == 200
    server.stop()
    assert f"Carousel is running at {server.url}" in server.printed()
    assert "Traceback" not in server.printed()
    assert (copy / "data" / "carousel.db").is_file()


def test_make_run_without_a_new_enough_python_says_so(tmp_path: Path) -> None:
    copy = copy_of_the_project(tmp_path)
    old = tmp_path / "python2"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 2.7.18\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(["make", "run", f"PYTHON={old}"], cwd=copy, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"Carousel needs Python 3.11 or newer; PYTHON={old} is Python 2.7.18." in done.stderr
    assert not (copy / ".venv").exists()


# --- Growing ----------------------------------------------------------------------------------------------------


def test_question_25_with_its_own_experiment_is_two_new_files(tmp_path: Path) -> None:
    copy = copy_of_the_project(tmp_path)
    question = (ROOT / "docs" / "question-template.toml").read_text().replace("number = 100", "number = 25", 1)
    (copy / "questions" / "bank" / "q25_new.toml").write_text(question.replace('"forget-gate"', '"experiment-25"'))
    experiment = (copy / "sandbox" / "experiments" / "forget_gate.py").read_text()
    (copy / "sandbox" / "experiments" / "experiment_25.py").write_text(
        experiment.replace('id="forget-gate"', 'id="experiment-25"', 1).replace("number=7", "number=25", 1)
    )

    def run(*command: str) -> str:
        done = subprocess.run([sys.executable, "-m", *command], cwd=copy, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "25 questions" in run("questions", "check")
    assert "experiment-25" in run("sandbox", "list")
