"""Two stored runs of one experiment side by side: what was set differently, what each showed, their curves in one chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st

from sandbox.jobs import UnknownRun
from sandbox.protocol import Curve, Experiment, Lines, Panel, Series
from sandbox.records import Snapshot, UnreadableRecord
from sandbox.requests import all_controls, request_values
from sandbox.ui import controls, words
from sandbox.ui.charts import main_curve, median_line, metric_line
from sandbox.ui.context import laboratory
from sandbox.ui.setup import show_picture

LISTED = 30
NAMES = ("This run", "The other run")
CHOOSE = "*Only this run* leads back to it, where you can choose another to compare it with."
ROLES = ("lstm", "second")  # the colours of the two runs


def offer(experiment: Experiment, snapshot: Snapshot) -> None:
    """The choice of another run of this experiment; nothing where there is none."""
    others = {str(facts["run_id"]): facts for facts in laboratory().finished_runs(experiment.id, LISTED) if facts["run_id"] != snapshot.run_id}
    if not others:
        return
    st.selectbox(
        "Compare with",
        list(others),
        index=None,
        key=f"lab_compare_{snapshot.run_id}",
        placeholder="another run",
        format_func=lambda run_id: run_line(experiment, snapshot, others[run_id]),
        on_change=_open,
        args=(experiment.id, snapshot.run_id),
    )


def _open(experiment_id: str, run_id: str) -> None:
    other = st.session_state.get(f"lab_compare_{run_id}")
    if other:
        controls.go_to(experiment=experiment_id, run=run_id, compare=other)


def run_line(experiment: Experiment, snapshot: Snapshot, facts: Mapping[str, object]) -> str:
    """A stored run in one line: when it was, what it showed, and what it set differently from `snapshot`."""
    verdict, settings = facts["verdict"], facts["settings"]
    assert isinstance(settings, Mapping)
    status = verdict["status"] if isinstance(verdict, Mapping) else "no verdict"
    changed = [
        f"{control.label} {words.setting(control, settings[control.name])}"
        for control in experiment.controls
        if control.name in settings and settings[control.name] != snapshot.request.settings.get(control.name)
    ]
    seeds = f"seeds {facts['first_seed']} to {int(str(facts['first_seed'])) + int(str(facts['seeds'])) - 1}"
    when = datetime.fromisoformat(str(facts["started_at"])).strftime("%d %b %H:%M")
    return f"{when} UTC · {status} · {', '.join(changed) or 'same settings'} · {seeds}"


def show_comparison(experiment: Experiment, snapshot: Snapshot, other_id: str) -> None:
    """The page."""
    st.button(
        "Only this run", key="lab_compare_end", icon=":material/arrow_back:", type="tertiary", on_click=controls.go_to,
        kwargs={"experiment": experiment.id, "run": snapshot.run_id},
    )  # fmt: skip
    try:
        other = laboratory().snapshot(other_id)
    except (UnknownRun, UnreadableRecord) as error:
        st.error(f"The other run cannot be shown: {words.escape(str(error))}. {CHOOSE}", icon=":material/explore_off:")
        return
    if other.request.experiment != experiment.id or not (snapshot.state.final and other.state.final):
        st.error(f"Two runs can be compared when both are over and belong to the same experiment. {CHOOSE}", icon=":material/compare_arrows:")
        return
    runs = (snapshot, other)
    for column, name, run in zip(st.columns(2, border=True), NAMES, runs, strict=True):
        with column:
            _summary(experiment, name, run)
    _differences(experiment, runs)
    st.markdown(f"**The rule, in both**\n\n{rule_table(runs)}")
    show_picture(overlaid(experiment, runs), "lab_compared_curves")


def _summary(experiment: Experiment, name: str, run: Snapshot) -> None:
    st.caption(name.upper())
    if run.verdict is None:
        st.markdown(words.ENDINGS.get(run.state, "It has no verdict."))
    else:
        colour = words.COLOURS[run.verdict.status]
        st.markdown(f":{colour}[{words.ICONS[run.verdict.status]} **{words.HEADLINES[run.verdict.status]}**]")
        st.markdown(words.verdict_sentence(run.verdict))
        st.markdown(f"It showed: {words.outcome(experiment, run.verdict.outcome) or run.verdict.outcome}.")
    st.page_link(
        controls.LAB, label="Open this run", icon=":material/open_in_new:", query_params={"experiment": experiment.id, "run": run.run_id}
    )  # fmt: skip


def _differences(experiment: Experiment, runs: Sequence[Snapshot]) -> None:
    rows = differing(experiment, runs)
    if not rows:
        st.markdown("**What was set differently:** nothing. Differences between the two are of the machine or the version.")
        return
    table = "\n".join(f"| {label} | {one} | {other} |" for label, one, other in rows)
    st.markdown(f"**What was set differently**\n\n| Setting | {NAMES[0]} | {NAMES[1]} |\n|:--|:--|:--|\n{table}")


def differing(experiment: Experiment, runs: Sequence[Snapshot]) -> list[tuple[str, str, str]]:
    """Label and both values of every setting, seed and device in which the two requests differ."""
    first, second = (request_values(run.request) for run in runs)
    rows = []
    for control in all_controls(experiment):
        one, other = (words.setting(control, values[control.name]) if control.name in values else "–" for values in (first, second))
        if one != other:
            rows.append((control.label, one, other))
    return rows


def rule_table(runs: Sequence[Snapshot]) -> str:
    """The rule line by line with both medians, as a Markdown table."""
    found = [{check.measure: check for check in run.verdict.checks} if run.verdict else {} for run in runs]
    rows = [f"| Measured, median | Needed | {NAMES[0]} | {NAMES[1]} |", "|:--|:--|--:|--:|"]
    for measure, check in {**found[1], **found[0]}.items():
        cells = [f"**{words.number(one[measure].median)}** ({one[measure].passed} of {len(one[measure].values)})" if measure in one else "–" for one in found]
        rows.append(f"| {words.cell(check.label)} | {check.relation}\u00a0{words.threshold(check.threshold)} | {cells[0]} | {cells[1]} |")
    return "\n".join(rows)


def overlaid(experiment: Experiment, runs: Sequence[Snapshot]) -> Lines:
    """A panel a network, with the median over seeds of the main curve in both runs."""
    curve = main_curve(experiment.curves)
    panels = []
    for arm in experiment.arms:
        lines = [_median(run, arm.key, curve) for run in runs]
        if any(x for x, _ in lines):
            series = [Series(name, role, x, y, dash=bool(number)) for number, (name, role, (x, y)) in enumerate(zip(NAMES, ROLES, lines, strict=True)) if x]
            panels.append(Panel(arm.label, "", series, log_y=curve.log_y, y_range=curve.y_range, rules=curve.rules))
    ends = "; ".join(
        f"{panel.title}: " + ", ".join(f"{series.label.lower()} ends at {words.number(series.y[-1])}" for series in panel.series) for panel in panels
    )
    return Lines(
        "compared",
        f"{curve.label[:1].upper()}{curve.label[1:]}: each network in both runs",
        f"Median over seeds by parameter update. {ends}.",
        "parameter updates",
        panels,
    )


def _median(run: Snapshot, arm: str, curve: Curve) -> tuple[list[int], list[float]]:
    lines = [metric_line(one.points, arm, curve.metric) for one in run.seeds]
    return median_line([line for line in lines if line])
