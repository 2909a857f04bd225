"""What is shown when Carousel cannot start, or when the database fails it in use: what is wrong, where, and what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec

import streamlit as st

from questions.loader import Problem, QuestionBankError
from quiz.settings import InvalidSettings
from quiz.storage.database import DatabaseUnusable
from quiz.ui import context
from quiz.ui.context import NobodyChosen

log = logging.getLogger(__name__)
MOST_LINES = 20
Arguments = ParamSpec("Arguments")
_TROUBLE = "database_trouble"  # session state: why the last click changed nothing


def show(error: Exception) -> None:
    """Say it kindly, without a traceback. Nothing has been started and nothing changed."""
    st.title("Carousel cannot start yet", anchor=False)
    if isinstance(error, QuestionBankError):
        _list("The question bank has something to mend:", [str(problem) for problem in error.problems])
        st.markdown("Mend the file and load this page again. `python -m questions check` lists everything at once.")
    elif isinstance(error, DatabaseUnusable):
        _list("The database cannot be used:", [f"{error.place}: {error.what}"])
        st.markdown(f"What to do: {error.remedy}. Then load this page again (after a change of DATABASE_URL, start Carousel again).")
    else:
        _list("A setting cannot be used:", list(error.problems) if isinstance(error, InvalidSettings) else [str(error)])
        st.markdown("Correct the environment variable and start Carousel again.")
    st.caption("Nothing was started and nothing was changed.")


def _list(lead: str, lines: list[str]) -> None:
    st.error(lead, icon=":material/build:")
    # As code: file names and values are shown as they are, whatever characters they hold.
    st.code("\n".join(lines), language=None, wrap_lines=True)


def show_left_out(problems: Sequence[Problem]) -> None:
    """Why private question files were left out; the rest can be practised meanwhile."""
    if problems:
        st.warning("Question files of your own have something to mend, and were left out:", icon=":material/build:")
        st.code("\n".join(str(problem) for problem in problems[:MOST_LINES]), language=None, wrap_lines=True)
        st.caption("Mend them and start Carousel again. `python -m questions check FILE` lists everything about one file.")


# --- In use -----------------------------------------------------------------------------------------------------


def careful_click(action: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A click whose transaction failed has changed nothing: the page stays as it was and says why."""

    @wraps(action)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            action(*args, **kwargs)
        except NobodyChosen:
            pass  # the profile was deleted elsewhere; what is drawn next asks who is practising
        except DatabaseUnusable as error:
            log.warning("a click changed nothing: %s", error)
            st.session_state[_TROUBLE] = error

    return guarded


def careful_drawing(draw: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A page, or a part that is drawn by itself: says why the last click changed nothing, or why there is nothing to draw."""

    @wraps(draw)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        trouble = st.session_state.pop(_TROUBLE, None)
        if trouble is not None:
            _show_trouble(trouble)
        try:
            draw(*args, **kwargs)
        except NobodyChosen:
            st.rerun()  # the whole app, which asks who is practising
        except DatabaseUnusable as error:
            log.warning("a page could not be drawn: %s", error)
            _show_trouble(error)
            st.button("Try again", key="try_again", icon=":material/refresh:")

    return guarded


def careful_part(draw: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A part that is drawn by itself from what was read before: first of all it is still theirs for whom it was read."""

    @careful_drawing
    @wraps(draw)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        context.quiz()
        draw(*args, **kwargs)

    return guarded


def _show_trouble(error: DatabaseUnusable) -> None:
    _list(f"The database cannot be used just now, so nothing was changed. Everything recorded before is safe. What to do: {error.remedy}.", [str(error.what)])
