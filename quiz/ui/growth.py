"""Sections of the progress page that look back: over time, forgetting, misconceptions, predictions. Filters stay in the address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

import streamlit as st

from questions.schema import Group
from quiz.progress_views import Accuracy, Belief, Curve, Foretold, ForgettingView, Growth, GrowthRow, PeriodStat, Within, right_of
from quiz.ui import context
from quiz.ui.components import PRACTICE, study_link
from quiz.ui.formulas import coloured
from quiz.ui.going import going_to
from quiz.ui.text import counted, duration, lab_address, long_day, quoted, when

SPANS = {"all": "Everything", "4 weeks": "The last 4 weeks", "3 months": "The last 3 months", "year": "The last 12 months", "between": "Between two days"}
SPAN_DAYS = {"4 weeks": 28, "3 months": 91, "year": 364}
SHOWN = 12  # misconceptions of a kind
WEEKS = 52


# --- What to look at --------------------------------------------------------------------------------------------


def chosen(zone: tzinfo) -> Within:
    """The filters, drawn and read: groups and days."""
    with st.grid(2, min_column_width=260, gap="small"):
        groups = chosen_groups()
        span = st.selectbox("Time", list(SPANS), format_func=SPANS.__getitem__, key="time", bind="query-params")
    today = context.quiz().clock().astimezone(zone).date()
    first, last = _two_days(today, zone) if span == "between" else (today - timedelta(days=SPAN_DAYS[span] - 1) if span in SPAN_DAYS else None, None)
    return Within(groups, first, last)


def chosen_groups() -> frozenset[Group]:
    """The filter for groups alone, drawn and read."""
    label = "Groups of questions"
    return frozenset(st.multiselect(label, list(Group), format_func=lambda group: group.label, key="groups", placeholder="All groups", bind="query-params"))


def _two_days(today: date, zone: tzinfo) -> tuple[date | None, date | None]:
    """The two days, in their order whichever was given first."""
    quiz = context.quiz()
    earliest = min(quiz.service.hindsight.first_day(quiz.learner, quiz.clock(), zone), today)
    with st.grid(2, min_column_width=140, gap="small"):
        first = st.date_input("From", earliest, max_value=today, key="from", format="YYYY-MM-DD", bind="query-params")
        last = st.date_input("To", today, max_value=today, key="to", format="YYYY-MM-DD", bind="query-params")
    return min(first, last), max(first, last)


def colours() -> Sequence[str]:
    """From nothing to much, as the theme has it now."""
    scale: Sequence[str] = st.get_option(f"theme.{'dark' if st.context.theme.type == 'dark' else 'light'}.chartSequentialColors")
    return scale


# --- Over time --------------------------------------------------------------------------------------------------


def over_time(zone: tzinfo) -> None:
    """Mastery, activity and accuracy over the time looked at."""
    quiz = context.quiz()
    within = chosen(zone)
    now = quiz.clock()
    found = quiz.service.hindsight.growth(quiz.learner, now, zone, within)
    if not found.answers:
        st.info("No answer in this choice of groups and days.", icon=":material/filter_alt_off:")
        return
    st.markdown(
        f"{counted(found.answers, 'answer')} on {counted(found.days_active, 'day')}, {found.right / found.answers:.0%} right, in {duration(found.minutes)}.",
        help="Time runs from seeing a question to answering it, ten minutes at most, and 20 seconds for reading each feedback.",
    )
    _mastery(found)
    _calendar(found, within.last or now.astimezone(zone).date())
    _periods(found)
    _accuracy(found)


def _mastery(found: Growth) -> None:
    from quiz.ui.growth_charts import CONFIG, first_to_last, mastery_figure  # plotly: only where a chart is drawn

    st.subheader("Mastery", anchor=False)
    st.markdown(f"**{mastery_message(found.rows)}**")
    known = [row for row in found.rows if any(value is not None for value in row.values)]
    alt = f"{mastery_message(found.rows)}. From the first to the last: " + "; ".join(f"{row.title} {first_to_last(row)}" for row in known) + "."
    st.plotly_chart(mastery_figure(found, colours()), key="growth_mastery", alt=alt, config=CONFIG)
    st.caption(
        "Mastery is the chance of a good answer to an item of average difficulty of the question, from the answers up to then. An empty cell: not tried yet."
    )


def mastery_message(rows: Sequence[GrowthRow]) -> str:
    """How many questions rose and which most, from the first value in the time looked at to the last."""
    moves = {row.title: (ends[0], ends[-1]) for row in rows if len(ends := [value for value in row.values if value is not None]) > 1}
    if not moves:
        return "Too early to see mastery move: it takes answers in more than one stretch of time"
    rose = {title: ends for title, ends in moves.items() if round(100 * ends[1]) > round(100 * ends[0])}
    if not rose:
        return f"Mastery rose for none of {counted(len(moves), 'question')}"
    title, (first, last) = max(rose.items(), key=lambda pair: pair[1][1] - pair[1][0])
    return f"Mastery rose for {len(rose)} of {counted(len(moves), 'question')}, most for {title}: from {first:.0%} to {last:.0%}"


def _calendar(found: Growth, last: date) -> None:
    from quiz.ui.growth_charts import CONFIG, calendar_figure

    st.subheader("Days", anchor=False)
    minutes = st.segmented_control("What to count", ["Answers", "Minutes"], default="Answers", required=True, key="measure", bind="query-params") == "Minutes"
    days = found.days
    weeks = max(1, min(WEEKS, (last - days[0].period.first).days // 7 + 2)) if days else 1
    best = max(days, key=lambda one: one.minutes if minutes else one.answers)
    most = f"{best.minutes:.0f} minutes" if minutes else counted(best.answers, "answer")
    message = f"You practised on {counted(len(days), 'day')} of {counted(weeks, 'week')}; most on {long_day(best.period.first, last)}: {most}"
    st.markdown(f"**{message}**")
    alt = f"A calendar. {message}. Day by day in the table below it."
    st.plotly_chart(calendar_figure(days, last, weeks, colours(), minutes=minutes), key="calendar", alt=alt, config=CONFIG)
    with st.expander("All days as a table"):
        st.markdown(days_table(days))
    if found.days_active > len(days):
        st.caption(f"The latest {WEEKS} weeks of the time looked at; you practised on {found.days_active:,} days in all of it.")


def days_table(days: Sequence[PeriodStat]) -> str:
    """Every day of practice in a Markdown table, the latest first."""
    rows = [
        f"| {one.period.first:%a} {one.period.first.day} {one.period.first:%b %Y} | {one.answers:,} | {one.right:,} | {one.minutes:.0f} |"
        for one in reversed(days)
    ]
    return "\n".join(["| Day | Answers | Right | Minutes |", "| --- | ---: | ---: | ---: |", *rows])


def _periods(found: Growth) -> None:
    from quiz.ui.growth_charts import CONFIG, period_name, periods_figure

    st.subheader("Answers and time", anchor=False)
    busiest = max(found.periods, key=lambda one: one.answers)
    name = period_name(found.step, busiest.period)
    message = (
        f"{found.right:,} of {counted(found.answers, 'answer')} right, in {duration(found.minutes)}; the busiest {found.step}, {name}, "
        f"had {counted(busiest.answers, 'answer')}"
    )
    st.markdown(f"**{message}**")
    alt = f"{message}. " + "; ".join(
        f"{period_name(found.step, one.period)} {one.right} of {one.answers} right, {one.minutes:.0f} minutes" for one in found.periods if one.answers
    )
    st.plotly_chart(periods_figure(found), key="periods", alt=f"{alt}.", config=CONFIG)


def _accuracy(found: Growth) -> None:
    from quiz.ui.growth_charts import CONFIG, accuracy_figure

    st.subheader("Where you are right", anchor=False)
    st.markdown(f"**{accuracy_message(found.groups, 'group')}. {accuracy_message(found.formats, 'format')}**")
    alt = "Share right with 95% interval: " + "; ".join(f"{one.label} {accuracy_in_words(one)}" for one in (*found.groups, *found.formats)) + "."
    st.plotly_chart(accuracy_figure(found), key="accuracy", alt=alt, config=CONFIG)
    with st.expander("All figures as a table"):
        st.markdown(accuracy_table(found))


def accuracy_message(lines: Sequence[Accuracy], kind: str) -> str:
    """The two that differ most among those whose intervals leave no doubt that they differ."""
    if len(lines) == 1:
        return f"All answers are of one {kind}, {lines[0].label}"
    apart = [(one, other) for one in lines for other in lines if one.interval[0] > other.interval[1]]
    if not apart:
        return f"No two {kind}s differ clearly"
    best, least = max(apart, key=lambda pair: pair[0].share - pair[1].share)
    return f"Among {kind}s, clearly better at {best.label} ({best.share:.0%}) than at {least.label} ({least.share:.0%})"


def accuracy_in_words(one: Accuracy) -> str:
    """`63% (55 to 70), 80 of 127`."""
    low, high = one.interval
    return f"{one.share:.0%} ({100 * low:.0f} to {100 * high:.0f}), {one.right:,} of {one.answers:,}"


def accuracy_table(found: Growth) -> str:
    """Groups and formats in a Markdown table, with the time they took."""
    rows = [
        f"| {one.label} | {one.right:,} of {one.answers:,} | {accuracy_in_words(one).split(',')[0]} | {duration(one.minutes)} |"
        for one in (*found.groups, *found.formats)
    ]
    return "\n".join(["| | Right | Share, with 95% interval | Time |", "| --- | ---: | --- | ---: |", *rows])


# --- Forgetting -------------------------------------------------------------------------------------------------


def forgetting(zone: tzinfo) -> None:
    """How a question is being forgotten: the curve, with today and the interview on it."""
    quiz = context.quiz()
    now, filters = quiz.clock(), st.grid(2, min_column_width=260, gap="small")
    with filters:
        within = Within(chosen_groups())
    view = quiz.service.hindsight.forgetting(quiz.learner, quiz.service.state(quiz.learner), now, zone, within)
    if not view.curves:
        st.info("No question of these groups was answered yet.", icon=":material/filter_alt_off:")
        return
    names = {f"{curve.number} {curve.title}": curve for curve in view.curves}
    faintest = min(names, key=lambda name: names[name].today)
    with filters:
        name = st.selectbox("Question", list(names), index=list(names).index(faintest), key="curve", bind="query-params")
    _curve(view, names.get(name, names[faintest]), now, zone)
    with st.expander("All questions as a table"):
        st.markdown(forgetting_table(view, now))


def _curve(view: ForgettingView, curve: Curve, now: datetime, zone: tzinfo) -> None:
    from quiz.ui.growth_charts import CONFIG, forgetting_figure

    st.subheader("Forgetting", anchor=False)
    st.markdown(f"**{forgetting_message(view, curve, now)}**")
    today = now.astimezone(zone).date()
    earliest = max(min(curve.reviewed_at.astimezone(zone).date(), today - timedelta(days=2)), today - timedelta(days=60))
    others = f" Beside it, fainter, {counted(len(view.curves) - 1, 'other question')}." if len(view.curves) > 1 else ""
    alt = f"A curve of forgetting. {forgetting_message(view, curve, now)}.{others}"
    st.plotly_chart(forgetting_figure(view, curve, earliest), key="forgetting", alt=alt, config=CONFIG)
    st.caption(
        "The chance that you remember, if you do not practise, by the FSRS model of memory: it falls fast at first and ever more slowly, and a question you "
        "remembered after a longer break falls more slowly than before. How well you knew it in the first place is not in it: see Readiness."
    )
    study_link(curve.question_id, f"Study {curve.title}", ":material/menu_book:")


def forgetting_message(view: ForgettingView, curve: Curve, now: datetime) -> str:
    """Today's chance, the interview's, and when the question is due."""
    later = f", {curve.on_the_day:.0%} on the day of the interview" if view.interview is not None and curve.on_the_day is not None else ""
    due = "it is due now" if curve.due_at <= now else f"it is due {when(curve.due_at, now)}"
    return f"{curve.title}: {curve.today:.0%} today{later}; {due}"


def forgetting_table(view: ForgettingView, now: datetime) -> str:
    """Every curve in a Markdown table, the faintest memory first."""
    dated = view.interview is not None
    rows = [
        f"| {curve.number} {curve.title} | {curve.today:.0%} | "
        + (f"{curve.on_the_day:.0%} | " if dated and curve.on_the_day is not None else "")
        + f"{when(curve.due_at, now)} |"
        for curve in sorted(view.curves, key=lambda one: one.today)
    ]
    head = "| Question | Today | " + ("At the interview | " if dated else "") + "Due |"
    return "\n".join([head, "| --- | ---: | " + ("---: | " if dated else "") + "--- |", *rows])


# --- Misconceptions ---------------------------------------------------------------------------------------------


def misconceptions(zone: tzinfo) -> None:
    """Wrong options that were chosen: those still open, each with where to look, and those overcome."""
    quiz = context.quiz()
    found = quiz.service.hindsight.misconceptions(quiz.learner, zone, chosen(zone))
    st.subheader("Misconceptions", anchor=False)
    st.markdown("A wrong option you chose. It is overcome when you answer the same item rightly after it.")
    if not found:
        st.info("None in this choice of groups and days.", icon=":material/check_circle:")
        return
    still = [one for one in found if one.overcome_at is None]
    past = [one for one in found if one.overcome_at is not None]
    with st.grid(3, min_column_width=140, gap="small"):
        st.metric("Met", f"{len(found):,}", border=True)
        st.metric("Overcome", f"{len(past):,}", border=True)
        st.metric("Still open", f"{len(still):,}", border=True)
    _practise([one.question_id for one in still])
    for place, one in enumerate(still[:SHOWN]):
        _belief(one, place, zone)
    if len(still) > SHOWN:
        st.caption(f"The latest {SHOWN} of {len(still):,}.")
    if past:
        with st.expander(f"{counted(len(past), 'misconception')} overcome"):
            st.markdown(coloured("\n\n".join(overcome(one, zone) for one in past[:SHOWN])))
            if len(past) > SHOWN:
                st.caption(f"The latest {SHOWN} of {len(past):,}.")


def _practise(question_ids: Sequence[str]) -> None:
    quiz = context.quiz()
    only = [name for name in dict.fromkeys(question_ids) if name in quiz.bank.by_id]
    if not only:
        return
    if quiz.service.open_session(quiz.learner) is not None:
        st.page_link(PRACTICE, label="Go on with the open session", icon=":material/play_arrow:")
    elif st.button(f"Practise {counted(len(only), 'question')} they belong to", key="practise_open", type="primary", icon=":material/play_arrow:"):
        with going_to(PRACTICE):
            quiz.service.start_session(quiz.learner, max(5, len(only)), quiz.clock(), tuple(only))


def _belief(one: Belief, place: int, zone: tzinfo) -> None:
    with st.container(border=True, key=f"face_belief_{place}", gap="xsmall"):
        said = f"{one.question_title} · chosen {times(one.times)} {short(one.last_at, zone)}"
        st.markdown(f":small[{said}]\n\n" + coloured(f"{one.prompt}\n\n" + quoted(":small[:red[:material/cancel: **You chose**]]", one.text, one.why)))
        if one.link is not None:
            with st.container(horizontal=True, gap="small"):
                study_link(one.question_id, "Study the question", ":material/menu_book:")
                st.page_link(context.quiz().lab_page, label="See it happen", icon=":material/science:", query_params=lab_address(one.link))


def times(number: int) -> str:
    """`once, on`, `3 times, last on`."""
    return "once, on" if number == 1 else f"{number} times, last on"


def overcome(one: Belief, zone: tzinfo) -> str:
    """One that is behind, in Markdown."""
    day = short(one.overcome_at, zone) if one.overcome_at else ""
    return quoted(f":small[:green[:material/check_circle: **Overcome on {day}**] · {one.question_title}]", one.text, one.why)


def short(at: datetime, zone: tzinfo) -> str:
    """`12 November 2026`."""
    day = at.astimezone(zone)
    return f"{day.day} {day:%B %Y}"


# --- Predictions ------------------------------------------------------------------------------------------------


def predictions(zone: tzinfo) -> None:
    """Predictions of experiments against what they showed."""
    quiz = context.quiz()
    found = quiz.service.hindsight.foretold(quiz.learner, zone, chosen(zone))
    st.subheader("Predictions", anchor=False)
    if not found:
        st.info("No prediction has come to its outcome in this choice. In the lab, say what you expect, then run.", icon=":material/science:")
        st.page_link(quiz.lab_page, label="Open the lab", icon=":material/science:")
        return
    from quiz.ui.growth_charts import CONFIG, foretold_figure

    message = predicted(found)
    st.markdown(f"**{message}**")
    alt = f"{message}. " + "; ".join(f"{quiz.experiment_title(one.experiment)} {one.right} of {one.runs}" for one in found) + "."
    st.plotly_chart(foretold_figure(found, quiz.experiment_title), key="foretold", alt=alt, config=CONFIG)
    st.caption("Each run that had a prediction and came to an outcome counts once. Each of them stands on the page Runs.")


def predicted(found: Sequence[Foretold]) -> str:
    """`You predicted 14 of 24 runs rightly`."""
    right, runs = right_of(found)
    return f"You predicted {right} of {counted(runs, 'run')} rightly"
