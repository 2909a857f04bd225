"""Who is practising in this browser session, and how a browser is known again.

A session keeps its learner in its state. A refresh and a new tab are new sessions, so the learners that were chosen in a
browser are also remembered, by the random name that asgi.py gives it in a cookie; both last until the browser is closed or
the server stops. Where several were chosen, in several tabs, a second cookie tells whose tab was looked at last: keys.js
writes it when a tab is left or refreshed, so that a refresh makes nobody somebody else.
Under `streamlit run` there is no such name, and every new session asks when there is a choice.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from quiz.service import Profiles

BROWSER, LEFT = "carousel_browser", "carousel_profile"  # the cookies
MOST_BROWSERS = 1000
_LEARNER = "learner"  # session state: (era, learner)

_chosen: OrderedDict[str, list[int]] = OrderedDict()  # browser -> its learners, the latest last
_era: list[int] = [0]  # counts how often all profiles were replaced by others


def arrive(profiles: Profiles) -> int | None:
    """The learner of this session, who is found when the session begins; None when somebody has to say who they are.

    Asked where the whole page is drawn: a click and a part of a page belong to whom they were drawn for, or to nobody.
    """
    if st.session_state.get(_LEARNER, (None, None))[0] != _era[0]:
        found = _remembered()
        if found is None and len(profiles.names) == 1:
            found = next(iter(profiles.names))
        if found is not None:
            choose(found)
    return visitor(profiles)


def visitor(profiles: Profiles) -> int | None:
    """The learner of this session; None when nobody was found, and when the profile was deleted or a backup took its place."""
    era, learner = st.session_state.get(_LEARNER, (None, None))
    return learner if era == _era[0] and learner in profiles.names else None


def choose(learner: int) -> None:
    """Make this the learner of the session, and of this browser's next ones. What the session held of somebody else goes."""
    if st.session_state.get(_LEARNER) != (_era[0], learner):
        if _LEARNER in st.session_state:
            st.session_state.clear()
        st.session_state[_LEARNER] = (_era[0], learner)
    browser = st.context.cookies.get(BROWSER)
    if browser:
        _chosen[browser] = [*(one for one in _chosen.get(browser, ()) if one != learner), learner]
        _chosen.move_to_end(browser)
        while len(_chosen) > MOST_BROWSERS:
            _chosen.popitem(last=False)


def why_asked(profiles: Profiles) -> str:
    """What became of the profile this session was for; empty when it was for nobody yet."""
    if _LEARNER not in st.session_state or visitor(profiles) is not None:
        return ""
    if st.session_state[_LEARNER][0] != _era[0]:
        return "A backup has taken the place of everything here, so everybody is asked anew."
    return "The profile that was open here has been deleted."


def forget_everybody() -> None:
    """Have every session ask anew: the profiles are others now."""
    _era[0] += 1
    _chosen.clear()


def marked(learner: int) -> DeltaGenerator:
    """A container that tells keys.js, and nobody else, whose page it is on."""
    return st.container(key=f"practising_{learner}")


def _remembered() -> int | None:
    """Of the learners that were chosen in this browser the one whose tab was left last, else the one chosen last."""
    known = _chosen.get(st.context.cookies.get(BROWSER, ""))
    if not known:
        return None
    left = st.context.cookies.get(LEFT, "")
    return next((one for one in known if str(one) == left), known[-1])
