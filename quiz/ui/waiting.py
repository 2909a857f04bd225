"""What takes longer than a moment: a click asks for it, and the page does it where it was asked for, under a bar.

A click meanwhile, or a closed tab, would end the script in the middle of it. So the bar only stops moving then: the work
goes on to its end, and the click is heard after it.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from quiz.telling import OnProgress


def do_under_bar(work: Callable[[OnProgress], None], words: str) -> None:
    """Do it, with a bar that it moves; `words` stand on the bar until then. Then the whole page is drawn anew."""
    bar = st.progress(0.0, text=f"{words} …")
    cut_off: list[BaseException] = []

    def told(share: float, words: str) -> None:
        if not cut_off:
            try:
                bar.progress(share, text=f"{words} …")
            except BaseException as interruption:  # how Streamlit says that the script is to begin anew, or to end
                cut_off.append(interruption)

    work(told)
    if cut_off:
        raise cut_off[0]
    st.rerun()
