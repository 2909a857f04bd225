"""What question 1's items say about PyTorch."""

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
