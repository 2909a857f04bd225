"""What the items of question 23 say about PyTorch."""

import torch


def test_backward_adds_to_the_gradient_that_is_there() -> None:
    weight = torch.ones(1, requires_grad=True)
    for factor in (1.0, 3.0):
        (factor * weight).sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [4.0]


def test_micro_batches_of_unequal_size_combine_by_their_numbers_of_tokens() -> None:
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    slopes = torch.tensor([1.0] * 300 + [3.0] * 100, dtype=torch.float64)
    (slopes * weight).mean().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [1.5]


def test_the_mean_of_eight_equal_shares_is_the_mean_of_all() -> None:
    whole = torch.arange(512, dtype=torch.float64)
    torch.testing.assert_close(torch.stack([share.mean() for share in whole.chunk(8)]).mean(), whole.mean())
