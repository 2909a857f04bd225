"""What an answered item shows: the verdict, every option with its mark, the reasons, and where to go on.

A mark is an icon, a colour and a word, never colour alone.
"""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from questions.schema import Item, MultipleItem, NumberItem, OrderItem
from quiz.engine.grading import FeedbackLine, Mark
from quiz.ui import context
from quiz.ui.answering import CONFIDENCE_LABELS
from quiz.ui.components import reference_line, see_it_happen
from quiz.ui.text import plain_number, spoken_seconds, when
from quiz.views import Feedback, Turn

MARKS: dict[Mark, tuple[str, str, str]] = {
    "right": (":material/check_circle:", "green", "Your choice, right"),
    "wrong": (":material/cancel:", "red", "Your choice, wrong"),
    "missed": (":material/error:", "orange", "Right, but not chosen"),
    "rejected": (":material/do_not_disturb_on:", "gray", "Wrong, and not chosen"),
}


def show_feedback(turn: Turn, feedback: Feedback, now: datetime) -> None:
    """Everything about an answered item but the way on."""
    _banner(turn.item, feedback)
    if isinstance(turn.item, NumberItem):
        _number(turn.item, feedback)
    elif isinstance(turn.item, OrderItem):
        _order(turn.item, feedback)
    else:
        _options(turn, feedback)
    _reasons(turn)
    see_it_happen(turn.link)
    with st.expander(
        f"A model answer to “{turn.question_title}”, about {spoken_seconds(turn.model_answer)} seconds spoken", icon=":material/record_voice_over:"
    ):
        st.markdown(turn.model_answer)
    st.caption(f"{turn.question_title} comes back {when(feedback.next_due, now)}.{_said(feedback)}")


def _said(feedback: Feedback) -> str:
    return f" You said: {CONFIDENCE_LABELS[feedback.confidence].lower()}." if feedback.confidence else ""


def _banner(item: Item, feedback: Feedback) -> None:
    if feedback.grade.correct:
        st.success(
            "That is the answer." if feedback.confidence != "guess" else "A good guess. Read on to make it knowledge.",
            title="Right",
            icon=":material/check_circle:",
        )
    else:
        st.error(_how_far(item, feedback), title="Not quite", icon=":material/cancel:")


def _how_far(item: Item, feedback: Feedback) -> str:
    lines = feedback.grade.lines
    if isinstance(item, OrderItem):
        in_place = sum(line.mark == "right" for line in lines)
        return f"{in_place} of {len(lines)} steps stand in the right place."
    if isinstance(item, MultipleItem):
        judged = sum(line.mark in ("right", "rejected") for line in lines)
        return f"You judged {judged} of {len(lines)} statements rightly. It counts when all are."
    if isinstance(item, NumberItem):
        return lines[0].feedback
    right = next((line.text for line in lines if line.mark == "missed"), "")
    return f"The answer: {right}"


def _line(place: int, line: FeedbackLine, label: str) -> None:
    icon, colour, _ = MARKS[line.mark]
    with st.container(border=True, gap="xxsmall", key=f"line_{place}"):
        st.markdown(f":small[:{colour}[{icon} **{label}**]]")
        st.container(key=f"option_{place}").markdown(line.text)
        st.markdown(line.feedback)


def _options(turn: Turn, feedback: Feedback) -> None:
    """Options in the order they were shown, each with its mark and its own feedback."""
    lines = {line.key: line for line in feedback.grade.lines}
    with st.container(gap="xsmall"):
        for place, key in enumerate(turn.order, start=1):
            _line(place, lines[key], MARKS[lines[key].mark][2])


def _order(item: OrderItem, feedback: Feedback) -> None:
    """The steps in the right order, each with where the learner had put it."""
    place = {key: position for position, key in enumerate(feedback.response.keys, start=1)}
    with st.container(gap="xsmall"):
        for position, line in enumerate(feedback.grade.lines, start=1):
            label = f"Step {position}, in its place" if line.mark == "right" else f"Step {position}; you had it as {place[line.key]}"
            _line(position, line, label)


def _number(item: NumberItem, feedback: Feedback) -> None:
    unit = f", {item.unit}" if item.unit else ""
    both = st.grid(2, min_column_width=120)
    both.metric(f"Your answer{unit}", feedback.response.text.strip(), border=True)
    both.metric(f"Right answer{unit}", plain_number(item.answer), help=_tolerance(item), border=True)
    st.markdown("#### Worked solution", anchors=False)
    st.markdown(item.solution)


def _tolerance(item: NumberItem) -> str | None:
    if item.tolerance_rel:
        return f"Accepted within {plain_number(100 * item.tolerance_rel)}% of it."
    return f"Accepted within {plain_number(item.tolerance_abs)} of it." if item.tolerance_abs else None


def _reasons(turn: Turn) -> None:
    st.markdown("#### Why", anchors=False)
    st.markdown(turn.item.explanation)
    question = context.quiz().bank.by_id.get(turn.question_id)  # gone when the bank changed since
    references = {reference.key: reference for reference in question.references} if question else {}
    if turn.item.reference in references:
        st.caption(f":material/menu_book: {reference_line(references[turn.item.reference])}")
