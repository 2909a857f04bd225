"""Ability: checked against a direct integration of the same model, and for what any estimate must do."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.engine.ability import DISCOUNT, GRID, NO_EVIDENCE, Ability, chance_correct, estimate, information, with_answer

GROUPS = {"a": "gates", "b": "gates", "c": "training"}


def answers(*given_: tuple[float, float, bool]) -> tuple[float, ...]:
    evidence = NO_EVIDENCE
    for difficulty, guessing, correct in given_:
        evidence = with_answer(evidence, difficulty, guessing, correct, seen_before=False)
    return evidence


def direct_means(evidence: dict[str, tuple[float, ...]]) -> list[float]:
    """Posterior means by summing over the whole three-dimensional grid, from the covariance the hierarchy implies."""
    covariance = np.array([[1.0, 0.7, 0.5], [0.7, 1.0, 0.5], [0.5, 0.5, 1.0]])
    points = np.stack(np.meshgrid(GRID, GRID, GRID, indexing="ij"), axis=-1).reshape(-1, 3)
    log_prior = -0.5 * np.einsum("ni,ij,nj->n", points, np.linalg.inv(covariance), points)
    log_likelihood = sum(np.interp(points[:, i], GRID, evidence.get(name, NO_EVIDENCE)) for i, name in enumerate("abc"))
    weights = np.exp(log_prior + log_likelihood)
    return list(weights @ points / weights.sum())


def test_the_chance_of_a_right_answer_is_the_three_parameter_model():
    assert chance_correct(0.0, 0.0, 0.25) == 0.625
    assert chance_correct(-40.0, 0.0, 0.25) == pytest.approx(0.25)
    assert chance_correct(1000.0, 0.0, 0.25) == 1.0
    assert chance_correct(1.0, 2.0, 0.0) == pytest.approx(1 / (1 + math.e))


def test_information_is_that_of_lord():
    assert information(0.0, 0.0, 0.0) == 0.25
    p, c = 0.625, 0.25
    slope = (1 - c) * 0.25  # dP/dtheta at theta = b
    assert information(0.0, 0.0, c) == pytest.approx(slope**2 / (p * (1 - p)))


@given(st.floats(-4, 4), st.floats(-3, 3), st.floats(0, 0.5))
def test_information_is_the_squared_slope_over_the_variance(theta, difficulty, guessing):
    h = 1e-5
    slope = (chance_correct(theta + h, difficulty, guessing) - chance_correct(theta - h, difficulty, guessing)) / (2 * h)
    p = chance_correct(theta, difficulty, guessing)
    assert information(theta, difficulty, guessing) == pytest.approx(slope**2 / (p * (1 - p)), rel=1e-4)


def test_before_any_answer_every_ability_is_standard_normal():
    for ability in estimate({}, GROUPS).values():
        assert ability.mean == pytest.approx(0, abs=1e-9)
        assert ability.se == pytest.approx(1, abs=0.01)
        assert (ability.low, ability.high) == (pytest.approx(-1.96, abs=0.03), pytest.approx(1.96, abs=0.03))


@pytest.mark.parametrize(
    "evidence",
    [
        {"a": answers((0, 0, True))},
        {"a": answers((0, 0.25, True), (1, 0.25, True), (-1, 0, False))},
        {"a": answers(*[(0.5, 0.2, True)] * 6), "b": answers((0, 0, False)), "c": answers(*[(0, 0, False)] * 4)},
    ],
)
def test_pooling_agrees_with_a_direct_integration_of_the_whole_model(evidence):
    pooled = [ability.mean for ability in estimate(evidence, GROUPS).values()]
    assert pooled == pytest.approx(direct_means(evidence), abs=0.01)


def test_an_answer_moves_its_question_most_its_group_less_and_the_rest_least():
    a, b, c = estimate({"a": answers(*[(0, 0, True)] * 5)}, GROUPS).values()
    assert a.mean > b.mean > c.mean > 0.1
    assert a.se < b.se < c.se < 1


def test_a_right_guess_at_a_choice_says_less_than_a_right_number():
    chosen = estimate({"a": answers((0, 0.25, True))}, GROUPS)["a"]
    worked_out = estimate({"a": answers((0, 0.0, True))}, GROUPS)["a"]
    assert 0 < chosen.mean < worked_out.mean


def test_an_item_seen_before_says_half_as_much():
    again = with_answer(NO_EVIDENCE, 0.0, 0.0, True, seen_before=True)
    assert again == pytest.approx([0.5 * x for x in answers((0, 0, True))])


def test_the_estimate_follows_a_learner_who_improves():
    poor = answers(*[(0, 0, False)] * 10)
    for _ in range(15):
        poor = with_answer(poor, 0.0, 0.0, True, seen_before=False)
    assert estimate({"a": poor}, GROUPS)["a"].mean > 0.8
    assert max(abs(x) for x in poor) < 1 / (1 - DISCOUNT) * 5


def test_questions_that_left_the_bank_are_left_out_and_an_empty_bank_has_no_abilities():
    assert estimate({"gone": answers((0, 0, True))}, GROUPS) == estimate({}, GROUPS)
    assert estimate({}, {}) == {}


def test_for_learners_drawn_from_the_model_the_interval_covers_as_often_as_it_says():
    rng = random.Random(1)
    groups = {f"q{n}": f"g{n // 4}" for n in range(24)}
    covered = total = 0
    for _ in range(40):
        overall = rng.gauss(0, math.sqrt(0.5))
        level = {group: overall + rng.gauss(0, math.sqrt(0.2)) for group in sorted(set(groups.values()))}
        true = {name: level[group] + rng.gauss(0, math.sqrt(0.3)) for name, group in groups.items()}
        evidence: dict[str, tuple[float, ...]] = {}
        for name in rng.choices(list(groups), k=100):
            difficulty, guessing = rng.choice([-1.0, 0.0, 1.0]), rng.choice([0.0, 0.25])
            correct = rng.random() < chance_correct(true[name], difficulty, guessing)
            evidence[name] = with_answer(evidence.get(name, NO_EVIDENCE), difficulty, guessing, correct, seen_before=False)
        abilities = estimate(evidence, groups)
        covered += sum(abilities[name].low <= true[name] <= abilities[name].high for name in groups)
        total += len(groups)
    assert 0.93 < covered / total < 0.99  # 95 %, a little more as old evidence is discounted


outcomes = st.lists(st.tuples(st.sampled_from("abc"), st.floats(-3, 3), st.sampled_from([0.0, 0.25, 1 / 6]), st.booleans()), max_size=60)


@given(outcomes)
def test_any_history_gives_finite_estimates_inside_their_intervals(history):
    evidence: dict[str, tuple[float, ...]] = {}
    for name, difficulty, guessing, correct in history:
        evidence[name] = with_answer(evidence.get(name, NO_EVIDENCE), difficulty, guessing, correct, seen_before=False)
    for ability in estimate(evidence, GROUPS).values():
        assert isinstance(ability, Ability)
        assert -4 <= ability.low < ability.mean < ability.high <= 4
        assert 0 < ability.se < 1.2


@given(outcomes, st.floats(-3, 3), st.sampled_from([0.0, 0.25]))
def test_a_right_answer_always_leaves_a_higher_ability_than_a_wrong_one(history, difficulty, guessing):
    evidence = {"a": NO_EVIDENCE}
    for _, d, g, correct in history:
        evidence["a"] = with_answer(evidence["a"], d, g, correct, seen_before=False)
    right, wrong = (estimate({"a": with_answer(evidence["a"], difficulty, guessing, correct, seen_before=False)}, GROUPS)["a"] for correct in (True, False))
    assert right.mean > wrong.mean
