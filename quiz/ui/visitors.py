"""Who is practising in this browser session, and how a browser is known again.

A session keeps its learner in its state. A refresh and a new tab are new sessions, so the learner is also remembered by
the browser, which asgi.py gives a random name in a cookie; both last until the browser is closed or the server stops.
Under `streamlit run` there is no such cookie, and every new session asks when there is a choice.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from quiz.service import Profiles

BROWSER = "carousel_browser"  # the cookie
MOST_BROWSERS = 1000
_LEARNER = "learner"  # session state: (era, learner)

_chosen: OrderedDict[str, int] = OrderedDict()  # browser -> learner
_era: list[int] = [0]  # counts how often all profiles were replaced by others


def visitor(profiles: Profiles) -> int | None:
    """The learner of this session; None when somebody has to say who they are, also when their profile was deleted."""
    era, learner = st.session_state.get(_LEARNER, (None, None))
    if era != _era[0]:
        found = _remembered()
        if found is None and len(profiles.names) == 1:
            found = next(iter(profiles.names))
        if found is None:
            return None
        choose(found)
        learner = found
    return learner if learner in profiles.names else None


def choose(learner: int) -> None:
    """Make this the learner of the session, and of this browser's next ones. What the session held of somebody else goes."""
    if st.session_state.get(_LEARNER) != (_era[0], learner):
        if _LEARNER in st.session_state:
            st.session_state.clear()
        st.session_state[_LEARNER] = (_era[0], learner)
    browser = st.context.cookies.get(BROWSER)
    if browser:
        _chosen[browser] = learner
        _chosen.move_to_end(browser)
        while len(_chosen) > MOST_BROWSERS:
            _chosen.popitem(last=False)


def has_lost_profile(profiles: Profiles) -> bool:
    """Whether the profile this session was for has been deleted."""
    return _LEARNER in st.session_state and visitor(profiles) is None


def forget_everybody() -> None:
    """Have every session ask anew: the profiles are others now."""
    _era[0] += 1
    _chosen.clear()


def _remembered() -> int | None:
    return _chosen.get(st.context.cookies.get(BROWSER, ""))
