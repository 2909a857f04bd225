"""What an experiment is: settings in, steps out, a rule that judges them.

An experiment is three small ideas (after google-deepmind/bsuite): a table of controls, a generator that trains
and yields steps, and a rule with named thresholds that turns the measured values of several seeds into a
verdict. Everything here is plain data: no torch, no plotly, no Streamlit. The one table of controls drives
widgets, validation, the deep link and the command line; nothing else parses a setting.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

Setting = bool | int | float | str
Settings = Mapping[str, Setting]
Measures = Mapping[str, float]

CLOCK = "clock_"  # a measure, metric or picture whose name starts so comes from a clock: it is never the same twice, and never compared
OFFERED = "carousel"  # salts the order in which predictions are offered
RESERVED_NAMES = frozenset({"experiment", "run", "compare", "seed", "seeds", "device", "preset", "prediction"})


class InvalidSetting(ValueError):
    """One or more settings were refused; `problems` names each with what is allowed and what was given."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


# --- Controls ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number within bounds. `whole` makes it an integer; `log` asks for a logarithmic slider."""

    name: str
    label: str
    help: str
    default: float
    low: float
    high: float
    step: float | None = None
    whole: bool = False
    log: bool = False
    unit: str = ""

    @property
    def allowed(self) -> str:
        """The bounds in words."""
        bounds = f"a whole number from {int(self.low)} to {int(self.high)}" if self.whole else f"a number from {self.low:g} to {self.high:g}"
        return f"{bounds} {self.unit}" if self.unit else bounds

    def parse(self, raw: Setting) -> Setting:
        """`raw` (a number or its text) as a setting. Errors: ValueError with what is allowed."""
        if isinstance(raw, bool):
            raise ValueError(self.allowed)
        try:
            value = float(raw)
        except ValueError:
            raise ValueError(self.allowed) from None
        if not math.isfinite(value) or not self.low <= value <= self.high or (self.whole and value != int(value)):
            raise ValueError(self.allowed)
        return int(value) if self.whole else value


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of a few named values; `options` maps each value to its label."""

    name: str
    label: str
    help: str
    default: str
    options: Mapping[str, str]

    @property
    def allowed(self) -> str:
        """The values in words."""
        return "one of " + ", ".join(self.options)

    def parse(self, raw: Setting) -> Setting:
        """`raw` as a setting. Errors: ValueError with what is allowed."""
        if raw not in self.options:
            raise ValueError(self.allowed)
        return raw


Control = Number | Choice


def parse_settings(controls: Sequence[Control], raw: Mapping[str, Setting]) -> dict[str, Setting]:
    """Complete and validate settings: every control gets its value from `raw`, else its default.

    Errors: InvalidSetting naming every unknown setting and every value out of bounds.
    """
    known = {control.name: control for control in controls}
    problems = [f"unknown setting {name!r}; known settings: {', '.join(known)}" for name in raw if name not in known]
    settings: dict[str, Setting] = {}
    for name, control in known.items():
        try:
            settings[name] = control.parse(raw.get(name, control.default))
        except ValueError as error:
            problems.append(f"{name} must be {error}, got {raw[name]!r}")
    if problems:
        raise InvalidSetting(problems)
    return settings


# --- Steps: what a running experiment yields --------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """One point of the live curves: after `update` parameter updates, arm `arm` stands at `values` (metric -> value).

    Values may be NaN or infinite: divergence is a result.
    """

    arm: str
    update: int
    values: Measures


@dataclass(frozen=True)
class Measured:
    """The final numbers of one seed, by the names the rule uses. Yielded exactly once, as the last step but pictures."""

    values: Measures


@dataclass(frozen=True)
class Series:
    """One line or set of bars; `role` chooses its colour (an arm's key, or a gate: i f g o c h, or 'input', 'target')."""

    label: str
    role: str
    x: Sequence[float]
    y: Sequence[float]
    dash: bool = False
    steps: bool = False  # draw as a staircase: values held within a step


@dataclass(frozen=True)
class Panel:
    """One chart: series over a shared x axis. `rules` are horizontal reference lines (value, label); `events` are
    vertical marks (x, label).
    """

    title: str
    y_label: str
    series: Sequence[Series]
    log_y: bool = False
    y_range: tuple[float, float] | None = None
    rules: Sequence[tuple[float, str]] = ()
    events: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True)
class Lines:
    """Charts stacked over one x axis: gate timelines, gradient norms, accuracy against length.

    `title` is the message of the picture, `alt` the same in words for someone who cannot see it, both computed
    from the run.
    """

    key: str
    title: str
    alt: str
    x_label: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class HeatMap:
    """A matrix: z[row][column], with labels for both axes."""

    key: str
    title: str
    alt: str
    x_label: str
    y_label: str
    x: Sequence[str | float]
    y: Sequence[str | float]
    z: Sequence[Sequence[float]]
    z_label: str
    z_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Bars:
    """Grouped bars: one group a label, one bar a series (its x is ignored)."""

    key: str
    title: str
    alt: str
    y_label: str
    groups: Sequence[str]
    series: Sequence[Series]
    rules: Sequence[tuple[float, str]] = ()
    log_y: bool = False


@dataclass(frozen=True)
class Axis:
    """One upright axis of `Parallel`."""

    label: str
    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Parallel:
    """Parallel coordinates: a line a row, through its value on every axis. The last axis is what the others led to: it colours the lines."""

    key: str
    title: str
    alt: str
    axes: Sequence[Axis]
    rows: Sequence[Sequence[float]]


Picture = Lines | HeatMap | Bars | Parallel


@dataclass(frozen=True)
class Specimen:
    """A trained network with held-out sequences, for surgery on the finished run's page. Yielded after Measured, one an arm.

    `payload` and `last_exchange` come from core.surgery.pack: `Specimen("lstm", *core.surgery.pack(model, x, target))`.
    States can be exchanged after 1 to `last_exchange` steps, with 0 not at all.
    """

    arm: str
    payload: bytes = field(repr=False)
    last_exchange: int = 0


Step = Point | Measured | Picture | Specimen


# --- The experiment ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arm:
    """One of the networks compared. `role` chooses the colour, the same for the same meaning everywhere."""

    key: str
    label: str
    role: Literal["lstm", "rnn", "ablated", "oracle", "remedy", "variant", "second"]


@dataclass(frozen=True)
class Curve:
    """A live curve: a metric of Point.values over updates, with reference lines (value, label)."""

    metric: str
    label: str
    log_y: bool = False
    y_range: tuple[float, float] | None = None
    rules: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True)
class Outcome:
    """One thing a learner may predict."""

    key: str
    text: str


@dataclass(frozen=True)
class Check:
    """One line of the rule: `measure` compared with `threshold`. A NaN never satisfies a check."""

    measure: str
    label: str
    relation: Literal["<", ">"]
    threshold: float

    def holds(self, values: Measures) -> bool:
        """Whether one seed's values satisfy this line."""
        value = values[self.measure]
        return value < self.threshold if self.relation == "<" else value > self.threshold

    def median(self, measured: Sequence[Measures]) -> float:
        """The median over seeds. A diverged seed (NaN) counts as the worst, so that the seeds' order does not matter."""
        worst = math.inf if self.relation == "<" else -math.inf
        values = (one[self.measure] for one in measured)
        return statistics.median(worst if math.isnan(value) else value for value in values)


def medians(checks: Sequence[Check], measured: Sequence[Measures]) -> dict[str, float]:
    """The median over seeds of every check's measure, by its name."""
    return {check.measure: check.median(measured) for check in checks}


@dataclass(frozen=True)
class Preset:
    """Settings that differ from the defaults, and how many seeds are run."""

    label: str
    seeds: int
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Paper:
    """The source of the claim or the task."""

    authors: str
    year: int
    title: str
    venue: str


class Run(Protocol):
    """Trains every arm for one seed, interleaved, and yields steps. Deterministic in (settings, seed, device).

    `device` is a resolved torch device name, "cpu" or "cuda".
    """

    def __call__(self, settings: Settings, seed: int, device: str) -> Iterator[Step]: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A falsifiable claim, the run that tests it and the rule that judges it.

    `outcome` names which Outcome of `predictions` happened, from the values of all seeds that finished.
    `unoperable` says why a run keeps no Specimen, where it keeps none.
    `checks` are judged on each seed; see `judge`.
    """

    id: str
    number: int  # the question it belongs to
    title: str
    claim: str
    textbook: str
    truths: tuple[str, ...]
    limits: tuple[str, ...]
    paper: Paper
    asks: str  # the question put to the learner before the run
    predictions: tuple[Outcome, ...]
    outcome: Callable[[Settings, Sequence[Measures]], str]
    controls: tuple[Control, ...]
    presets: Mapping[str, Preset]  # "quick" and "thorough"
    arms: tuple[Arm, ...]
    curves: tuple[Curve, ...]
    checks: tuple[Check, ...]
    run: Run
    cpu_only: bool = False  # it computes on the CPU whatever device is chosen, and its runs say so
    unoperable: str = ""

    @property
    def offered(self) -> tuple[Outcome, ...]:
        """The predictions as a learner is shown them, for good: a declaration tends to name what happens first, and its place would tell."""
        return tuple(sorted(self.predictions, key=lambda one: hashlib.sha256(f"{OFFERED}/{self.id}/{one.key}".encode()).digest()))


# --- The verdict ------------------------------------------------------------------------------------------------

# A claim holds at these settings when at least 4 of 5 seeds satisfy the whole rule, and is contradicted when at most
# 1 of 5 does. In between the seeds disagree.
SUPPORTED_FROM = 0.8
CONTRADICTED_TO = 0.2


class Status(StrEnum):
    """What the run says about the claim at these settings."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class CheckResult:
    """One line of the rule with its measured values, one a seed."""

    label: str
    measure: str
    relation: Literal["<", ">"]
    threshold: float
    values: tuple[float, ...]
    passed: int
    median: float


@dataclass(frozen=True)
class Verdict:
    """The judgement over seeds. `low` and `high` bound the share of seeds that satisfy the rule (Wilson, 95%)."""

    status: Status
    passed: int
    seeds: int
    low: float
    high: float
    checks: tuple[CheckResult, ...]
    outcome: str


def judge(experiment: Experiment, settings: Settings, measured: Sequence[Measures]) -> Verdict:
    """Judge the values of the seeds that finished (at least one). Errors: ValueError when there are none."""
    if not measured:
        raise ValueError(f"{experiment.id}: a verdict needs at least one finished seed, got none")
    passed = sum(all(check.holds(values) for check in experiment.checks) for values in measured)
    share = passed / len(measured)
    status = Status.SUPPORTED if share >= SUPPORTED_FROM else Status.CONTRADICTED if share <= CONTRADICTED_TO else Status.INCONCLUSIVE
    low, high = wilson_interval(passed, len(measured))
    return Verdict(
        status=status,
        passed=passed,
        seeds=len(measured),
        low=low,
        high=high,
        checks=tuple(_result(check, measured) for check in experiment.checks),
        outcome=experiment.outcome(settings, measured),
    )


def _result(check: Check, measured: Sequence[Measures]) -> CheckResult:
    values = tuple(one[check.measure] for one in measured)
    passed = sum(check.holds(one) for one in measured)
    return CheckResult(check.label, check.measure, check.relation, check.threshold, values, passed, check.median(measured))


def wilson_interval(passed: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval for a share (Wilson 1927); sensible also at 0 of n and n of n."""
    share = passed / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, centre - half), min(1.0, centre + half)


# --- Runs: what is asked for and what is kept -------------------------------------------------------------------


class RunState(StrEnum):
    """Where a run stands. The last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # nobody watched it any more
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether the run is over."""
        return self not in {RunState.QUEUED, RunState.RUNNING}


MAX_SEEDS = 20
MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class RunRequest:
    """Everything that decides a run's numbers, and the prediction locked before it."""

    experiment: str
    settings: Settings
    first_seed: int = 0
    seeds: int = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    prediction: str | None = None  # an Outcome's key, or None for "no prediction"


class RunStore(Protocol):
    """Where runs are kept, as plain JSON-able dictionaries. The quiz's database implements it; the sandbox only knows this.

    `begin` stores the request, prediction included, before anything is shown; `end` may not change it.
    """

    def begin(self, run_id: str, facts: Mapping[str, object]) -> None:
        """Store a run that is about to start: experiment, settings, first_seed, seeds, device, prediction, versions."""

    def end(self, run_id: str, facts: Mapping[str, object]) -> None:
        """Store how it ended, once: state, error, device_used, cpu_seconds, verdict, and `record` (curves, measures, pictures)."""

    def load(self, run_id: str) -> Mapping[str, object] | None:
        """All facts of a run, or None when there is no such run."""

    def judged(self, experiment_id: str, limit: int) -> Sequence[Mapping[str, object]]:
        """The latest runs of an experiment that have a verdict, newest first: `run_id`, `started_at` (ISO) and all facts but `record`."""

    def history(self, wanted: Mapping[str, object], offset: int, limit: int) -> tuple[int, Sequence[Mapping[str, object]]]:
        """How many runs are wanted, and so many of them from `offset` on, newest first: all facts but `record`, and `note`.

        `wanted` may name an `experiment`; `endings`, statuses of a verdict or states of a run without one; whether it was
        `predicted` "rightly", "wrongly" or "not"; and `words`, each of which must be found: its `text` (casefolded) in the
        note, or the run among its `experiments` or its `endings`. An empty mapping wants all.
        """

    def note(self, run_id: str, text: str) -> bool:
        """Keep a note on a run, in the place of an earlier one. False when there is no such run."""

    def delete(self, run_id: str) -> bool:
        """Delete a run that is over. False when there is no such run, or it still goes on."""

    def restore(self, run_id: str) -> bool:
        """Undo a deletion. False when it is too late."""
