"""A bank: many tiny LSTMs trained at once inside one torch.nn.LSTM, so that no verdict hangs on one lucky start.

Net n owns the cells n·k … n·k + k − 1. Recurrent weights between nets are 0 and their gradient is 0, every net has a
scalar read-out of its own, and the loss is the sum of the nets' losses: each net is trained exactly as if it were
alone (with an optimizer that treats each weight by itself, as SGD and Adam do, and `clip_each` instead of a global clip).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sandbox.core.cells import GATES, LSTMState, Reader
from sandbox.core.general_cell import GeneralLSTM


class Bank(nn.Module):
    """`nets` independent LSTMs of `cells` cells each: x (B, T, D) → y (B, T, nets), state; with several `outputs`
    each net has as many read-outs, and y is (B, T, nets, outputs).

    `make(input_size, hidden_size)` makes the layer that holds them all: nn.LSTM, or a GeneralLSTM of some design.
    All weights start from U(±`bound`). torch's own bound for one cell is 1, from which far fewer nets find the way: on
    `one_bit_ram` 2 of 16 against 15 or 16 from .25 (measured with two seeds). Hold gates on `bank.recurrent` as on any LSTM.
    """

    mask: Tensor

    def __init__(
        self,
        inputs: int,
        nets: int,
        cells: int = 1,
        *,
        outputs: int = 1,
        bound: float = 0.25,
        make: Callable[[int, int], nn.LSTM] = lambda inputs, hidden: nn.LSTM(inputs, hidden, batch_first=True),
    ) -> None:
        super().__init__()
        self.nets, self.cells, self.outputs = nets, cells, outputs
        self.recurrent = make(inputs, nets * cells)
        several = () if outputs == 1 else (outputs,)
        self.weight = nn.Parameter(torch.empty(*several, nets, cells))
        self.bias = nn.Parameter(torch.empty(*several, nets))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)
        block = torch.kron(torch.eye(nets), torch.ones(cells, cells))  # 1 between cells of the same net
        self.register_buffer("mask", block.repeat(len(GATES), 1))  # (4H, H)
        across = self.recurrent.get_parameter("weight_hh_l0")
        with torch.no_grad():
            across.mul_(self.mask)
        across.register_hook(lambda gradient: gradient * self.mask)  # type: ignore[no-untyped-call]  # torch leaves it untyped

    def forward(self, x: Tensor, state: LSTMState | None = None, **how: Any) -> tuple[Tensor, LSTMState]:
        """Read x (B, T, D) from `state`, zero when None. `how` goes to a GeneralLSTM."""
        h, state = self.recurrent(x, state, **how)  # (B, T, nets · cells)
        by_net = h.unflatten(-1, (self.nets, self.cells))
        if self.outputs > 1:
            return torch.einsum("btnc,onc->btno", by_net, self.weight) + self.bias.t(), state
        return (by_net * self.weight).sum(-1) + self.bias, state

    def units(self, net: int) -> slice:
        """The hidden units of one net, for pictures of its gates."""
        return slice(net * self.cells, (net + 1) * self.cells)

    def single(self, net: int) -> Reader:
        """One net as a network of its own: a copy that answers as the net does in the bank."""
        units, own = self.units(net), self.recurrent
        rows = torch.arange(len(GATES) * own.hidden_size).view(len(GATES), -1)[:, units].flatten()
        with torch.random.fork_rng(devices=[]), torch.no_grad():  # the copy draws nothing
            copy = (
                GeneralLSTM(own.input_size, self.cells, own.design) if isinstance(own, GeneralLSTM) else nn.LSTM(own.input_size, self.cells, batch_first=True)
            )
            reader = Reader(copy, self.outputs).to(self.weight)
            for name, parameter in copy.named_parameters():
                part = own.get_parameter(name) if name == "peephole_l0" else own.get_parameter(name)[rows]
                parameter.copy_(part[:, units] if name in {"weight_hh_l0", "peephole_l0"} else part)
            reader.readout.weight.copy_(self.weight[..., net, :])
            reader.readout.bias.copy_(self.bias[..., net])
        return reader

    def clip_each(self, limit: float) -> float:
        """Scale each net's gradient down to the norm `limit`, for `train(clip=...)`; returns the largest norm before."""
        gradients = [self._by_net(name, parameter.grad) for name, parameter in self.named_parameters() if parameter.grad is not None]
        norms = torch.stack([gradient.square().sum((0, 2)) for gradient in gradients]).sum(0).sqrt()  # (nets,)
        largest = float(norms.max())
        if not largest + 1e-6 < limit:  # true of NaN as well
            scale = (limit / (norms + 1e-6)).clamp(max=1)  # as torch's clip_grad_norm_
            for gradient in gradients:
                gradient.mul_(scale[:, None])
        return largest

    def _by_net(self, name: str, gradient: Tensor) -> Tensor:
        """A gradient as (blocks, nets, rest), sharing its memory: the layer's rows go by gate, net and cell."""
        blocks = self.outputs if not name.startswith("recurrent.") else 3 if name.endswith("peephole_l0") else len(GATES)
        return gradient.view(blocks, self.nets, -1)


def per_net(criterion: Callable[..., Tensor], y: Tensor, target: Tensor) -> Tensor:
    """Each net's mean loss (nets,), for y (..., nets) and target (...). `criterion` takes reduction="none".

    Train on its sum; a mean would divide every net's gradient by the number of nets.
    """
    losses = criterion(y, target[..., None].expand_as(y).to(y.dtype), reduction="none")
    return losses.flatten(0, -2).mean(0)


def accuracies(y: Tensor, target: Tensor) -> Tensor:
    """Each net's share of right answers (nets,), for logits y (..., nets) and binary target (...). NaN is wrong."""
    right = ((y > 0) == (target > 0)[..., None]) & y.isfinite()
    return right.flatten(0, -2).double().mean(0)


def lowest(losses: Tensor) -> tuple[int, float]:
    """The best net and its loss, for losses (nets,); NaN counts as infinite."""
    finite = losses.detach().nan_to_num(math.inf)
    net = int(finite.argmin())
    return net, float(finite[net])


def solved(losses: Tensor, below: float) -> int:
    """How many nets have a loss below a threshold."""
    return int((losses < below).sum())
