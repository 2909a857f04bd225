"""The message above each of the lab's own charts: what it shows, computed from what it draws, in one short line."""

from __future__ import annotations

import math
from collections.abc import Iterable

from sandbox.protocol import Experiment, RunState, Verdict
from sandbox.records import Snapshot
from sandbox.ui import words
from sandbox.ui.charts import main_curve, median_line, metric_line

LONGEST = 120  # letters: three lines on a phone
SOLVED = "solved"  # the reference line that an experiment draws where its task counts as learnt


def preview_message(experiment: Experiment, updates: int | None) -> str:
    """What the curves of a run will answer, asked before it."""
    curve = main_curve(experiment.curves)
    end = f"after {updates:,} updates" if updates else "at the end"
    if any(label == SOLVED for _, label in curve.rules):
        return f"Which networks will be at “{SOLVED}” {end}?"
    return _first_that_fits(
        f"Where will {'each network' if len(experiment.arms) > 1 else 'the network'} be {end}: {curve.label}?", f"Where will {curve.label} be {end}?"
    )


def curves_message(experiment: Experiment, snapshot: Snapshot) -> str:
    """Where every network stands on the main curve: its median over the seeds, at the last update it reached."""
    curve = main_curve(experiment.curves)
    ends: dict[str, float] = {}
    for arm in experiment.arms:
        lines = [line for one in snapshot.seeds if (line := metric_line(one.points, arm.key, curve.metric))]
        if lines:
            ends[arm.label] = median_line(lines)[1][-1]
    calm = sorted(((value, label) for label, value in ends.items() if math.isfinite(value)), key=lambda pair: pair[0])
    lost = len(ends) - len(calm)
    when = {RunState.FINISHED: "at the end"}.get(snapshot.state, "when it stopped" if snapshot.state.final else "so far")
    if not calm:
        return f"{'Nothing measured' if not ends else 'It diverged' if lost == 1 else f'All {lost} networks diverged'} {when}"
    return words.message(_first_that_fits(*_standings(_capital(curve.label), calm, f" {when}" + (f"; {lost} diverged" if lost else ""))))


def _standings(label: str, calm: list[tuple[float, str]], end: str) -> Iterable[str]:
    """From every network by name to the span alone; `calm` goes from the lowest value to the highest."""
    (low, lowest), (high, highest) = calm[0], calm[-1]
    told = [words.number(low), words.number(high)]
    if len(calm) == 1:
        yield f"{label}: {told[0]} for {lowest}{end}"
        yield f"{label}: {told[0]}{end}"
    elif told[0] == told[1]:
        yield f"{label}: all {len(calm)} networks at {told[0]}{end}"
    else:
        if len(calm) <= 3:
            yield f"{label}: {'; '.join(f'{name} {words.number(value)}' for value, name in calm)}{end}"
        yield f"{label}: from {told[0]} ({lowest}) to {told[1]} ({highest}){end}"
        yield f"{label}: {told[0]} to {told[1]} in {len(calm)} networks{end}"
    yield f"{len(calm)} of the networks at {told[0]} to {told[1]}{end}"


def strip_message(verdict: Verdict) -> str:
    """How many seeds satisfied the rule and, where some did not, what failed most."""
    parts, seeds = len(verdict.checks), verdict.seeds
    if verdict.passed == seeds:
        rule = {1: "the rule", 2: "both parts of the rule"}.get(parts, f"all {parts} parts of the rule")
        return f"{'The seed satisfies' if seeds == 1 else f'All {seeds} seeds satisfy'} {rule}"
    rule = "the rule" if parts == 1 else "the whole rule"
    if verdict.passed:
        said = f"{verdict.passed} of {seeds} seeds {'satisfies' if verdict.passed == 1 else 'satisfy'} {rule}"
    else:
        said = f"The seed does not satisfy {rule}" if seeds == 1 else f"None of {seeds} seeds satisfies {rule}"
    worst = min(verdict.checks, key=lambda check: check.passed)
    why = f"{said}: {worst.label} {words.needed(worst)} in {worst.passed} of {seeds}"
    return _first_that_fits(why, said) if parts > 1 else said


def _first_that_fits(*candidates: str) -> str:
    return next((one for one in candidates if len(one) <= LONGEST), candidates[-1])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
