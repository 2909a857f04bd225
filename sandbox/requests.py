"""What may be asked of the laboratory: seeds, device and prediction beside an experiment's own settings.

They are declared as controls like any other, so that the deep link, the page and the laboratory check them alike.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.protocol import MAX_SEED, MAX_SEEDS, Choice, Control, Experiment, InvalidSetting, Number, RunRequest, Setting, parse_settings

SEED = Number(
    name="seed", label="First seed", help="Every seed draws other data and other starting weights.", default=0, low=0, high=MAX_SEED, step=1, whole=True
)
DEVICE = Choice(
    name="device",
    label="Device",
    help="Small recurrent nets are usually faster on the CPU. With a GPU, automatic tries both before it starts.",
    default="auto",
    options={"auto": "Automatic", "cpu": "CPU", "cuda": "GPU (CUDA)"},
)
DEFAULT_PRESET = "quick"


def seeds_control(experiment: Experiment) -> Number:
    """How many seeds are run: as many as the quick preset unless asked otherwise."""
    return Number(
        name="seeds",
        label="Seeds",
        help="One run is an anecdote: the verdict counts how many seeds satisfy the rule.",
        default=experiment.presets[DEFAULT_PRESET].seeds,
        low=1,
        high=MAX_SEEDS,
        step=1,
        whole=True,
    )


def all_controls(experiment: Experiment) -> tuple[Control, ...]:
    """An experiment's controls, then first seed, number of seeds and device."""
    return (*experiment.controls, SEED, seeds_control(experiment), DEVICE)


def preset_values(experiment: Experiment, preset: str) -> dict[str, Setting]:
    """Every value of a preset: the defaults, what the preset changes, and its number of seeds."""
    chosen = experiment.presets[preset]
    return parse_settings(all_controls(experiment), {**chosen.settings, "seeds": chosen.seeds})


def read_values(experiment: Experiment, raw: Mapping[str, Setting]) -> dict[str, Setting]:
    """Values of all controls from a link or a form; `preset` gives those that are not named (quick unless named).

    Errors: InvalidSetting naming everything that is wrong at once, with what is allowed.
    """
    named = dict(raw)
    preset, problems = named.pop("preset", DEFAULT_PRESET), []
    if preset not in experiment.presets:
        problems.append(f"preset must be one of {', '.join(experiment.presets)}, got {preset!r}")
        preset = DEFAULT_PRESET
    try:
        values = parse_settings(all_controls(experiment), {**preset_values(experiment, str(preset)), **named})
    except InvalidSetting as error:
        problems.extend(error.problems)
    if problems:
        raise InvalidSetting(problems)
    return values


def make_request(experiment: Experiment, values: Mapping[str, Setting], prediction: str | None) -> RunRequest:
    """A request from checked values of all controls."""
    own = {control.name: values[control.name] for control in experiment.controls}
    return RunRequest(experiment.id, own, int(values["seed"]), int(values["seeds"]), values["device"], prediction)  # type: ignore[arg-type]


def request_values(request: RunRequest) -> dict[str, Setting]:
    """The values of all controls that make this request."""
    return {**request.settings, "seed": request.first_seed, "seeds": request.seeds, "device": request.device}


def checked(experiment: Experiment, request: RunRequest) -> RunRequest:
    """The request with every value checked and completed. Errors: InvalidSetting naming all problems."""
    problems: list[str] = []
    known = {outcome.key for outcome in experiment.predictions}
    if request.prediction is not None and request.prediction not in known:
        problems.append(f"prediction must be one of {', '.join(sorted(known))} or none, got {request.prediction!r}")
    try:
        values = parse_settings(all_controls(experiment), request_values(request))
    except InvalidSetting as error:
        problems.extend(error.problems)
    if problems:
        raise InvalidSetting(problems)
    return make_request(experiment, values, request.prediction)
