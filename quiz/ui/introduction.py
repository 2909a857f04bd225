"""The first visit, in two minutes: one question answered, seen and kept, as all of them will be, then two ways on and nothing to configure.

Its question needs no training: what a cell keeps is multiplied, and a slider shows how long that lasts.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st

from quiz.ui import context
from quiz.ui.formulas import GATES, coloured, gate_colours
from quiz.ui.text import lab_address

KEPT, STEPS = 0.99, 100  # the question: so much is kept at each of so many steps
SHOWN_STEPS = 300
ABOUT = "forget-gate"  # the question whose experiment goes on from here
NOTHING = "0%"


def left_after(gate: float, steps: float) -> float:
    """The share of a cell's content that is left when its forget gate stands at `gate` (0 to 1) and nothing new comes in."""
    return math.pow(gate, steps)


def steps_until(left: float, gate: float) -> float:
    """After how many steps only the share `left` remains; infinity at a gate of 1."""
    return math.log(left) / math.log(gate) if gate < 1 else math.inf


def introduction(ways_on: Callable[[], None]) -> None:
    """The whole page; `ways_on` draws the buttons that lead on, below the question."""
    questions = len(context.quiz().bank.questions)
    st.title("Ready for the LSTM interview?", anchor=False)
    st.markdown(
        f"The {questions} questions that interviewers keep asking about LSTMs. **Answer** them, **see it happen** in networks that train in front of you, "
        "and **keep it**: what you miss comes back, what you know waits longer."
    )
    with st.container(border=True, gap="small", key="introduction"):
        _one_question()
    st.space("small")
    ways_on()


@st.fragment(key="introduction_question")
def _one_question() -> None:
    st.markdown("**1 · Answer** :small[(this one is not counted)]")
    st.markdown(f"A memory cell keeps {KEPT:.0%} of what it holds at every step, and nothing new comes in. How much is left after {STEPS} steps?")
    once, right = f"{KEPT:.0%}", f"{left_after(KEPT, STEPS):.0%}"
    chosen = st.pills("What is left", [once, right, NOTHING], key="introduction_answer", label_visibility="collapsed")
    if chosen is None:
        return
    slips = {
        once: "That is left after one step.",
        NOTHING: f"{STEPS} times {1 - KEPT:.0%} would be all of it, but a step loses {1 - KEPT:.0%} of what is left by then.",
    }
    verdict = ":green[:material/check: **Right.**]" if chosen == right else f":red[:material/close: **Not quite.**] {slips[chosen]}"
    st.markdown(f"{verdict} What the steps keep is multiplied: ${KEPT}^{{{STEPS}}} = {left_after(KEPT, STEPS):.2f}$.")
    st.divider()
    _seen()
    st.divider()
    st.markdown("**3 · Keep it**")
    st.markdown(
        "A question you have answered comes back shortly before you would forget it: after days at first, then after weeks. "
        "Set the date of your interview whenever you like, and every day is planned for it. Now to the real ones:"
    )


def _seen() -> None:
    from quiz.ui.insight_charts import CONFIG, cell_figure  # plotly: only where a chart is drawn

    st.markdown("**2 · See it happen**")
    gate = st.slider("Forget gate: the share that a step keeps", 0.9, 1.0, KEPT, 0.005, format="%.3f", key="introduction_gate")
    message = cell_message(gate)
    st.markdown(message)
    lefts = [100 * left_after(gate, step) for step in range(SHOWN_STEPS + 1)]
    figure = cell_figure(lefts, STEPS, dict(zip(GATES, gate_colours(), strict=True))["f"])
    alt = f"{message} A line of what is left of the cell over {SHOWN_STEPS} steps: {left_after(gate, STEPS):.0%} after {STEPS}."
    st.plotly_chart(figure, key="introduction_chart", alt=alt, config=CONFIG)
    st.markdown(
        coloured(
            "On the direct way back through the cell the gradient shrinks by the same factors $f$: this is how an LSTM remembers, and how far back it learns. "
            "Here one gate was set by hand and stood still. In the lab networks learn theirs: you predict, they train, and over several seeds the claim holds "
            "or it does not."
        )
    )
    question = context.quiz().bank.by_id.get(ABOUT)
    if question is not None:
        label = "See networks with and without this gate"
        st.page_link(context.quiz().lab_page, label=label, icon=":material/science:", query_params=lab_address(question.sandbox))


def cell_message(gate: float) -> str:
    """How long a cell remembers, in a sentence."""
    if gate == 1:
        return "**At 1 nothing is ever lost:** the constant error carousel, which this app is named after."
    return f"**At {gate:.3f}** half is left after {steps_until(0.5, gate):.0f} steps, a hundredth after {steps_until(0.01, gate):.0f}."
