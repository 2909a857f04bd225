"""The scheduler as an LSTM lesson: who foretells the answers of a log best? Drawn on a page of the quiz, which hands over the log."""

from __future__ import annotations

import streamlit as st

from sandbox.forecasting import LSTM, QUICK, AnswerLog, Comparison, Effort
from sandbox.jobs.comparing import Compared
from sandbox.ui import setup, words
from sandbox.ui.context import laboratory

TICK_S = 1.0
SOURCE = "https://github.com/open-spaced-repetition/srs-benchmark"
CONTENDERS = """
- **The moving average** knows the latest 20 results, whatever they were of.
- **FSRS** knows when a question was answered and how, and nothing else: two numbers a question, changed by equations with 21 parameters,
  here those of its makers. It foretells remembering.
- **FSRS, rescaled** is the same put through two numbers fitted to the past, as an answer can be guessed and a remembered question have a hard item.
- **The LSTM** reads what these know, an answer at a time: days since the question's last answer, whether that one was right, the moving
  average. Its state takes the place of the two numbers, its gates that of the equations, and all of it is learnt from this log alone.
- **This app's own forecast** also knows each item's difficulty and format and the ideas it tests. It is here as a mark, not as a rival.
"""


def show_comparison(answers: AnswerLog, effort: Effort = QUICK) -> None:
    """The section: what is compared, a button, and what came of it."""
    with st.expander("Who competes, and what each knows"):
        st.markdown(CONTENDERS)
    standing = laboratory().comparisons.standing(answers, effort)
    if standing is not None and standing.result is not None:
        _show_result(standing.result)
        return
    if standing is not None and not standing.over:
        st.fragment(_wait, run_every=TICK_S)(answers, effort)
        return
    _offer(answers, effort, standing)


def _offer(answers: AnswerLog, effort: Effort, failed: Compared | None) -> None:
    if failed is not None and failed.error is not None:
        st.warning(words.escape(failed.error), icon=":material/hourglass_top:")
    st.button(
        "Train and compare" if failed is None else "Try again",
        key="compare_forecasts",
        type="primary",
        icon=":material/play_arrow:",
        on_click=laboratory().comparisons.start,
        args=(answers, effort),
    )
    st.caption(f"Trains {effort.seeds * effort.blocks} small LSTMs in the lab's workers: some seconds of computing.")


def _wait(answers: AnswerLog, effort: Effort) -> None:
    """One tick. When the comparison is over the whole page is drawn anew, without a tick."""
    standing = laboratory().comparisons.standing(answers, effort)
    if standing is None or standing.over:
        st.rerun()
    st.progress(standing.share, text=f"Training on the past, forecasting what came next: {standing.words}")


def _show_result(found: Comparison) -> None:
    with st.container(border=True, key="forecast_verdict", gap="small"):
        st.subheader(found.headline, anchor=False)
        st.markdown("The LSTM is\n\n" + "\n".join(f"- {line}." for line in found.lines))
        low, high = min(found.seeds), max(found.seeds)
        st.caption(
            f"{found.judged} answers judged, on {found.days} days, after {found.learnt_from} to begin with. Every forecast is made from what came before it. "
            f"The LSTM learns {found.weights} numbers; its {len(found.seeds)} starts have log losses from {low:.3f} to {high:.3f}, and their mean is given. "
            "Intervals take the answers of one day to hang together."
        )
    for picture in found.pictures:
        setup.show_picture(picture, picture.key)
    with st.expander("What this does not show", expanded=True):
        st.markdown(_limits(found))


def _limits(found: Comparison) -> str:
    return f"""
- One log is little for a network: {found.of(LSTM).label} had {found.learnt_from} to {found.learnt_to} answers to learn from. Where there are many people's
  logs it pays: in the open [SRS benchmark]({SOURCE}), on 9,999 people's reviews, an LSTM first trained on 100 of them has log loss 0.312, FSRS-6 0.321.
- FSRS runs with its makers' parameters; fitting its 21 to this log might help it.
- What was asked when was chosen by a scheduler. How well anyone would forecast after gaps that never came, the log cannot say.
- A better forecast is not yet a better schedule: that has to be tried on learners. Carousel's schedule stays as it is, whatever comes out here.
"""
