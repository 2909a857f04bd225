"""The list of what the keyboard can do: a button at the foot of every page, and the key ? anywhere on it.

The list is one for all pages, so that it is true wherever it is opened. A test compares it with the shortcuts in the code.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

SCRIPT = (Path(__file__).parent / "assets" / "keys.js").read_text(encoding="utf-8")
SHORTCUTS: dict[str, dict[str, str]] = {
    "On every page": {
        "?": "shows this list",
        "Tab, Shift + Tab": "go to the next or the previous control; an outline shows where you are",
        "Enter, Space": "press the button or open the link where you are",
        "Esc": "closes a list or a menu",
    },
    "Today, practice, diagnostic": {"S": "starts or goes on, where a button carries the letter"},
    "While answering": {
        "Enter": "presses the button that carries its name: check the answer",
        "1 to 9": "choose an option; with several right, a second time lets it go; with steps, in the order pressed",
        "Backspace": "takes the last step back",
        "→": "leaves the feedback for the next question or the summary",
    },
    "In the lab": {
        "↑, ↓": "choose among the predictions, once you are there",
        "Alt + L": "locks in the prediction and runs",
    },
}


def offer_shortcuts() -> None:
    """The button, and the script that lets ? press it."""
    with st.container(key="foot", horizontal=True, horizontal_alignment="center"):
        if st.button("Keyboard shortcuts (?)", key="shortcuts", type="tertiary", icon=":material/keyboard:"):
            _show_shortcuts()
        st.html(f"<script>{SCRIPT}</script>", width="content", unsafe_allow_javascript=True)


@st.dialog("Keyboard shortcuts", width="medium")
def _show_shortcuts() -> None:
    for place, keys in SHORTCUTS.items():
        rows = "\n".join(f"| **{key}** | {action} |" for key, action in keys.items())
        st.markdown(f"**{place}**\n\n| Key | What it does |\n|:--|:--|\n{rows}")
    st.caption("While you type in a field, letters, digits and ? belong to the field.")
