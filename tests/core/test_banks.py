"""A net in a bank learns exactly what it would learn alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sandbox.core import cells, probes
from sandbox.core.banks import Bank, accuracies, lowest, per_net, solved
from sandbox.core.general_cell import Design, GeneralLSTM

NETS, INPUTS = 3, 2


def peephole_lstm(inputs: int, hidden: int) -> GeneralLSTM:
    return GeneralLSTM(inputs, hidden, Design(peepholes=True))


def noise(*shape: int, seed: int = 2) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def make_bank(size: int, make=nn.LSTM) -> Bank:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return (Bank(INPUTS, NETS, size, make=make) if make is not nn.LSTM else Bank(INPUTS, NETS, size)).double()


def alone(bank: Bank, net: int) -> tuple[nn.LSTM, nn.Linear]:
    """One net of the bank as a network of its own."""
    layer, size, units = bank.recurrent, bank.cells, bank.units(net)
    rows = torch.cat([torch.arange(NETS * size)[units] + gate * NETS * size for gate in range(4)])
    lstm = GeneralLSTM(INPUTS, size, layer.design) if isinstance(layer, GeneralLSTM) else nn.LSTM(INPUTS, size, batch_first=True)
    weights = {name: weight[rows] for name, weight in layer.state_dict().items() if name != "peephole_l0"}
    weights["weight_hh_l0"] = weights["weight_hh_l0"][:, units]
    if isinstance(layer, GeneralLSTM):
        weights["peephole_l0"] = layer.peephole_l0.detach()[:, units]
    lstm.double().load_state_dict(weights)
    readout = nn.Linear(size, bank.outputs).double()
    weight, bias = bank.weight.detach()[..., net, :], bank.bias.detach()[..., net]
    readout.load_state_dict({"weight": weight.view(bank.outputs, size), "bias": bias.view(bank.outputs)})
    return lstm, readout


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("make", [nn.LSTM, peephole_lstm])
def test_a_net_of_a_bank_trains_as_if_it_were_alone(size, make):
    bank, x, target = make_bank(size, make), noise(5, 7, INPUTS), noise(5, 7, seed=4)
    singles = [alone(bank, net) for net in range(NETS)]
    limits = 0.05
    optimizer = torch.optim.Adam(bank.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        per_net(F.mse_loss, bank(x)[0], target).sum().backward()
        bank.clip_each(limits)
        optimizer.step()
    for net, (lstm, readout) in enumerate(singles):
        parameters = [*lstm.parameters(), *readout.parameters()]
        own = torch.optim.Adam(parameters, 0.1)
        for _ in range(3):
            own.zero_grad()
            F.mse_loss(readout(lstm(x)[0])[..., 0], target).backward()
            nn.utils.clip_grad_norm_(parameters, limits)
            own.step()
        torch.testing.assert_close(bank(x)[0][..., net], readout(lstm(x)[0])[..., 0], atol=1e-9, rtol=1e-9)


def test_nets_with_several_outputs_learn_as_if_alone_too():
    torch.manual_seed(3)
    bank = Bank(INPUTS, NETS, 2, outputs=4).double()
    x, target = noise(5, 7, INPUTS), torch.arange(5) % 4
    lstm, readout = alone(bank, 1)
    y = bank(x)[0][:, -1]  # (B, nets, outputs)
    sum(F.cross_entropy(y[:, net], target) for net in range(NETS)).backward()
    F.cross_entropy(readout(lstm(x)[0][:, -1]), target).backward()
    single = [parameter for module in (lstm, readout) for parameter in module.parameters()]
    norm = nn.utils.clip_grad_norm_(single, 0.05)
    assert norm > 0.05
    bank.clip_each(0.05)
    torch.testing.assert_close(bank.weight.grad[:, 1], readout.weight.grad)
    torch.testing.assert_close(bank.bias.grad[:, 1], readout.bias.grad)
    rows = torch.cat([torch.arange(2 * NETS)[bank.units(1)] + gate * NETS * 2 for gate in range(4)])
    torch.testing.assert_close(bank.recurrent.weight_ih_l0.grad[rows], lstm.weight_ih_l0.grad)


def test_clipping_each_net_reports_the_largest_norm_and_leaves_small_ones_alone():
    bank = make_bank(1)
    loss = per_net(F.mse_loss, bank(noise(5, 7, INPUTS))[0], noise(5, 7, seed=4))
    (loss * torch.tensor([100.0, 1e-3, 1e-3])).sum().backward()
    before = bank.bias.grad.clone()
    assert bank.clip_each(1.0) > 1
    assert torch.equal(bank.bias.grad[1:], before[1:])
    assert abs(bank.bias.grad[0]) < abs(before[0])


def test_a_gate_held_in_a_bank_stays_held():
    bank = make_bank(1).float()
    cells.hold_gate(bank.recurrent, "o")
    x = noise(5, 7, INPUTS).float()
    optimizer = torch.optim.Adam(bank.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        bank(x)[0].square().sum().backward()
        optimizer.step()
    assert probes.record_gates(bank, x).o.eq(1).all()


def test_all_weights_start_within_the_bound():
    for parameter in Bank(INPUTS, 64, bound=3.0).parameters():
        assert 2 < float(parameter.detach().abs().max()) <= 3


def test_losses_and_accuracies_are_those_of_each_net():
    y, target = torch.tensor([[1.0, -1.0, math.nan], [2.0, -3.0, 1.0]]), torch.tensor([1, 0])
    assert accuracies(y, target).tolist() == [0.5, 0.5, 0.0]
    assert per_net(F.mse_loss, y[:, :2], target).tolist() == [2.0, 6.5]


def test_the_best_net_is_never_one_that_diverged():
    losses = torch.tensor([math.nan, 0.3, 0.1, 0.2])
    assert lowest(losses) == (2, pytest.approx(0.1))
    assert lowest(torch.tensor([math.nan]))[1] == math.inf
    assert solved(losses, below=0.25) == 2


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("design", [None, Design(peepholes=True, candidate="softsign")])
def test_a_net_taken_out_of_its_bank_answers_as_it_did_there(design, outputs):
    make = {} if design is None else {"make": lambda inputs, hidden: GeneralLSTM(inputs, hidden, design)}
    torch.manual_seed(0)
    bank = Bank(INPUTS, 4, 3, outputs=outputs, bound=1.0, **make)
    x, before = noise(5, 7, INPUTS).float(), torch.get_rng_state()
    for net in range(4):
        single = bank.single(net)
        assert single.recurrent.hidden_size == 3
        torch.testing.assert_close(single(x)[0], bank(x)[0][:, :, net].view(5, 7, outputs))
    assert torch.equal(torch.get_rng_state(), before)
