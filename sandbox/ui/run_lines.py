"""What the page of runs asks the store for, and what it says of a stored run: plain functions from facts to text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.protocol import CheckResult, Experiment, RunState, Setting, Status, Verdict
from sandbox.requests import all_controls, preset_values
from sandbox.ui import words

Facts = Mapping[str, Any]

# How a run may have ended, as the page calls it: statuses of a verdict, or states of a run that has none.
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "Supported": (Status.SUPPORTED,),
    "Contradicted": (Status.CONTRADICTED,),
    "Inconclusive": (Status.INCONCLUSIVE,),
    "Cancelled": (RunState.CANCELLED,),
    "Stopped": (RunState.EXPIRED,),
    "Failed": (RunState.FAILED,),
    "Still running": (RunState.QUEUED, RunState.RUNNING),
}
PREDICTED: Mapping[str, str] = {"Predicted rightly": "rightly", "Predicted otherwise": "wrongly", "Without a prediction": "not"}
SHOWN_CHECKS = 2  # lines of a rule told of one run


# --- Searching --------------------------------------------------------------------------------------------------


def wanted(experiments: Iterable[Experiment], text: str, experiment_id: str | None, ending: str | None, predicted: str | None) -> dict[str, object]:
    """What RunStore.history is asked for. `ending` and `predicted` are the page's words for it, None for any."""
    known = list(experiments)
    return {
        "experiment": experiment_id,
        "endings": list(ENDINGS[ending]) if ending else [],
        "predicted": PREDICTED[predicted] if predicted else None,
        "words": [_word(known, word) for word in text.casefold().split()],
    }


def _word(experiments: Iterable[Experiment], word: str) -> dict[str, object]:
    """Where a word may stand: in the note (for the store), in an experiment's title, as its question's number, in the ending."""
    endings = [value for name, values in ENDINGS.items() if len(word) > 2 and word in name.casefold() for value in values]
    return {"text": word, "experiments": [one.id for one in experiments if _about(one, word)], "endings": endings}


def _about(experiment: Experiment, word: str) -> bool:
    if number := re.fullmatch(r"q?(\d+)", word):
        return int(number.group(1)) == experiment.number
    return word in f"{experiment.title} {experiment.id} question".casefold()


# --- Telling ----------------------------------------------------------------------------------------------------


def ending(facts: Facts, verdict: Verdict | None) -> tuple[str, str, str]:
    """How the run ended: an icon, a colour, a word."""
    if verdict is not None:
        return words.ICONS[verdict.status], words.COLOURS[verdict.status], verdict.status.value.capitalize()
    name = next((name for name, values in ENDINGS.items() if facts["state"] in values), str(facts["state"]).capitalize())
    return ":material/pending:", "gray", name


def why(experiment: Experiment | None, facts: Facts) -> str:
    """Why a run did not end as it should, and for one that failed what can be done."""
    said = words.escape(str(facts["error"]).strip().splitlines()[-1].rstrip("."))
    again = " *Same seeds again* runs it once more." if experiment is not None and facts["state"] == RunState.FAILED else ""
    return f"{said}.{again}"


def verdict_line(verdict: Verdict) -> str:
    """The share of seeds and what was measured, those lines of the rule first that some seed did not satisfy."""
    rule = "the whole rule" if len(verdict.checks) > 1 else "the rule"
    first = sorted(verdict.checks, key=lambda check: check.passed == len(check.values))
    told = [_measured(check) for check in first[:SHOWN_CHECKS]]
    left = len(first) - len(told)
    more = f"; and {words.count(left, 'more line')} of the rule" if left else ""
    return words.message(f"**{verdict.passed} of {words.count(verdict.seeds, 'seed')}** satisfied {rule}: {'; '.join(told)}{more}.")


def _measured(check: CheckResult) -> str:
    return f"{check.label} **{words.number(check.median)}** (needed {words.needed(check)})"


def set_up(experiment: Experiment, facts: Facts) -> str:
    """The preset that comes closest, what differs from it, the seeds and the device."""
    changed = {name: _differing(experiment, name, facts["settings"]) for name in experiment.presets}
    nearest = min(changed, key=lambda name: len(changed[name]))
    but = f", but {', '.join(changed[nearest])}" if changed[nearest] else ""
    return f"{experiment.presets[nearest].label} preset{but} · {seeds(facts)} · {str(facts.get('device_used') or facts['device']).upper()}"


def _differing(experiment: Experiment, preset: str, settings: Mapping[str, Setting]) -> list[str]:
    expected = preset_values(experiment, preset)
    return [
        f"{control.label} {words.setting(control, settings[control.name])}"
        for control in experiment.controls
        if control.name in settings and settings[control.name] != expected[control.name]
    ]


def seeds(facts: Facts) -> str:
    """`seed 3`, `seeds 0 to 4`."""
    first, number = int(facts["first_seed"]), int(facts["seeds"])
    return f"seed {first}" if number == 1 else f"seeds {first} to {first + number - 1}"


def prediction_line(experiment: Experiment, facts: Facts, verdict: Verdict | None) -> str:
    """What was predicted, and what the run showed."""
    predicted = words.outcome(experiment, facts["prediction"]) or facts["prediction"]
    if verdict is None:
        return f"You predicted: {predicted}." if predicted else "No prediction."
    shown = words.outcome(experiment, verdict.outcome) or verdict.outcome
    if predicted is None:
        return f"No prediction. It showed: {shown}."
    if facts["prediction"] == verdict.outcome:
        return f":green[:material/check:] As you predicted: {shown}."
    return f":orange[:material/close:] You predicted: {predicted}.  \nIt showed: {shown}."


def values(experiment: Experiment, facts: Facts) -> dict[str, Setting]:
    """The values that make this run again, for the controls there are now."""
    stored = {**facts["settings"], "seed": facts["first_seed"], "seeds": facts["seeds"], "device": facts["device"]}
    return {control.name: stored.get(control.name, control.default) for control in all_controls(experiment)}


def lab_link(here: str, experiment: Experiment, facts: Facts) -> str:
    """An address that opens the lab with this set-up and first seed, in any Carousel; `here` is the page's own."""
    return words.share_link(f"{here.partition('?')[0].rpartition('/')[0]}/lab", experiment, values(experiment, facts))
