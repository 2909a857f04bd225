"""Your data: take it out in several forms, and bring a file in after seeing what it would add."""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import partial

import streamlit as st

from quiz.service import Merged, UnusableFile
from quiz.service.datafile import MAX_BYTES
from quiz.telling import OnProgress
from quiz.ui import context
from quiz.ui.components import PROFILES
from quiz.ui.progress import day_and_time, local_zone
from quiz.ui.text import as_text, counted
from quiz.ui.waiting import do_under_bar

# Session state: what was added; which uploader; the file previewed last; that it is to be added now.
TOLD, ROUND, SEEN, ADDING = "data_told", "data_round", "data_seen", "data_adding"


def your_data() -> None:
    """The whole page."""
    st.title("Your data", anchor=False)
    st.markdown("All you answer and all you run stays in one file on this machine. Here you take it out, for yourself or for another machine, and bring it in.")
    quiz = context.quiz()
    now = quiz.clock()
    view = quiz.service.progress(quiz.learner, now, local_zone())
    holds = [counted(number, word) for number, word in ((view.attempts, "answer"), (view.run_count, "run")) if number]
    st.markdown(
        f"What follows belongs to the profile **{as_text(quiz.profiles.names[quiz.learner])}**." + (f" It holds {' and '.join(holds)}." if holds else "")
    )
    st.page_link(PROFILES, label="Profiles, and a backup of all", icon=":material/person:")
    _take_out(now, view.attempts, view.run_count)
    _bring_in(now, local_zone())


# --- Out --------------------------------------------------------------------------------------------------------


def _take_out(now: datetime, answers: int, runs: int) -> None:
    st.subheader("Take it out", anchor=False)
    if not answers and not runs:
        st.caption("Nothing has been answered here yet, so the files would be empty. The Anki cards need no answers.")
    day = now.astimezone(local_zone()).strftime("%Y-%m-%d")
    with st.grid(2, min_column_width=280, gap="small"):
        _everything(now, day)
        _tables(day)
        _anki(now)
        _report(now, day)


def _everything(now: datetime, day: str) -> None:
    data = context.quiz().data  # now: a download is made outside the visit, where nobody would know whose it is
    with st.container(border=True, height="stretch", gap="small"):
        st.markdown("**Everything, to bring back**")
        st.markdown(
            "Every answer with the exact words it was given to, every run with prediction, verdict and note, in one JSON file, to go on with elsewhere."
        )
        st.download_button(
            "Download everything",
            lambda: data.json(now),
            file_name=f"carousel-{day}.json",
            mime="application/json",
            key="data_json",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
        )


def _tables(day: str) -> None:
    data = context.quiz().data
    with st.container(border=True, height="stretch", gap="small"):
        st.markdown("**Tables**")
        st.markdown("Answers and runs as two CSV tables in a zip, for a spreadsheet or a script. Times are in UTC.")
        st.download_button(
            "Download tables",
            data.tables,
            file_name=f"carousel-{day}-tables.zip",
            mime="application/zip",
            key="data_tables",
            icon=":material/table:",
            on_click="ignore",
        )


def _anki(now: datetime) -> None:
    quiz = context.quiz()
    weak = quiz.data.weak_spots(now)
    with st.container(border=True, height="stretch", gap="small"):
        st.markdown("**Anki cards**")
        st.markdown("The items as cards, formulas and code included. Import a newer package and Anki updates its cards; your schedule there is kept.")
        with st.container(horizontal=True, gap="small"):
            st.download_button(
                f"All {len(quiz.bank.items)} items",
                lambda: quiz.data.anki(now),
                file_name="carousel.apkg",
                mime="application/octet-stream",
                key="data_anki",
                icon=":material/style:",
                on_click="ignore",
            )
            st.download_button(
                f"Weak spots ({len(weak)})",
                lambda: quiz.data.anki(now, weak=True),
                file_name="carousel-weak-spots.apkg",
                mime="application/octet-stream",
                key="data_anki_weak",
                icon=":material/target:",
                disabled=not weak,
                help="The items of the questions that you have tried and master below 60%.",
                on_click="ignore",
            )


def _report(now: datetime, day: str) -> None:
    quiz, zone = context.quiz(), local_zone()
    with st.container(border=True, height="stretch", gap="small"):
        st.markdown("**A page to print**")
        st.markdown("Where you stand: mastery of every question with its range, strongest and weakest, activity, predictions against outcomes.")
        st.download_button(
            "Download the report",
            lambda: quiz.data.report(now, zone, quiz.experiment_title, quiz.outcome_text),
            file_name=f"carousel-{day}-report.html",
            mime="text/html",
            key="data_report",
            icon=":material/print:",
            on_click="ignore",
        )


# --- In ---------------------------------------------------------------------------------------------------------


def _bring_in(now: datetime, zone: tzinfo) -> None:
    st.subheader("Bring it in", anchor=False)
    st.markdown("A file from *Download everything* is merged: what is here stays, what is new is added. Nothing happens before you have seen what.")
    told = st.session_state.pop(TOLD, None)
    if isinstance(told, Merged):
        st.success(_taken_in(told), title="Taken in", icon=":material/check_circle:")
    elif isinstance(told, UnusableFile):
        _refused(told)
    number = st.session_state.setdefault(ROUND, 0)
    file = st.file_uploader("A learner's file (JSON)", type=["json"], key=f"data_file_{number}", max_upload_size=MAX_BYTES // 2**20)
    adding = st.session_state.pop(ADDING, None)
    if file is None:
        return
    if adding == file.file_id:
        do_under_bar(partial(_merge, file.getvalue()), "Reading the file")
    try:
        preview = _preview(file, now)
    except UnusableFile as error:
        _refused(error)
        return
    _offer(preview, zone)


def _preview(file: st.runtime.uploaded_file_manager.UploadedFile, now: datetime) -> Merged:
    """What the file would add; worked out once a file."""
    seen = st.session_state.get(SEEN)
    if seen is None or seen[0] != file.file_id:
        with st.spinner("Reading the file …"):
            try:
                found: Merged | UnusableFile = context.quiz().data.preview(file.getvalue(), now)
            except UnusableFile as error:
                found = error
        seen = st.session_state[SEEN] = (file.file_id, found)
    if isinstance(seen[1], UnusableFile):
        raise seen[1]
    return seen[1]


def _offer(preview: Merged, zone: tzinfo) -> None:
    quiz = context.quiz()
    with st.container(border=True, key="data_preview", gap="small"):
        st.markdown(f"**{_added(preview)}**" if preview.adds_something else "**Nothing new: all of it is here already.**")
        known = " and ".join(
            counted(number, word) for number, word in ((preview.answers_known, "answer"), (preview.runs_known, "run")) if number and preview.adds_something
        )
        for sentence in _about_deletions(preview):
            st.markdown(sentence)
        between = (
            f"Given {day_and_time(preview.first.astimezone(zone))} to {day_and_time(preview.last.astimezone(zone))}." if preview.first and preview.last else ""
        )
        st.markdown(" ".join(part for part in (f"{known} of the file {_are(preview)} here already." if known else "", between) if part))
        others = f" It would be added to the profile “{as_text(quiz.profiles.names[quiz.learner])}”." if len(quiz.profiles.names) > 1 else ""
        st.caption(f"The file of “{as_text(preview.learner)}”, made {day_and_time(preview.exported_at.astimezone(zone))}.{others}")
        if preview.adds_something:
            st.button("Add to what is here", key="data_merge", type="primary", icon=":material/add:", on_click=_ask_to_merge)


def _are(preview: Merged) -> str:
    return "is" if preview.answers_known + preview.runs_known == 1 else "are"


def _added(merged: Merged) -> str:
    parts = [counted(number, word) for number, word in ((merged.answers, "new answer"), (merged.runs, "new run"), (merged.notes, "newer note")) if number]
    return ", ".join(parts[:-1]) + (" and " if parts[1:] else "") + parts[-1] if parts else "Nothing new"


def _taken_in(merged: Merged) -> str:
    added = f"{_added(merged)}. They count as if they had been given here."
    return f"{added} Deleted, as there: {counted(merged.runs_deleted, 'run')}." if merged.runs_deleted else added


def _about_deletions(merged: Merged) -> list[str]:
    """What becomes of runs that were deleted here or there."""
    told = []
    if merged.runs_deleted:
        told.append(f":material/delete: {counted(merged.runs_deleted, 'run')} that you deleted there will be deleted here too.")
    if merged.runs_kept_out:
        told.append(
            f"{counted(merged.runs_kept_out, 'run')} of the file {'was' if merged.runs_kept_out == 1 else 'were'} deleted since, and will not come back."
        )
    return told


def _ask_to_merge() -> None:
    file = st.session_state.get(f"data_file_{st.session_state[ROUND]}")
    st.session_state[ADDING] = None if file is None else file.file_id


def _merge(content: bytes, on_progress: OnProgress) -> None:
    quiz = context.quiz()
    try:
        st.session_state[TOLD] = quiz.data.merge(content, quiz.clock(), on_progress)
    except UnusableFile as error:
        st.session_state[TOLD] = error
    st.session_state[ROUND] += 1  # an empty uploader


def _refused(error: UnusableFile) -> None:
    st.error("This file was not taken in, and nothing was changed:", icon=":material/error:")
    # As code: what the file holds is shown as it is, whatever characters it has.
    st.code("\n".join(error.problems), language=None, wrap_lines=True)
    st.caption("Download the file once more where it came from. A copy that was cut short or edited on the way cannot be trusted.")
