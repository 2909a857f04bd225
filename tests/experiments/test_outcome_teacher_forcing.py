"""Which prediction came true in "teacher-forcing", and that feeding answers back in one go is the loop it stands for."""

from __future__ import annotations

import pytest
import torch

from sandbox.experiments import teacher_forcing
from sandbox.protocol import Status, judge
from sandbox.registry import find_experiment


@pytest.mark.parametrize(
    ("drift", "relief", "forced", "free", "outcome", "status"),
    [
        (30.0, 0.4, 0.99, 0.3, "both-sides", Status.SUPPORTED),
        (30.0, 0.4, 0.90, 0.3, "both-sides", Status.CONTRADICTED),
        (30.0, 0.4, 0.99, 0.9, "own-words", Status.CONTRADICTED),
        (30.0, 0.4, 0.30, 0.3, "own-words", Status.CONTRADICTED),
        (30.0, 1.0, 0.99, 0.3, "no-relief", Status.CONTRADICTED),
        (2.0, 0.4, 0.99, 0.3, "no-drift", Status.CONTRADICTED),
        (float("nan"), 0.4, 0.99, 0.3, "no-drift", Status.CONTRADICTED),
    ],
)
def test_teacher_forcing(drift, relief, forced, free, outcome, status):
    values = {"drift": drift, "relief": relief, "grammar-forced_legal": forced, "grammar-free_legal": free}
    result = judge(find_experiment("teacher-forcing"), {}, [values] * 3)
    assert (result.outcome, result.status) == (outcome, status)


@pytest.mark.parametrize("own_from", [3, 6, 9])
def test_own_answers_are_fed_back_as_in_the_plain_loop(own_from):
    torch.manual_seed(0)
    model = teacher_forcing._network(1, 4, "cpu").double()
    x = torch.randn(2, 9, 1, dtype=torch.float64)
    own = torch.rand(2, 9) < 0.5
    own[:, :2], own[:, own_from:] = False, True
    answers, state = [], None
    for t in range(9):
        fed = x[:, t] if t == 0 else torch.where(own[:, t, None], answers[-1], x[:, t])
        answer, state = model(fed[:, None], state)
        answers.append(answer[:, 0])
    expected = torch.stack(answers, 1)
    answered = teacher_forcing._answers(model, x, own)
    torch.testing.assert_close(answered, expected)
    gradients, wanted = (torch.autograd.grad(one.square().sum(), list(model.parameters())) for one in (answered, expected))
    torch.testing.assert_close(gradients, wanted)


def test_the_page_says_how_many_updates_the_grammar_gets():
    told = next(control.help for control in find_experiment("teacher-forcing").controls if control.name == "updates")
    assert told == "Each on 32 fresh sines; the grammar gets 40% as many."
