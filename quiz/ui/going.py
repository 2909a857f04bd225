"""Going to another page by a button, by a double click too."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import NoReturn

import streamlit as st

LEFT_FOR = "left_for"
SECOND_CLICK_S = 0.7  # the second half of a double click comes sooner, and nobody turns back in less


def go_to(page: str) -> NoReturn:
    """Leave for the page of this script."""
    st.session_state[LEFT_FOR] = (page, monotonic())
    st.switch_page(page)


def go_on_after_a_double_click(url_path: str) -> None:
    """Before the page at `url_path` is drawn: a second click belongs to the page that the first has just left, and leads back there."""
    page, left_at = st.session_state.get(LEFT_FOR, ("", 0.0))
    if page and Path(page).stem != url_path:
        del st.session_state[LEFT_FOR]
        if monotonic() - left_at < SECOND_CLICK_S:
            st.switch_page(page)
