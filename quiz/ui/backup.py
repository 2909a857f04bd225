"""Backup and restore on the page of profiles: everything into one file, and such a file in the place of everything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import partial

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from quiz.service import DatabaseUnusable, RunsUnderWay, UnusableBackup
from quiz.service.backup import MAX_BYTES
from quiz.telling import OnProgress
from quiz.ui import context
from quiz.ui.text import as_text, counted
from quiz.ui.waiting import do_under_bar
from quiz.views import Profile

TOLD = "backup_told"  # session state: what a restore did, or why it did nothing
# The box to tick; the file looked into last, and what it holds; that it is to be restored now; that it has been.
SURE, SEEN, RESTORING, RESTORED = "restore_sure", "restore_seen", "restore_now", "restore_done"


def show_backup(profiles: Sequence[Profile], zone: tzinfo) -> None:
    """The section."""
    st.subheader("Back up everything", anchor=False)
    backups, now = context.quiz().backups, context.quiz().clock()
    st.markdown("A backup is the whole database in one file, every profile included. It can be made at any time, also while somebody is practising.")
    st.download_button(
        "Download a backup",
        backups.make,
        file_name=f"carousel-backup-{now.astimezone(zone):%Y-%m-%d}.db",
        mime="application/vnd.sqlite3",
        key="backup",
        icon=":material/download:",
        on_click="ignore",
    )
    st.subheader("Restore a backup", anchor=False)
    st.markdown("A backup takes the place of **everything** here. You see what it holds before anything happens, and a copy of what is here now is kept.")
    show_told()
    file = st.file_uploader("A backup", type=["db"], key="restore_file", max_upload_size=MAX_BYTES // 2**20)
    restoring = st.session_state.pop(RESTORING, None)
    if file is None:
        return
    if restoring == file.file_id:
        do_under_bar(partial(_restore, file), "Checking the backup")
    found = _look_into(file)
    if isinstance(found, UnusableBackup):
        st.error(
            f"This file cannot be restored, and nothing was changed. {as_text(str(found))} Choose a file that *Download a backup* gave.",
            icon=":material/error:",
        )
        return
    _offer(found, profiles)


def _look_into(file: UploadedFile) -> tuple[Profile, ...] | UnusableBackup:
    """What the file holds; worked out once a file."""
    seen = st.session_state.get(SEEN)
    if seen is None or seen[0] != file.file_id:
        with st.spinner("Checking the file …"):
            try:
                found: tuple[Profile, ...] | UnusableBackup = context.quiz().backups.look_into(file.getvalue())
            except UnusableBackup as error:
                found = error
        seen = st.session_state[SEEN] = (file.file_id, found)
    return seen[1]


def _offer(found: Sequence[Profile], here: Sequence[Profile]) -> None:
    with st.container(border=True, key="restore_preview", gap="small"):
        st.markdown(f"**The backup holds {in_words(found)}.**\n\nHere now: {in_words(here)}.")
        sure = st.checkbox("Replace everything here with the backup", key=SURE)
        st.button("Restore", key="restore", type="primary", icon=":material/settings_backup_restore:", disabled=not sure, on_click=_ask_to_restore)


def in_words(profiles: Sequence[Profile]) -> str:
    """`2 profiles: Ada (124 answers, 3 runs) and Ben (no answers)`."""
    each = [
        f"{as_text(one.name)} ({counted(one.answers, 'answer') if one.answers else 'no answers'}{', ' + counted(one.runs, 'run') if one.runs else ''})"
        for one in profiles
    ]
    return f"{counted(len(each), 'profile')}: {', '.join(each)}"


def _ask_to_restore() -> None:
    file = st.session_state.get("restore_file")
    if file is not None and st.session_state.get(SURE) and st.session_state.get(RESTORED) != file.file_id:  # not for the second half of a double click
        st.session_state[RESTORING] = file.file_id


def _restore(file: UploadedFile, on_progress: OnProgress) -> None:
    quiz = context.quiz()
    try:
        done = quiz.backups.restore(file.getvalue(), quiz.clock(), on_progress)
    except (UnusableBackup, RunsUnderWay) as error:
        st.session_state[TOLD] = ("error", as_text(str(error)))
    except DatabaseUnusable as error:
        st.session_state[TOLD] = ("error", as_text(f"Nothing was restored: {error.what}. What to do: {error.remedy}."))
    else:
        st.session_state.clear()  # whoever was here is nobody now
        st.session_state[RESTORED] = file.file_id
        st.session_state[TOLD] = ("success", f"Restored: {in_words(done.profiles)}. What was here before is kept as {as_text(str(done.kept))}.")


def show_told() -> None:
    """What the last restore did, once."""
    told = st.session_state.pop(TOLD, None)
    if told is not None:
        (st.success if told[0] == "success" else st.error)(told[1], icon=f":material/{'check_circle' if told[0] == 'success' else 'error'}:")
