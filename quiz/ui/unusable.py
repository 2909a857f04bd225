"""The page shown instead of everything when Carousel cannot start: what is wrong, where, and what to do."""

from __future__ import annotations

import streamlit as st

from questions.loader import QuestionBankError
from quiz.settings import InvalidSettings
from quiz.storage.database import DatabaseUnusable


def show(error: Exception) -> None:
    """Say it kindly, without a traceback. Nothing has been started and nothing changed."""
    st.title("Carousel cannot start yet", anchor=False)
    if isinstance(error, QuestionBankError):
        _list("The question bank has something to mend:", [str(problem) for problem in error.problems])
        st.markdown("Mend the file and load this page again. `python -m questions check` lists everything at once.")
    elif isinstance(error, DatabaseUnusable):
        _list("The database cannot be used:", [f"{error.place}: {error.what}"])
        st.markdown(f"What to do: {error.remedy}. Then load this page again.")
    else:
        _list("A setting cannot be used:", list(error.problems) if isinstance(error, InvalidSettings) else [str(error)])
        st.markdown("Correct the environment variable and start Carousel again.")
    st.caption("Nothing was started and nothing was changed.")


def _list(lead: str, lines: list[str]) -> None:
    st.error(lead, icon=":material/build:")
    # As code: file names and values are shown as they are, whatever characters they hold.
    st.code("\n".join(lines), language=None, wrap_lines=True)
