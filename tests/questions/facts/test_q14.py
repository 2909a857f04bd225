"""What question 14's items say about an encoder and a decoder in PyTorch."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy


@pytest.mark.parametrize("tokens", [15, 40])
def test_the_state_handed_over_does_not_depend_on_the_length_of_the_source(tokens: int) -> None:
    layers, hidden = 3, 16
    encoder, decoder = (nn.LSTM(8, hidden, num_layers=layers) for _ in range(2))
    state = encoder(torch.randn(tokens, 1, 8))[1]
    assert sum(part.numel() for part in state) == 2 * layers * hidden
    assert decoder(torch.randn(1, 1, 8), state)[0].shape == (1, 1, hidden)


def test_the_loss_of_the_decoder_trains_the_encoder() -> None:
    encoder, decoder = nn.LSTM(3, 4), nn.LSTM(3, 4)
    decoder(torch.randn(2, 1, 3), encoder(torch.randn(5, 1, 3))[1])[0].sum().backward()
    assert encoder.weight_ih_l0.grad is not None
    assert encoder.weight_ih_l0.grad.abs().sum() > 0


def test_cross_entropy_takes_the_classes_on_the_second_axis() -> None:
    scores, wanted = torch.randn(2, 5, 7), torch.randint(7, (2, 5))
    flat = cross_entropy(scores.flatten(0, 1), wanted.flatten())
    assert torch.allclose(cross_entropy(scores.transpose(1, 2), wanted), flat)
