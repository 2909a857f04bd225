"""The diagnostic's page: what it is, the way in and back in, and what it found. Its items are asked on the practice page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from quiz.engine.diagnostic import FEWEST_ITEMS
from quiz.ui import context
from quiz.ui.components import PRACTICE, PROGRESS, TODAY, session_in_words, study_link
from quiz.ui.feedback import show_answer, show_solution
from quiz.ui.formulas import coloured
from quiz.ui.going import go_to, going_to
from quiz.ui.material import show_material
from quiz.ui.text import counted
from quiz.ui.today_charts import READY_SHARE, level_figure
from quiz.ui.unusable import careful_part
from quiz.views import DiagnosticView, LevelLine, Turn

USUALLY_AT_MOST = 35  # questions, in nearly all of simulated learners of every level
ITEMS_TO_PRACTISE = 9
SURE, LIKELY = 0.9, 0.6
ENDINGS = {
    "precise": "It ended because your level is known well enough.",
    "ready": "It ended because that is as good as certain.",
    "not ready": "It ended because that is as good as certain; more questions would have told the same.",
    "cap": "It ended at the most questions it asks.",
    "no items": "It ended because every item had been asked.",
    "stopped": "You stopped it early, so the ranges are wide.",
}


def diagnostic() -> None:
    """The open diagnostic, else the latest result, else the way in."""
    quiz = context.quiz()
    found, session = quiz.service.adaptive.diagnostic(quiz.learner), quiz.service.open_session(quiz.learner)
    if found is not None and found.ending is None:
        st.title("Your diagnostic is waiting", anchor=False)
        st.markdown(f"{counted(found.overall.answers, 'question')} answered so far. It goes on where you left it.")
        if st.button("Go on", key="resume", type="primary", icon=":material/play_arrow:", shortcut="s"):
            go_to(PRACTICE)
    elif found is not None and found.overall.answers:
        _result(found)
    else:
        _before(session is not None)


# --- Before -----------------------------------------------------------------------------------------------------


def _before(busy: bool) -> None:
    st.title("Find your level", anchor=False)
    st.markdown(
        f"Each question is chosen by your answers so far, from all six groups. It asks at least {FEWEST_ITEMS}, rarely more than {USUALLY_AT_MOST}, and ends "
        "by itself as soon as it knows enough. Allow about a minute for each; you can leave and go on later.\n\n"
        "**You get** your level, overall and in each group, with the range it lies in; whether you are ready, and how sure that is; and the three "
        "questions to begin with.\n\n"
        "**No feedback in between**, because it teaches, and that would spoil the measurement: all of it comes at the end. "
        "When you don't know, say so; a guess only blurs the picture."
    )
    _ways_in("Start the diagnostic", busy)


def _ways_in(label: str, busy: bool, kind: str = "primary") -> None:
    quiz = context.quiz()
    if not busy:
        first = kind == "primary"
        shortcut = "s" if first else None
        if st.button(label, key="start_diagnostic", type="primary" if first else "secondary", icon=":material/straighten:", shortcut=shortcut):
            start_diagnostic()
        return
    session = quiz.service.open_session(quiz.learner)
    with st.container(border=True, gap="small"):
        if session is not None:
            st.markdown(session_in_words(session))
        with st.container(horizontal=True):
            st.page_link(PRACTICE, label="Go on with it", icon=":material/play_arrow:")
            if st.button("Finish it and start the diagnostic", key="switch", icon=":material/swap_horiz:"):
                if session is not None and session.kind == "practice":
                    quiz.service.end_session(session.id, quiz.clock(), learner=quiz.learner)
                start_diagnostic()


def start_diagnostic() -> None:
    """Start one, or go on with what is open, on the practice page."""
    quiz = context.quiz()
    with going_to(PRACTICE):
        quiz.service.start_diagnostic(quiz.learner, quiz.clock())


# --- What it found ----------------------------------------------------------------------------------------------


def _result(found: DiagnosticView) -> None:
    session = context.quiz().service.open_session(context.quiz().learner)
    early = found.ending == "stopped" and found.overall.answers < FEWEST_ITEMS
    st.title("A first guess at your level" if early else readiness_in_words(found.ready), anchor=False)
    st.markdown(
        f"Your chance of a good answer to a question of average difficulty is **{_percent(found.overall.mastery)}**, and lies "
        f"between {_percent(found.overall.low)} and {_percent(found.overall.high)} with 95% certainty. Ready means {READY_SHARE}% and more: the "
        f"chance that you are there is **{chance_in_words(found.ready)}**."
    )
    st.caption(f"From {counted(found.overall.answers, 'answer')}. {ENDINGS[found.ending or 'stopped']}")
    st.subheader(message(found.groups), anchor=False)
    lines = (found.overall, *found.groups)
    st.plotly_chart(level_figure(lines), key="levels", config={"displayModeBar": False, "scrollZoom": False}, alt=in_words(lines))
    st.expander("The chart in words", icon=":material/notes:").markdown("\n".join(f"- {line_in_words(line)}" for line in lines))
    _weakest(found.weakest, busy=session is not None)
    st.page_link(TODAY, label="On to today's plan", icon=":material/today:")
    _limits(found)
    _answers(found.session.id)
    st.divider()
    st.markdown("Your level changes as you practise. To measure it anew, best after some days:")
    _ways_in("Take it again", session is not None, kind="secondary")


def readiness_in_words(ready: float) -> str:
    """The headline: ready or not, and how sure that is."""
    if ready >= SURE:
        return "You are ready"
    if ready >= LIKELY:
        return "You are probably ready"
    if ready > 1 - LIKELY:
        return "You may be ready: it is close"
    return "Not ready yet, probably" if ready > 1 - SURE else "Not ready yet"


def chance_in_words(chance: float) -> str:
    """A percentage that never claims certainty."""
    return "under 1%" if chance < 0.01 else "over 99%" if chance > 0.99 else _percent(chance)


def message(groups: Sequence[LevelLine]) -> str:
    """What the chart shows: a strongest and a weakest group where they differ for sure, else that they cannot be told apart."""
    asked = [line for line in groups if line.answers]
    if len(asked) < 2:
        return "Your level by group"
    best, worst = max(asked, key=lambda line: line.mastery), min(asked, key=lambda line: line.mastery)
    if best.low > worst.high:
        return f"Strongest in {best.label.lower()}, weakest in {worst.label.lower()}"
    if best.mastery - worst.mastery < 0.1:
        return "The groups lie close together"
    return f"Perhaps strongest in {best.label.lower()}, weakest in {worst.label.lower()}: the ranges overlap"


def line_in_words(line: LevelLine) -> str:
    """A level as a sentence."""
    return f"{line.label}: {_percent(line.mastery)}, between {_percent(line.low)} and {_percent(line.high)}, from {counted(line.answers, 'answer')}"


def in_words(lines: Sequence[LevelLine]) -> str:
    """The chart's text alternative."""
    return f"Chance of a good answer with its 95% range. {'. '.join(line_in_words(line) for line in lines)}."


def _percent(chance: float) -> str:
    return f"{chance:.0%}"


def _weakest(weakest: Sequence[LevelLine], *, busy: bool) -> None:
    quiz = context.quiz()
    st.subheader("Begin with these three", anchor=False)
    with st.container(key="wrap_weakest", gap="xsmall"):
        for line in weakest:
            asked = f"from {counted(line.answers, 'answer')}" if line.answers else "not asked: judged by the rest of its group"
            study_link(line.key, f"**{line.label}** · {_percent(line.low)} to {_percent(line.high)}, {asked}", ":material/menu_book:")
    if busy:
        st.page_link(PRACTICE, label="Go on with the open session", icon=":material/play_arrow:")
    elif st.button("Practise these three", key="practise_weakest", type="primary", icon=":material/play_arrow:", shortcut="s"):
        names = tuple(line.key for line in weakest)
        items = sum(len(quiz.bank.by_id[name].items) for name in names)
        with going_to(PRACTICE):
            quiz.service.start_session(quiz.learner, min(ITEMS_TO_PRACTISE, items), quiz.clock(), names)


def _limits(found: DiagnosticView) -> None:
    with st.expander("What this can't tell", icon=":material/info:"):
        st.markdown(
            f"- It measures answers to written items, mostly by choosing. An interviewer also hears how you explain.\n"
            f"- {counted(found.overall.answers, 'answer')} leave a standard error of {found.se:.2f} logits overall. A single group rests on few of them, and "
            "borrows from the others where it has little of its own.\n"
            "- How hard an item is was judged by its author, not measured on many people. “Ready” at "
            f"{READY_SHARE}% is this app's line, not an employer's.\n"
            "- A second diagnostic asks other items where it can; what you have seen before is easier."
        )
        st.page_link(PROGRESS, label="How good the app's forecasts have been for you", icon=":material/monitoring:")


@st.fragment
@careful_part
def _answers(session_id: str) -> None:
    """The feedback that was held back, one item at a time."""
    quiz = context.quiz()
    turns = quiz.service.review(session_id, learner=quiz.learner)
    st.subheader("Your answers, with feedback", anchor=False)
    chosen = st.selectbox(
        "Look at an answer",
        range(len(turns)),
        index=None,
        format_func=lambda place: turn_in_words(turns[place]),
        key="review",
        placeholder=f"{sum(right(turn) for turn in turns)} of {len(turns)} right: choose one",
    )
    if chosen is None or chosen >= len(turns):
        return
    turn = turns[chosen]
    with st.container(border=True, key="face_review"):
        st.markdown(coloured(turn.item.prompt))
        show_material(turn.item)
        if turn.feedback is None:
            show_solution(turn.item)
        else:
            show_answer(turn, turn.feedback)
        study_link(turn.question_id, "Study card", ":material/menu_book:")


def right(turn: Turn) -> bool:
    """Whether it was answered, and rightly."""
    return turn.feedback is not None and turn.feedback.grade.correct


def turn_in_words(turn: Turn) -> str:
    """One answer of the list."""
    how = "you did not know" if turn.feedback is None else "right" if turn.feedback.grade.correct else "missed"
    return f"{turn.position}. {turn.question_title}: {how}"
