"""Backup and restore on the page of profiles: everything into one file, and such a file in the place of everything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import streamlit as st

from quiz.service import DatabaseUnusable, RunsUnderWay, UnusableBackup
from quiz.service.backup import MAX_BYTES
from quiz.ui import context
from quiz.ui.text import as_text, counted
from quiz.ui.unusable import careful_click
from quiz.views import Profile

TOLD = "backup_told"  # session state: what a restore did, or why it did nothing
SURE, SEEN = "restore_sure", "restore_seen"  # the box to tick; the file looked into last, and what it holds


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
    if file is None:
        return
    found = _look_into(file)
    if isinstance(found, UnusableBackup):
        st.error(
            f"This file cannot be restored, and nothing was changed. {as_text(str(found))} Choose a file that *Download a backup* gave.",
            icon=":material/error:",
        )
        return
    _offer(found, profiles)


def _look_into(file: st.runtime.uploaded_file_manager.UploadedFile) -> tuple[Profile, ...] | UnusableBackup:
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
        st.button("Restore", key="restore", type="primary", icon=":material/settings_backup_restore:", disabled=not sure, on_click=_restore)


def in_words(profiles: Sequence[Profile]) -> str:
    """`2 profiles: Ada (124 answers, 3 runs) and Ben (no answers)`."""
    each = [
        f"{as_text(one.name)} ({counted(one.answers, 'answer') if one.answers else 'no answers'}{', ' + counted(one.runs, 'run') if one.runs else ''})"
        for one in profiles
    ]
    return f"{counted(len(each), 'profile')}: {', '.join(each)}"


@careful_click
def _restore() -> None:
    file, quiz = st.session_state.get("restore_file"), context.quiz()
    if file is None or not st.session_state.get(SURE):
        return
    try:
        done = quiz.backups.restore(file.getvalue(), quiz.clock())
    except (UnusableBackup, RunsUnderWay) as error:
        st.session_state[TOLD] = ("error", as_text(str(error)))
    except DatabaseUnusable as error:
        st.session_state[TOLD] = ("error", as_text(f"Nothing was restored: {error.what}. What to do: {error.remedy}."))
    else:
        st.session_state.clear()  # whoever was here is nobody now
        st.session_state[TOLD] = ("success", f"Restored: {in_words(done.profiles)}. What was here before is kept as {as_text(str(done.kept))}.")


def show_told() -> None:
    """What the last restore did, once."""
    told = st.session_state.pop(TOLD, None)
    if told is not None:
        (st.success if told[0] == "success" else st.error)(told[1], icon=f":material/{'check_circle' if told[0] == 'success' else 'error'}:")
