"""What question 1's items say about PyTorch."""

import math

import pytest
import torch
from torch import nn


def parameters(layer: nn.Module) -> int:
    return sum(values.numel() for values in layer.parameters())


def test_layers_stand_in_the_order_of_their_parameters() -> None:
    layers = (nn.RNN(10, 20), nn.GRU(10, 20), nn.RNN(10, 40), nn.LSTM(10, 20), nn.LSTM(10, 20, num_layers=2))
    assert [parameters(layer) for layer in layers] == [640, 1920, 2080, 2560, 5920]


def test_an_rnn_returns_one_final_state_and_an_lstm_two() -> None:
    x = torch.zeros(5, 4, 3)
    _, final = nn.RNN(3, 8, batch_first=True)(x)
    assert final.shape == (1, 5, 8)
    _, pair = nn.LSTM(3, 8, batch_first=True)(x)
    assert [state.shape for state in pair] == [(1, 5, 8), (1, 5, 8)]


def test_without_a_start_state_an_lstm_starts_from_zeros() -> None:
    torch.manual_seed(0)
    lstm, x, zeros = nn.LSTM(3, 8), torch.randn(4, 2, 3), torch.zeros(1, 2, 8)
    assert torch.equal(lstm(x)[0], lstm(x, (zeros, zeros))[0])


def test_an_lstm_has_four_times_the_recurrent_weights_of_an_rnn() -> None:
    assert nn.LSTM(10, 64).get_parameter("weight_hh_l0").numel() == nn.RNN(10, 128).get_parameter("weight_hh_l0").numel()
    assert parameters(nn.LSTM(10, 20)) == 4 * parameters(nn.RNN(10, 20))


def test_an_lstm_with_f_at_0_and_i_and_o_at_1_is_a_plain_rnn_with_a_second_tanh() -> None:
    torch.manual_seed(0)
    lstm, x = nn.LSTMCell(3, 4), torch.randn(5, 2, 3)
    with torch.no_grad():
        for gate, bias in ((0, 99.0), (1, -99.0), (3, 99.0)):  # i, f, o; the candidate is block 2
            for weights in (lstm.weight_ih, lstm.weight_hh):
                weights[4 * gate : 4 * gate + 4] = 0
            lstm.bias_ih[4 * gate : 4 * gate + 4] = bias
    w, u, b = lstm.weight_ih[8:12], lstm.weight_hh[8:12], (lstm.bias_ih + lstm.bias_hh)[8:12]
    h = c = plain = torch.zeros(2, 4)
    for x_t in x:
        h, c = lstm(x_t, (h, c))
        plain = torch.tanh(torch.tanh(x_t @ w.T + plain @ u.T + b))
    assert torch.allclose(h, plain, atol=1e-6)


def test_a_usual_forget_bias_keeps_nothing_over_sixty_steps_and_a_rate_of_one_in_sixty_keeps_over_a_third() -> None:
    fresh, biased = (1 / (1 + math.exp(-bias)) for bias in (0, 1))
    assert fresh == 0.5
    assert 0.73 < biased < 0.75
    assert biased**60 == pytest.approx(6.9e-9, rel=0.01)
    assert (1 - 1 / 60) ** 60 > 1 / 3


def test_the_two_states_of_eight_units_hold_at_most_512_bits() -> None:
    states = nn.LSTM(1, 8)(torch.zeros(1, 1, 1))[1]
    assert sum(state.numel() for state in states) == 16
    assert sum(state.numel() * torch.finfo(state.dtype).bits for state in states) == 512


def test_terms_that_fade_by_a_tenth_add_up_to_ten_times_the_first() -> None:
    assert sum(0.9**k for k in range(10_000)) == pytest.approx(10)


def test_the_mean_of_two_added_values_between_0_and_1_costs_a_sixth() -> None:
    values = torch.linspace(0, 1, 1001, dtype=torch.float64)
    sums = values + values[:, None]
    assert (sums - 1).square().mean().item() == pytest.approx(0.167, abs=0.0005)
