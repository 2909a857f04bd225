"""The lab before a run: the claim, the prediction, the set-up."""

from __future__ import annotations

import logging

import streamlit as st

from sandbox.protocol import Experiment, InvalidSetting, Picture, Setting
from sandbox.requests import make_request
from sandbox.ui import controls, messages, words
from sandbox.ui.charts import preview_figure
from sandbox.ui.context import laboratory
from sandbox.ui.figures import CONFIG, Look
from sandbox.ui.pictures import picture_figure

log = logging.getLogger(__name__)

ERROR, FRESH = "lab_error", "lab_fresh"  # session state: what went wrong at a start; the run just started here


def show_setup(experiment: Experiment) -> None:
    """The page while nothing runs: on a phone the prediction comes before the settings."""
    left, right = st.columns([3, 2], gap="large")
    with right, st.container(border=True, key="lab_setup"):
        st.subheader("Set-up", anchor=False)
        controls.draw_presets(experiment)
        values = controls.draw_controls(experiment)
        share(experiment, values)
    with left:
        show_claim(experiment)
        _predict_and_run(experiment, values)
        _show_preview(experiment, values)
        show_source(experiment)


def look() -> Look:
    """Paper or ink, as the viewer's theme is now."""
    return Look(dark=st.context.theme.type == "dark")


def show_picture(picture: Picture, key: str) -> None:
    """A picture under its message."""
    st.markdown(f"**{words.message(picture.title)}**")
    st.plotly_chart(picture_figure(picture, look()), key=key, config=CONFIG, alt=picture.alt)


def show_claim(experiment: Experiment) -> None:
    """The claim under test and what the textbooks say."""
    with st.container(border=True, key="lab_claim", gap="small"):
        st.caption("CLAIM UNDER TEST")
        st.markdown(f"**{experiment.claim}**")
        st.caption(f":material/menu_book: The textbook says: “{experiment.textbook}”")


def show_source(experiment: Experiment) -> None:
    """Where the claim comes from."""
    st.caption(f":material/article: {words.paper(experiment.paper)}")


def start(experiment: Experiment, values: dict[str, Setting], prediction: str | None, token: str, repeats: str | None = None) -> None:
    """Start a run and go to it (a click's callback). The same token starts one run, however often it is clicked."""
    run_id = launch(experiment, values, prediction, token, repeats)
    if run_id is not None:
        controls.go_to(experiment=experiment.id, run=run_id)


def launch(experiment: Experiment, values: dict[str, Setting], prediction: str | None, token: str, repeats: str | None = None) -> str | None:
    """Start a run; its id, or None when `show_error` has something to say."""
    try:
        run_id = laboratory().start(make_request(experiment, values, prediction), token, repeats=repeats)
    except InvalidSetting as error:  # a stored run from before the bounds changed
        st.session_state[ERROR] = f"The run was not started: {words.escape(str(error))}"
        return None
    except Exception:  # the store may be locked or full: the page says so and the learner can try again
        log.exception("a run of %s could not be started", experiment.id)
        st.session_state[ERROR] = "The run could not be stored, so it was not started. Try again in a moment."
        return None
    st.session_state[FRESH] = run_id
    return run_id


def _show_preview(experiment: Experiment, values: dict[str, Setting]) -> None:
    """The empty chart the run will fill. It also has the browser load the chart's script before the run, not during it."""
    st.markdown(f"**{messages.preview_message(experiment, words.updates_in(values))}**")
    figure = preview_figure(experiment.arms, experiment.curves, words.updates_in(values), look())
    labels = ", ".join(arm.label for arm in experiment.arms)
    st.plotly_chart(figure, key="lab_preview", config=CONFIG, alt=f"An empty chart over parameter updates, with a line to come for each of: {labels}.")


def show_error() -> None:
    """Why the last click started nothing, once."""
    if ERROR in st.session_state:
        st.error(st.session_state.pop(ERROR), icon=":material/error:")


def _predict_and_run(experiment: Experiment, values: dict[str, Setting]) -> None:
    st.subheader("What do you expect?", anchor=False)
    st.markdown(experiment.asks)
    texts = {outcome.key: outcome.text for outcome in experiment.offered}
    chosen = st.radio(
        "Your prediction", list(texts), index=None, key=controls.prediction_key(experiment), format_func=texts.__getitem__, label_visibility="collapsed"
    )
    show_error()
    token = st.session_state[controls.TOKEN]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Lock in and run",
            key="lab_run",
            type="primary",
            icon=":material/lock:",
            shortcut="Alt+L",  # not with Enter: a focused radio button keeps that key to itself
            disabled=chosen is None,
            on_click=start,
            args=(experiment, values, chosen, token),
            help="Your prediction is stored before the run starts and cannot be changed after.",
        )
        st.button("Run without predicting", key="lab_run_unpredicted", type="tertiary", on_click=start, args=(experiment, values, None, token))


def share(experiment: Experiment, values: dict[str, Setting]) -> None:
    """A link that holds the set-up."""
    with st.popover("Share this set-up", icon=":material/link:", type="tertiary"):
        st.caption("This address opens the lab with these settings and seeds.")
        st.code(words.share_link(st.context.url or "/lab", experiment, values), language=None, wrap_lines=True)
