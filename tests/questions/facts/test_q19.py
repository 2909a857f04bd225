"""What the items of question 19 say about PyTorch."""

import torch
from torch import nn


def test_an_lstm_takes_the_first_axis_for_time_unless_told_otherwise() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(2, 3)
    assert not lstm.batch_first
    x = torch.randn(4, 5, 2)
    changed = x.clone()
    changed[0, 1] += 1
    difference = (lstm(changed)[0] - lstm(x)[0]).abs().amax(2)  # (4, 5)
    assert (difference[:, 1] > 0).all()
    assert (difference[:, [0, 2, 3, 4]] == 0).all()


def test_a_linear_layer_maps_each_position_by_itself() -> None:
    torch.manual_seed(0)
    linear, x = nn.Linear(3, 2), torch.randn(4, 5, 3)
    torch.testing.assert_close(linear(x)[1, 2], linear(x[1, 2]))


def test_the_other_paths_of_the_tagger_reach_2_at_most() -> None:
    for b in (1.2, 1.5):
        first, second = {"O": 2.0, "B": b, "I": 0.0}, {"O": 0.5, "B": 0.0, "I": 2.0}
        others = [("O", "B"), ("B", "O"), ("B", "B"), ("I", "O"), ("I", "B"), ("I", "I")]  # transitions of 0
        assert max(first[one] + second[two] for one, two in others) == 2.0
        assert {pair for pair in others if first[pair[0]] + second[pair[1]] > 1.99} <= {("O", "B"), ("B", "O"), ("I", "I")}
