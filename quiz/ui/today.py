"""Today: what the day asks for, one button that starts it, and the plan until the interview.

On a first visit a short introduction with two ways on, and nothing to configure. Missed days are not mentioned: the plan
is made anew from where the learner stands, and no day gets more than the minutes it was given.
"""

from __future__ import annotations

from datetime import date, datetime

import streamlit as st

from quiz.service.today import LATEST_DAYS
from quiz.ui import context
from quiz.ui.components import DIAGNOSTIC, PRACTICE, PROGRESS, STUDY, adding_up, study_link
from quiz.ui.diagnostic import start_diagnostic
from quiz.ui.formulas import coloured
from quiz.ui.going import go_to, going_to
from quiz.ui.interview import ask_how_it_went, days_left_in_words, interview_form, interview_line, reply
from quiz.ui.introduction import introduction
from quiz.ui.progress import local_zone
from quiz.ui.text import as_text, counted, duration, lab_address, long_day
from quiz.ui.today_charts import calendar, plan_figure
from quiz.ui.unusable import show_left_out
from quiz.views import PlanView, Suggestion, TodayView

FIRST_ITEMS = 3  # of a first visit: two or three minutes
A_FEW_MORE = 5
SHOWN_STEPS = 5
WORTH_SAYING = 5  # minutes to spare
FEW_ANSWERS = 30  # below it, an expected score is mostly the author's guess


def today() -> None:
    """The whole page."""
    quiz = context.quiz()
    now, zone = quiz.clock(), local_zone()
    day = now.astimezone(zone).date()
    with adding_up():
        view = quiz.service.today.view(quiz.learner, now, zone)
    if view.attempts == 0 and view.session is None and view.plan is None and not quiz.service.adaptive.past_interviews(quiz.learner):
        introduction(_ways_on)
    else:
        _day(view, day)
    show_left_out(quiz.bank.left_out)


# --- The first visit --------------------------------------------------------------------------------------------


def _ways_on() -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(f"Try {FIRST_ITEMS} questions", key="begin", type="primary", icon=":material/play_arrow:", shortcut="s"):
            _practise(FIRST_ITEMS)
        if st.button("Find my level", key="first_diagnostic", icon=":material/straighten:"):
            start_diagnostic()
    st.caption("Three questions take about three minutes. Finding your level takes ten minutes or more and shows where to begin.")
    st.page_link(STUDY, label="Rather read first? Browse the study cards", icon=":material/menu_book:")


def _practise(length: int) -> None:
    quiz = context.quiz()
    with going_to(PRACTICE):
        quiz.service.start_session(quiz.learner, length, quiz.clock())


# --- The day ----------------------------------------------------------------------------------------------------


def _day(view: TodayView, day: date) -> None:
    plan = view.plan
    over = plan is not None and plan.interview.over
    st.title("Welcome back" if over else headline(view, day), anchor=False)
    if plan is not None and over:
        ask_how_it_went(plan.interview)
    reply()
    _figures(view)
    _practised(view)
    if plan is not None and not over:
        _minutes(view, plan, day)
    _way_on(view)
    _steps(view)
    if plan is not None and not over:
        _spare(view, plan, day)
    _suggestion(view.suggestion)
    if plan is not None and not over:
        _plan(plan, day, view.attempts)
    _level(view)
    if plan is None:
        interview_form(day, None)


def headline(view: TodayView, day: date) -> str:
    """The day in a few words."""
    plan = view.plan
    if plan is not None and plan.days_left == 0:
        return "Today is the day"
    if plan is not None and not view.steps:
        off = day.weekday() in plan.interview.days_off and not view.answers_today
        return "A day off" if off else "Done for today" if view.answers_today else "Nothing needed today"
    if plan is not None:
        return f"{duration(view.minutes).capitalize()} to go today" if view.answers_today else f"{duration(view.minutes).capitalize()} for today"
    return f"{counted(len(view.due), 'question')} due today" if view.due else "Something new today" if view.new else "Nothing is due today"


def _figures(view: TodayView) -> None:
    plan = view.plan
    planned = plan is not None and not plan.interview.over
    with st.grid(4 if planned or view.answers_today else 2, min_column_width=140, gap="small"):
        if plan is not None and not plan.interview.over:
            st.metric("Until the interview", days_left_in_words(plan.days_left), border=True)
            st.metric("Expected score", f"{plan.plan.score_with:.0f} of 100", border=True, help=score_in_words(plan, view.attempts))
        elif view.answers_today:
            st.metric("Answered today", str(view.answers_today), border=True)
            st.metric("Time today", duration(view.minutes_today), border=True)
        st.metric("Due", str(len(view.due)), border=True, help="Questions you are about to forget.")
        st.metric("New", str(view.new), border=True, help="Questions you have not met yet.")


def _practised(view: TodayView) -> None:
    said = practised_in_words(view.days_practised, view.days_looked_at)
    if said:
        st.caption(f":material/calendar_month: {said}")


def practised_in_words(days: int, of: int) -> str:
    """How regularly, without a word on what was missed; empty before the first answer."""
    if not of:
        return ""
    if not days:
        return "Good to see you again. All you learnt is still here, and the day starts from there."
    if of < LATEST_DAYS:
        return "Your first day of practice." if of == 1 else f"You practised on {days} of your first {of} days."
    return f"You practised on {days} of the last {of} days{', and each one counts' if days == 1 else ''}."


def _minutes(view: TodayView, plan: PlanView, day: date) -> None:
    """The bar measures what is done against what was planned for today, the same minutes as in the headline."""
    done, planned, _ = minutes_of(view, plan, day)
    if planned:
        st.progress(
            min(done / planned, 1.0), text=f"{done} of {counted(planned, 'minute')} done today" if planned > done else f"{counted(done, 'minute')} done today"
        )


def _spare(view: TodayView, plan: PlanView, day: date) -> None:
    """What the rest of the minutes set aside could go to."""
    spare = minutes_of(view, plan, day)[2]
    if spare >= WORTH_SAYING:
        way = "This experiment is a good use of them, or a card to read" if view.suggestion is not None else "A study card is a good use of them"
        st.caption(f"The plan leaves {spare} of the {plan.interview.minutes} minutes you set aside. {way}.")


def minutes_of(view: TodayView, plan: PlanView, day: date) -> tuple[int, int, int]:
    """Whole minutes of today: done; done and still planned; and left of those set aside, on a day of practice with something planned."""
    done = round(plan.done_minutes)
    planned = done + (max(1, round(view.minutes)) if view.steps else 0)
    off = day.weekday() in plan.interview.days_off or plan.days_left == 0
    return done, planned, 0 if off or not planned else max(0, plan.interview.minutes - planned)


def score_in_words(plan: PlanView, attempts: int) -> str:
    """What the expected score means, and how far to trust it."""
    few = f" From {counted(attempts, 'answer')} it is a rough guess; more answers make it yours." if attempts < FEW_ANSWERS else ""
    return (
        f"The chance of a good answer on the day, averaged over all questions: {plan.plan.score_with:.0f} if you keep to the plan, "
        f"{plan.plan.score_without:.0f} if you stopped now.{few}"
    )


def _way_on(view: TodayView) -> None:
    if view.session is not None:
        _resume(view)
        return
    over = view.plan is not None and (view.plan.interview.over or view.plan.plan.over)
    if view.length and not over:
        if st.button(f"Start: {counted(view.length, 'question')}", key="begin", type="primary", icon=":material/play_arrow:", shortcut="s"):
            _practise(view.length)
        st.caption(f"About {duration(view.minutes)}. You can stop at any time and go on later.")
    elif st.button(f"{A_FEW_MORE} questions, if you like", key="begin", icon=":material/play_arrow:"):
        _practise(A_FEW_MORE)


def _resume(view: TodayView) -> None:
    session = view.session
    if session is None:
        return
    measuring = session.kind == "diagnostic"
    if st.button("Go on with the diagnostic" if measuring else "Go on practising", key="begin", type="primary", icon=":material/play_arrow:", shortcut="s"):
        go_to(PRACTICE)
    done = f"{counted(session.answered, 'question')} answered so far" if measuring else f"{session.answered} of {counted(session.length, 'question')} answered"
    st.caption(f"{done}. It waits where you left it.")


def _steps(view: TodayView) -> None:
    """What is left of today's plan, the most valuable first; without a plan, what is due."""
    if view.steps:
        st.subheader("What pays most today", anchor=False)
        for place, one in enumerate(view.steps[:SHOWN_STEPS]):
            about = f"{counted(one.items, 'question')}, {duration(one.minutes)}{' · new' if one.new else ''}"
            with st.container(key=f"plain_step_{place}"):
                study_link(one.question_id, f"**{as_text(one.title)}** · {about}", ":material/menu_book:")
        rest = len(view.steps) - SHOWN_STEPS
        if rest > 0:
            st.caption(f"and {counted(rest, 'more topic')}. Each leads to its card, to read first if you like.")
    elif view.due and view.plan is None:
        st.subheader("What is due", anchor=False)
        for name in view.due[:SHOWN_STEPS]:
            study_link(name, context.quiz().bank.by_id[name].title, ":material/schedule:")
        if len(view.due) > SHOWN_STEPS:
            st.page_link(PROGRESS, label=f"and {len(view.due) - SHOWN_STEPS} more", icon=":material/more_horiz:")


def _suggestion(found: Suggestion | None) -> None:
    if found is None:
        return
    quiz = context.quiz()
    with st.container(border=True, key="see_it_happen", gap="xsmall"):
        title = quiz.experiment_title(found.link.experiment)
        st.page_link(quiz.lab_page, label=f"**See it happen: {title}**", icon=":material/science:", query_params=lab_address(found.link))
        st.markdown(coloured(f"{why_this_one(found)} {found.link.look_for}"))


def why_this_one(found: Suggestion) -> str:
    """The reason of a suggestion in a sentence or two."""
    title = f"“{as_text(found.question_title)}”"
    if found.why == "weakest":
        return f"Of the experiments you have not run, this one belongs to the topic you know least, {title}."
    if found.why == "new":
        return f"You have not run this one; it belongs to {title}, a topic you have not met yet."
    again = " You have run it before: change a setting this time." if found.seen else ""
    return f"You missed answers on {title}; here you can watch it happen.{again}"


# --- Until the interview ----------------------------------------------------------------------------------------


def _plan(plan: PlanView, day: date, attempts: int) -> None:
    st.subheader(plan_message(plan, day), anchor=False)
    if plan.plan.days and not plan.plan.over:
        st.plotly_chart(plan_figure(plan, day), key="plan", config={"displayModeBar": False, "scrollZoom": False}, alt=plan_in_words(plan, day))
        with st.expander("Day by day", icon=":material/calendar_view_day:", key="day_by_day", on_change="rerun") as days:
            if days.open:
                st.markdown(day_table(plan, day))
        st.caption(f"{score_in_words(plan, attempts)} The plan is made anew with every answer and every day; nothing piles up.")
    interview_line(plan.interview)


def plan_message(plan: PlanView, day: date) -> str:
    """The chart's title."""
    if plan.days_left == 0:
        return "Good luck. Read a card or two, then trust what you know" if not plan.plan.over else "Good luck"
    busy = [one for one in plan.plan.days if one.steps]
    if not busy:
        return "Nothing more needs to be planned"
    total = duration(sum(one.minutes for one in busy))
    far = plan.interview.day != calendar(plan, day)[-1]
    return f"{counted(len(busy), 'day')} of practice, {total} in all{', as far as is planned' if far else ''}"


def plan_in_words(plan: PlanView, day: date) -> str:
    """The chart's text alternative."""
    lines = [f"{one.day:%a} {one.day.day} {one.day:%b}: {one.minutes:.0f} minutes" for one in plan.plan.days]
    return f"Minutes of practice a day until the interview on {long_day(plan.interview.day, day)}. {'; '.join(lines)}."


def day_table(plan: PlanView, day: date) -> str:
    """Every day until the interview as a Markdown table: minutes, and what is practised."""
    by_day = {one.day: one for one in plan.plan.days}
    by_id = context.quiz().bank.by_id
    rows = ["| Day | Minutes | Most valuable |", "| --- | ---: | --- |"]
    for one in calendar(plan, day):
        found = by_day.get(one)
        titles = ", ".join(as_text(by_id[step.question_id].title) for step in found.steps[:3]) if found else ""
        if one == plan.interview.day:
            titles = "**Interview**" + (f", before it: {titles}" if titles else "")
        elif found is None:
            titles = "off"
        rows.append(f"| {one:%a} {one.day} {one:%b} | {f'{found.minutes:.0f}' if found else ''} | {titles} |")
    return "\n".join(rows)


# --- The level --------------------------------------------------------------------------------------------------


def _level(view: TodayView) -> None:
    """The latest diagnostic in one line, or the way to a first one."""
    quiz = context.quiz()
    found = quiz.service.adaptive.diagnostic(quiz.learner)
    if found is not None and found.ending is None:
        return
    if found is None or not found.overall.answers:
        label = "Find your level: where you stand, and where to begin"
    else:
        ended: datetime = (found.session.ended_at or found.session.started_at).astimezone(local_zone())
        label = f"Your level on {ended.day} {ended:%B}: {found.overall.mastery:.0%}, between {found.overall.low:.0%} and {found.overall.high:.0%}"
    with st.container(key="wrap_level"):
        st.page_link(DIAGNOSTIC, label=label, icon=":material/straighten:")
