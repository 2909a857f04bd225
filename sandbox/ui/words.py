"""What the lab page says, worked out from a snapshot: plain functions from values to text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from sandbox.protocol import CheckResult, Choice, Control, Experiment, Paper, RunState, Setting, Status, Verdict
from sandbox.records import SeedView, Snapshot
from sandbox.requests import all_controls, request_values

HEADLINES = {
    Status.SUPPORTED: "Supported: the claim held",
    Status.CONTRADICTED: "Contradicted: the claim did not hold at these settings",
    Status.INCONCLUSIVE: "Inconclusive: the seeds disagree",
}
COLOURS = {Status.SUPPORTED: "green", Status.CONTRADICTED: "red", Status.INCONCLUSIVE: "orange"}
ICONS = {Status.SUPPORTED: ":material/check_circle:", Status.CONTRADICTED: ":material/cancel:", Status.INCONCLUSIVE: ":material/help:"}
ENDINGS = {
    RunState.CANCELLED: "Cancelled.",
    RunState.EXPIRED: "Stopped: nobody was watching.",
    RunState.FAILED: "The run failed.",
}
GO_ON = "*Same seed again* runs it once more, *Change the set-up* leads to another run."


def escape(text: str) -> str:
    """Text from outside (a link) as Markdown that shows just that text: no links, pictures or directives."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>&])", r"\\\1", " ".join(text.split()))


def unfinished(snapshot: Snapshot) -> str:
    """How a run ended that did not finish, why, and what can be done."""
    why = escape(snapshot.error) if snapshot.error else ""
    return " ".join(part for part in (ENDINGS[snapshot.state], why, GO_ON) if part)


def number(value: float) -> str:
    """A measured value in three digits."""
    if math.isnan(value):
        return "diverged"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value and not 1e-3 <= abs(value) < 1e5:
        digits, power = f"{value:.1e}".split("e")
        return f"{digits}·10{_superscript(int(power))}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−") if abs(value) < 1000 else f"{value:,.0f}".replace("-", "−")


def threshold(value: float) -> str:
    """A bound of a rule: with more digits where three would change it."""
    return number(value) if float(f"{value:.3g}") == value else f"{value:g}".replace("-", "−")


def _superscript(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def count(amount: int, noun: str) -> str:
    """1 seed, 2 seeds."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def cell(text: str) -> str:
    """Text as it may stand in a cell of a Markdown table."""
    return text.replace("|", "\\|")


def setting(control: Control, value: Setting) -> str:
    """A setting's value as the page shows it."""
    if isinstance(control, Choice):
        return control.options.get(str(value), str(value))
    return message(f"{value:g}") + (f" {control.unit}" if control.unit else "")


# --- While it runs ----------------------------------------------------------------------------------------------


def updates_of(snapshot: Snapshot) -> int | None:
    """How many updates a seed makes, where the experiment has such a setting."""
    return updates_in(snapshot.request.settings)


def updates_in(settings: Mapping[str, Setting]) -> int | None:
    """The same, of settings."""
    updates = settings.get("updates")
    return int(updates) if isinstance(updates, int | float) and not isinstance(updates, bool) else None


def fraction(snapshot: Snapshot) -> float:
    """How much of the run is done, 0 to 1."""
    updates = updates_of(snapshot)
    done = [1.0 if one.state in ("finished", "stopped") else min(1.0, one.update / updates) if updates else 0.0 for one in snapshot.seeds]
    return sum(done) / len(done) if done else 0.0


def progress(snapshot: Snapshot) -> str:
    """The progress bar in words."""
    running = [one for one in snapshot.seeds if one.state == "running"]
    finished = sum(one.state == "finished" for one in snapshot.seeds)
    if snapshot.state is RunState.QUEUED:
        return "Waiting for a training process …"
    if not running:
        return f"{finished} of {count(len(snapshot.seeds), 'seed')} done"
    return " · ".join(_seed_progress(one, snapshot) for one in running)


def _seed_progress(one: SeedView, snapshot: Snapshot) -> str:
    updates, name = updates_of(snapshot), f"Seed {one.seed - snapshot.request.first_seed + 1} of {len(snapshot.seeds)}"
    if updates and one.update >= updates:
        return f"{name}: measuring"
    return f"{name}: update {one.update}{f' of {updates}' if updates else ''}"


def diverged(snapshot: Snapshot, experiment: Experiment) -> list[str]:
    """A sentence for each arm whose values stopped being finite."""
    sentences = []
    for arm in experiment.arms:
        hit = sum(any(point.arm == arm.key and not all(map(math.isfinite, point.values.values())) for point in one.points) for one in snapshot.seeds)
        if hit:
            sentences.append(f"{arm.label}: diverged in {hit} of {count(len(snapshot.seeds), 'seed')} (its values are no longer finite numbers).")
    return sentences


# --- The verdict ------------------------------------------------------------------------------------------------


def verdict_sentence(verdict: Verdict) -> str:
    """How many seeds satisfied the rule, and what that says."""
    every = "the whole rule" if len(verdict.checks) > 1 else "the rule"
    share = f"{count(verdict.seeds, 'seed')} can only bound the true share: between {verdict.low:.0%} and {verdict.high:.0%} (95 % interval)."
    return spaced_percent(f"**{verdict.passed} of {count(verdict.seeds, 'seed')}** satisfied {every}. {share}")


def spaced_percent(text: str) -> str:
    """Every per cent sign after a space, which does not break."""
    return re.sub(r"(?<=\d) ?%", "\u00a0%", text)


def message(text: str) -> str:
    """A computed sentence as the page sets it: no computer's notation for powers of ten, a true minus, spaced per cents."""
    text = re.sub(r"(-?\d+(?:\.\d+)?)e([+-]\d+)", _power, text)
    return spaced_percent(re.sub(r"(?<![\w.,)])-(?=\d)", "−", text))


def _power(found: re.Match[str]) -> str:
    """1.79e+03 as 1,790 and 8e-17 as 8·10⁻¹⁷: with the digits it had."""
    value = float(found.group())
    return number(value) if 1e-3 <= abs(value) < 1e5 else f"{found.group(1)}·10{_superscript(int(found.group(2)))}"


def checks_table(checks: Sequence[CheckResult]) -> str:
    """The rule line by line as a Markdown table."""
    rows = ["| Measured | Median | Needed | Seeds |", "|:--|--:|:--|:--|"]
    for check in checks:
        total = len(check.values)
        colour, mark = ("green", "✓") if check.passed == total else ("red", "✗") if check.passed == 0 else ("orange", "–")
        label = cell(check.label)
        seeds = f":{colour}[{mark} {check.passed} of {total}]".replace(" ", "\u00a0")
        rows.append(f"| {label} | **{number(check.median)}** | {check.relation}\u00a0{threshold(check.threshold)} | {seeds} |")
    return "\n".join(rows)


def needed(check: CheckResult) -> str:
    """What a check asks for."""
    return f"{'below' if check.relation == '<' else 'above'} {threshold(check.threshold)}"


def checks_alt(checks: Sequence[CheckResult]) -> str:
    """The strip chart in words."""
    return " ".join(f"{check.label}: {', '.join(number(value) for value in check.values)}; needed {needed(check)}." for check in checks)


def curves_alt(experiment: Experiment, snapshot: Snapshot) -> str:
    """The curves in words: where every arm stands now."""
    parts = []
    for curve in experiment.curves:
        ends = []
        for arm in experiment.arms:
            own = [[point.values[curve.metric] for point in one.points if point.arm == arm.key and curve.metric in point.values] for one in snapshot.seeds]
            last = [values[-1] for values in own if values]
            if last:
                ends.append(f"{arm.label} {', '.join(number(value) for value in last)}")
        parts.append(f"{curve.label}: {'; '.join(ends) or 'nothing yet'}.")
    return f"Curves over parameter updates, latest value of each seed. {' '.join(parts)}"


def outcome(experiment: Experiment, key: str | None) -> str | None:
    """An outcome's text by its key."""
    return next((one.text for one in experiment.predictions if one.key == key), None)


def paper(source: Paper) -> str:
    """A reference in one line of Markdown."""
    return f"{source.authors} ({source.year}). *{source.title}.* {source.venue}."


# --- The set-up -------------------------------------------------------------------------------------------------


def values_of(experiment: Experiment, snapshot: Snapshot) -> dict[str, Setting]:
    """The values of a run for the controls there are now: a run stored before a control existed has its default."""
    values = request_values(snapshot.request)
    return {control.name: values.get(control.name, control.default) for control in all_controls(experiment)}


def setup_lines(experiment: Experiment, snapshot: Snapshot) -> list[tuple[str, str]]:
    """Every control's label and value in a run, as far as it had them."""
    values = request_values(snapshot.request)
    return [(control.label, setting(control, values[control.name])) for control in all_controls(experiment) if control.name in values]


def address(experiment: Experiment, values: Mapping[str, Setting]) -> dict[str, str]:
    """Query parameters that open the lab with exactly this set-up."""
    named = {control.name: _text(values[control.name]) for control in all_controls(experiment)}
    return {"experiment": experiment.id, **named}


def share_link(base: str, experiment: Experiment, values: Mapping[str, Setting]) -> str:
    """The address as a whole, after the page's own."""
    return f"{base.partition('?')[0]}?{urlencode(address(experiment, values))}"


def _text(value: Setting) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)  # exact: the numbers depend on it
