"""What runs in a training process when somebody operates on a trained network: a few milliseconds of reading, and the pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sandbox import core
from sandbox.operations import GATES, Examined, Operation
from sandbox.protocol import Lines, Panel, Series

if TYPE_CHECKING:
    from torch import Tensor

    from sandbox.core.surgery import Record, Subject

MOST_MARKS = 12  # marks of when an answer is asked for; more of them say nothing
Scores = tuple[float, float]  # before and after


def operate(payload: bytes, operation: Operation) -> Examined:
    """Do it, then measure and show the network before and after. Errors: ValueError for bytes that are no packed network."""
    core.devices.use_one_thread()
    subject = core.surgery.unpack(payload)
    before = core.surgery.operate(subject)
    after = before if operation.nothing else core.surgery.operate(subject, **asdict(operation))
    counts = core.surgery.counted(subject, operation.exchange, operation.at)
    shown = core.surgery.telling_sequence(subject, before, after, counts)
    case = _Case(subject, operation, before, after, counts, shown)
    own, donor = case.scores(subject.target), None
    if operation.exchange != "none":
        donor = case.scores(core.surgery.donated(subject.target))
    return Examined(
        measure="accuracy" if subject.classes else "error",
        own=own,
        donor=donor,
        guess=core.surgery.guess(subject.target, counts),
        counted=int(counts.sum()),
        sequences=len(subject.x),
        mean=_mean_picture(case, own, donor),
        unit=_unit_picture(case, own, donor),
    )


@dataclass(frozen=True)
class _Case:
    """An operation that has been done. `shown` is the sequence in the pictures."""

    subject: Subject
    operation: Operation
    before: Record
    after: Record
    counts: Tensor  # (B, T) bool
    shown: int

    def scores(self, target: Tensor) -> Scores:
        """Before and after, against a target (B, T)."""
        before, after = (core.surgery.score(record.answers, target, self.counts) for record in (self.before, self.after))
        return before, after

    @property
    def steps(self) -> list[float]:
        """Steps counted from 1: after step t, t steps have been read."""
        return [float(step + 1) for step in range(self.subject.x.shape[1])]

    @property
    def events(self) -> list[tuple[float, str]]:
        """When states are exchanged, and when the shown sequence is asked."""
        asked = self.subject.judged[self.shown].nonzero().flatten().tolist()
        marks = [(float(step + 1), "asked") for step in asked] if len(asked) <= MOST_MARKS else []
        return marks if self.operation.exchange == "none" else [(self.operation.at + 0.5, "exchange"), *marks]

    def pair(self, take: Callable[[Record], Tensor]) -> list[Series]:
        """Something of the shown sequence, (T,), before and after; one line where nothing was done."""
        learnt = core.probes.plain(take(self.before))
        if self.operation.nothing:
            return [Series("as learnt", "lstm", self.steps, learnt)]
        return [
            Series("operated on", "ablated", self.steps, core.probes.plain(take(self.after))),
            Series("as learnt", "lstm", self.steps, learnt, dash=True),
        ]


# --- Pictures ---------------------------------------------------------------------------------------------------


def _mean_picture(case: _Case, own: Scores, donor: Scores | None) -> Lines:
    """Means over units: the gate, |c| and |h|."""
    gate = case.operation.gate
    panels = [
        _answer_panel(case),
        _panel(case, f"{_named(gate)}, mean over units", gate, lambda record: getattr(record.trace, gate)[case.shown].mean(1), y_range=_gate_range(gate)),
        _panel(case, "Cell state, mean over units", "|c|", lambda record: record.trace.c[case.shown].abs().mean(1)),
        _panel(case, "Hidden state, mean over units", "|h|", lambda record: record.trace.h[case.shown].abs().mean(1)),
    ]
    return _picture("surgery_mean", case, own, donor, panels)


def _unit_picture(case: _Case, own: Scores, donor: Scores | None) -> Lines:
    """The same of the unit that tells most."""
    gate = case.operation.gate
    unit = core.surgery.telling_unit(case.before, case.after, gate)
    panels = [
        _answer_panel(case),
        _panel(case, f"{_named(gate)} of unit {unit + 1}", gate, lambda record: getattr(record.trace, gate)[case.shown, :, unit], y_range=_gate_range(gate)),
        _panel(case, f"Cell state of unit {unit + 1}", "c", lambda record: record.trace.c[case.shown, :, unit]),
        _panel(case, f"Hidden state of unit {unit + 1}", "h", lambda record: record.trace.h[case.shown, :, unit]),
    ]
    return _picture("surgery_unit", case, own, donor, panels)


def _panel(case: _Case, title: str, y_label: str, take: Callable[[Record], Tensor], y_range: tuple[float, float] | None = None) -> Panel:
    return Panel(title, y_label, case.pair(take), y_range=y_range, events=case.events)


def _answer_panel(case: _Case) -> Panel:
    """What the network says at every step, beside the answer that is asked for next."""
    if case.subject.classes:
        return Panel(f"Sequence {case.shown + 1}: probability of the right answer", "", _class_series(case), y_range=(0.0, 1.0), events=case.events)
    target, exists = core.surgery.due(case.subject, case.subject.target)
    right = target[case.shown].masked_fill(~exists[case.shown], float("nan"))
    label = "right answer" if case.subject.judged.all() else "right answer, asked for next"
    series = [
        *case.pair(lambda record: record.answers[case.shown, :, 0]),
        Series(label, "target", case.steps, core.probes.plain(right)),
    ]
    if case.operation.exchange != "none":
        series.append(Series("the donor's", "remedy", case.steps, core.probes.plain(core.surgery.donated(target)[case.shown])))
    return Panel(f"Sequence {case.shown + 1}: answer", "", series, events=case.events)


def _class_series(case: _Case) -> list[Series]:
    series = case.pair(lambda record: _probability(case, record, case.subject.target))
    if case.operation.exchange != "none":
        donor = _probability(case, case.after, core.surgery.donated(case.subject.target))
        series.append(Series("operated on: the donor's answer", "remedy", case.steps, core.probes.plain(donor)))
    return series


def _probability(case: _Case, record: Record, target: Tensor) -> Tensor:
    """Of the class (T,) that is asked for next, in the shown sequence; NaN where nothing is."""
    wanted, exists = core.surgery.due(case.subject, target)
    each = record.answers[case.shown].softmax(-1).gather(1, wanted[case.shown, :, None].clamp(min=0))[:, 0]
    return each.masked_fill(~exists[case.shown], float("nan"))


def _picture(key: str, case: _Case, own: Scores, donor: Scores | None, panels: Sequence[Panel]) -> Lines:
    title = f"{case.operation.title}: {_told(case, own, donor)}"
    what = _ends(panels[1:])
    alt = f"{title}. Timelines of sequence {case.shown + 1} of {len(case.subject.x)} over {len(case.steps)} steps. {what}"
    return Lines(key, title, alt, "step", panels)


def _told(case: _Case, own: Scores, donor: Scores | None) -> str:
    """The scores in words."""
    name = "accuracy" if case.subject.classes else "error ÷ variance"
    if case.operation.nothing:
        return f"{name} {_score(case, own[0])}"
    mine, theirs = (" → ".join(_score(case, one) for one in scores) for scores in (own, donor or own))
    if donor is None:
        return f"{name} {mine}"
    return f"its own answer {mine}, the donor's {theirs}" if case.subject.classes else f"{name} by its own answer {mine}, by the donor's {theirs}"


def _score(case: _Case, value: float) -> str:
    return f"{value:.0%}" if case.subject.classes else f"{value:.3g}"


def _ends(panels: Sequence[Panel]) -> str:
    """The means of every line, in words."""
    said = []
    for panel in panels:
        lines = [f"{series.label} {_mean(series.y)}" for series in panel.series]
        said.append(f"{panel.title}: mean over time {', '.join(lines)}.")
    return " ".join(said)


def _mean(values: Sequence[float]) -> str:
    mean = sum(values) / len(values)
    return f"{mean:.3g}" if math.isfinite(mean) else "not finite"


def _named(gate: str) -> str:
    return GATES[gate].capitalize()


def _gate_range(gate: str) -> tuple[float, float]:
    return (-1.0, 1.0) if gate == "g" else (0.0, 1.0)
