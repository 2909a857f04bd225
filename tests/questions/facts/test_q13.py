"""What question 13's items say about PyTorch's recurrent layers."""

import math

import pytest
import torch
from torch import nn


def _count(layer: nn.Module) -> int:
    return sum(values.numel() for values in layer.parameters())


def test_at_equal_width_the_blocks_are_one_three_and_four() -> None:
    assert _count(nn.RNN(32, 128)) == 20736
    assert _count(nn.GRU(32, 128)) == 3 * 20736
    assert _count(nn.LSTM(32, 128)) == 4 * 20736 == 82944


def test_an_lstm_of_57_units_is_as_large_as_an_rnn_of_128() -> None:
    assert _count(nn.LSTM(32, 57)) == 20748


def test_both_layers_know_batch_first_and_start_from_zeros() -> None:
    x = torch.randn(2, 5, 3)
    rnn, lstm = nn.RNN(3, 4, batch_first=True), nn.LSTM(3, 4, batch_first=True)
    zeros = torch.zeros(1, 2, 4)
    assert torch.equal(rnn(x)[0], rnn(x, zeros)[0])
    assert torch.equal(lstm(x)[0], lstm(x, (zeros, zeros))[0])


def test_the_state_of_a_gru_stays_within_one_and_a_cell_counts_on() -> None:
    torch.manual_seed(0)
    gru, x = nn.GRU(1, 16), torch.randn(200, 1, 1)
    with torch.no_grad():
        for values in gru.parameters():
            values.mul_(20)
        assert gru(x)[0].abs().max() <= 1
        lstm = nn.LSTM(1, 1)
        for values in lstm.parameters():
            values.zero_()
        lstm.bias_ih_l0.fill_(40)  # all gates open, candidate 1
        assert lstm(x)[1][1].item() == 200


def test_a_forget_bias_of_1_leaves_seven_billionths_after_sixty_steps_and_that_of_chrono_a_third() -> None:
    assert (1 / (1 + math.exp(-1))) ** 60 == pytest.approx(7e-9, rel=0.02)
    gate = 1 / (1 + math.exp(-math.log(60)))
    assert round(gate, 2) == 0.98
    assert gate**60 > 1 / 3


def test_four_blocks_at_half_the_width_have_the_recurrent_weights_of_one() -> None:
    assert nn.LSTM(10, 64).get_parameter("weight_hh_l0").numel() == nn.RNN(10, 128).get_parameter("weight_hh_l0").numel()
