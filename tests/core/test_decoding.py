"""A network that goes on by itself is fed its own answers."""

from __future__ import annotations

import torch

from sandbox.core.decoding import as_it_is, go_on, sampling


def successor(token, state):
    """Answers the token after the one given, modulo 5; the state counts steps."""
    return torch.nn.functional.one_hot((token + 1) % 5, 5).float() * 50, state + 1


def test_greedy_decoding_feeds_each_answer_back():
    tokens, state = go_on(successor, torch.tensor([0, 3]), 0, 4)
    assert tokens.tolist() == [[1, 2, 3, 4], [4, 0, 1, 2]]
    assert state == 4


def test_values_go_on_as_they_are():
    values, _ = go_on(lambda x, state: (2 * x, state), torch.tensor([[1.0], [3.0]]), None, 3, as_it_is)
    assert values[..., 0].tolist() == [[2, 4, 8], [6, 12, 24]]


def test_sampling_follows_the_probabilities_and_repeats_with_its_generator():
    logits = torch.tensor([0.25, 0.75]).log().expand(8000, 2)

    def draw(temperature):
        return sampling(torch.Generator().manual_seed(0), temperature)(logits)

    assert abs(float(draw(1.0).double().mean()) - 0.75) < 0.02
    assert abs(float(draw(0.5).double().mean()) - 0.9) < 0.02  # 9 : 1
    assert torch.equal(draw(1.0), draw(1.0))


def test_nothing_decoded_has_a_gradient():
    weight = torch.ones(1, requires_grad=True)
    values, _ = go_on(lambda x, state: (weight * x, state), torch.ones(1, 1), None, 2, as_it_is)
    assert not values.requires_grad


def test_a_network_that_diverged_babbles():
    assert sampling(torch.Generator().manual_seed(0))(torch.full((3, 4), torch.nan)).shape == (3,)
