"""Which prediction a search is said to have borne out, from exact shares; and what a trial that diverges is told."""

from __future__ import annotations

import pytest
import torch

from sandbox.experiments import hyperparameters as hp
from sandbox.protocol import judge

torch.set_num_threads(1)


def measures(rate: float, units: float, noise: float) -> dict[str, float]:
    rest = (1 - rate - units - noise) / 2
    shares = {"rate": rate, "units": units, "noise": noise, "bias": rest, "momentum": rest}
    return {f"share_{name}": share for name, share in shares.items()} | {"lead": rate - max(units, noise, rest), "shuffled_ratio": 0.5}


@pytest.mark.parametrize(
    ("shares", "expected"),
    [((0.7, 0.1, 0.1), "rate"), ((0.1, 0.7, 0.1), "units"), ((0.1, 0.1, 0.7), "other"), ((0.3, 0.2, 0.2), "even"), ((0.4, 0.2, 0.2), "even")],
)
def test_the_setting_with_the_largest_share_is_named_when_it_has_more_than_four_tenths(shares, expected):
    values = measures(*shares)
    assert hp.outcome({}, [values]) == expected
    assert judge(hp.EXPERIMENT, {}, [values]).passed == (expected == "rate")


def test_a_promise_that_is_kept_does_not_satisfy_the_rule():
    assert judge(hp.EXPERIMENT, {}, [measures(0.7, 0.1, 0.1) | {"shuffled_ratio": 1.0}]).passed == 0


def test_a_trial_that_diverges_is_told_the_worst_loss():
    chosen = {"rate": 1e30, "units": 10.0, "bias": 0.0, "noise": 0.0, "momentum": 1.0}
    assert [loss for _, loss in hp._trial(chosen, 0, hp._material(16, 0, "cpu"))] == [hp.WORST] * 2


def test_random_trials_are_all_trained_to_their_end_and_the_other_search_has_more_of_them():
    settings = {"updates": 640, "length": 16, "rate_low": 1e-5, "rate_high": 0.1}
    spent, tried = {}, {}
    for arm in ("random", "tpe"):
        search = hp._search(arm, settings, 0, hp._material(16, 0, "cpu"))
        try:
            while True:
                next(search)
        except StopIteration as end:
            tried[arm] = end.value.trials
            spent[arm] = sum(max(trial.intermediate_values) for trial in end.value.trials)
    assert [trial.state.name for trial in tried["random"]] == ["COMPLETE"] * 40
    assert len(tried["tpe"]) > 40
    assert 640 - 16 < spent["tpe"] <= spent["random"] == 640
