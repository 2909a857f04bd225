"""What an answered item shows: the verdict, every option with its mark, the reasons, and where to go on.

A mark is an icon, a colour and a word, never colour alone.
"""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from questions.schema import Asked, CodeItem, MultipleItem, NumberItem, OrderItem, TraceItem
from quiz.engine.grading import FeedbackLine, Mark
from quiz.ui import context
from quiz.ui.answering import CONFIDENCE_LABELS
from quiz.ui.components import reference_line, see_it_happen
from quiz.ui.formulas import coloured
from quiz.ui.text import as_text, changes, fenced, plain_number, quoted, spoken_seconds, when
from quiz.views import Feedback, Turn

MARKS: dict[Mark, tuple[str, str, str]] = {
    "right": (":material/check_circle:", "green", "Your choice, right"),
    "wrong": (":material/cancel:", "red", "Your choice, wrong"),
    "missed": (":material/error:", "orange", "Right, but not chosen"),
    "rejected": (":material/do_not_disturb_on:", "gray", "Wrong, and not chosen"),
}


def show_verdict(item: Asked, feedback: Feedback) -> None:
    """Right or not: what the learner waits for."""
    if feedback.grade.correct:
        st.success(
            "That is the answer." if feedback.confidence != "guess" else "A good guess. Read on to make it knowledge.",
            title="Right",
            icon=":material/check_circle:",
        )
    else:
        st.error(_how_far(item, feedback), title="Not quite", icon=":material/cancel:")


def show_reasons(turn: Turn, feedback: Feedback, now: datetime) -> None:
    """Why: every option with its mark and reason, the explanation, the lab and a model answer."""
    show_answer(turn, feedback)
    see_it_happen(turn.link)
    label = f"A model answer to “{turn.question_title}”, about {spoken_seconds(turn.model_answer)} seconds spoken"
    model_answer = st.expander(label, icon=":material/record_voice_over:", key="model_answer", on_change="rerun")
    if model_answer.open:
        model_answer.markdown(coloured(turn.model_answer))
    st.caption("\n\n".join([*_source(turn), f"{_comes_back(turn, now)}{_said(feedback)}"]))


def show_answer(turn: Turn, feedback: Feedback) -> None:
    """Every option with its mark and reason, and the explanation."""
    if isinstance(turn.item, NumberItem):
        _compared(turn.item, feedback)
        detail = _solution(turn.item)
    elif isinstance(turn.item, TraceItem):
        detail = f"{_numbers(turn.item, feedback)}\n\n{_solution(turn.item)}"
    else:
        detail = _steps(feedback) if isinstance(turn.item, OrderItem) else _options(turn, feedback)
    if isinstance(turn.item, CodeItem):
        detail += f"\n\n#### The code, mended\n\n{fenced(changes(turn.item.code, turn.item.fixed), 'diff')}"
    # All of it is one element: an element each for mark, text and reason doubles the time to the feedback.
    st.markdown(coloured(f"{detail}\n\n#### Why\n\n{turn.item.explanation}"), anchors=False)


def _comes_back(turn: Turn, now: datetime) -> str:
    quiz = context.quiz()
    due = quiz.service.next_due(quiz.learner, turn.question_id)
    return f":material/event_repeat: {turn.question_title} comes back {when(due, now)}." if due else ""


def _said(feedback: Feedback) -> str:
    return f" You said: {CONFIDENCE_LABELS[feedback.confidence].lower()}." if feedback.confidence else ""


def _how_far(item: Asked, feedback: Feedback) -> str:
    lines = feedback.grade.lines
    if isinstance(item, OrderItem):
        in_place = sum(line.mark == "right" for line in lines)
        return f"{in_place} of {len(lines)} steps stand in the right place."
    if isinstance(item, MultipleItem):
        judged = sum(line.mark in ("right", "rejected") for line in lines)
        return f"You judged {judged} of {len(lines)} statements rightly. It counts when all are."
    if isinstance(item, NumberItem):
        return lines[0].feedback
    if isinstance(item, TraceItem):
        return f"{sum(line.mark == 'right' for line in lines)} of {len(lines)} numbers are right. It counts when all are."
    right = next((line.text for line in lines if line.mark == "missed"), "")
    return f"The answer: {right}"


def _card(line: FeedbackLine, label: str) -> str:
    """One option as a block quote of three paragraphs: its mark, its text, the reason. style.css draws quotes here as cards."""
    icon, colour, _ = MARKS[line.mark]
    return quoted(f":small[:{colour}[{icon} **{label}**]]", line.text, line.feedback)


def _options(turn: Turn, feedback: Feedback) -> str:
    """Options in the order they were shown, each with its mark and its own feedback."""
    lines = {line.key: line for line in feedback.grade.lines}
    return "\n\n".join(_card(lines[key], MARKS[lines[key].mark][2]) for key in turn.order)


def _steps(feedback: Feedback) -> str:
    """The steps in the right order, each with where the learner had put it."""
    place = {key: position for position, key in enumerate(feedback.response.keys, start=1)}
    cards = (
        _card(line, f"Step {position}, in its place" if line.mark == "right" else f"Step {position}; you had it as {place[line.key]}")
        for position, line in enumerate(feedback.grade.lines, start=1)
    )
    return "\n\n".join(cards)


def _numbers(item: TraceItem, feedback: Feedback) -> str:
    """Each number of a trace: what was given, what is right, and what the slip was."""
    cards: list[str] = []
    said: set[str] = set()  # what is to be said about several numbers is said once
    for part, line in zip(item.answers, feedback.grade.lines, strict=True):
        answer = f"{part.label}: {plain_number(part.answer)}{f' {part.unit}' if part.unit else ''}"
        icon, colour, _ = MARKS[line.mark]
        label = f"You gave {as_text(line.text)}, {'right' if line.mark == 'right' else 'wrong'}"
        reasons = [line.feedback] if line.feedback and line.feedback not in said else []
        said.update(reasons)
        cards.append(quoted(f":small[:{colour}[{icon} **{label}**]]", answer, *reasons))
    return "\n\n".join(cards)


def _solution(item: NumberItem | TraceItem) -> str:
    return f"#### Worked solution\n\n{item.solution}"


def _compared(item: NumberItem, feedback: Feedback) -> None:
    unit = f", {item.unit}" if item.unit else ""
    both = st.grid(2, min_column_width=120)
    both.metric(f"Your answer{unit}", feedback.response.text.strip(), border=True)
    both.metric(f"Right answer{unit}", plain_number(item.answer), help=_tolerance(item), border=True)


def _tolerance(item: NumberItem) -> str | None:
    if item.tolerance_rel:
        return f"Accepted within {plain_number(100 * item.tolerance_rel)}% of it."
    return f"Accepted within {plain_number(item.tolerance_abs)} of it." if item.tolerance_abs else None


def _source(turn: Turn) -> list[str]:
    question = context.quiz().bank.by_id.get(turn.question_id)  # gone when the bank changed since
    references = {reference.key: reference for reference in question.references} if question else {}
    return [f":material/menu_book: {reference_line(references[turn.item.reference])}"] if turn.item.reference in references else []


def show_solution(item: Asked) -> None:
    """The right answer and the explanation, where none was given."""
    if isinstance(item, NumberItem | TraceItem):
        st.markdown(coloured(f"{_solution(item)}\n\n#### Why\n\n{item.explanation}"), anchors=False)
        return
    if isinstance(item, OrderItem):
        lines = "\n".join(f"{place}. {step.text}" for place, step in enumerate(item.steps, start=1))
    else:
        lines = "\n".join(f"- {choice.text}" for choice in item.choices if choice.correct)
    st.markdown(coloured(f"#### The answer\n\n{lines}\n\n#### Why\n\n{item.explanation}"), anchors=False)
