"""Sections of the progress page on what the app knows: readiness, its own calibration, the learner's certainty, the scheduler's lesson."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, tzinfo

import streamlit as st

from questions.schema import Group
from quiz.engine.calibration import ENOUGH as ENOUGH_FORECASTS
from quiz.engine.calibration import WINDOW, Bin, Calibration, Losses
from quiz.engine.points import ENOUGH as ENOUGH_CERTAIN
from quiz.engine.points import POINTS
from quiz.engine.readiness import ENOUGH as ENOUGH_ANSWERS
from quiz.progress_views import EVERYTHING, Within
from quiz.ui import context
from quiz.ui.components import TODAY, study_link
from quiz.ui.growth import chosen, chosen_groups
from quiz.ui.text import counted
from quiz.views import Certainty, Chance, ReadinessLine, ReadinessView

TELLING = 0.005  # a difference of losses that is worth a word
SAID = {"guess": "“guess”", "unsure": "“fairly sure”", "sure": "“sure”"}


# --- Readiness --------------------------------------------------------------------------------------------------


def readiness(zone: tzinfo) -> None:
    """Every question's chance of a good answer, today and on the interview's day."""
    quiz = context.quiz()
    within = Within(chosen_groups())
    view = quiz.service.adaptive.readiness(quiz.learner, quiz.clock(), zone, within)
    if not view.lines:
        st.info("No question of these groups is in the bank.", icon=":material/filter_alt_off:")
        return
    st.subheader("Readiness", anchor=False)
    _score(view)
    known = [line for line in view.lines if line.enough]
    if not known:
        st.info(
            f"Too little data for any single question yet: each needs {ENOUGH_ANSWERS} answers. "
            "The score above is what your other answers and the items' difficulties suggest.",
            icon=":material/hourglass_empty:",
        )
    else:
        _known(known)
    _unknown([line for line in view.lines if not line.enough])
    with st.expander("All figures as a table"):
        st.markdown(readiness_table(view.lines))


def _score(view: ReadinessView) -> None:
    with st.grid(2, min_column_width=200, gap="small"):
        st.metric("Expected score today", f"{view.score_today:.0f} of 100", border=True)
        if view.score_on_the_day is not None and view.interview is not None:
            change = view.score_on_the_day - view.score_today
            st.metric(f"On {day(view.interview.day)}, without practice", f"{view.score_on_the_day:.0f} of 100", f"{change:+.0f}", border=True)
    lacking, which = sum(not line.enough for line in view.lines), "all" if len(view.lines) == len(context.quiz().bank.questions) else "the chosen"
    st.caption(
        f"The mean chance of a good answer over {which} {counted(len(view.lines), 'question')}, in a form you have not practised."
        + (f" {counted(lacking, 'question has', 'questions have')} too few answers: your other answers stand in." if lacking else "")
    )
    if view.interview is None:
        st.page_link(TODAY, label="Set the date of your interview, and the score on that day stands here, too", icon=":material/event:")


def _known(lines: Sequence[ReadinessLine]) -> None:
    from quiz.ui.insight_charts import CONFIG, readiness_figure  # plotly: only where a chart is drawn

    best, least = max(lines, key=lambda line: line.today.chance), min(lines, key=lambda line: line.today.chance)
    if best is least:
        st.markdown(f"**{best.title}: {best.today.chance:.0%}**")
    else:
        st.markdown(f"**Readiest for {best.title} ({best.today.chance:.0%}), least for {least.title} ({least.today.chance:.0%})**")
    together = [line for group in Group for line in lines if line.group is group]
    alt = "Chance of a good answer with 95% interval: " + "; ".join(in_words(line) for line in together) + "."
    st.plotly_chart(readiness_figure(together), key="readiness", alt=alt, config=CONFIG)


def _unknown(lines: Sequence[ReadinessLine]) -> None:
    if not lines:
        return
    st.markdown(f"**Too little data yet** (fewer than {ENOUGH_ANSWERS} answers):")
    with st.grid(2, min_column_width=260, gap="xxsmall"):
        for line in lines:
            with st.container(key=f"plain_{line.question_id}"):
                study_link(line.question_id, f"{line.number} {line.title} · {counted(line.answers, 'answer')}")


def in_words(line: ReadinessLine) -> str:
    """One question's readiness, for someone who cannot see the chart."""
    later = f", on the day {interval(line.on_the_day)}" if line.on_the_day else ""
    return f"{line.title} {interval(line.today)}{later}"


def interval(chance: Chance) -> str:
    """`72% (55 to 85)`."""
    return f"{chance.chance:.0%} ({100 * chance.low:.0f} to {100 * chance.high:.0f})"


def readiness_table(lines: Sequence[ReadinessLine]) -> str:
    """Every question in a Markdown table."""
    dated = any(line.on_the_day for line in lines)
    head = "| Question | Answers | Today |" + (" On the day |" if dated else "") + "\n| --- | ---: | --- |" + (" --- |" if dated else "")
    rows = []
    for line in lines:
        cells = [f"{line.number} {line.title}", str(line.answers), interval(line.today) if line.enough else "too little data"]
        if dated:
            cells.append(interval(line.on_the_day) if line.enough and line.on_the_day else "too little data")
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join([head, *rows])


def day(when: date) -> str:
    """`3 December`."""
    return f"{when.day} {when:%B}"


# --- Calibration of the app's forecasts -------------------------------------------------------------------------


def calibration(zone: tzinfo) -> None:
    """The app's forecasts of this learner's answers, and the learner's own certainty, in the groups and days looked at."""
    within = chosen(zone)
    _forecasts(zone, within)
    _certainty(zone, within)


def _forecasts(zone: tzinfo, within: Within) -> None:
    quiz = context.quiz()
    found = quiz.service.adaptive.calibration(quiz.learner, zone, within)
    st.subheader("Do the app's forecasts come true?", anchor=False)
    st.markdown("Before each of your answers the app works out the chance that it will be right. This is how those chances fared.")
    if not found.enough:
        st.info(
            f"Too little data: {counted(found.count, 'answer')} with a forecast {'so far' if within == EVERYTHING else 'in this choice of groups and days'}, "
            f"{ENOUGH_FORECASTS} are needed before this says anything.",
            icon=":material/hourglass_empty:",
        )
        return
    from quiz.ui.insight_charts import CONFIG, reliability_figure

    fullest = max(found.bins, key=lambda one: one.count)
    st.markdown(f"**{said_and_came(fullest)}**")
    alt = f"{said_and_came(fullest)}. All of it: " + "; ".join(f"{one.forecast:.0%} said, {one.observed:.0%} right of {one.count}" for one in found.bins) + "."
    st.plotly_chart(reliability_figure(found), key="reliability", alt=alt, config=CONFIG)
    st.markdown(losses_table(found))
    st.markdown(judged(found))


def said_and_came(one: Bin) -> str:
    """The message of the chart: its bin with the most answers."""
    return f"When it said {one.forecast:.0%}, you got {one.observed:.0%} ({counted(one.count, 'answer')})"


def losses_table(found: Calibration) -> str:
    """The losses of the forecasts beside what knows less, in a Markdown table."""
    rows = [
        ("The app's forecasts", found.ours),
        (f"Moving average of your latest {WINDOW} answers", found.moving_average),
        ("Base rate: always your share right, known in hindsight", found.base_rate),
    ]
    lines = [f"| {name} | {one.brier:.3f} | {one.log_loss:.3f} |" for name, one in rows if one is not None]
    return "\n".join([f"| Over {counted(found.count, 'answer')} | Brier score | Log loss |", "| --- | ---: | ---: |", *lines])


def judged(found: Calibration) -> str:
    """The losses in words."""
    if found.ours is None or found.moving_average is None or found.base_rate is None:
        return ""
    average, base = (against(found.ours, other) for other in (found.moving_average, found.base_rate))
    told = f"{average} the moving average and {base} the base rate" if average != base else f"{average} both the moving average and the base rate"
    return f"Less is better; always saying 50% has a Brier score of 0.25. The app's forecasts are {told}."


def against(ours: Losses, other: Losses) -> str:
    """Better or worse only if both losses say so, by half a hundredth at least."""
    lead = other.brier - ours.brier, other.log_loss - ours.log_loss
    return "better than" if min(lead) >= TELLING else "worse than" if max(lead) <= -TELLING else "about as good as"


# --- Certainty --------------------------------------------------------------------------------------------------


def _certainty(zone: tzinfo, within: Within) -> None:
    """Points by certainty-based marking, and whether each certainty was right as often as it should be."""
    quiz = context.quiz()
    found = quiz.service.adaptive.certainty(quiz.learner, zone, within)
    st.subheader("Do you know what you know?", anchor=False)
    pay = "; ".join(f"{SAID[name]} {signed(right)} when right, {signed(wrong)} when wrong" for name, (right, wrong) in POINTS.items())
    st.markdown(
        f"Saying how sure you are scores points: {pay}. Nobody gains by claiming more or less than they believe: "
        "“sure” pays best above 80%, “fairly sure” from 67 to 80%, “guess” below."
    )
    if not found.answers:
        st.info(
            "Too little data: you have not said yet how sure you are of an answer. It is asked with each one, and optional."
            if within == EVERYTHING
            else "You said of no answer in this choice of groups and days how sure you are.",
            icon=":material/hourglass_empty:",
        )
        return
    from quiz.ui.insight_charts import CONFIG, certainty_figure

    st.metric("Points", f"{found.points:,} from {counted(found.answers, 'answer')}".replace("-", "−"), border=True, width="content")
    st.markdown(f"**{honesty(found)}**")
    told = "; ".join(f"{SAID[line.confidence]} {line.right} of {line.answers} right, {line.verdict}" for line in found.lines)
    st.plotly_chart(certainty_figure(found), key="certainty", alt=f"{honesty(found)}. {told}.", config=CONFIG)
    st.markdown(certainty_table(found))


def honesty(found: Certainty) -> str:
    """The message of the chart: what is wrong first, then what is right, then that there is too little."""
    by_name = {line.confidence: line for line in found.lines}
    for line in (by_name["sure"], by_name["unsure"], by_name["guess"]):
        if line.verdict in ("overconfident", "underconfident"):
            return f"When you say {SAID[line.confidence]} you are {line.verdict}: {line.share:.0%} of {line.answers} were right"
    fine = [line for line in (by_name["sure"], by_name["unsure"], by_name["guess"]) if line.verdict == "honest"]
    if fine:
        return f"When you say {SAID[fine[0].confidence]} you are as sure as you should be: {fine[0].share:.0%} of {fine[0].answers} were right"
    return f"Too little data: {ENOUGH_CERTAIN} answers of one certainty are needed"


def certainty_table(found: Certainty) -> str:
    """Each certainty in a Markdown table."""
    rows = [f"| {SAID[line.confidence]} | {line.right} of {line.answers} | {signed(line.points)} | {line.verdict} |" for line in found.lines]
    return "\n".join(["| You said | Right | Points | |", "| --- | ---: | ---: | --- |", *rows])


def signed(points: int) -> str:
    """`+3`, `0`, `−6`."""
    return f"{points:+d}".replace("-", "−") if points else "0"


# --- The scheduler as an LSTM lesson ----------------------------------------------------------------------------


def lesson() -> None:
    """Whose forecasts are better: FSRS's, a moving average's or a small LSTM's? The lab trains and draws."""
    quiz = context.quiz()
    log = quiz.service.adaptive.lesson_log(quiz.learner)
    st.subheader("Would an LSTM forecast you better?", anchor=False)
    st.markdown(
        "When a question falls due is decided by FSRS: equations for forgetting, with two numbers for each question. An LSTM could learn "
        "such equations from answers. "
        "Here a small one tries: it trains on the past, forecasts what came next, and is judged by log loss, the mean of −ln of the chance "
        "it gave to what happened."
    )
    if log.simulated:
        st.info(
            f"Too little data of yours: {counted(log.own, 'answer')} to a question from an earlier day, {log.least} are needed. Until then this runs on a "
            "**simulated** learner's three months, who forgets by another law than FSRS assumes. It shows the method and says nothing about you.",
            icon=":material/smart_toy:",
        )
    else:
        st.caption(f"Your own log: {log.own} answers to a question from an earlier day.")
    quiz.compare_forecasts(log.history)
