"""What question 16's items say about stacked LSTMs in PyTorch."""

import torch
from torch import nn


def test_a_generator_makes_layers_with_weights_of_their_own_and_a_product_of_a_list_does_not() -> None:
    own = nn.ModuleList(nn.LSTM(2, 2) for _ in range(8))
    shared = nn.ModuleList([nn.LSTM(2, 2)] * 8)
    assert len(list(own.parameters())) == 8 * len(list(shared.parameters())) == 8 * 4


def test_a_module_list_registers_its_layers_and_a_plain_list_does_not() -> None:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.LSTM(2, 2)]

    assert not list(Plain().parameters())
    assert list(nn.ModuleDict({"layers": nn.ModuleList([nn.LSTM(2, 2)])}).parameters())


def test_dropout_of_nn_lstm_masks_neither_the_input_nor_the_output() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(2, 64, num_layers=2, dropout=0.9)
    x = torch.ones(1, 1, 2)
    bottom = {(tuple(lstm(x)[1][0][0].flatten().tolist())) for _ in range(5)}
    assert len(bottom) == 1  # the first layer sees its input unmasked
    assert (lstm(x)[0] != 0).all()


def test_a_common_factor_cannot_change_the_ratio_between_layers() -> None:
    top, bottom = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    top.grad, bottom.grad = torch.tensor([0.6]), torch.tensor([0.0003])
    nn.utils.clip_grad_norm_([top, bottom], 0.1)
    assert torch.allclose(top.grad / bottom.grad, torch.tensor([2000.0]))


def test_a_threshold_of_a_tenth_multiplies_a_norm_of_0_7_by_0_14() -> None:
    assert round(0.1 / 0.7, 2) == 0.14


def test_after_ten_halvings_less_than_a_thousandth_is_left() -> None:
    assert 0.5**10 < 0.001


def test_with_a_processor_a_layer_a_pass_takes_layers_plus_steps_minus_one() -> None:
    layers, steps = 4, 9
    done: dict[tuple[int, int], int] = {}
    for layer in range(layers):
        for step in range(steps):
            done[layer, step] = 1 + max(done.get((layer - 1, step), 0), done.get((layer, step - 1), 0))
    assert max(done.values()) == layers + steps - 1
