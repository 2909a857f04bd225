"""Simulated learners forget as the experiments they are fitted to, and the benchmark gives the same numbers again."""

import json
import subprocess
import sys

import pytest

from questions.loader import load_bank
from quiz.settings import ROOT
from quiz.simulate.benchmark import Options, _report, as_text, diagnose, person, simulate
from quiz.simulate.learner import BETWEEN_SESSIONS, DAY_S, READ_WEIGHT, Learner, Trace
from quiz.simulate.play import Subject, play
from quiz.simulate.policies import POLICIES

SUBJECT = Subject.of(load_bank())


@pytest.mark.parametrize(("days", "weight", "recalled"), [(2, 1.0, 0.68), (7, 1.0, 0.56), (2, READ_WEIGHT, 0.54), (7, READ_WEIGHT, 0.42)])
def test_one_trace_is_forgotten_as_in_roediger_and_karpicke(days, weight, recalled):
    chance = Learner._retrieve([Trace(0.0, 0.177, weight)], BETWEEN_SESSIONS * days * DAY_S)
    assert chance == pytest.approx(recalled, abs=0.02)


def test_spaced_practice_lasts_longer_than_massed():
    def after_a_week(gap_s: float) -> float:
        learner = Learner.drawn(SUBJECT.world, "traces", 1)
        learner.begin_session(0.0)
        learner.answer(0)
        learner.begin_session(learner.last + gap_s)
        learner.answer(0)
        return learner._idea(SUBJECT.world.tests[0][0], learner.clock + BETWEEN_SESSIONS * 7 * DAY_S)

    assert after_a_week(3 * DAY_S) > after_a_week(60.0)


@pytest.mark.parametrize("model", ["traces", "strength"])
def test_practice_raises_the_score_and_time_lowers_it_again(model):
    learner = Learner.drawn(SUBJECT.world, model, 2)
    before = learner.score(DAY_S)
    learner.begin_session(0.0)
    for item in range(0, len(SUBJECT.world.item_ids), 3):
        learner.answer(item)
    assert learner.score(DAY_S) > learner.score(20 * DAY_S) > before


def test_the_same_seed_draws_the_same_person_for_every_policy():
    courses, _ = person(Options(days=2, minutes=5), "traces", 4)
    assert set(courses) == set(POLICIES)
    assert len({course.before for course in courses.values()}) == 1
    again = play(SUBJECT, POLICIES["ours"], "traces", 4, 2, 5, forecasting=True)
    assert again == courses["ours"]


def test_a_diagnostic_ends_and_leaves_nothing_learnt():
    found = diagnose(SUBJECT, "traces", 3, adaptive=True)
    assert 8 <= found.items < diagnose(SUBJECT, "traces", 3, adaptive=False).items


def test_the_report_compares_every_policy_with_ours():
    people = [person(Options(days=3, minutes=5), "traces", number) for number in range(3)]
    found = _report(people)
    assert found["policies"]["random"]["ours_ahead"] == pytest.approx(found["policies"]["ours"]["score"] - found["policies"]["random"]["score"])
    assert "ours_ahead" not in found["policies"]["ours"]
    text = as_text({"models": {"traces": found}})
    assert text.count("\n| ") == 6 + len(POLICIES)


def test_the_command_prints_json_that_does_not_depend_on_the_number_of_processes():
    done = subprocess.run(
        [sys.executable, "-m", "quiz", "simulate", "--learners", "2", "--days", "1", "--minutes", "3", "--json", "--processes", "2"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    report = simulate(Options(2, 1, 3, 0), processes=1)
    assert json.loads(done.stdout) == json.loads(json.dumps(report))
    assert report["options"] == {"learners": 2, "days": 1, "minutes": 3, "seed": 0}


def test_a_number_out_of_bounds_is_refused_with_its_bounds():
    done = subprocess.run([sys.executable, "-m", "quiz", "simulate", "--learners", "0"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert "learners must be a whole number from 1 to 1000, got '0'" in done.stderr
