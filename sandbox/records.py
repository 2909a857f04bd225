"""What is known and kept of a run, and how it becomes plain JSON and back.

Standard JSON has no NaN and no infinity, but divergence is a result here: such numbers travel as the strings "NaN",
"Infinity" and "-Infinity", which `float` reads back. Finite floats round-trip exactly (Python writes the shortest text
that gives the same double), so "the same numbers again" can be decided from a stored record.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from sandbox.protocol import CLOCK, Measures, Picture, Point, RunRequest, RunState, Settings, Verdict

FORMAT = 1

SeedState = Literal["waiting", "running", "finished", "stopped"]


class UnreadableRecord(ValueError):
    """A stored run does not have the shape this version writes; the message says where."""


@dataclass(frozen=True)
class SeedView:
    """One seed of a run. `measured` is None until it has finished; a stopped seed keeps the points it reached."""

    seed: int
    state: SeedState
    points: tuple[Point, ...] = ()
    measured: Measures | None = None
    cpu_seconds: float = 0.0

    @property
    def update(self) -> int:
        """How far the slowest arm has come, in parameter updates."""
        return min(last_updates(self.points).values(), default=0)


@dataclass(frozen=True)
class SpecimenView:
    """A trained network that was kept for surgery. It is kept in memory only: a stored run knows that there was one."""

    seed: int
    arm: str
    last_exchange: int


@dataclass(frozen=True)
class Repeat:
    """A run compared with the earlier one of the same request that it repeated. `identical`: every point and measure agreed bit for bit."""

    run_id: str
    identical: bool
    note: str


@dataclass(frozen=True)
class Snapshot:
    """A run as it stands now, or as it was stored. `pictures` are those of the finished seed with the lowest number."""

    run_id: str
    request: RunRequest
    state: RunState
    seeds: tuple[SeedView, ...]
    pictures: tuple[Picture, ...] = ()
    specimens: tuple[SpecimenView, ...] = ()
    verdict: Verdict | None = None
    device: str | None = None
    device_why: str = ""
    error: str | None = None
    repeats: str | None = None
    repeat: Repeat | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def measured(self) -> dict[int, Measures]:
        """The measures by seed, of those that finished."""
        return {one.seed: one.measured for one in self.seeds if one.measured is not None}

    @property
    def cpu_seconds(self) -> float:
        """Process time of all seeds together, in seconds."""
        return sum(one.cpu_seconds for one in self.seeds)

    @property
    def has_points(self) -> bool:
        """Whether there is anything to draw yet."""
        return any(one.points for one in self.seeds)


def last_updates(points: Iterable[Point]) -> dict[str, int]:
    """The update each arm has reached."""
    reached: dict[str, int] = {}
    for point in points:
        reached[point.arm] = max(point.update, reached.get(point.arm, 0))
    return reached


# --- To plain JSON ----------------------------------------------------------------------------------------------


def begin_facts(request: RunRequest, versions: Mapping[str, str]) -> dict[str, Any]:
    """What is stored before the run starts, prediction included."""
    facts: dict[str, Any] = plain(request)
    return {**facts, "versions": dict(versions)}


def end_facts(snapshot: Snapshot) -> dict[str, Any]:
    """What is stored when the run is over."""
    return {
        "state": snapshot.state.value,
        "error": snapshot.error,
        "device_used": snapshot.device,
        "cpu_seconds": round(snapshot.cpu_seconds, 3),
        "verdict": plain(snapshot.verdict),
        "record": {
            "format": FORMAT,
            "seeds": [_seed_facts(one) for one in snapshot.seeds],
            "pictures": plain(snapshot.pictures),
            "specimens": plain(snapshot.specimens),
            "device_why": snapshot.device_why,
            "versions": dict(snapshot.versions),
            "repeat": plain(snapshot.repeat),
        },
    }


def plain(value: Any) -> Any:
    """`value` with dataclasses as dictionaries, tuples as lists and non-finite floats as strings."""
    if isinstance(value, float):
        return value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, bool | int | str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    return [plain(one) for one in value]


def _seed_facts(one: SeedView) -> dict[str, Any]:
    return {
        "seed": one.seed,
        "state": one.state,
        "measured": plain(one.measured),
        "cpu_seconds": one.cpu_seconds,
        "curves": _columns(one.points),
    }


def _columns(points: Sequence[Point]) -> dict[str, dict[str, list[Any]]]:
    """Points by arm, in columns: {"lstm": {"update": [1, 2], "loss": [0.7, 0.6]}}; a metric missing at a point is null."""
    by_arm: dict[str, list[Point]] = {}
    for point in points:
        by_arm.setdefault(point.arm, []).append(point)
    columns: dict[str, dict[str, list[Any]]] = {}
    for arm, own in by_arm.items():
        metrics = dict.fromkeys(metric for point in own for metric in point.values)
        columns[arm] = {"update": [point.update for point in own], **{metric: [plain(point.values.get(metric)) for point in own] for metric in metrics}}
    return columns


# --- And back ---------------------------------------------------------------------------------------------------

_PICTURES: TypeAdapter[tuple[Picture, ...]] = TypeAdapter(tuple[Picture, ...])
_SPECIMENS: TypeAdapter[tuple[SpecimenView, ...]] = TypeAdapter(tuple[SpecimenView, ...])
_VERDICT: TypeAdapter[Verdict | None] = TypeAdapter(Verdict | None)
_REPEAT: TypeAdapter[Repeat | None] = TypeAdapter(Repeat | None)
_REQUEST: TypeAdapter[RunRequest] = TypeAdapter(RunRequest)


def read_snapshot(run_id: str, facts: Mapping[str, Any]) -> Snapshot:
    """A stored run as a snapshot; one that never ended counts as failed. Errors: UnreadableRecord."""
    try:
        request = _REQUEST.validate_python({name: facts[name] for name in RunRequest.__dataclass_fields__})
        record = facts.get("record") or {}
        state = RunState(facts.get("state") or RunState.RUNNING)
        interrupted = not state.final
        return Snapshot(
            run_id=run_id,
            request=request,
            state=RunState.FAILED if interrupted else state,
            seeds=tuple(_read_seed(one) for one in record.get("seeds", ())),
            pictures=_PICTURES.validate_python(tuple(record.get("pictures", ()))),
            specimens=_SPECIMENS.validate_python(tuple(record.get("specimens", ()))),
            verdict=_VERDICT.validate_python(facts.get("verdict")),
            device=facts.get("device_used"),
            device_why=record.get("device_why", ""),
            error="The app stopped while this run was going on." if interrupted else facts.get("error"),
            repeat=_REPEAT.validate_python(record.get("repeat")),
            versions=record.get("versions") or facts.get("versions") or {},
        )
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise UnreadableRecord(f"run {run_id}: the stored record cannot be read: {error}") from error


def read_verdict(facts: Mapping[str, Any]) -> Verdict | None:
    """The verdict among a run's facts, None where it has none. Errors: UnreadableRecord."""
    try:
        return _VERDICT.validate_python(facts.get("verdict"))
    except ValidationError as error:
        raise UnreadableRecord(f"run {facts.get('run_id')}: the stored verdict cannot be read: {error}") from error


def _read_seed(facts: Mapping[str, Any]) -> SeedView:
    measured = facts["measured"]
    return SeedView(
        seed=facts["seed"],
        state=facts["state"],
        points=tuple(_read_points(facts["curves"])),
        measured=None if measured is None else {name: float(value) for name, value in measured.items()},
        cpu_seconds=facts["cpu_seconds"],
    )


def _read_points(curves: Mapping[str, Mapping[str, Sequence[Any]]]) -> Iterable[Point]:
    for arm, columns in curves.items():
        metrics = [metric for metric in columns if metric != "update"]
        for index, update in enumerate(columns["update"]):
            values = {metric: float(columns[metric][index]) for metric in metrics if columns[metric][index] is not None}
            yield Point(arm, update, values)


# --- Comparing --------------------------------------------------------------------------------------------------


def compare(now: Snapshot, earlier: Snapshot) -> Repeat:
    """Whether two runs of one request gave the same numbers, over the seeds that finished in both."""
    shared = sorted(now.measured.keys() & earlier.measured.keys())
    if not shared:
        return Repeat(earlier.run_id, False, "No seed finished in both runs, so there is nothing to compare.")
    mine, theirs = ({one.seed: one for one in snapshot.seeds} for snapshot in (now, earlier))
    different = [seed for seed in shared if _numbers(mine[seed]) != _numbers(theirs[seed])]
    if not different:
        aside = " Timings are left aside: no clock reads the same twice." if any(name.startswith(CLOCK) for name in now.measured[shared[0]]) else ""
        return Repeat(earlier.run_id, True, f"Every number of {len(shared)} seed{'s' if len(shared) > 1 else ''} is the same, to the last bit.{aside}")
    changed = [
        f"{name} {earlier.versions.get(name, '?')} then, {now.versions.get(name, '?')} now"
        for name in now.versions
        if now.versions[name] != earlier.versions.get(name)
    ]
    if now.device != earlier.device:
        changed.insert(0, f"device {earlier.device} then, {now.device} now")
    reason = f" What changed: {'; '.join(changed)}." if changed else ""
    return Repeat(earlier.run_id, False, f"{len(different)} of {len(shared)} seeds gave other numbers.{reason}")


def _numbers(one: SeedView) -> Any:
    """Everything a seed measured in a comparable form: NaN equals NaN, arms are compared each for itself, timings not at all."""
    points = (Point(point.arm, point.update, _untimed(point.values)) for point in one.points)
    return plain(_untimed(one.measured or {})), _columns(list(points))


def _untimed(values: Measures) -> dict[str, float]:
    return {name: value for name, value in values.items() if not name.startswith(CLOCK)}


def _work(request: RunRequest) -> tuple[str, Settings, int, int, str]:
    return request.experiment, dict(request.settings), request.first_seed, request.seeds, request.device
