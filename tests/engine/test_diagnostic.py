"""The diagnostic: balanced, ends for a stated reason, and its standard error is the truth of simulated answers."""

import math
import random

import numpy as np
import pytest

from questions.loader import load_bank
from questions.schema import Group
from quiz.engine.ability import READY_AT, beliefs, expected_variances, levels
from quiz.engine.diagnostic import FEWEST_ITEMS, SE_GOAL, Probe, evidence_of, finding, next_item
from quiz.engine.forecast import Catalogue
from tests.engine.builders import question, single

CATALOGUE = Catalogue.of(load_bank().questions)
SMALL = Catalogue.of([question(f"q{n}", n + 1, group, (single("one"), single("two", 1.0), single("three", -1.0))) for n, group in enumerate(Group)])


def run(theta: float, seed: int = 0, **options: bool) -> list[Probe]:
    rng = random.Random(seed)
    probes: list[Probe] = []
    while finding(CATALOGUE, probes, **options).ending is None:
        name = next_item(CATALOGUE, probes)
        row, column = CATALOGUE.place[name]
        guessing = CATALOGUE.guessing[row, column]
        chance = guessing + (1 - guessing) / (1 + math.exp(CATALOGUE.difficulty[row, column] - theta))
        probes.append(Probe(name, rng.random() < chance))
    return probes


def test_the_groups_are_asked_in_proportion_to_their_questions():
    probes = run(0.3, decide=False)
    asked = [sum(CATALOGUE.groups[p.item_id.partition("/")[0]] == group for p in probes) / len(probes) for group in Group]
    wanted = [list(CATALOGUE.groups.values()).count(group.value) / len(CATALOGUE.questions) for group in Group]
    assert asked == pytest.approx(wanted, abs=0.05)
    assert len({CATALOGUE.groups[p.item_id.partition("/")[0]] for p in probes[:FEWEST_ITEMS]}) == 6


def test_it_ends_when_the_level_is_known_well_enough_and_not_before():
    probes = run(0.3, decide=False)
    assert finding(CATALOGUE, probes, decide=False).ending == "precise"
    assert finding(CATALOGUE, probes, decide=False).overall.se <= SE_GOAL < finding(CATALOGUE, probes[:-1], decide=False).overall.se


def test_ready_or_not_ready_can_be_decided_before_that():
    for theta, ending in ((READY_AT + 2.0, "ready"), (READY_AT - 2.5, "not ready")):
        probes = run(theta)
        assert finding(CATALOGUE, probes).ending == ending
        assert FEWEST_ITEMS <= len(probes) < len(run(theta, decide=False))


def test_it_ends_at_the_cap_and_with_the_last_item():
    all_asked = [Probe(name, place % 2 == 0) for place, name in enumerate(SMALL.place)]
    assert finding(SMALL, all_asked[:7], decide=False, cap=7).ending == "cap"
    assert finding(SMALL, all_asked, decide=False).ending == "no items"
    with pytest.raises(ValueError, match="all 18 items"):
        next_item(SMALL, all_asked)


def test_no_item_is_asked_twice_and_what_was_seen_before_comes_last():
    probes: list[Probe] = []
    seen = frozenset({"q0/one", "q0/two"})
    for _ in range(6):
        probes.append(Probe(next_item(SMALL, probes, seen), True))
    assert "q0/three" in {probe.item_id for probe in probes}
    assert len({probe.item_id for probe in probes}) == 6


def test_the_weakest_questions_are_those_with_the_lowest_abilities():
    probes = [Probe(f"q{n}/{key}", n > 2) for n in range(6) for key in ("one", "two", "three")]
    assert set(finding(SMALL, probes).weakest) == {"q0", "q1", "q2"}


def test_the_overall_level_and_its_error_are_those_of_a_direct_integration():
    """Three questions in two groups: sampled from the posterior by importance, with two hundred thousand draws."""
    catalogue = Catalogue.of([question(n, k + 1, g, SMALL_ITEMS) for k, (n, g) in enumerate((("a", Group.GATES), ("b", Group.GATES), ("c", Group.TRAINING)))])
    probes = [Probe("a/one", True), Probe("a/two", True), Probe("c/three", False)]
    rng = np.random.default_rng(0)
    covariance = np.array([[1.0, 0.7, 0.5], [0.7, 1.0, 0.5], [0.5, 0.5, 1.0]])
    draws = rng.multivariate_normal(np.zeros(3), covariance, 200_000)

    def right(theta, difficulty):
        return 0.25 + 0.75 / (1 + np.exp(difficulty - theta))

    weight = right(draws[:, 0], 0.0) ** 0.9 * right(draws[:, 0], 1.0) * (1 - right(draws[:, 2], -1.0))  # the older answer counts 0.9
    mean = draws.mean(axis=1)
    expected = (weight @ mean) / weight.sum()
    error = math.sqrt((weight @ (mean - expected) ** 2) / weight.sum())
    found = levels(evidence_of(catalogue, probes), catalogue.groups)
    assert (found.overall.mean, found.overall.se) == (pytest.approx(expected, abs=0.01), pytest.approx(error, abs=0.01))


SMALL_ITEMS = (single("one"), single("two", 1.0), single("three", -1.0))


def test_the_expected_variance_is_the_mean_over_both_answers():
    probes = [Probe("q0/one", True), Probe("q3/two", False)]
    found = beliefs(evidence_of(SMALL, probes), SMALL.groups)
    (expected,) = expected_variances(found, np.array([1]), np.array([1.0]), np.array([0.25]))
    chance = float(found.questions[1] @ (0.25 + 0.75 / (1 + np.exp(1.0 - np.linspace(-4, 4, 41)))))
    after = [levels(evidence_of(SMALL, [*probes, Probe("q1/two", correct)]), SMALL.groups).overall.se ** 2 for correct in (True, False)]
    assert expected == pytest.approx(chance * after[0] + (1 - chance) * after[1], rel=1e-6)


def test_for_people_drawn_from_the_model_the_interval_covers_as_often_as_it_says():
    rng = random.Random(5)
    covered = 0
    for _ in range(40):
        overall = rng.gauss(0, math.sqrt(0.5))
        groups = {group: overall + rng.gauss(0, math.sqrt(0.2)) for group in sorted(set(CATALOGUE.groups.values()))}
        true = {name: groups[group] + rng.gauss(0, math.sqrt(0.3)) for name, group in CATALOGUE.groups.items()}
        names = rng.sample(list(CATALOGUE.place), 30)
        probes = []
        for name in names:
            row, column = CATALOGUE.place[name]
            guessing = CATALOGUE.guessing[row, column]
            chance = guessing + (1 - guessing) / (1 + math.exp(CATALOGUE.difficulty[row, column] - true[CATALOGUE.questions[row]]))
            probes.append(Probe(name, rng.random() < chance))
        found = finding(CATALOGUE, probes).overall
        covered += found.low <= sum(true.values()) / len(true) <= found.high
    assert 36 <= covered <= 40
