"""Finds the experiments: every module of `sandbox.experiments` that defines EXPERIMENT."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from sandbox import experiments
from sandbox.protocol import RESERVED_NAMES, Experiment, parse_settings


class UnknownExperiment(KeyError):
    """No experiment has this id; the message lists those that exist."""

    def __init__(self, experiment_id: str) -> None:
        super().__init__(experiment_id)
        self.experiment_id = experiment_id

    def __str__(self) -> str:
        return f"unknown experiment {self.experiment_id!r}; known experiments: {', '.join(all_experiments())}"


@cache
def all_experiments() -> Mapping[str, Experiment]:
    """Every experiment by id, in question order. Errors: ValueError when two share an id or a declaration is unsound."""
    found: dict[str, Experiment] = {}
    for module, experiment in _declared():
        if experiment.id in found:
            raise ValueError(f"{module.replace('.', '/')}.py: the id {experiment.id!r} is already taken")
        _check_declaration(experiment)
        found[experiment.id] = experiment
    return MappingProxyType(dict(sorted(found.items(), key=lambda pair: (pair[1].number, pair[0]))))


def _declared() -> Iterator[tuple[str, Experiment]]:
    for entry in pkgutil.iter_modules(experiments.__path__):
        module = f"{experiments.__name__}.{entry.name}"
        experiment = getattr(importlib.import_module(module), "EXPERIMENT", None)
        if experiment is not None:
            yield module, experiment


def module_name(experiment_id: str) -> str:
    """The module that declares this experiment, such as "sandbox.experiments.bilstm". Errors: UnknownExperiment."""
    for module, experiment in _declared():
        if experiment.id == experiment_id:
            return module
    raise UnknownExperiment(experiment_id)


def find_experiment(experiment_id: str) -> Experiment:
    """The experiment with this id. Errors: UnknownExperiment."""
    try:
        return all_experiments()[experiment_id]
    except KeyError:
        raise UnknownExperiment(experiment_id) from None


def _check_declaration(experiment: Experiment) -> None:
    """Refuse a declaration that would fail later: presets out of bounds, clashing names, missing presets."""
    names = [control.name for control in experiment.controls]
    if len(set(names)) != len(names) or RESERVED_NAMES & set(names):
        raise ValueError(f"{experiment.id}: control names must differ and avoid {', '.join(sorted(RESERVED_NAMES))}, got {names}")
    if not {"quick", "thorough"} <= set(experiment.presets):
        raise ValueError(f"{experiment.id}: presets 'quick' and 'thorough' are needed, got {', '.join(experiment.presets)}")
    for preset in experiment.presets.values():
        parse_settings(experiment.controls, preset.settings)
