"""Pieces that several pages show. Bank text goes through st.markdown with HTML off, never anywhere else."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import streamlit as st

from questions.schema import Reference, SandboxLink
from quiz.ui import context
from quiz.ui.formulas import coloured
from quiz.ui.text import counted, lab_address
from quiz.views import SessionView

PAGES = Path(__file__).parent / "pages"
TODAY, PRACTICE, STUDY, PROGRESS, DIAGNOSTIC, DATA, PROFILES = (
    str(PAGES / f"{name}.py") for name in ("today", "practice", "study", "progress", "diagnostic", "data", "profiles")
)
STYLE = Path(__file__).with_name("style.css")
MARK = Path(__file__).parent / "assets" / "mark.svg"


def tab_icon() -> None:
    """The mark as the browser tab's icon. Before st.navigation: later the icon of the page would be fetched from outside first."""
    st.set_page_config(page_icon=str(MARK))


def page_frame(title: str, *, wide: bool = False) -> None:
    """What every page has: the tab's title, the mark, the one style sheet (ours, constant), a menu with the theme.

    Called once a run: of two calls that differ in layout the browser may keep the first.
    """
    about = "**Carousel** asks the 24 classic LSTM interview questions and proves the answers live."
    st.set_page_config(page_title=title, layout="wide" if wide else "centered", menu_items={"About": about})
    st.logo(str(MARK), size="large")
    st.html(STYLE)


def adding_up() -> AbstractContextManager[None]:
    """Says what takes so long at the first look after a start, where a history is very long; shown after half a second, so otherwise never."""
    return st.spinner("Adding up all your answers …")


def see_it_happen(link: SandboxLink) -> None:
    """The link into the lab, with what to look at there."""
    with st.container(border=True, key="see_it_happen", gap="xsmall"):
        st.page_link(context.quiz().lab_page, label="**See it happen**", icon=":material/science:", query_params=lab_address(link))
        st.markdown(coloured(link.look_for))


def study_link(question_id: str, label: str, icon: str | None = None) -> None:
    """A link to a question's study card."""
    st.page_link(STUDY, label=label, icon=icon, query_params={"question": question_id})


def reference_line(reference: Reference) -> str:
    """A reference in one line of Markdown."""
    return f"{reference.authors} ({reference.year}). *{reference.title}.* {reference.venue}."


def session_in_words(session: SessionView) -> str:
    """That this session is open, and how far it is."""
    if session.kind == "diagnostic":
        return f"A diagnostic is open: {counted(session.answered, 'question')} answered so far."
    return f"A practice session is open: {session.answered} of {counted(session.length, 'question')} answered."
