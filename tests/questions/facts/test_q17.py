"""What the items of question 17 say about PyTorch."""

import torch
from torch import nn


def test_calls_that_hand_the_state_on_say_what_one_call_says() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(2, 3, batch_first=True)
    x = torch.randn(1, 4, 2)
    whole, _ = lstm(x)
    state, parts = None, []
    for t in range(4):
        part, state = lstm(x[:, t : t + 1], state)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, 1), whole)


def test_a_call_without_a_state_starts_from_zeros() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(2, 3, batch_first=True)
    x, zeros = torch.randn(1, 1, 2), torch.zeros(1, 1, 3)
    assert torch.equal(lstm(x)[0], lstm(x, (zeros, zeros))[0])


def test_a_softmax_does_not_change_which_score_is_the_largest() -> None:
    scores = torch.randn(50, 20, generator=torch.Generator().manual_seed(0))
    assert torch.equal(scores.argmax(-1), scores.softmax(-1).argmax(-1))


def test_told_its_own_first_letter_a_model_does_best_to_toss_a_coin_for_the_second() -> None:
    cases = [(own, true) for own in "ab" for true in "ab"]  # its sample, and the sequence drawn from the data: independent
    for own in "ab":
        targets = [true for sample, true in cases if sample == own]
        assert targets.count("a") == targets.count("b")
