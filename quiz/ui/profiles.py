"""Profiles: the question who is practising, and the page where they are added, renamed, deleted and backed up."""

from __future__ import annotations

from datetime import tzinfo

import streamlit as st

from quiz.service import InvalidName, NotConfirmed, UnknownLearner
from quiz.ui import context, visitors
from quiz.ui.backup import show_backup, show_told
from quiz.ui.progress import local_zone
from quiz.ui.text import as_text, counted
from quiz.ui.unusable import careful_click, careful_drawing
from quiz.views import Profile

TOLD = "profiles_told"  # session state: what the last click did, or why it did nothing: kind, text, and where it is told
NEW = "profile_new_name"
LONGEST_TITLE = 18  # of a page in the navigation


def page_title() -> tuple[str, bool]:
    """What the navigation calls the page: the name of who practises; and whether it is shown, as it is where there is a choice."""
    names = context.profiles().names
    name = names[context.quiz().learner]
    return (name if len(name) <= LONGEST_TITLE else f"{name[: LONGEST_TITLE - 1]}…"), len(names) > 1


# --- Who is practising? -----------------------------------------------------------------------------------------


@careful_drawing
def ask_who_is_practising() -> None:
    """In the place of every page while this browser session is nobody's."""
    st.title("Who is practising?", anchor=False)
    _tell()
    show_told()
    why = visitors.why_asked(context.profiles())
    if why:
        st.info(why, icon=":material/person_off:")
    zone = local_zone()
    with st.container(key="profile_choice", gap="small"):
        for profile in context.profiles().all():
            st.button(
                f"**{as_text(profile.name)}** · {holds(profile, zone)}",
                key=f"profile_{profile.id}",
                icon=":material/person:",
                width="stretch",
                on_click=_choose,
                args=(profile.id,),
            )
    _offer_new("Somebody new", choose=True)


@careful_click
def _choose(learner: int) -> None:
    visitors.choose(learner)


def holds(profile: Profile, zone: tzinfo) -> str:
    """How much a profile holds, in a few words."""
    if not profile.answers and not profile.runs:
        return "nothing yet"
    last = f", last on {profile.last.astimezone(zone):%-d %B %Y}" if profile.last else ""
    return f"{counted(profile.answers, 'answer')}{last}" + (f", {counted(profile.runs, 'run')}" if profile.runs else "")


# --- The page ---------------------------------------------------------------------------------------------------


def profiles_and_backup() -> None:
    """The whole page."""
    st.title("Profiles and backup", anchor=False)
    _tell()
    st.markdown(
        "Everybody who practises on this machine has a profile: answers, runs and plans are kept apart, and nobody sees those of the others. "
        "A profile is no lock, though: whoever uses this machine can choose any of them."
    )
    mine, zone = context.quiz().learner, local_zone()
    found = context.profiles().all()
    for profile in found:
        _show(profile, profile.id == mine, len(found) == 1, zone)
    _offer_new("Add a profile", choose=False)
    show_backup(found, zone)


def _show(profile: Profile, mine: bool, alone: bool, zone: tzinfo) -> None:
    with st.container(border=True, key=f"profile_row_{profile.id}", gap="small"):
        st.markdown(f"**{as_text(profile.name)}**" + (" :gray[– practising here now]" if mine and not alone else ""))
        st.caption(holds(profile, zone))
        with st.container(horizontal=True, gap="small"):
            if not mine:
                st.button("Practise", key=f"profile_{profile.id}", icon=":material/login:", on_click=_choose, args=(profile.id,))
            with st.popover("Rename"):
                _offer_rename(profile)
            with st.popover("Delete"):
                _offer_delete(profile, alone, zone)


def _offer_rename(profile: Profile) -> None:
    with st.form(f"profile_rename_{profile.id}", border=False):
        _tell(f"rename_{profile.id}")
        st.text_input("New name", value=profile.name, key=f"profile_name_{profile.id}")
        st.form_submit_button("Rename", key=f"profile_do_rename_{profile.id}", on_click=_rename, args=(profile.id,))


def _offer_delete(profile: Profile, alone: bool, zone: tzinfo) -> None:
    st.markdown(
        f"Deletes **{as_text(profile.name)}** for good: {holds(profile, zone)}, with sessions, interviews and notes. Nothing brings it back but a backup."
    )
    if alone:
        st.markdown("It is the only profile, so an empty one takes its place.")
    with st.form(f"profile_delete_{profile.id}", border=False):
        _tell(f"delete_{profile.id}")
        st.text_input("Type the name to confirm", key=f"profile_typed_{profile.id}", placeholder=profile.name)
        st.form_submit_button("Delete for good", key=f"profile_do_delete_{profile.id}", type="primary", on_click=_delete, args=(profile.id, profile.name))


def _offer_new(label: str, *, choose: bool) -> None:
    _tell("new")
    with st.form("profile_new", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(label, key=NEW, placeholder="name")
        st.form_submit_button("Start" if choose else "Add", key="profile_do_add", icon=":material/person_add:", on_click=_add, args=(choose,))


@careful_click
def _add(choose: bool) -> None:
    try:
        learner = context.profiles().add(st.session_state.get(NEW) or "")
    except InvalidName as error:
        st.session_state[TOLD] = ("error", str(error), "new")
        return
    st.session_state[NEW] = ""
    if choose:
        visitors.choose(learner)
    else:
        st.session_state[TOLD] = ("success", f"“{context.profiles().names[learner]}” is here now, with nothing yet.", "new")


@careful_click
def _rename(learner: int) -> None:
    try:
        context.profiles().rename(learner, st.session_state[f"profile_name_{learner}"])
    except (InvalidName, UnknownLearner) as error:
        st.session_state[TOLD] = ("error", str(error), f"rename_{learner}")


@careful_click
def _delete(learner: int, name: str) -> None:
    try:
        fresh = context.profiles().delete(learner, st.session_state.get(f"profile_typed_{learner}", ""))
    except NotConfirmed as error:
        st.session_state[TOLD] = ("error", str(error), f"delete_{learner}")
        return
    except UnknownLearner:  # the second half of a double click: what the first one did is told once more
        fresh = None
    if fresh is not None:
        visitors.choose(fresh)
    st.session_state[TOLD] = ("success", f"“{name}” was deleted, with everything.", "")


def _tell(place: str = "") -> None:
    told = st.session_state.get(TOLD)
    if told is not None and told[2] == place:
        del st.session_state[TOLD]
        (st.success if told[0] == "success" else st.error)(as_text(told[1]), icon=f":material/{'check_circle' if told[0] == 'success' else 'error'}:")
