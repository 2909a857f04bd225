"""The finished run's networks, to operate on: a gate held, states exchanged, scores and timelines at once. Nothing is trained again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import streamlit as st

from sandbox.jobs import NoSpecimen, OperationFailed
from sandbox.operations import COUPLED, EXCHANGE, GATE, GATES, HOLD, Examined, Operation, after_control
from sandbox.protocol import Experiment
from sandbox.records import Snapshot, SpecimenView
from sandbox.ui import controls, setup, words
from sandbox.ui.context import laboratory

LEFT_ALONE = {"gate": GATE.default, "hold": HOLD.default, "exchange": EXCHANGE.default}
VIEWS = {"mean": "all units, mean", "unit": "one unit"}


def show_surgery(experiment: Experiment, snapshot: Snapshot) -> None:
    """The section under a finished run, or why there is none. Networks that an earlier start of the app has trained can be trained again."""
    if snapshot.state.final and experiment.unoperable:
        st.caption(f":material/info: No network of this run can be operated on. {experiment.unoperable}")
    if not snapshot.state.final or not snapshot.specimens:
        return
    with st.container(key="lab_surgery"):
        st.divider()
        st.subheader("Operate on the trained network", anchor=False)
        if laboratory().has_specimens(snapshot.run_id):
            st.fragment(_operate)(experiment, snapshot)
        else:
            _show_gone(experiment, snapshot)


def _operate(experiment: Experiment, snapshot: Snapshot) -> None:
    """Controls beside what they do, drawn anew at every click."""
    exchange = " or have two sequences exchange their memories" if any(one.last_exchange for one in snapshot.specimens) else ""
    st.markdown(f"Hold a gate of the network that has been trained{exchange}, and see at once what becomes of it. Nothing is trained again.")
    left, right = st.columns([2, 3], gap="large")
    with left:
        specimen = _draw_network(experiment, snapshot)
        operation = _draw_operation(specimen, snapshot.run_id)
        told = st.container(key="surgery_scores")
    with right:
        view = _segmented("Show", "view", snapshot.run_id, VIEWS)
        try:
            with st.spinner("Operating …"):
                examined = laboratory().operate(snapshot.run_id, specimen.seed, specimen.arm, operation)
        except NoSpecimen:
            _show_gone(experiment, snapshot)
        except OperationFailed as error:
            st.warning(words.escape(str(error)), icon=":material/hourglass_top:")
            st.button("Try again", key="surgery_retry", icon=":material/replay:")
        else:
            setup.show_picture(examined.mean if view == "mean" else examined.unit, "surgery_picture")
            with told:
                _tell(operation, examined)
    st.caption(
        ":material/info: What is taken out of a trained network shows what this network has come to use it for. "
        "What a network could learn that never had it is another question."
    )


def _show_gone(experiment: Experiment, snapshot: Snapshot) -> None:
    st.info(
        "The networks of this run are no longer there: they are kept in memory until the app is started anew or many other runs have been made. "
        "The same run again trains them again, to the same weights.",
        icon=":material/inventory_2:",
    )
    st.button(
        "Run it again",
        key="surgery_again",
        icon=":material/replay:",
        on_click=setup.start,
        args=(experiment, words.values_of(experiment, snapshot), None, st.session_state[controls.TOKEN], snapshot.run_id),
    )


# --- What to do -------------------------------------------------------------------------------------------------


def _draw_network(experiment: Experiment, snapshot: Snapshot) -> SpecimenView:
    """Which network, where the run kept several."""
    labels = {arm.key: arm.label for arm in experiment.arms}
    arms = dict.fromkeys(one.arm for one in snapshot.specimens)
    arm = next(iter(arms))
    if len(arms) > 1:
        arm = st.selectbox("Network", list(arms), key=_key("arm", snapshot.run_id), format_func=lambda key: labels.get(key, key))
    kept = [one for one in snapshot.specimens if one.arm == arm]
    if len(kept) == 1:
        return kept[0]
    seed = _segmented(
        "Seed", "seed", snapshot.run_id, {str(one.seed): str(one.seed) for one in kept}, help="The same training from another start: is it the same inside?"
    )
    return next(one for one in kept if str(one.seed) == seed)


def _draw_operation(specimen: SpecimenView, run_id: str) -> Operation:
    gate = _segmented(GATE.label, "gate", run_id, {key: f"{name.removesuffix(' gate')} {key}" for key, name in GATES.items()}, help=GATE.help)
    holds = {key: COUPLED.get(gate, "") if key == "coupled" else label for key, label in HOLD.options.items() if key != "coupled" or gate in COUPLED}
    hold = _segmented(HOLD.label, "hold", run_id, holds, help=HOLD.help)
    exchange, at = EXCHANGE.default, 1
    if specimen.last_exchange:
        exchange = _segmented(EXCHANGE.label, "exchange", run_id, EXCHANGE.options, help=EXCHANGE.help)
        after = after_control(specimen.last_exchange)
        if exchange != EXCHANGE.default and specimen.last_exchange > 1:
            at = st.slider(after.label, int(after.low), int(after.high), int(after.default), key=_key("at", run_id), help=after.help)
    operation = Operation(gate, hold, exchange, at)  # type: ignore[arg-type]  # the widgets offer nothing else; the laboratory checks it once more
    st.button(
        "Put everything back",
        key=_key("back", run_id),
        type="tertiary",
        icon=":material/undo:",
        disabled=operation.nothing,
        on_click=_put_back,
        args=(run_id,),
    )
    return operation


def _put_back(run_id: str) -> None:
    for name in ("hold", "exchange"):
        st.session_state[_key(name, run_id)] = LEFT_ALONE[name]


def _segmented(label: str, name: str, run_id: str, options: Mapping[str, str], help: str | None = None) -> str:
    """One of a few, side by side. What was chosen stays when the options change, as far as it is still among them."""
    key = _key(name, run_id)
    kept = st.session_state.get(key, LEFT_ALONE.get(name))
    st.session_state[key] = kept if kept in options else next(iter(options))
    chosen = st.segmented_control(label, list(options), key=key, format_func=options.__getitem__, required=True, help=help)
    return cast(str, chosen)


def _key(name: str, run_id: str) -> str:
    return f"surgery_{name}_{run_id}"


# --- What came of it --------------------------------------------------------------------------------------------


def _tell(operation: Operation, examined: Examined) -> None:
    """The scores in words, and what to hold them against."""
    with st.container(border=True, gap="small"):
        st.markdown(_score_line("Accuracy" if examined.measure == "accuracy" else "Error ÷ variance", examined.own, examined, operation))
        if examined.donor is not None:
            st.markdown(_score_line("Judged by the donor's answers", examined.donor, examined, operation))
        st.caption(_footnote(operation, examined))


def _score_line(name: str, scores: tuple[float, float], examined: Examined, operation: Operation) -> str:
    """Before and after, in colour where it made a difference."""
    before, after = (score(value, examined.measure) for value in scores)
    if operation.nothing:
        return f"{name}: **{before}**"
    better = scores[1] > scores[0] if examined.measure == "accuracy" else scores[1] < scores[0]
    return f"{name}: **{before} → {after}**" if before == after else f"{name}: **{before} → :{'green' if better else 'red'}[{after}]**"


def score(value: float, measure: str) -> str:
    """A score as the page writes it."""
    if math.isnan(value):
        return "nothing to count"
    return f"{value:.0%}".replace("%", "\u00a0%") if measure == "accuracy" else words.number(value)


def _footnote(operation: Operation, examined: Examined) -> str:
    """What the scores are of, and what guessing would score."""
    if operation.exchange == EXCHANGE.default:
        of = f"On {examined.sequences} fresh sequences"
    else:
        of = f"Of {examined.sequences} fresh sequences those count whose donor's answer is another: {examined.counted}"
    if examined.measure == "accuracy":
        return f"{of}. Always naming the commonest answer gets {score(examined.guess, 'accuracy')}."
    return f"{of}. Always answering the mean has error 1."
