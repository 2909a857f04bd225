"""The lab: one page renders every experiment, before, during and after a run."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from sandbox.jobs import UnknownRun
from sandbox.protocol import Experiment
from sandbox.records import UnreadableRecord
from sandbox.registry import UnknownExperiment, all_experiments, find_experiment
from sandbox.ui import controls, words
from sandbox.ui.compare import show_comparison
from sandbox.ui.context import laboratory
from sandbox.ui.result import show_run
from sandbox.ui.setup import show_setup

ROOT = Path(__file__).parents[2]
PRACTICE = str(ROOT / "quiz" / "ui" / "pages" / "practice.py")
WIDEST_PX = 1240  # longer lines are hard to read


def lab() -> None:
    """The page."""
    with st.container(horizontal_alignment="center"), st.container(width=WIDEST_PX):
        _show_place()


def _show_place() -> None:
    """Whatever the address leads to."""
    address = _address()
    try:
        place = controls.read_place(address)
    except UnknownExperiment as error:
        _show_lost(f"There is no experiment called “{words.escape(error.experiment_id)}”.")
        return
    controls.arrive(place, address)
    if place.run_id is None:
        _show_heading(place.experiment)
        if place.problems:
            _show_refusal(place)
        else:
            show_setup(place.experiment)
        return
    _show_stored(place.run_id, place.compared_id)


def _address() -> dict[str, str]:
    """The address; coming back to the bare page from another one reopens what was last here."""
    address = st.query_params.to_dict()
    last = st.session_state.get(controls.ADDRESS)
    if not address and last:
        st.query_params.from_dict(last)
        return dict(last)
    return address


def _show_stored(run_id: str, compared_id: str | None) -> None:
    try:
        snapshot = laboratory().snapshot(run_id)
        experiment = find_experiment(snapshot.request.experiment)
    except UnknownRun:
        _show_lost(
            f"There is no run “{words.escape(run_id)}” here. It was deleted, or belongs to another profile or another Carousel. *Runs* lists all of yours."
        )
    except UnknownExperiment as error:
        _show_lost(f"This run was made with the experiment “{words.escape(error.experiment_id)}”, which no longer exists.")
    except UnreadableRecord as error:
        _show_lost(f"This run cannot be shown. {words.escape(str(error))}")
    else:
        _show_heading(experiment)
        if compared_id is None:
            show_run(experiment, snapshot)
        else:
            show_comparison(experiment, snapshot, compared_id)


def _show_heading(experiment: Experiment) -> None:
    """The picker and the title. Picking another experiment is going to its address."""
    titles = {one.id: f"{one.number} · {one.title}" for one in all_experiments().values()}
    st.session_state["lab_experiment"] = experiment.id
    title, picker = st.columns([3, 2], gap="large", vertical_alignment="bottom")
    title.page_link(PRACTICE, label="Back to practice", icon=":material/arrow_back:")
    title.title(experiment.title, anchor=False)
    picker.selectbox("Experiment", list(titles), key="lab_experiment", format_func=titles.__getitem__, on_change=_pick)


def _pick() -> None:
    controls.go_to(experiment=st.session_state["lab_experiment"])


def _show_refusal(place: controls.Place) -> None:
    """A link with settings this experiment does not have or allow: everything wrong with it at once."""
    listed = "\n".join(f"- {words.escape(problem)}" for problem in place.problems)
    st.error(f"This link asks for a set-up that does not exist:\n\n{listed}", icon=":material/link_off:")
    st.button("Open with the defaults", key="lab_defaults", type="primary", on_click=controls.go_to, kwargs={"experiment": place.experiment.id})


def _show_lost(message: str) -> None:
    """Nothing to show at this address: say so, and where one can go."""
    st.page_link(PRACTICE, label="Back to practice", icon=":material/arrow_back:")
    st.error(message, icon=":material/explore_off:")
    st.markdown("These experiments are here:")
    for experiment in all_experiments().values():
        st.page_link(controls.LAB, label=f"{experiment.number} · {experiment.title}", icon=":material/science:", query_params={"experiment": experiment.id})
