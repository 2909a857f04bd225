"""A run as one Python file that needs torch and nothing else of ours: to read, to change, to run anywhere.

The file holds the very sources the lab runs (the experiment, the protocol, the parts of the core it uses), so that it
gives the same numbers; nothing is translated. Written from text alone: torch is not loaded here.
"""

from __future__ import annotations

import ast
import base64
import json
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sandbox.protocol import Experiment, Measures, Paper, RunRequest
from sandbox.registry import module_name

ROOT = Path(__file__).parents[1]
CORE = "sandbox.core"
# Files that a module reads, and the licences they come with.
DATA = {f"{CORE}.texts": ("english.txt", "python.txt", "names.tsv", "LICENSE-python.txt", "LICENSE-faker.txt", "README.md")}
# What an experiment may import besides torch, by the name it is installed under.
EXTRAS = ("optuna",)


def script(experiment: Experiment, request: RunRequest, device: str, measured: Mapping[int, Measures]) -> str:
    """The run as a script. `device` is the one it ran on; `measured`, by seed, is what the script compares its numbers with."""
    files, packed = sources(experiment)
    facts = {
        "module": module_name(experiment.id),
        "settings": dict(request.settings),
        "first_seed": request.first_seed,
        "seeds": request.seeds,
        "device": device,
        "measured": {seed: dict(values) for seed, values in measured.items()},
    }
    parts = [_head(experiment, files), "FILES = {}"]
    parts += [f"FILES[{name!r}] = r'''{text}'''" for name, text in files.items()]
    parts += ["PACKED = {}", *(f"PACKED[{name!r}] = {code!r}" for name, code in packed.items())]
    parts += [f"# What the lab ran and measured.\nFACTS = json.loads(r'''{json.dumps(facts)}''')"]
    player = (ROOT / "sandbox" / "player.py").read_text("utf-8")
    body = player.split("from __future__ import annotations\n", 1)[1].strip()
    return "\n\n".join([*parts[:1], body, *parts[1:], 'if __name__ == "__main__":\n    sys.exit(play(FILES, PACKED, FACTS))\n'])


def sources(experiment: Experiment) -> tuple[dict[str, str], dict[str, str]]:
    """What an experiment needs, by path: sources that can stand in a raw literal, and data files packed as sandbox/player.py unpacks them."""
    modules = closure(module_name(experiment.id))
    paths = {module: _path(module).relative_to(ROOT).as_posix() for module in modules}
    files = {path: _embeddable(path, _source(module, modules)) for module, path in paths.items()}
    data = [ROOT / "sandbox" / "core" / "corpora" / name for module in modules for name in DATA.get(module, ())]
    return files, {path.relative_to(ROOT).as_posix(): _packed(path) for path in data}


def file_name(experiment: Experiment) -> str:
    """What the script is called."""
    return f"carousel_{experiment.id.replace('-', '_')}.py"


def packages(files: Mapping[str, str]) -> list[str]:
    """What the sources need from PyPI: torch, and more where an experiment imports it."""
    return ["torch", *(name for name in EXTRAS if any(f"import {name}" in text or f"from {name}" in text for text in files.values()))]


@cache
def needed(experiment_id: str) -> tuple[str, ...]:
    """The same for an experiment by its id. Errors: UnknownExperiment."""
    modules = closure(module_name(experiment_id))
    return tuple(packages({module: _source(module, modules) for module in modules}))


def closure(module: str) -> list[str]:
    """`module` and every module of the sandbox it needs, itself last, packages before what is in them."""
    found: dict[str, None] = {}

    def add(name: str) -> None:
        if name in found or name == CORE:
            return
        found[name] = None
        for other in sorted(_imports(name)):
            add(other)

    add(module)
    packages = {".".join(name.split(".")[:depth]) for name in found for depth in range(1, name.count(".") + 1)} | {CORE}
    return [*sorted(packages), *sorted(set(found) - packages - {module}), module]


def _imports(module: str) -> set[str]:
    """Modules of the sandbox that `module` names: in imports, or as `core.<submodule>`."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(_path(module).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sandbox"):
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names if alias.name.startswith("sandbox")}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "core":
            named.add(f"{CORE}.{node.attr}")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(f"{CORE}."):
            named.add(node.value)  # a module that is started as a process of its own
    return {name for name in named if _exists(name)}


def _exists(module: str) -> bool:
    place = ROOT.joinpath(*module.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def _path(module: str) -> Path:
    place = ROOT.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _source(module: str, modules: list[str]) -> str:
    """A module's text. The core loads its parts on first use; here those that are needed are simply there."""
    if module == CORE:
        inside = sorted(name.removeprefix(f"{CORE}.") for name in modules if name.startswith(f"{CORE}.") and name.count(".") == CORE.count(".") + 1)
        return f"from . import {', '.join(inside)}\n" if inside else ""
    return _path(module).read_text("utf-8")


def _embeddable(name: str, text: str) -> str:
    """A source as the inside of a raw literal. Errors: ValueError where that cannot be."""
    if "'''" in text or text.endswith(("'", "\\")):
        raise ValueError(f"{name} cannot stand in a script: it holds three single quotes in a row, or ends in one or in a backslash")
    return text


def _packed(path: Path) -> str:
    return base64.b85encode(zlib.compress(path.read_bytes(), 9)).decode()


def _head(experiment: Experiment, files: Mapping[str, str]) -> str:
    lines = [
        f"{experiment.title}.",
        "",
        f"Claim: {experiment.claim}",
        *(f"Truth: {truth}" for truth in experiment.truths),
        f"After {_paper(experiment.paper)}",
        "",
        f"A stand-alone script from Carousel (MIT licence). It needs Python 3.11 or newer and {', '.join(packages(files))}: python {file_name(experiment)}",
        "FILES holds the sources as the lab runs them; the last one is the experiment. Change them, and the script runs the changed ones.",
    ]
    text = "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{text}\n"""\n\nfrom __future__ import annotations'


def _paper(paper: Paper) -> str:
    return f"{paper.authors} ({paper.year}). {paper.title}. {paper.venue}."
