"""What question 10's items say about dropout and state dicts in PyTorch."""

import pytest
import torch
from torch import nn
from torch.nn import functional


@pytest.mark.parametrize("p", [0.1, 0.2, 0.25, 0.4])
def test_dropout_divides_what_survives_by_the_chance_of_surviving(p: float) -> None:
    torch.manual_seed(0)
    out = nn.Dropout(p)(torch.full((1000,), 1.5))
    assert torch.allclose(out[out != 0], torch.tensor(1.5 / (1 - p)))
    assert 0 < (out == 0).float().mean() < 1


def test_dropout_in_a_one_layer_lstm_warns_and_drops_nothing() -> None:
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        lstm = nn.LSTM(4, 8, num_layers=1, dropout=0.5)
    x = torch.randn(5, 2, 4)
    assert lstm.training
    assert torch.equal(lstm(x)[0], lstm(x)[0])


def test_dropout_in_a_deeper_lstm_spares_the_top_layer() -> None:
    lstm = nn.LSTM(4, 64, num_layers=2, dropout=0.5)
    x = torch.randn(5, 2, 4)
    once, again = lstm(x)[0], lstm(x)[0]
    assert not torch.equal(once, again)
    assert (once != 0).all()


def test_the_function_dropout_drops_whatever_the_mode_and_without_gradients() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        assert (functional.dropout(torch.ones(100), p=0.5) == 0).any()
    assert (functional.dropout(torch.ones(100), p=0.5, training=False) == 1).all()


def test_eval_reaches_the_modules_inside() -> None:
    assert not nn.Sequential(nn.Sequential(nn.Dropout())).eval()[0][0].training


def test_a_state_dict_shares_its_memory_with_the_weights() -> None:
    model = nn.Linear(1, 1)
    kept = model.state_dict()["weight"]
    with torch.no_grad():
        model.weight.fill_(7)
    assert kept.item() == 7


def test_tying_saves_one_matrix_and_keeps_the_biases() -> None:
    words, width = 50, 8
    model = nn.ModuleDict({"embed": nn.Embedding(words, width), "out": nn.Linear(width, words)})
    before = sum(values.numel() for values in model.parameters())
    model["out"].weight = model["embed"].weight
    assert before - sum(values.numel() for values in model.parameters()) == words * width


def test_a_rounding_of_32_bits_moves_a_loss_in_its_seventh_digit() -> None:
    assert 1e-8 < torch.finfo(torch.float32).eps / 2 < 1e-7
