"""Going to another page by a button, by a double click too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import streamlit as st

GOING = "going"
SECOND_CLICK_S = 0.7  # the second half of a double click comes sooner, and nobody turns back in less


@contextmanager
def going_to(page: str) -> Iterator[None]:
    """Do what is to be done before, then leave for the page of this script.

    The wish to go comes first: a second click interrupts the run of the first at its next call of Streamlit, perhaps before it has left.
    """
    st.session_state[GOING] = (page, None)
    try:
        yield
    except Exception:
        st.session_state.pop(GOING, None)
        raise
    st.switch_page(page)


def go_to(page: str) -> None:
    """Leave for the page of this script."""
    with going_to(page):
        pass


def go_on(url_path: str) -> None:
    """Before the page at `url_path` is drawn: a second click belongs to the page that the first has left, and leads back there; not for long."""
    page, arrived_at = st.session_state.get(GOING, (None, None))
    if page is None:
        return
    if Path(page).stem == url_path:
        if arrived_at is None:
            st.session_state[GOING] = (page, monotonic())
    elif arrived_at is None or monotonic() - arrived_at < SECOND_CLICK_S:
        st.switch_page(page)
    else:
        del st.session_state[GOING]
