"""The set-up of a run on the page: an address read, widgets drawn from the table of controls, a request made.

The address is the truth. Whatever changes it (a link, the picker, "change the set-up") is an arrival: widgets are set from
it, and a new token is drawn, under which the next click starts at most one run.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from sandbox.protocol import Choice, Control, Experiment, InvalidSetting, Number, Setting
from sandbox.registry import all_experiments, find_experiment
from sandbox.requests import DEVICE, SEED, all_controls, preset_values, read_values, seeds_control

LAB, RUNS = (str(Path(__file__).parent / "pages" / f"{name}.py") for name in ("lab", "runs"))
ADDRESS, VALUES, TOKEN = "lab_address", "lab_values", "lab_token"  # session state
SLIDER_STOPS = 64  # a whole number with at most so many values is a slider


@dataclass(frozen=True)
class Place:
    """Where an address leads: an experiment and, in it, a stored run or a set-up. `problems` are what it gets wrong."""

    experiment: Experiment
    run_id: str | None
    values: Mapping[str, Setting]
    problems: tuple[str, ...] = ()
    compared_id: str | None = None  # another run to set beside it


def read_place(address: Mapping[str, str]) -> Place:
    """Read an address. Errors: UnknownExperiment. Wrong settings do not raise: they are named in `problems`."""
    named = dict(address)
    experiment_id, run_id, compared_id = named.pop("experiment", None), named.pop("run", None), named.pop("compare", None)
    experiment = next(iter(all_experiments().values())) if experiment_id is None else find_experiment(experiment_id)
    if run_id is not None:
        return Place(experiment, run_id, {}, compared_id=compared_id)
    named.pop("prediction", None)  # a link does not predict for the learner
    try:
        return Place(experiment, None, read_values(experiment, named))
    except InvalidSetting as error:
        return Place(experiment, None, read_values(experiment, {}), error.problems)


def arrive(place: Place, address: Mapping[str, str]) -> None:
    """Take over an address that has changed; an unchanged one leaves what the learner has set alone."""
    if st.session_state.get(ADDRESS) == address:
        return
    st.session_state[ADDRESS] = dict(address)
    st.session_state[TOKEN] = uuid.uuid4().hex
    if not place.run_id:
        st.session_state[VALUES] = dict(place.values)
        _set_widgets(place.experiment, place.values)
        st.session_state[prediction_key(place.experiment)] = None


def go_to(**address: str) -> None:
    """Change the address (a click's callback)."""
    st.query_params.from_dict(address)


def prediction_key(experiment: Experiment) -> str:
    return f"lab_prediction_{experiment.id}"


def widget_key(experiment: Experiment, name: str) -> str:
    return f"lab_set_{experiment.id}_{name}"


# --- Widgets ----------------------------------------------------------------------------------------------------


def draw_presets(experiment: Experiment) -> None:
    """Pills for the presets; the one that matches the widgets now is marked."""
    key = f"lab_preset_{experiment.id}"
    values = _values_now(experiment)
    st.session_state[key] = next((name for name in experiment.presets if _matches(experiment, name, values)), None)
    st.pills(
        "Preset",
        list(experiment.presets),
        key=key,
        format_func=lambda name: f"{experiment.presets[name].label} · {experiment.presets[name].seeds} seeds",
        on_change=_apply_preset,
        args=(experiment, key),
        help="Quick gives a verdict in seconds. Thorough takes more seeds, so that the verdict says more.",
    )


def draw_controls(experiment: Experiment) -> dict[str, Setting]:
    """All widgets of the set-up; gives their checked values."""
    _set_widgets(experiment, _values_now(experiment))
    values: dict[str, Setting] = {}
    for group in (experiment.controls, (seeds_control(experiment), SEED, DEVICE)):
        for pair in (group[start : start + 2] for start in range(0, len(group), 2)):
            for place, control in zip(st.columns(2, vertical_alignment="bottom"), pair, strict=False):
                with place:
                    values[control.name] = _draw(experiment, control)
    st.session_state[VALUES] = read_values(experiment, values)
    return dict(st.session_state[VALUES])


def _draw(experiment: Experiment, control: Control) -> Setting:
    key = widget_key(experiment, control.name)
    if isinstance(control, Choice):
        return st.selectbox(control.label, list(control.options), key=key, format_func=control.options.__getitem__, help=control.help)
    label = f"{control.label} ({control.unit})" if control.unit else control.label
    help_text = f"{control.help} Allowed: {control.allowed}."
    if control.log:
        options = log_stops(control, float(st.session_state[key]))
        return st.select_slider(label, options, key=key, format_func=lambda value: f"{value:g}", help=help_text)
    if control.whole:
        low, high, step = int(control.low), int(control.high), int(control.step or 1)
        if (high - low) / step <= SLIDER_STOPS and step == 1:
            return st.slider(label, low, high, step=1, key=key, help=help_text)
        return st.number_input(label, low, high, step=step, key=key, help=help_text)
    fine = float(control.step or (control.high - control.low) / 50)
    return st.number_input(label, float(control.low), float(control.high), step=fine, format="%g", key=key, help=help_text)


def log_stops(control: Number, now: float) -> list[float]:
    """Stops of a logarithmic slider: 1, 2 and 5 in every decade within bounds, the bounds, the default, and where it stands."""
    first, last = math.floor(math.log10(control.low)), math.ceil(math.log10(control.high))
    round_ones = (float(f"{digit}e{power}") for power in range(first, last + 1) for digit in (1, 2, 3, 5))
    inside = {value for value in round_ones if control.low <= value <= control.high}
    return sorted(inside | {float(control.low), float(control.high), float(control.default), now})


def _values_now(experiment: Experiment) -> dict[str, Setting]:
    """What the widgets stand at; for those that were off the page, and so forgotten by Streamlit, what they stood at."""
    kept = st.session_state[VALUES]
    return {control.name: st.session_state.get(widget_key(experiment, control.name), kept[control.name]) for control in all_controls(experiment)}


def _set_widgets(experiment: Experiment, values: Mapping[str, Setting]) -> None:
    for control in all_controls(experiment):
        value = values[control.name]
        st.session_state[widget_key(experiment, control.name)] = float(value) if isinstance(control, Number) and not control.whole else value


def _apply_preset(experiment: Experiment, key: str) -> None:
    chosen, values = st.session_state.get(key), _values_now(experiment)
    # Streamlit also calls this when the pills merely leave the page: then the preset is the one that is set already.
    if chosen is not None and not _matches(experiment, chosen, values):
        kept = {name: values[name] for name in ("seed", "device")}
        values = preset_values(experiment, chosen) | kept
        _set_widgets(experiment, values)


def _matches(experiment: Experiment, preset: str, values: Mapping[str, Setting]) -> bool:
    expected = preset_values(experiment, preset)
    return all(values.get(name) == value for name, value in expected.items() if name not in ("seed", "device"))
