"""The page of runs: the learner's history, searched and paged in the store, with what can be done about each run."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import wraps
from typing import Any, ParamSpec
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from sandbox.protocol import Experiment
from sandbox.records import UnreadableRecord, read_verdict
from sandbox.registry import UnknownExperiment, all_experiments, find_experiment
from sandbox.ui import controls, run_lines, setup, words
from sandbox.ui.context import laboratory

log = logging.getLogger(__name__)

PER_PAGE = 10
NOTE_LENGTH = 2000
SEARCH, EXPERIMENT, ENDING, PREDICTED, PAGE = "runs_search", "runs_experiment", "runs_ending", "runs_predicted", "runs_page"  # widgets
# Session state: the first of two runs to compare; the run whose note or link is open; why its note was not kept; what was
# deleted last; where a click leads.
CHOSEN, OPENED, REFUSED, DELETED, GOING = "runs_chosen", "runs_opened", "runs_refused", "runs_deleted", "runs_going"
Arguments = ParamSpec("Arguments")


@dataclass(frozen=True)
class Deleted:
    """A run that has just been deleted: where it stood on the page, and what it was."""

    run_id: str
    place: int
    told: str


def runs() -> None:
    """The whole page."""
    if GOING in st.session_state:  # before anything is drawn, so that a second click still carries the first one's token
        st.switch_page(controls.LAB, query_params=st.session_state.pop(GOING))
    st.title("Runs", anchor=False)
    everything, _ = laboratory().history({}, 0, 0)
    if not everything and DELETED not in st.session_state:
        st.markdown("No experiment has run yet. Every run you start in the lab is kept here, with what you predicted and what it showed.")
        st.page_link(controls.LAB, label="Open the lab", icon=":material/science:")
        return
    setup.show_error()
    wanted = _show_search()
    found, rows = _page_of(wanted)
    _show_count(found, everything)
    zone = _local_zone()
    deleted: Deleted | None = st.session_state.get(DELETED)
    for number, facts in enumerate(rows):
        if deleted is not None and number == deleted.place:
            _show_deleted(deleted)
        _show_run(number, facts, zone)
    if deleted is not None and deleted.place >= len(rows):
        _show_deleted(deleted)
    if found > PER_PAGE:
        with st.container(horizontal_alignment="center"):
            st.pagination(_pages(found), key=PAGE, persist_state="session", on_change=_forget_deleted)


def _local_zone() -> tzinfo:
    """The browser's time zone; UTC when it names none that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _careful(click: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A click's callback: says so when the store refuses, and changes nothing then."""

    @wraps(click)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            click(*args, **kwargs)
        except Exception:  # the store may be locked or full
            log.exception("a click on the page of runs failed")
            st.session_state[setup.ERROR] = "That could not be stored, so nothing was changed. Try again in a moment."

    return guarded


# --- Searching --------------------------------------------------------------------------------------------------


def _show_search() -> dict[str, object]:
    """The search, or while two runs are being chosen what they must have in common; gives what is wanted of the store."""
    experiments = all_experiments()
    chosen = st.session_state.get(CHOSEN)
    if chosen is not None:
        with st.container(border=True, key="runs_comparing", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f":material/compare_arrows: **Compare** {chosen['told']} with which other run of this experiment?", width="stretch")
            st.button("Stop comparing", key="runs_compare_end", type="tertiary", icon=":material/close:", on_click=_stop_comparing)
        return {
            "experiment": chosen["experiment"],
            "endings": [one for name in ("Supported", "Contradicted", "Inconclusive") for one in run_lines.ENDINGS[name]],
        }
    text = st.text_input(
        "Search", key=SEARCH, type="search", placeholder="Title, verdict or your notes",
        label_visibility="collapsed", icon=":material/search:", on_change=_first_page, persist_state="session",
    )  # fmt: skip
    with st.grid(3, min_column_width=160, gap="small"):
        titles = {one.id: f"{one.number} · {one.title}" for one in experiments.values()}
        experiment = _filter("Experiment", list(titles), EXPERIMENT, titles.__getitem__)
        ending = _filter("Ending", list(run_lines.ENDINGS), ENDING)
        predicted = _filter("Prediction", list(run_lines.PREDICTED), PREDICTED)
    return run_lines.wanted(experiments.values(), text or "", experiment, ending, predicted)


def _filter(label: str, options: list[str], key: str, format_func: Callable[[Any], str] = str) -> str | None:
    return st.selectbox(
        label, options, index=None, key=key, format_func=format_func, placeholder=f"Any {label.lower()}", label_visibility="collapsed",
        on_change=_first_page, persist_state="session",
    )  # fmt: skip


def _first_page() -> None:
    st.session_state[PAGE] = 1
    _forget_deleted()


def _forget_deleted() -> None:
    st.session_state.pop(DELETED, None)


def _stop_comparing() -> None:
    st.session_state.pop(CHOSEN, None)
    _first_page()


def _page_of(wanted: Mapping[str, object]) -> tuple[int, list[Mapping[str, Any]]]:
    """How many runs are found, and those of the page that is turned to; the last one when there are fewer pages by now."""
    page = max(1, int(st.session_state.get(PAGE) or 1))
    found, rows = laboratory().history(wanted, (page - 1) * PER_PAGE, PER_PAGE)
    if page > _pages(found):
        page = st.session_state[PAGE] = _pages(found)
        found, rows = laboratory().history(wanted, (page - 1) * PER_PAGE, PER_PAGE)
    return found, list(rows)


def _pages(found: int) -> int:
    return max(1, -(-found // PER_PAGE))


def _show_count(found: int, everything: int) -> None:
    if found == everything:
        st.caption(words.count(everything, "run") + ", the newest first")
    elif found:
        st.caption(f"{found:,} of {words.count(everything, 'run')}, the newest first")
    else:
        st.markdown(f"None of your {words.count(everything, 'run')} fits.")
        if CHOSEN not in st.session_state:
            st.button("Show all", key="runs_all", icon=":material/filter_alt_off:", on_click=_show_all)


def _show_all() -> None:
    st.session_state[SEARCH] = ""
    for key in (EXPERIMENT, ENDING, PREDICTED):
        st.session_state[key] = None
    _first_page()


# --- One run ----------------------------------------------------------------------------------------------------


def _show_run(number: int, facts: Mapping[str, Any], zone: tzinfo) -> None:
    """A card: what was run, how it ended, what was predicted, the note, and what can be done."""
    experiment = _experiment(facts)
    try:
        verdict, unreadable = read_verdict(facts), ""
    except UnreadableRecord as error:
        verdict, unreadable = None, str(error)
    icon, colour, word = run_lines.ending(facts, verdict)
    title = experiment.title if experiment else words.escape(str(facts["experiment"]))
    at = datetime.fromisoformat(facts["started_at"]).astimezone(zone)
    told = f"*{title}*, {at.day} {at:%B, %H:%M}"
    with st.container(border=True, gap="xsmall", key=f"runs_run_{number}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="xxsmall"):
            st.markdown(f":{colour}[{icon} **{word}**] · **{title}**", width="content")
            st.markdown(f":small[{at.day} {at:%B %Y, %H:%M}]", width="content")
        if verdict is not None:
            st.markdown(run_lines.verdict_line(verdict))
        if unreadable or facts["error"]:
            st.markdown(words.escape(unreadable) if unreadable else run_lines.why(experiment, facts))
        if experiment is None:
            st.caption("Its experiment no longer exists.")
        else:
            st.markdown(run_lines.prediction_line(experiment, facts, verdict))
            st.caption(run_lines.set_up(experiment, facts))
        _show_note(number, facts)
        _show_actions(number, facts, experiment, judged=verdict is not None, told=told)


def _experiment(facts: Mapping[str, Any]) -> Experiment | None:
    try:
        return find_experiment(facts["experiment"])
    except UnknownExperiment:
        return None


def _show_actions(number: int, facts: Mapping[str, Any], experiment: Experiment | None, *, judged: bool, told: str) -> None:
    run_id, over = facts["run_id"], facts["ended_at"] is not None
    chosen = st.session_state.get(CHOSEN)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"runs_actions_{number}"):
        if chosen is not None and experiment is not None:
            _show_choice(number, experiment, run_id, chosen["run"])
            return
        if experiment is not None:
            st.page_link(controls.LAB, label="Open", icon=":material/open_in_new:", query_params={"experiment": experiment.id, "run": run_id})
        _action(number, "Edit note" if facts["note"] else "Note", "edit_note", _open, "note", run_id)
        if experiment is not None and over:
            _action(number, "Same seeds again", "replay", _repeat, experiment, facts, uuid.uuid4().hex)
        if experiment is not None and judged:
            _action(number, "Compare", "compare_arrows", _choose, run_id, experiment.id, told)
        if experiment is not None:
            _action(number, "Link", "link", _open, "link", run_id)
        if over:
            _action(number, "Delete", "delete", _delete, Deleted(run_id, number, told))
        else:
            st.caption("To delete it, open it and cancel it first.")
    if st.session_state.get(OPENED) == ("link", run_id) and experiment is not None:
        st.caption("This address opens the lab with these settings and seeds, here or in another Carousel. Your prediction is not in it.")
        st.code(run_lines.lab_link(st.context.url or "/runs", experiment, facts), language=None, wrap_lines=True)


def _action(number: int, label: str, icon: str, click: Callable[..., None], *args: object) -> None:
    name = label.split()[-1].lower()
    st.button(label, key=f"runs_{name}_{number}", icon=f":material/{icon}:", type="tertiary", on_click=click, args=args)


def _show_choice(number: int, experiment: Experiment, run_id: str, chosen: str) -> None:
    if run_id == chosen:
        st.caption("The run to compare.")
        return
    address = {"experiment": experiment.id, "run": chosen, "compare": run_id}
    st.button("Compare with this run", key=f"runs_with_{number}", icon=":material/compare_arrows:", on_click=_compare, args=(address,))


def _compare(address: dict[str, str]) -> None:
    st.session_state[GOING] = address
    _stop_comparing()


def _choose(run_id: str, experiment_id: str, told: str) -> None:
    st.session_state[CHOSEN] = {"run": run_id, "experiment": experiment_id, "told": told}
    _first_page()


@_careful
def _repeat(experiment: Experiment, facts: Mapping[str, Any], token: str) -> None:
    run_id = setup.launch(experiment, run_lines.values(experiment, facts), None, token, repeats=facts["run_id"])
    if run_id is not None:
        st.session_state[GOING] = {"experiment": experiment.id, "run": run_id}


def _open(what: str, run_id: str) -> None:
    """Open the note or the link of one run, closing any other; the same again closes it."""
    st.session_state[OPENED] = None if st.session_state.get(OPENED) == (what, run_id) else (what, run_id)


# --- Notes and deletion -----------------------------------------------------------------------------------------


def _show_note(number: int, facts: Mapping[str, Any]) -> None:
    run_id = facts["run_id"]
    if st.session_state.get(OPENED) != ("note", run_id):
        if facts["note"]:
            with st.container(horizontal=True, wrap=False, gap="small", key=f"runs_noted_{number}"):
                st.markdown(":material/edit_note:", width="content")
                st.text(facts["note"], width="stretch")
        return
    key = f"runs_text_{run_id}"
    # No limit of the field's own: it would throw away without a word all of a text that is longer.
    st.text_area(f"Your note, up to {NOTE_LENGTH:,} characters", facts["note"], key=key, height=120, placeholder="What you changed and why, what surprised you")
    if REFUSED in st.session_state:
        st.warning(st.session_state.pop(REFUSED), icon=":material/edit:")
    with st.container(horizontal=True, gap="small"):
        st.button("Save", key="runs_save", type="primary", icon=":material/check:", on_click=_save_note, args=(run_id, key))
        st.button("Leave it as it was", key="runs_leave", type="tertiary", on_click=_open, args=("note", run_id))


@_careful
def _save_note(run_id: str, key: str) -> None:
    text = (st.session_state.get(key) or "").strip()
    if len(text) > NOTE_LENGTH:
        st.session_state[REFUSED] = (
            f"Not saved yet: a note has at most {NOTE_LENGTH:,} characters, and this one has {len(text):,}. Shorten it and save it again."
        )
    elif laboratory().note(run_id, text):
        st.session_state[OPENED] = None
    else:
        st.session_state[setup.ERROR] = "This run was deleted meanwhile, so the note was not kept."


@_careful
def _delete(run: Deleted) -> None:
    if laboratory().delete(run.run_id):
        st.session_state[DELETED] = run
    else:
        st.session_state[setup.ERROR] = "This run was not deleted: it was deleted already, or it is still being stored. Try again in a moment."


def _show_deleted(deleted: Deleted) -> None:
    with st.container(border=True, key="runs_deleted", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"Deleted: {deleted.told}.", width="stretch")
        st.button("Undo", key="runs_undo", icon=":material/undo:", on_click=_undo)


@_careful
def _undo() -> None:
    deleted = st.session_state.pop(DELETED, None)
    if deleted is not None and not laboratory().restore(deleted.run_id):
        st.session_state[setup.ERROR] = "It is too late to undo this: the run is gone for good."
