"""What the items of question 24 say about PyTorch."""

import pytest
import torch


def test_a_score_of_zero_gets_a_share_and_minus_infinity_gets_none() -> None:
    scores = torch.tensor([-1.0, 0.5, 0.0, 0.0])
    weights = scores.softmax(0)
    assert float(weights[2]) > float(weights[0]) > 0
    scores[2:] = -torch.inf
    assert scores.softmax(0)[2:].tolist() == [0, 0]


def test_only_differences_of_scores_count_in_a_softmax() -> None:
    scores = torch.tensor([2.0, 0.5], dtype=torch.float64)
    torch.testing.assert_close((scores + 10).softmax(0), scores.softmax(0))
    assert float((2 * scores).softmax(0)[0]) == pytest.approx(1 / (1 + float(torch.exp(torch.tensor(-3.0, dtype=torch.float64)))))


def test_a_softmax_over_an_axis_of_one_gives_ones() -> None:
    assert torch.equal(torch.randn(2, 1, 5, generator=torch.Generator().manual_seed(0)).softmax(1), torch.ones(2, 1, 5))


def test_a_matrix_brings_states_of_512_and_256_components_together() -> None:
    decoder, encoder = torch.zeros(256), torch.zeros(512)
    with pytest.raises(RuntimeError, match="inconsistent tensor size"):
        decoder @ encoder
    assert (decoder @ torch.zeros(256, 512) @ encoder).shape == ()
    assert torch.cat([decoder, encoder]).shape == (768,)
