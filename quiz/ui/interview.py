"""The interview: setting its date, changing it, and asking afterwards how it went."""

from __future__ import annotations

from datetime import date, timedelta

import streamlit as st

from quiz.service import InvalidInterview, NoInterview
from quiz.ui import context
from quiz.ui.progress import local_zone
from quiz.ui.text import counted, duration, long_day
from quiz.ui.unusable import careful_click
from quiz.views import InterviewView, Went

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
USUAL_DAYS_AHEAD, USUAL_MINUTES = 14, 20
WENT: dict[Went, str] = {"well": "It went well", "mixed": "So-so", "badly": "Not well", "not held": "It did not take place"}
REPLIES: dict[Went | None, str] = {
    "well": "Good to hear, and well earned.",
    "mixed": "That is how most interviews go. Whatever stuck in your mind is a good place to begin next time.",
    "badly": "Sorry to hear that. One interview says little about you, and what you have learnt stays with you.",
    "not held": "Then nothing is lost: everything you know is still here.",
    None: "All right. Everything you know is still here.",
}


# --- Setting it -------------------------------------------------------------------------------------------------


def interview_form(today: date, current: InterviewView | None) -> None:
    """Date, minutes a day and days off; what cannot be is refused with the reason, and nothing changes."""
    with st.form("interview", border=True):
        st.markdown("**When is your interview?** The plan then fits the days that are left." if current is None else "**Your interview**")
        with st.grid(2, min_column_width=200, gap="small"):
            st.date_input("Date", value=current.day if current else today + timedelta(days=USUAL_DAYS_AHEAD), key="interview_day", format="YYYY-MM-DD")
            st.number_input("Minutes a day", value=current.minutes if current else USUAL_MINUTES, step=5, key="interview_minutes")
        st.pills("Days off", range(7), selection_mode="multi", default=current.days_off if current else (), format_func=_short, key="interview_off")
        problem = st.session_state.get("interview_problem")
        if problem:
            st.error(problem, icon=":material/edit_calendar:")
        label = "Make a plan" if current is None else "Save"
        st.form_submit_button(label, key="interview_save", type="secondary" if current is None else "primary", icon=":material/event:", on_click=_save)
    if current is not None:
        with st.container(horizontal=True):
            st.button("Leave it as it is", key="interview_leave", type="tertiary", on_click=_edit, args=(False,))
            st.button(
                "There is no interview any more", key="interview_remove", type="tertiary", icon=":material/event_busy:", on_click=_close, args=("not held",)
            )


def _short(weekday: int) -> str:
    return WEEKDAYS[weekday][:3]


def _edit(editing: bool) -> None:
    st.session_state.interview_editing = editing
    st.session_state.interview_problem = None


@careful_click
def _save() -> None:
    quiz, chosen = context.quiz(), st.session_state
    day, minutes = chosen.get("interview_day"), chosen.get("interview_minutes")
    if not isinstance(day, date) or minutes is None:
        chosen.interview_problem = "Nothing was changed: give the date of the interview and the minutes a day."
        return
    try:
        quiz.service.adaptive.set_interview(quiz.learner, day, int(minutes), quiz.clock(), local_zone(), tuple(chosen.get("interview_off") or ()))
    except InvalidInterview as error:
        chosen.interview_problem = f"Nothing was changed: {error}."
        return
    _edit(False)
    chosen.interview_reply = None


# --- While it lies ahead ----------------------------------------------------------------------------------------


def interview_line(view: InterviewView) -> None:
    """The date in words, with the way to change it; the form while it is being changed."""
    today = context.quiz().clock().astimezone(local_zone()).date()
    if st.session_state.get("interview_editing"):
        interview_form(today, view)
        return
    off = f", {' and '.join(f'{WEEKDAYS[one]}s' for one in view.days_off)} off" if view.days_off else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":material/event: {long_day(view.day, today)}, {duration(view.minutes)} a day{off}.", width="content")
        st.button("Change", key="interview_change", type="tertiary", icon=":material/edit_calendar:", on_click=_edit, args=(True,))


# --- Afterwards -------------------------------------------------------------------------------------------------


def ask_how_it_went(view: InterviewView) -> None:
    """After the day: one question, which need not be answered."""
    with st.container(border=True, gap="small", key="how_it_went"):
        st.markdown(f"#### How did your interview go on {view.day.day} {view.day:%B}?", anchors=False)
        st.markdown("Only you see this. Then you can set the next one, or simply go on practising.")
        with st.container(horizontal=True, gap="small"):
            for place, (went, label) in enumerate(WENT.items(), start=1):
                st.button(label, key=f"went_{place}", on_click=_close, args=(went,))
            st.button("Rather not say", key="went_untold", type="tertiary", on_click=_close, args=(None,))


@careful_click
def _close(went: Went | None) -> None:
    quiz = context.quiz()
    _edit(False)
    try:
        quiz.service.adaptive.close_interview(quiz.learner, went, quiz.clock())
    except NoInterview:  # another tab was faster
        return
    st.session_state.interview_reply = REPLIES[went]


def reply() -> None:
    """A word on how it went, until the next interview is set."""
    said = st.session_state.get("interview_reply")
    if said:
        st.success(said, icon=":material/favorite:")


def days_left_in_words(days: int) -> str:
    """`Today`, `Tomorrow`, `12 days`."""
    return "Today" if days == 0 else "Tomorrow" if days == 1 else counted(days, "day")
