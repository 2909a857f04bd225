"""The study page: 24 cards, browsed by group or searched; one card at ?question=its-id."""

from __future__ import annotations

import streamlit as st

from questions.loader import QuestionBank
from questions.schema import Question
from quiz.ui import context
from quiz.ui.components import PRACTICE, STUDY, reference_line, see_it_happen, session_in_words, study_link
from quiz.ui.formulas import colour_formula, coloured, gate_colours
from quiz.ui.going import going_to
from quiz.ui.text import counted, spoken_seconds
from quiz.ui.unusable import show_left_out


def study() -> None:
    """The card the address names, else all of them."""
    bank = context.quiz().bank
    wanted = st.query_params.get("question")
    if wanted is None:
        _browse(bank)
    elif wanted in bank.by_id:
        _card(bank, bank.by_id[wanted])
    else:
        st.title("No such card", anchor=False)
        st.warning("The address names a question that is not in the bank. It may be misspelt or may have been renamed.", icon=":material/search_off:")
        st.page_link(STUDY, label="All study cards", icon=":material/menu_book:")


# --- All cards --------------------------------------------------------------------------------------------------


def _browse(bank: QuestionBank) -> None:
    st.title("Study cards", anchor=False)
    st.markdown("What each question is really asking, how to build the answer, and where candidates slip.")
    wanted = st.text_input("Search the cards", key="search", type="search", live="300ms", placeholder="forget gate, clipping, attention …", max_chars=80)
    show_left_out(bank.left_out)
    found = [question for question in bank.questions if matches(question, wanted or "")]
    if not found:
        st.info(f"No card mentions “{wanted}”. Try a single word.", icon=":material/search_off:")
    for group, questions in bank.groups.items():
        shown = [question for question in questions if question in found]
        if shown:
            st.subheader(group.label, anchor=False)
            with st.grid(2, min_column_width=300, gap="small"):
                for question in shown:
                    _tile(question)


def matches(question: Question, wanted: str) -> bool:
    """Whether every word of `wanted` occurs in the question's title, wording, answer or traps."""
    card = question.card
    text = " ".join(
        (question.title, question.asks, card.testing, card.model_answer, *card.build, *card.expert_adds, *(trap.belief for trap in card.traps))
    ).lower()
    return all(word in text for word in wanted.lower().split())


def _tile(question: Question) -> None:
    with st.container(border=True, gap="xsmall", height="stretch", key=f"tile_{question.id}"):
        study_link(question.id, f"**{question.number} · {question.title}**")
        st.caption(question.asks)


# --- One card ---------------------------------------------------------------------------------------------------


def _card(bank: QuestionBank, question: Question) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", key="plain_ways"):
        st.page_link(STUDY, label="All cards", icon=":material/arrow_back:")
        following = next_question(bank, question)
        if following is not None:
            study_link(following.id, f"Next: {following.title}")
    st.title(question.title, anchor=False)
    st.caption(f"Question {question.number} · {question.group.label}")
    st.markdown(f"##### *{question.asks}*", anchors=False)
    _way_on(question)
    answer, deeper, traps, equations, sources = st.tabs(["Answer", "Go deeper", "Traps", "Equations", "Sources"])
    with answer:
        _answer(question)
    with deeper:
        st.markdown(coloured("\n".join(f"- {one}" for one in question.card.expert_adds)))
    with traps:
        _traps(question)
    with equations:
        _equations(question)
    with sources:
        st.markdown("\n".join(f"- {reference_line(reference)}" for reference in question.references))


def next_question(bank: QuestionBank, question: Question) -> Question | None:
    """The question after this one by number."""
    return next((other for other in bank.questions if other.number > question.number), None)


def _answer(question: Question) -> None:
    card = question.card
    st.markdown("#### What is tested", anchors=False)
    st.markdown(coloured(card.testing))
    st.markdown("#### How to build the answer", anchors=False)
    st.markdown(coloured("\n".join(f"{place}. {step}" for place, step in enumerate(card.build, start=1))))
    st.markdown("#### A model answer", anchors=False)
    with st.container(border=True, gap="small"):
        st.markdown(coloured(card.model_answer))
        st.caption(f":material/record_voice_over: About {spoken_seconds(card.model_answer)} seconds, spoken without hurry.")
    see_it_happen(question.sandbox)


def _traps(question: Question) -> None:
    for trap in question.card.traps:
        with st.container(border=True, gap="xsmall"):
            st.markdown(f":red[:material/cancel: **Believed**] {coloured(trap.belief)}")
            st.markdown(f":green[:material/check_circle: **True**] {coloured(trap.truth)}")


def _equations(question: Question) -> None:
    for equation in question.card.equations:
        with st.container(border=True, gap="xsmall"):
            st.latex(colour_formula(equation.latex, gate_colours()))
            st.caption(coloured(equation.says))


# --- Practising it ----------------------------------------------------------------------------------------------


def _way_on(question: Question) -> None:
    quiz = context.quiz()
    session = quiz.service.open_session(quiz.learner)
    if session is None or session.only == (question.id,):
        label = f"Practise this question ({counted(len(question.items), 'item')})" if session is None else "Go on practising this question"
        if st.button(label, key="practise", type="primary", icon=":material/play_arrow:"):
            _practise(question)
        return
    with st.container(border=True, gap="small"):
        st.markdown(session_in_words(session))
        with st.container(horizontal=True):
            st.page_link(PRACTICE, label="Go on with it", icon=":material/play_arrow:")
            if st.button("Finish it and practise this question", key="switch", icon=":material/swap_horiz:"):
                quiz.service.end_session(session.id, quiz.clock(), learner=quiz.learner)
                _practise(question)


def _practise(question: Question) -> None:
    quiz = context.quiz()
    with going_to(PRACTICE):
        quiz.service.start_session(quiz.learner, len(question.items), quiz.clock(), (question.id,))
