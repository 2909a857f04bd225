"""What question 8's items say about the mathematics, checked by autograd and by drawing."""

import pytest
import torch


def test_a_closed_gate_starves_the_candidate_and_itself() -> None:
    gate_in, candidate_in = torch.tensor(-6.9, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    i, g = torch.sigmoid(gate_in), torch.tanh(candidate_in)
    (i * g).backward()
    assert gate_in.grad is not None
    assert candidate_in.grad is not None
    assert i.item() == pytest.approx(0.001, rel=0.02)
    assert candidate_in.grad.item() == pytest.approx(i.item() * (1 - g.item() ** 2))
    assert gate_in.grad.item() == pytest.approx(g.item() * i.item() * (1 - i.item()))


def test_the_pollution_of_independent_distractors_grows_with_the_root() -> None:
    torch.manual_seed(0)
    cells = (0.3 * torch.randn(20_000, 16)).sum(1)
    assert cells.std().item() == pytest.approx(0.3 * 4, rel=0.03)


def test_a_coupled_cell_stays_within_one_and_a_standard_one_counts() -> None:
    torch.manual_seed(0)
    coupled = standard = torch.zeros(1000)
    for _ in range(50):
        f, g = torch.rand(1000), torch.tanh(3 * torch.randn(1000))
        coupled = f * coupled + (1 - f) * g
        standard = standard + 1
        assert coupled.abs().max() <= 1
    assert (standard == 50).all()


def test_the_loud_distractor_takes_off_two_hundredths() -> None:
    assert round(1 * 0.8 + 0.02 * -0.95, 2) == 0.78
    assert round(0.8 - 0.95, 2) == -0.15  # let in as a whole


def test_without_its_input_gate_a_layer_has_three_quarters_of_its_weights() -> None:
    weights = torch.nn.LSTM(10, 20).get_parameter("weight_ih_l0")
    assert weights[20:].numel() == 3 / 4 * weights.numel()
