"""The progress page: headline numbers, and sections: what is due with the 24 cells and the
latest days, what is known (insights.py), looking back (growth.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from questions.schema import Group
from quiz.progress_views import Within
from quiz.ui import context, growth, insights
from quiz.ui.components import PRACTICE, adding_up, study_link
from quiz.ui.going import going_to
from quiz.ui.text import counted, when
from quiz.views import DayStat, MasteryCell, ProgressView

LEVELS = ("not tried yet", "below 40%", "40 to 60%", "60 to 80%", "80% and more")
# Only the chosen one is worked out and drawn.
SECTIONS = {
    "overview": "Overview",
    "growth": "Over time",
    "readiness": "Readiness",
    "forgetting": "Forgetting",
    "misconceptions": "Misconceptions",
    "forecasts": "Calibration",
    "predictions": "Predictions",
    "lstm": "LSTM forecast",
}
LOOKING_BACK = {"growth": growth.over_time, "forgetting": growth.forgetting, "misconceptions": growth.misconceptions, "predictions": growth.predictions}
LATEST_DAYS = 28
SHOWN_DUE = 6  # links; all of them are marked below


def progress() -> None:
    """The whole page."""
    quiz = context.quiz()
    now = quiz.clock()
    zone = local_zone()
    with adding_up():
        view = quiz.service.progress(quiz.learner, now, zone)
    st.title("Progress", anchor=False)
    if not view.attempts and not view.runs:
        _nothing_yet(view)
        return
    _headline(view)
    section = st.pills(
        "Section",
        list(SECTIONS),
        key="section",
        default="overview",
        format_func=SECTIONS.__getitem__,
        required=True,
        label_visibility="collapsed",
        bind="query-params",
    )
    if section == "overview":
        _overview(view, now, zone)
    elif section in LOOKING_BACK:
        LOOKING_BACK[section](zone)
    elif section == "readiness":
        insights.readiness(zone)
    elif section == "forecasts":
        insights.calibration(zone)
    else:
        insights.lesson()


def _overview(view: ProgressView, now: datetime, zone: tzinfo) -> None:
    quiz, days = context.quiz(), view.days
    with st.grid(2, min_column_width=260, gap="small"):
        groups = growth.chosen_groups()
    if groups:
        view = replace(view, cells=tuple(cell for cell in view.cells if cell.group in groups))
        found = quiz.service.hindsight.days(quiz.learner, zone, Within(groups))
        days = tuple(DayStat(one.period.first, one.answers, one.right) for one in found)
    _due(view, now)
    _grid(view, now)
    _days(days, now.astimezone(zone).date())


def local_zone() -> tzinfo:
    """The browser's time zone; UTC when it names none that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _nothing_yet(view: ProgressView) -> None:
    st.markdown(
        f"Nothing here yet. After your first answer this page shows which of the {len(view.cells)} questions you master, "
        "what is due, and what the lab has shown you."
    )
    st.page_link(PRACTICE, label="Start practising", icon=":material/play_arrow:")
    _legend()
    _cells(view.cells, datetime.now(UTC))


def _headline(view: ProgressView) -> None:
    """Figures that no filter below them changes, which the two that could be taken for it say."""
    met = sum(cell.attempts > 0 for cell in view.cells)
    with st.grid(4, min_column_width=140, gap="small"):
        st.metric("Questions met", f"{met} of {len(view.cells)}", border=True)
        st.metric("Answers, all time", f"{view.attempts:,}", border=True)
        st.metric("Right, all time", f"{view.correct / view.attempts:.0%}" if view.attempts else "–", border=True)
        st.metric("Due now", str(sum(cell.due for cell in view.cells)), border=True)


# --- Due --------------------------------------------------------------------------------------------------------


def _due(view: ProgressView, now: datetime) -> None:
    due = sorted((cell for cell in view.cells if cell.due and cell.due_at), key=lambda cell: cell.due_at or now)
    coming = sorted((cell for cell in view.cells if cell.due_at and not cell.due), key=lambda cell: cell.due_at or now)
    st.subheader("What is due", anchor=False)
    if due:
        st.markdown(f"{counted(len(due), 'question is', 'questions are')} due: you are about to forget {'it' if len(due) == 1 else 'them'}.")
        _practise_due([cell.question_id for cell in due])
        with st.grid(2, min_column_width=260, gap="xxsmall"):
            for cell in due[:SHOWN_DUE]:
                study_link(cell.question_id, cell.title, ":material/schedule:")
        if len(due) > SHOWN_DUE:
            st.caption(f"and {len(due) - SHOWN_DUE} more, marked in what follows.")
    elif coming:
        st.markdown(f"Nothing is due. Next comes **{coming[0].title}**, {when(coming[0].due_at or now, now)}.")
    else:
        st.markdown("Nothing is due yet: answer a question and it gets its date.")


def _practise_due(question_ids: Sequence[str]) -> None:
    quiz = context.quiz()
    if quiz.service.open_session(quiz.learner) is not None:
        st.page_link(PRACTICE, label="Go on with the open session", icon=":material/play_arrow:")
    elif st.button(
        f"Practise {'it' if len(question_ids) == 1 else f'these {len(question_ids)}'}", key="practise_due", type="primary", icon=":material/play_arrow:"
    ):
        with going_to(PRACTICE):
            quiz.service.start_session(quiz.learner, len(question_ids), quiz.clock(), tuple(question_ids))


# --- Mastery ----------------------------------------------------------------------------------------------------


def level(cell: MasteryCell) -> int:
    """0 for a question not tried yet, else 1 to 4 by mastery; LEVELS says it in words."""
    if cell.mastery is None:
        return 0
    return 1 + sum(cell.mastery >= bound for bound in (0.4, 0.6, 0.8))


def _grid(view: ProgressView, now: datetime) -> None:
    st.subheader("Mastery", anchor=False)
    st.markdown(
        "Your chance of a good answer to an item of average difficulty of each question, from everything you have answered so far. "
        "In brackets, the range it lies in with 95% certainty: more answers narrow it."
    )
    _legend()
    _cells(view.cells, now)


def _legend() -> None:
    with st.container(horizontal=True, gap="xsmall"):
        for number, text in enumerate(LEVELS):
            with st.container(key=f"mastery_{number}_legend", width="content"):
                st.markdown(f":small[{text}]")


def _cells(cells: Sequence[MasteryCell], now: datetime) -> None:
    for group in Group:
        members = [cell for cell in cells if cell.group is group]
        if not members:
            continue
        st.markdown(f"**{group.label}**")
        with st.grid(4, min_column_width=150, gap="xsmall"):
            for cell in members:
                with st.container(key=f"mastery_{level(cell)}_{cell.question_id}", height="stretch", gap="xxsmall"):
                    study_link(cell.question_id, f"{cell.number} {cell.title}")
                    st.markdown(_cell_text(cell, now))


def _cell_text(cell: MasteryCell, now: datetime) -> str:
    if cell.mastery is None or cell.low is None or cell.high is None:
        return ":small[Not tried yet]"
    due = ":orange[:material/schedule: due now]" if cell.due else f"due {when(cell.due_at, now)}" if cell.due_at else ""
    return f":small[**{cell.mastery:.0%}** ({100 * cell.low:.0f}–{100 * cell.high:.0f})]  \n:small[{due}]"


# --- Days -------------------------------------------------------------------------------------------------------


def _days(all_days: Sequence[DayStat], today: date) -> None:
    days = [day for day in all_days[-LATEST_DAYS:] if (today - day.day).days < LATEST_DAYS]
    if not days:
        since = "in the last four weeks. Over time has those from before" if all_days else "yet"
        st.markdown(f"No answers {since}.")
        return
    from quiz.ui.charts import days_figure  # plotly: only where a chart is drawn

    message, best = days_message(days), max(days, key=lambda day: day.attempts)
    st.subheader(message, anchor=False)
    st.caption("The last four weeks")
    alt = f"{message}. Answers and share right on {counted(len(days), 'day')}; most on {best.day.day} {best.day:%B}, {best.correct} of {best.attempts} right."
    st.plotly_chart(days_figure(days), key="days", alt=alt, config={"displayModeBar": False})


def days_message(days: Sequence[DayStat]) -> str:
    """The weekday with the most answers, where that weekday was practised on more than once; else how many and how well."""
    answers, weekdays = sum(day.attempts for day in days), Counter[int]()
    for day in days:
        weekdays[day.day.weekday()] += day.attempts
    (weekday, most), *others = weekdays.most_common(2)
    if sum(day.day.weekday() == weekday for day in days) > 1 and not (others and others[0][1] == most):
        name = f"{next(day.day for day in days if day.day.weekday() == weekday):%A}"
        return f"Most on {name}s: {most:,} of {counted(answers, 'answer')}"
    return f"{counted(answers, 'answer')} on {counted(len(days), 'day')}, {sum(day.correct for day in days) / answers:.0%} right"


def day_and_time(at: datetime) -> str:
    """`3 November 2026, 14:05`."""
    return f"{at.day} {at:%B %Y, %H:%M}"
