"""What the items of question 20 say about PyTorch."""

import pytest
import torch
from torch import nn
from torch.nn.functional import dropout


def test_dropout_scales_the_survivors_up_and_draws_a_new_mask_at_each_call() -> None:
    torch.manual_seed(0)
    first, second = dropout(torch.ones(1000), 0.25, True), dropout(torch.ones(1000), 0.25, True)
    assert sorted(set(first.tolist())) == pytest.approx([0, 1 / 0.75])
    assert not torch.equal(first, second)
    assert torch.equal(dropout(torch.ones(1000), 0.25, False), torch.ones(1000))


def test_the_dropout_of_a_stack_leaves_the_first_layers_own_recurrence_alone() -> None:
    torch.manual_seed(0)
    stack = nn.LSTM(2, 3, num_layers=2, dropout=0.5, batch_first=True)
    x = torch.randn(1, 6, 2)
    states = [stack(x)[1][0] for _ in range(2)]  # each (layers, 1, 3)
    assert torch.equal(states[0][0], states[1][0])
    assert not torch.equal(states[0][1], states[1][1])


def test_a_mask_on_h_that_is_the_same_for_all_is_a_matrix_with_columns_of_zeros() -> None:
    torch.manual_seed(0)
    lstm, mask = nn.LSTM(2, 4, batch_first=True), torch.tensor([1.0, 0.0, 1.0, 0.0])
    w, u, b_w, b_u = (parameter.detach() for parameter in lstm.parameters())
    x = torch.randn(3, 5, 2)
    h = c = torch.zeros(3, 4)
    by_hand = []
    for t in range(5):
        h, c = torch.lstm_cell(x[:, t], (h * mask, c), w, u, b_w, b_u)
        by_hand.append(h)
    with torch.no_grad():
        lstm.weight_hh_l0.mul_(mask)
        torch.testing.assert_close(lstm(x)[0], torch.stack(by_hand, 1))


def test_a_mask_of_a_quarter_on_the_cell_leaves_3_of_1000_after_twenty_steps_and_1_of_100_000_after_forty() -> None:
    assert round(1000 * (1 - 0.75**20)) == 997
    assert round(0.75**-20) == 315
    assert round(1 / 0.75**40, -4) == 100_000


def test_the_variance_of_a_rescaled_cell_grows_exponentially() -> None:
    survives, value = 0.75**20, 0.75**-20
    assert survives * value == pytest.approx(1)
    assert survives * value**2 - 1 == pytest.approx(0.75**-20 - 1)


def test_what_remains_of_the_gain_after_stopping_in_time_is_0_08_bits() -> None:
    assert [round(bits, 2) for bits in (4.66 - 4.33, 4.66 - 4.41, 4.41 - 4.33)] == [0.33, 0.25, 0.08]
    assert round(0.33 + 0.08, 2) == 0.41
