"""Experiments at their smallest size."""

from __future__ import annotations

from sandbox.protocol import Number, Settings, parse_settings
from sandbox.registry import find_experiment


def smallest(experiment_id: str, **changed: float | str) -> Settings:
    """The defaults with as few updates as the experiment allows."""
    controls = find_experiment(experiment_id).controls
    few = {control.name: control.low for control in controls if isinstance(control, Number) and control.name == "updates"}
    return parse_settings(controls, few | changed)
