"""What question 15's items say about a bidirectional `nn.LSTM`."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


@pytest.mark.parametrize(("width", "hidden", "layers", "batch"), [(10, 16, 2, 5), (12, 20, 3, 7)])
def test_directions_are_joined_in_the_output_and_apart_in_the_final_states(width: int, hidden: int, layers: int, batch: int) -> None:
    lstm = nn.LSTM(width, hidden, num_layers=layers, bidirectional=True, batch_first=True)
    output, (h, _) = lstm(torch.randn(batch, 6, width))
    assert output.shape == (batch, 6, 2 * hidden)
    assert h.shape == (2 * layers, batch, hidden)
    assert torch.equal(output[:, -1, :hidden], h[-2])
    assert torch.equal(output[:, 0, hidden:], h[-1])


@pytest.mark.parametrize(("width", "hidden"), [(10, 20), (14, 25)])
def test_the_second_layer_reads_both_directions(width: int, hidden: int) -> None:
    lstm = nn.LSTM(width, hidden, num_layers=2, bidirectional=True)
    counted = sum(values.numel() for values in lstm.parameters())
    assert counted == 8 * hidden * (width + hidden + 2) + 8 * hidden * (2 * hidden + hidden + 2)


def test_at_the_last_step_the_backward_half_has_read_one_token() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 4, batch_first=True, bidirectional=True)
    x = torch.randn(1, 6, 3)
    other = torch.cat([torch.randn(1, 5, 3), x[:, -1:]], dim=1)
    assert torch.allclose(lstm(x)[0][:, -1, 4:], lstm(other)[0][:, -1, 4:], atol=1e-6)


def test_padding_reaches_the_backward_half_unless_it_is_packed() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 4, batch_first=True, bidirectional=True)
    words = torch.randn(1, 5, 3)
    padded = torch.cat([words, torch.zeros(1, 3, 3)], dim=1)
    plain, loose = lstm(words), lstm(padded)
    assert torch.allclose(loose[0][:, :5, :4], plain[0][..., :4], atol=1e-6)
    assert not torch.allclose(loose[0][:, 4, 4:], plain[0][:, 4, 4:], atol=1e-3)
    assert not torch.allclose(loose[0][:, 0, 4:], plain[0][:, 0, 4:], atol=1e-4)
    assert not torch.allclose(loose[1][0][0], plain[1][0][0], atol=1e-3)
    packed, states = lstm(pack_padded_sequence(padded, torch.tensor([5]), batch_first=True))
    assert torch.allclose(pad_packed_sequence(packed, batch_first=True)[0], plain[0], atol=1e-6)
    assert torch.allclose(states[0], plain[1][0], atol=1e-6)


def test_with_a_second_layer_padding_reaches_the_forward_half_as_well() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 4, num_layers=2, batch_first=True, bidirectional=True)
    words = torch.randn(1, 5, 3)
    padded = torch.cat([words, torch.zeros(1, 3, 3)], dim=1)
    assert not torch.allclose(lstm(padded)[0][:, 4, :4], lstm(words)[0][:, 4, :4], atol=1e-4)


def test_knowing_one_of_two_bits_is_worth_one_half_and_a_sum_of_two_halves_says_nothing_of_xor() -> None:
    bits = [(past, future) for past in (0, 1) for future in (0, 1)]
    right = [(past, guess) == (past, future) for past, future in bits for guess in (0, 1)]
    assert sum(right) / len(right) == 0.5
    p, f = (torch.tensor(values, dtype=torch.float64) for values in zip(*bits, strict=True))
    weights = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    loss = nn.functional.binary_cross_entropy_with_logits(weights[0] * p + weights[1] * f + weights[2], (p != f).double())
    loss.backward()
    assert weights.grad is not None
    assert weights.grad.tolist() == [0, 0, 0]  # the loss is convex in them, so one half for each combination is its optimum
    best = max(sum((a * p + b * f + c > 0) == (p != f)).item() for a in (-1, 1) for b in (-1, 1) for c in (-1.5, -0.5, 0.5, 1.5))
    assert best == 3  # of the four, by a threshold
