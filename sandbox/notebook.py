"""A run as a Jupyter notebook that needs torch and nothing else of ours: read, change a cell, run on.

The same sources as in the script of sandbox/standalone.py, so the same numbers. The experiment stands in a cell of its
own; the parts it uses are in one that is folded away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sandbox.protocol import Experiment, Measures, RunRequest
from sandbox.registry import module_name
from sandbox.standalone import packages, sources

_UNPACK = """\
# Writes the sources into a folder of their own and imports them. Run this cell again after a change above.
import base64
import importlib
import os
import sys
import tempfile
import zlib
from pathlib import Path

folder = tempfile.mkdtemp(prefix="carousel-")
for name, text in FILES.items():
    (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
    (Path(folder) / name).write_text(text, "utf-8")
for name, code in PACKED.items():
    (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
    (Path(folder) / name).write_bytes(zlib.decompress(base64.b85decode(code)))
for name in [name for name in sys.modules if name.partition(".")[0] == "sandbox"]:
    del sys.modules[name]
sys.path.insert(0, folder)
# Some experiments start processes of their own: they find the same files.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))

import torch

torch.set_num_threads(1)  # as in the lab: sums keep their order
protocol = importlib.import_module("sandbox.protocol")
experiment = importlib.import_module(MODULE).EXPERIMENT
print(f"torch {torch.__version__}, {experiment.title}")"""

_TRAIN = """\
if DEVICE == "cuda" and not torch.cuda.is_available():
    raise RuntimeError("torch finds no CUDA device here; set DEVICE = 'cpu' above and run all cells again (the last digits may differ)")
measured, curves = {}, {}
for seed in range(FIRST_SEED, FIRST_SEED + SEEDS):
    for step in experiment.run(SETTINGS, seed, DEVICE):
        if isinstance(step, protocol.Measured):
            measured[seed] = dict(step.values)
        elif isinstance(step, protocol.Point):
            for metric, value in step.values.items():
                curves.setdefault((metric, step.arm, seed), []).append((step.update, value))
    print(f"seed {seed}:", ", ".join(f"{check.label} {measured[seed][check.measure]:.6g}" for check in experiment.checks), flush=True)"""

_JUDGE = """\
verdict = protocol.judge(experiment, SETTINGS, list(measured.values()))
print(f"{verdict.status.upper()}: the rule holds on {verdict.passed} of {verdict.seeds} seeds")
for check in verdict.checks:
    print(f"  {check.label}: median {check.median:.6g}, needed {check.relation} {check.threshold:g}, on {check.passed} of {verdict.seeds}")
outcome = {one.key: one.text for one in experiment.predictions}.get(verdict.outcome, verdict.outcome)
print(f"What happened: {outcome}")


def untimed(values):
    return repr(sorted((name, value) for name, value in values.items() if not name.startswith("clock_")))  # no clock reads the same twice


both = [seed for seed in measured if seed in MEASURED]
if both:
    same = sum(untimed(measured[seed]) == untimed(MEASURED[seed]) for seed in both)
    print(f"The lab's numbers again: {same} of {len(both)} seeds identical, every digit.")"""

_DRAW = """\
try:
    import matplotlib.pyplot as plt
except ImportError:
    print("To draw the curves: pip install matplotlib")
else:
    for curve in experiment.curves:
        figure, axes = plt.subplots(figsize=(8, 4))
        for number, arm in enumerate(experiment.arms):
            for seed in measured:
                points = curves.get((curve.metric, arm.key, seed), [])
                axes.plot(*zip(*points) if points else ((), ()), color=f"C{number}", alpha=0.7, label=arm.label if seed == FIRST_SEED else None)
        axes.set(xlabel="Update", ylabel=curve.label, yscale="log" if curve.log_y else "linear", title=f"{experiment.title}: {curve.label}")
        axes.legend()
        plt.show()"""


def notebook(experiment: Experiment, request: RunRequest, device: str, measured: Mapping[int, Measures]) -> str:
    """The run as the text of an .ipynb file. `device` is the one it ran on; `measured`, by seed, is what the notebook compares its numbers with."""
    import nbformat  # a hundred modules: only when somebody asks
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    files, packed = sources(experiment)
    own = module_name(experiment.id).replace(".", "/") + ".py"
    parts = ["FILES = {", *(f"    {name!r}: r'''{text}'''," for name, text in files.items() if name != own), "}"]
    parts += ["PACKED = {", *(f"    {name!r}: {code!r}," for name, code in packed.items()), "}"]
    cells = [
        new_markdown_cell(_opening(experiment, files)),
        new_code_cell(_facts(experiment, request, device, measured)),
        new_markdown_cell(
            "## What the experiment uses\n\nCells, tasks, training and the protocol, as the lab has them. Folded away: open it to read or change them."
        ),
        new_code_cell("\n".join(parts), metadata={"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}),
        new_markdown_cell("## The experiment\n\nThe file the lab runs. Change it, and run from here on."),
        new_code_cell(f"FILES[{own!r}] = r'''{files[own]}'''"),
        new_code_cell(_UNPACK),
        new_markdown_cell("## Train"),
        new_code_cell(_TRAIN),
        new_markdown_cell("## The verdict"),
        new_code_cell(_JUDGE),
        new_markdown_cell("## The curves"),
        new_code_cell(_DRAW),
        new_markdown_cell("## What this cannot show\n\n" + "\n".join(f"- {limit}" for limit in experiment.limits)),
    ]
    for number, cell in enumerate(cells):  # ids that do not change from one download to the next
        cell["id"] = hashlib.sha256(f"{experiment.id}/{number}".encode()).hexdigest()[:12]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    return f"{nbformat.writes(new_notebook(cells=cells, metadata=kernel))}\n"


def file_name(experiment: Experiment) -> str:
    """What the notebook is called."""
    return f"carousel_{experiment.id.replace('-', '_')}.ipynb"


def _opening(experiment: Experiment, files: Mapping[str, str]) -> str:
    paper = experiment.paper
    return "\n\n".join(
        [
            f"# {experiment.title}",
            f"**The claim.** {experiment.claim}",
            f"**The textbook says.** {experiment.textbook}",
            f"**{experiment.asks}** Choose before you run:\n\n" + "\n".join(f"- {outcome.text}" for outcome in experiment.offered),
            "<details><summary>What is true</summary>\n\n" + "\n".join(f"- {truth}" for truth in experiment.truths) + "\n\n</details>",
            f"After {paper.authors} ({paper.year}). *{paper.title}.* {paper.venue}.",
            "A notebook from Carousel (MIT licence). It needs Python 3.11 or newer: "
            f"`pip install {' '.join([*packages(files), 'matplotlib'])}`, then *Run all*.",
        ]
    )


def _facts(experiment: Experiment, request: RunRequest, device: str, measured: Mapping[int, Measures]) -> str:
    lines = [
        "# What is run. Change a setting and run all cells again.",
        f"MODULE = {module_name(experiment.id)!r}",
        f"SETTINGS = {dict(request.settings)!r}",
        f"FIRST_SEED, SEEDS, DEVICE = {request.first_seed}, {request.seeds}, {device!r}",
        "# What the lab measured, by seed.",
        "nan, inf = float('nan'), float('inf')",
        f"MEASURED = { {seed: dict(values) for seed, values in measured.items()}!r}",
    ]
    return "\n".join(lines)
