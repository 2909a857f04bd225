"""The practice page: welcome, item, feedback, summary; and the items of a diagnostic, which give no feedback in between.

What is asked, what was answered and what comes next live in the database; the browser session holds only the answer
in the making. So a refresh, a second tab or a double click finds things as they are, and nothing is recorded twice.
Answers are recorded in callbacks, before anything is drawn: a script run may be cut off while drawing.
"""

from __future__ import annotations

import time
from datetime import timedelta

import streamlit as st
from streamlit.errors import StreamlitAPIException

from questions.schema import FORMAT_LABELS
from quiz.engine.grading import InvalidResponse
from quiz.service import PresentationClosed
from quiz.ui import context
from quiz.ui.answering import Draft, answer_widget, confidence_widget, draft_for, is_complete, is_typed, key_hint, response_from
from quiz.ui.components import DIAGNOSTIC, PROGRESS, STUDY, study_link
from quiz.ui.feedback import show_reasons, show_verdict
from quiz.ui.formulas import coloured
from quiz.ui.going import go_to
from quiz.ui.material import show_material
from quiz.ui.text import counted, lab_address
from quiz.ui.unusable import careful_click, careful_drawing, careful_part, show_left_out
from quiz.views import Feedback, Reason, SessionSummary, SessionView, SummaryLine, Turn

LENGTHS = (5, 10, 20)
# The browser draws in one piece what arrives together, and the reasons are most of it. So right or wrong gets a frame of
# a 60 Hz screen to itself, and is there in half the time; the reasons come a few milliseconds later than they could.
HEAD_START_S = 1 / 60
REASONS: dict[Reason, str] = {
    "due": "Due again",
    "new": "New to you",
    "again": "Once more, in another form",
    "ahead": "Ahead of time",
    "level": "To find your level",
}
# Nobody reads an item and knows that they do not know in less: the second half of a double click.
TOO_SOON = timedelta(seconds=0.6)


@st.fragment(key="practice")
@careful_drawing
def practice() -> None:
    """The whole page. A fragment, so that a step to the next item redraws nothing around it."""
    quiz = context.quiz()
    st.session_state.moved = False
    if st.session_state.pop("elsewhere", False):
        st.toast("That question had been closed in another tab. This is where the session stands.", icon=":material/info:")
    session = quiz.service.open_session(quiz.learner)
    turn = _current(session) if session else None
    if turn is not None:
        st.session_state.seen = turn.session.id
        with st.container(key=f"face_{draft_for(turn).face}"):
            _head(turn)
            _body(turn)
    elif session is not None:  # its questions have left the bank, or another tab has just answered the last one
        quiz.service.end_session(session.id, quiz.clock(), learner=quiz.learner)
        st.rerun()
    elif st.session_state.get("seen"):
        summary = quiz.service.summary(st.session_state.seen, learner=quiz.learner)
        if summary.session.kind == "diagnostic":
            _leave_summary()
            go_to(DIAGNOSTIC)
        with st.container(key="face_2"):
            _summary(summary)
    else:
        _welcome()


def _current(session: SessionView) -> Turn | None:
    """The item to show. A diagnostic's answered one, left so by a refresh just then, is passed by: it shows no feedback."""
    quiz = context.quiz()
    turn = quiz.service.current(session.id, quiz.clock(), quiz.rng, learner=quiz.learner)
    if turn is not None and turn.feedback is not None and session.kind == "diagnostic":
        quiz.service.advance(turn.presentation_id, quiz.clock(), learner=quiz.learner)
        turn = quiz.service.current(session.id, quiz.clock(), quiz.rng, learner=quiz.learner)
    return turn


# --- Before and after -------------------------------------------------------------------------------------------


def _welcome() -> None:
    quiz = context.quiz()
    questions = len(quiz.bank.questions)
    st.title("Ready for the LSTM interview?", anchor=False)
    st.markdown(
        f"Short questions on the {questions} classics, each with the reasons behind its answer. "
        "What you miss comes back, what you know waits longer, and most answers can be *seen*: "
        "the lab trains the networks in front of you."
    )
    last = quiz.service.last_summary(quiz.learner)
    if last is not None and last.lines:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            went = "a diagnostic" if last.session.kind == "diagnostic" else f"{last.correct} of {counted(len(last.lines), 'question')} right"
            st.caption(f":material/history: Last time: {went}.", width="content")
            st.button("Look at it again", key="last", type="tertiary", on_click=_look_at, args=(last.session.id,))
    st.space("small")
    st.segmented_control("How many questions?", LENGTHS, key="length", default=LENGTHS[1], required=True, on_change="ignore")
    st.button("Start", key="start", type="primary", icon=":material/play_arrow:", shortcut="s", on_click=_start)
    st.space("small")
    st.page_link(STUDY, label="Rather read first? Browse the study cards", icon=":material/menu_book:")
    show_left_out(quiz.bank.left_out)


@careful_click
def _start(length: int | None = None) -> None:
    quiz = context.quiz()
    quiz.service.start_session(quiz.learner, length or st.session_state.get("length") or LENGTHS[1], quiz.clock())


def _look_at(session_id: str) -> None:
    st.session_state.seen = session_id


def _leave_summary() -> None:
    st.session_state.seen = None


@careful_click
def _finish(session_id: str) -> None:
    quiz = context.quiz()
    quiz.service.end_session(session_id, quiz.clock(), learner=quiz.learner)
    st.session_state.moved = True


def _summary(summary: SessionSummary) -> None:
    answered = len(summary.lines)
    st.title("Session finished", anchor=False)
    if not answered:
        st.markdown("You answered no question this time. Nothing was recorded.")
    else:
        st.markdown(f"### {summary.correct} of {answered} right", anchors=False)
        st.progress(summary.correct / answered)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Practise again", key="again", type="primary", icon=":material/replay:", shortcut="s", on_click=_start, args=(summary.session.length,))
        st.button("Change the length", key="leave", type="tertiary", icon=":material/tune:", on_click=_leave_summary)
        st.page_link(PROGRESS, label="See your progress", icon=":material/monitoring:")
    for line in summary.lines:
        _summary_line(line)


def _summary_line(line: SummaryLine) -> None:
    icon, colour, word = (":material/check_circle:", "green", "Right") if line.correct else (":material/cancel:", "red", "Missed")
    with st.container(border=True, gap="xsmall"):
        st.markdown(f":{colour}[{icon} **{word}**] · **{line.question_title}**")
        st.markdown(coloured(line.prompt))
        with st.container(horizontal=True, gap="medium"):
            study_link(line.question_id, "Study card", ":material/menu_book:")
            st.page_link(context.quiz().lab_page, label="See it happen", icon=":material/science:", query_params=lab_address(line.link))


# --- One item ---------------------------------------------------------------------------------------------------


def _head(turn: Turn) -> None:
    session = turn.session
    if session.kind == "diagnostic":
        st.progress((turn.position - 1) / session.length, text=f"Diagnostic, question {turn.position}: it ends by itself, after {session.length} at most")
    else:
        st.progress(session.answered / session.length, text=f"Question {turn.position} of {session.length}")
    st.header(turn.question_title, anchor=False)
    question = context.quiz().bank.by_id.get(turn.question_id)
    group = f":gray-badge[{question.group.label}] " if question else ""
    due = ":material/schedule: " if turn.reason == "due" else ""
    st.markdown(f"{group}:blue-badge[{FORMAT_LABELS[turn.item.format]}] :gray-badge[{due}{REASONS[turn.reason]}]")
    st.markdown(coloured(turn.item.prompt))
    show_material(turn.item)


@st.fragment
@careful_part
def _body(turn: Turn) -> None:
    """The answer in the making, then its feedback: a fragment, so that choosing and checking redraw nothing around it.

    The way out of a session sets `moved` and redraws the page.
    """
    if st.session_state.moved:
        st.rerun()
    answered = st.session_state.get("answered")
    if isinstance(answered, Turn) and answered.presentation_id == turn.presentation_id:
        turn = answered
    if turn.feedback is None:
        st.empty()  # the verdict's place: drawing it need not wait for the options to go
        _ask(turn)
        return
    show_verdict(turn.item, turn.feedback)
    time.sleep(HEAD_START_S)
    _answered(turn, turn.feedback)


def _answered(turn: Turn, feedback: Feedback) -> None:
    if st.session_state.get("kept") == turn.presentation_id:
        st.info("This one had been answered before, perhaps in another tab. The first answer counts, and here it is.", icon=":material/info:")
    show_reasons(turn, feedback, context.quiz().clock())
    last = turn.session.answered >= turn.session.length
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("See the summary" if last else "Next question", key="next", type="primary", shortcut="Right", on_click=_next, args=(turn,))
        if not last:
            _finish_button(turn.session)


def _ask(turn: Turn) -> None:
    # The same places for every format, so that what follows the answer is never on screen twice while items change.
    # In a form, because the browser sends a form at once and holds any other click back for ten milliseconds.
    typed, measuring = is_typed(turn), turn.session.kind == "diagnostic"
    with st.container():
        if not typed:
            answer_widget(turn)
    with st.form("answer_form", border=False):
        if typed:
            answer_widget(turn)
        _problem(draft_for(turn))
        if not measuring:
            confidence_widget()
        label = "Answer" if measuring else "Check answer"
        st.form_submit_button(label, key="check", type="primary", shortcut="Enter", disabled=not is_complete(turn), on_click=_check, args=(turn,))
    with st.container(key="key_hint"):
        st.caption(key_hint(turn))
    with st.container(horizontal=True, gap="small"):
        label = "I don't know" if measuring else "Skip this one"
        st.button(label, key="skip", type="tertiary", icon=":material/skip_next:", on_click=_skip, args=(turn,))
        _finish_button(turn.session)


def _problem(draft: Draft) -> None:
    if draft.problem:
        st.warning(draft.problem, icon=":material/edit:")


def _finish_button(session: SessionView) -> None:
    label = "Stop here and see the result" if session.kind == "diagnostic" else "Finish session"
    st.button(label, key="finish", type="tertiary", icon=":material/flag:", on_click=_finish, args=(session.id,))


@careful_click
def _check(turn: Turn) -> None:
    quiz = context.quiz()
    response = response_from(turn)
    try:
        answered = quiz.service.submit(turn.presentation_id, response, st.session_state.get("confidence"), quiz.clock(), learner=quiz.learner)
    except InvalidResponse as error:
        st.session_state.draft = draft_for(turn).refused(f"Nothing is recorded yet: {error}.")
        return
    except PresentationClosed:
        st.session_state.moved = True
        st.session_state.elsewhere = True
        return
    if turn.session.kind == "diagnostic":
        _pass_by(turn)
        return
    st.session_state.answered = answered
    feedback = answered.feedback
    if feedback is not None and feedback.repeated and feedback.response != response:
        st.session_state.kept = turn.presentation_id


def _pass_by(turn: Turn) -> None:
    """Leave an answered item of a diagnostic; after the last one the whole page is drawn anew, for the result is another page."""
    quiz = context.quiz()
    quiz.service.advance(turn.presentation_id, quiz.clock(), learner=quiz.learner)
    if quiz.service.open_session(quiz.learner) is None:
        st.session_state.moved = True
    else:
        _show_next()


@careful_click
def _next(turn: Turn) -> None:
    quiz = context.quiz()
    quiz.service.advance(turn.presentation_id, quiz.clock(), learner=quiz.learner)
    if turn.session.answered >= turn.session.length:
        st.session_state.moved = True
    else:
        _show_next()


@careful_click
def _skip(turn: Turn) -> None:
    quiz = context.quiz()
    if turn.session.kind == "diagnostic" and quiz.clock() - st.session_state.drawn_at < TOO_SOON:
        return
    quiz.service.skip(turn.presentation_id, quiz.clock(), learner=quiz.learner)
    _show_next()


def _show_next() -> None:
    try:
        st.rerun("practice")
    except StreamlitAPIException:  # the page is just being drawn anew and the fragment is not known yet
        st.session_state.moved = True
