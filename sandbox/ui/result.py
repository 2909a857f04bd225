"""The lab while a run goes on and when it is over. Nothing here waits: a fragment looks once a second."""

from __future__ import annotations

import streamlit as st

from sandbox import notebook, standalone
from sandbox.protocol import Experiment, RunState, Status
from sandbox.records import Snapshot
from sandbox.ui import compare, controls, messages, setup, words
from sandbox.ui.charts import curves_figure, strip_figure
from sandbox.ui.context import laboratory
from sandbox.ui.figures import CONFIG
from sandbox.ui.surgery import show_surgery

TICK_S = 1.0  # on two cores a browser that draws twice a second takes the training half of its time
FIRST_LOOK_S = 0.3  # after a click the first points are usually there sooner than a tick: one short wait for them


def show_run(experiment: Experiment, snapshot: Snapshot) -> None:
    """A run: live while it goes on, with its verdict when it is over."""
    if st.session_state.pop(setup.FRESH, None) == snapshot.run_id:
        laboratory().wait(snapshot.run_id, FIRST_LOOK_S)
        snapshot = laboratory().snapshot(snapshot.run_id)
    setup.show_error()
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_progress_or_verdict(experiment, snapshot)
    with right:
        _show_side(experiment, snapshot)
        _show_strip(snapshot)
        _show_footnotes(experiment, snapshot)
    if snapshot.state.final:
        _show_pictures(snapshot, side_by_side=True)
    show_surgery(experiment, snapshot)


def _show_progress_or_verdict(experiment: Experiment, snapshot: Snapshot) -> None:
    if snapshot.state.final:
        _show_ending(experiment, snapshot)
        _show_curves(experiment, snapshot)
        return
    setup.show_claim(experiment)
    _show_prediction(experiment, snapshot)
    st.fragment(_live, run_every=TICK_S)(experiment, snapshot.run_id)


def _live(experiment: Experiment, run_id: str) -> None:
    """One tick: progress and curves so far. When the run is over the whole page is drawn anew, without a tick."""
    snapshot = laboratory().snapshot(run_id)
    if snapshot.state.final:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.progress(words.fraction(snapshot), text=words.progress(snapshot))
        st.button("Cancel", key="lab_cancel", icon=":material/stop_circle:", on_click=_cancel, args=(run_id,))
    _show_curves(experiment, snapshot)
    _show_pictures(snapshot)


def _cancel(run_id: str) -> None:
    laboratory().cancel(run_id)


# --- Parts ------------------------------------------------------------------------------------------------------


def _show_ending(experiment: Experiment, snapshot: Snapshot) -> None:
    if snapshot.state is not RunState.FINISHED:
        kind = st.error if snapshot.state is RunState.FAILED else st.info
        kind(words.unfinished(snapshot), icon=":material/info:")
    elif snapshot.error:
        st.warning(words.escape(snapshot.error), icon=":material/timer_off:")
    if snapshot.verdict is None:
        setup.show_claim(experiment)
        _show_prediction(experiment, snapshot)
        return
    verdict = snapshot.verdict
    with st.container(border=True, key="lab_verdict"):
        st.badge(f"Question {experiment.number} · verdict", color="gray")
        colour = words.COLOURS[verdict.status]
        st.subheader(f":{colour}[{words.ICONS[verdict.status]} {words.HEADLINES[verdict.status]}]", anchor=False)
        st.markdown(words.spaced_percent(experiment.claim))
        st.markdown(words.checks_table(verdict.checks))
        st.markdown(words.verdict_sentence(verdict))
    _show_prediction(experiment, snapshot)
    _show_repeat(experiment, snapshot)
    with st.container(key="lab_truth"):
        told, true = st.columns([2, 3], border=True)
        told.caption(":material/menu_book: THE TEXTBOOK SAYS")
        told.markdown(experiment.textbook)
        true.caption(":material/science: WHAT IS TRUE")
        true.markdown("\n".join(f"- {words.spaced_percent(truth)}" for truth in experiment.truths))


def _show_prediction(experiment: Experiment, snapshot: Snapshot) -> None:
    predicted = words.outcome(experiment, snapshot.request.prediction)
    if snapshot.verdict is None:
        if predicted:
            st.caption(f":material/lock: You predicted: “{predicted}”")
        return
    shown = words.outcome(experiment, snapshot.verdict.outcome) or snapshot.verdict.outcome
    with st.container(border=True, key="lab_prediction_result", gap="small"):
        if predicted is None:
            st.markdown(f"**The run showed:** {shown}.")
            st.caption("You made no prediction for this run.")
            return
        right = snapshot.request.prediction == snapshot.verdict.outcome
        st.badge("Predicted" if right else "Not as predicted", icon=":material/check:" if right else ":material/close:", color="green" if right else "orange")
        st.markdown(f"**You predicted:** {predicted}.  \n**The run showed:** {shown}.")


def _show_repeat(experiment: Experiment, snapshot: Snapshot) -> None:
    repeat = snapshot.repeat
    if repeat is None:
        return
    with st.container(border=True, key="lab_repeat", gap="xsmall"):
        icon, colour = (":material/equal:", "green") if repeat.identical else (":material/difference:", "orange")
        st.markdown(f":{colour}[{icon}] **Same seed again.** {words.escape(repeat.note)}")


def _show_curves(experiment: Experiment, snapshot: Snapshot) -> None:
    if not snapshot.has_points:
        return
    figure = curves_figure(experiment.arms, experiment.curves, snapshot.seeds, words.updates_of(snapshot), setup.look())
    st.markdown(f"**{messages.curves_message(experiment, snapshot)}**" + (" · thick: median, thin: one seed each" if len(snapshot.seeds) > 1 else ""))
    st.plotly_chart(figure, key="lab_curves", config=CONFIG, alt=words.curves_alt(experiment, snapshot))
    st.caption("Read while training. The values of the rule are measured by themselves, most of them on fresh sequences.")
    for sentence in words.diverged(snapshot, experiment):
        st.caption(f":material/warning: {sentence}")


def _show_pictures(snapshot: Snapshot, *, side_by_side: bool = False) -> None:
    """What the experiment drew of its networks; under a finished run two in a row, where there is room for it."""
    if not snapshot.pictures:
        return
    st.subheader("Inside the networks", anchor=False)
    if len(snapshot.seeds) > 1:
        shown = next((one.seed for one in snapshot.seeds if one.state == "finished"), snapshot.seeds[0].seed)
        st.caption(f"Those of one seed, seed {shown}: its numbers need not be the medians of all.")
    per_row = 2 if side_by_side else 1
    for row in range(0, len(snapshot.pictures), per_row):
        for place, picture in zip(st.columns(per_row, gap="large"), snapshot.pictures[row : row + per_row], strict=False):
            with place:
                setup.show_picture(picture, f"lab_picture_{picture.key}")


def _show_strip(snapshot: Snapshot) -> None:
    if snapshot.verdict is None:
        return
    st.markdown(f"**{messages.strip_message(snapshot.verdict)}** · shaded: satisfies it")
    st.plotly_chart(strip_figure(snapshot.verdict.checks, setup.look()), key="lab_strip", config=CONFIG, alt=words.checks_alt(snapshot.verdict.checks))


def _show_footnotes(experiment: Experiment, snapshot: Snapshot) -> None:
    if snapshot.verdict is not None:
        st.markdown("**What this cannot show**\n" + "\n".join(f"- {limit}" for limit in experiment.limits))
    setup.show_source(experiment)
    if not snapshot.state.final:
        return
    facts = [snapshot.device_why, f"{snapshot.cpu_seconds:.1f} CPU seconds" if snapshot.cpu_seconds else ""]
    facts += [f"{name} {snapshot.versions[name]}" for name in ("torch", "python") if name in snapshot.versions]
    st.caption(f":material/memory: {' · '.join(fact for fact in facts if fact)}")


# --- The side ---------------------------------------------------------------------------------------------------


def _show_side(experiment: Experiment, snapshot: Snapshot) -> None:
    values, token = words.values_of(experiment, snapshot), st.session_state[controls.TOKEN]
    with st.container(border=True, key="lab_setup"):
        st.subheader("Set-up of this run", anchor=False)
        st.markdown("\n".join(f"- {label}: **{value}**" for label, value in words.setup_lines(experiment, snapshot)))
        if snapshot.state.final:
            st.button(
                "Change the set-up",
                key="lab_change",
                type="primary",
                icon=":material/tune:",
                width="stretch",
                on_click=controls.go_to,
                kwargs=words.address(experiment, values),
            )
            st.button(
                "Same seed again",
                key=f"lab_again_{snapshot.run_id}",
                icon=":material/replay:",
                width="stretch",
                on_click=setup.start,
                args=(experiment, values, None, token, snapshot.run_id),
                help="Runs exactly this once more and says whether every number came out the same.",
            )
            needs = " and ".join(standalone.needed(experiment.id))
            st.download_button(
                "Take it as a script",
                lambda: standalone.script(experiment, snapshot.request, snapshot.device or "cpu", snapshot.measured),
                file_name=standalone.file_name(experiment),
                mime="text/x-python",
                key="lab_script",
                on_click="ignore",
                icon=":material/download:",
                width="stretch",
                help=f"One Python file that needs only {needs}: it trains the same networks and says whether it gets these numbers.",
            )
            st.download_button(
                "Take it as a notebook",
                lambda: notebook.notebook(experiment, snapshot.request, snapshot.device or "cpu", snapshot.measured),
                file_name=notebook.file_name(experiment),
                mime="application/x-ipynb+json",
                key="lab_notebook",
                on_click="ignore",
                icon=":material/menu_book:",
                width="stretch",
                help="The same as a Jupyter notebook: change a cell and run on.",
            )
            compare.offer(experiment, snapshot)
        setup.share(experiment, values)
        st.page_link(controls.RUNS, label="All your runs", icon=":material/history:")
    if snapshot.verdict is not None and snapshot.verdict.status is not Status.SUPPORTED:
        st.caption("A verdict belongs to its settings. Change one and see whether the claim holds there.")
