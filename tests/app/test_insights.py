"""The sections of the progress page on what the app knows: readiness, calibration, certainty, and the scheduler as an LSTM lesson."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from questions.schema import Group
from quiz.engine.calibration import Bin, Calibration, Losses
from quiz.engine.points import certainty_of
from quiz.progress_views import Within
from quiz.ui import context
from quiz.ui.insight_charts import certainty_figure, readiness_figure, reliability_figure
from quiz.ui.insights import certainty_table, honesty, judged, losses_table, readiness_table
from quiz.views import Chance, ReadinessLine
from sandbox.forecasting import QUICK, AnswerLog
from sandbox.ui import context as lab_context
from tests.app.learner import Open, answered_before, charts, has_button, right_answer, says, section, wrong_answer

NOW = datetime.now(UTC)


# --- Readiness --------------------------------------------------------------------------------------------------


def test_readiness_says_too_little_data_until_a_question_has_enough_answers(open_app: Open) -> None:
    answered_before(NOW, days=1, length=2)
    tab = section(open_app, "readiness")
    assert "Too little data for any single question yet: each needs 3 answers" in says(tab)
    assert not charts(tab)
    assert says(tab).count("too little data |") == len(context.quiz().bank.questions)


def test_readiness_shows_today_and_after_setting_a_date_that_day_too(open_app: Open) -> None:
    answered_before(NOW, days=9)
    quiz = context.quiz()
    tab = section(open_app, "readiness")
    assert [metric.label for metric in tab.metric if "score" in metric.label.lower()] == ["Expected score today"]
    assert all("on the day" not in alt for alt in charts(tab))
    view = quiz.service.adaptive.readiness(quiz.learner, NOW, UTC)
    assert f"{view.score_today:.0f} of 100" in [metric.value for metric in tab.metric]
    (alt,) = charts(tab)
    assert all(line.title in alt for line in view.lines if line.enough)
    quiz.service.adaptive.set_interview(quiz.learner, NOW.date() + timedelta(days=14), 20, NOW, UTC)
    tab = section(open_app, "readiness")
    assert any(metric.label.endswith("without practice") for metric in tab.metric)
    assert all("on the day" in alt for alt in charts(tab))


def line(enough: bool, later: Chance | None) -> ReadinessLine:
    return ReadinessLine("q", 7, "The forget gate", Group.GATES, 5 if enough else 1, enough, Chance(0.72, 0.55, 0.85), later)


def test_the_table_gives_chances_with_intervals_and_owns_up_to_too_little_data() -> None:
    later = Chance(0.6, 0.4, 0.75)
    assert readiness_table([line(True, later), line(False, later)]).splitlines()[2:] == [
        "| 7 The forget gate | 5 | 72% (55 to 85) | 60% (40 to 75) |",
        "| 7 The forget gate | 1 | too little data | too little data |",
    ]
    assert readiness_table([line(True, None)]).splitlines()[2:] == ["| 7 The forget gate | 5 | 72% (55 to 85) |"]


def test_the_chart_of_readiness_has_dots_on_intervals_and_a_second_mark_for_the_day() -> None:
    today, later = readiness_figure([line(True, Chance(0.6, 0.4, 0.75))]).data
    assert (list(today.x), today.marker.symbol, later.marker.symbol) == ([72.0], "circle", "diamond")
    assert (today.error_x.array[0], today.error_x.arrayminus[0]) == pytest.approx((13, 17))
    assert len(readiness_figure([line(True, None)]).data) == 1


# --- Calibration and certainty ----------------------------------------------------------------------------------


def test_below_thirty_answers_the_page_says_too_little_data_for_calibration_and_certainty(open_app: Open) -> None:
    answered_before(NOW, days=2)
    tab = section(open_app, "forecasts")
    assert "Too little data: 20 answers with a forecast so far, 30 are needed" in says(tab)
    assert "Too little data: you have not said yet how sure you are" in says(tab)
    assert not charts(tab)


def test_calibration_and_certainty_show_their_charts_and_figures(open_app: Open) -> None:
    answer_surely(NOW, days=4)
    tab = section(open_app, "forecasts")
    quiz = context.quiz()
    reliability, certainty = charts(tab)
    assert "When it said" in reliability
    assert "20 of 40 right" in certainty
    assert "| The app's forecasts |" in says(tab)
    assert "When you say “sure” you are overconfident: 50% of 40 were right" in says(tab)
    assert quiz.service.adaptive.certainty(quiz.learner).points == 20 * 3 - 20 * 6
    assert "−60 from 40 answers" in [metric.value for metric in tab.metric]


def test_calibration_and_certainty_are_counted_over_the_groups_and_days_chosen(open_app: Open) -> None:
    answer_surely(NOW, days=5)
    tab = section(open_app, "forecasts")
    assert "| Over 50 answers |" in says(tab)
    tab.get_by_key("time").set_value("between").run()
    tab.get_by_key("from").set_value((NOW - timedelta(days=4)).date()).run()
    assert "| Over 40 answers |" in says(tab)
    assert "−60 from 40 answers" in [metric.value for metric in tab.metric]
    tab.get_by_key("groups").set_value([Group.GATES]).run()
    adaptive, learner = context.quiz().service.adaptive, context.quiz().learner
    within = Within(frozenset({Group.GATES}), (NOW - timedelta(days=4)).date(), NOW.date())
    few = adaptive.calibration(learner, UTC, within).count
    assert 0 < few < 30
    assert f"{few} answers with a forecast in this choice of groups and days" in says(tab)
    assert adaptive.certainty(learner, UTC, within).answers == few
    assert not tab.exception


def test_readiness_of_a_group_has_its_questions_and_their_mean_score(open_app: Open) -> None:
    answered_before(NOW, days=9)
    quiz = context.quiz()
    tab = section(open_app, "readiness")
    tab.get_by_key("groups").set_value([Group.GATES]).run()
    assert not tab.exception
    view = quiz.service.adaptive.readiness(quiz.learner, NOW, UTC, Within(frozenset({Group.GATES})))
    assert {line.group for line in view.lines} == {Group.GATES}
    assert view.score_today == pytest.approx(100 * sum(line.today.chance for line in view.lines) / len(view.lines))
    assert f"{view.score_today:.0f} of 100" in [metric.value for metric in tab.metric]
    assert f"over the chosen {len(view.lines)} questions" in says(tab)


def answer_surely(now: datetime, days: int) -> None:
    """Ten answers a day, every other one right, always "sure"."""
    quiz, number = context.quiz(), 0
    for ago in range(days, 0, -1):
        at = now - timedelta(days=ago)
        session = quiz.service.start_session(quiz.learner, 10, at)
        while (turn := quiz.service.current(session.id, at, random.Random(number))) is not None:
            answer = right_answer if number % 2 else wrong_answer
            quiz.service.submit(turn.presentation_id, answer(turn.item), "sure", at)
            quiz.service.advance(turn.presentation_id, at)
            number, at = number + 1, at + timedelta(seconds=30)


BINS = (Bin(0.3, 0.4, 10, 0.35, 0.3, 0.1, 0.6), Bin(0.8, 0.9, 30, 0.83, 0.8, 0.63, 0.9))


def test_forecasts_are_held_against_the_moving_average_and_the_base_rate() -> None:
    found = Calibration(40, Losses(0.17, 0.52), Losses(0.2, 0.6), BINS)
    assert found.base_rate is not None
    assert found.base_rate.brier == pytest.approx(27 / 40 * 13 / 40)
    assert losses_table(found).splitlines()[2] == "| The app's forecasts | 0.170 | 0.520 |"
    assert "better than both the moving average and the base rate" in judged(found)  # the base rate: 0.219 and 0.631
    assert "about as good as the moving average and better than the base rate" in judged(Calibration(40, Losses(0.2, 0.6), Losses(0.2, 0.61), BINS))
    assert "worse than both" in judged(Calibration(40, Losses(0.3, 0.9), Losses(0.2, 0.6), BINS))


def test_the_reliability_chart_draws_bins_with_intervals_over_the_diagonal() -> None:
    diagonal, bins = reliability_figure(Calibration(40, Losses(0.2, 0.6), Losses(0.2, 0.6), BINS)).data
    assert list(diagonal.x) == list(diagonal.y) == [0, 100]
    assert list(bins.x) == pytest.approx([35, 83])
    assert list(bins.y) == pytest.approx([30, 80])
    assert list(bins.error_y.array) == pytest.approx([30, 10])


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({("sure", True): 10, ("sure", False): 10}, "When you say “sure” you are overconfident: 50% of 20 were right"),
        ({("guess", True): 19, ("guess", False): 1}, "When you say “guess” you are underconfident: 95% of 20 were right"),
        ({("sure", True): 18, ("sure", False): 2}, "When you say “sure” you are as sure as you should be: 90% of 20 were right"),
        ({("sure", True): 9}, "Too little data: 10 answers of one certainty are needed"),
    ],
)
def test_the_message_on_certainty_follows_from_the_counts(counts: dict, message: str) -> None:
    assert honesty(certainty_of(counts)) == message


def test_certainty_is_drawn_and_listed_with_where_it_pays_best() -> None:
    found = certainty_of({("sure", True): 18, ("sure", False): 2, (None, True): 5})
    best, given = certainty_figure(found).data
    assert list(best.base) == pytest.approx([0, 200 / 3, 80])
    assert (list(given.x), list(given.y)) == ([90.0], ["Sure"])
    assert certainty_table(found).splitlines()[-1] == "| “sure” | 18 of 20 | +42 | honest |"
    assert found.answers == 20


# --- The scheduler as an LSTM lesson ----------------------------------------------------------------------------


def test_with_little_data_the_lesson_runs_on_a_simulated_log_and_says_so(open_app: Open) -> None:
    answered_before(NOW, days=3)
    tab = section(open_app, "lstm")
    assert "200 are needed" in says(tab)
    assert "**simulated** learner" in says(tab)
    tab.button(key="compare_forecasts").click().run()
    (bar,) = tab.get("progress")
    assert bar.proto.text.startswith("Training on the past, forecasting what came next: ")
    assert not has_button(tab, "compare_forecasts")
    quiz = context.quiz()
    log = quiz.service.adaptive.lesson_log(quiz.learner).history
    answers = AnswerLog(log.questions, log.days, log.right, log.fsrs, log.ours)
    lab_context.laboratory().comparisons.wait(answers, QUICK, 120)
    tab.run()
    assert not tab.exception
    found = lab_context.laboratory().comparisons.standing(answers, QUICK)
    assert found is not None
    assert found.result is not None
    assert found.result.headline in says(tab)
    assert all(f"- {line}." in says(tab) for line in found.result.lines)
    assert len(charts(tab)) == 2


def test_a_day_is_named_without_its_year() -> None:
    from quiz.ui.insights import day

    assert day(date(2026, 12, 3)) == "3 December"


def test_the_log_follows_the_answers(open_app: Open) -> None:
    quiz = context.quiz()
    service = quiz.service.adaptive
    assert service.lesson_log(quiz.learner).own == 0
    answered_before(NOW, days=8)
    own = service.lesson_log(quiz.learner).own
    assert own > 0
    answered_before(NOW + timedelta(days=8), days=3)
    assert service.lesson_log(quiz.learner).own > own
