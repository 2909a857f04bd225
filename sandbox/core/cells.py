r"""The LSTM cell: what its parameters mean, how to start them, how to hold a gate still, how to look inside.

    i, f, o = σ(W x_t + U h_{t−1} + b)      the gates
    g       = tanh(W x_t + U h_{t−1} + b)   the candidate
    c_t     = f ⊙ c_{t−1} + i ⊙ g
    h_t     = o ⊙ tanh(c_t)

after Hochreiter & Schmidhuber (1997) with the forget gate of Gers, Schmidhuber & Cummins (2000). torch.nn.LSTM
stacks the four blocks in the order i, f, g, o, and has two biases for each, b_ih and b_hh, which are added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

Gate = Literal["i", "f", "g", "o"]
GATES: tuple[Gate, ...] = ("i", "f", "g", "o")

# σ(30) = 1 − 9e-14, which float32 rounds to exactly 1. The gradient through a gate is f(1 − f), then exactly 0, so
# a gate held there stays there. (In float64 use 40.) At −200 the exponential underflows: exactly 0, and again no gradient.
HELD_OPEN = 30.0
HELD_SHUT = -200.0


class Reader(nn.Module):
    """A recurrent layer and a linear read-out of every step: x (B, T, D) → y (B, T, outputs), state.

    The layer may be a GeneralLSTM: what only it understands (held, masks, watch) is handed on.
    """

    def __init__(self, recurrent: nn.LSTM | nn.RNN | nn.GRU, outputs: int) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.readout = nn.Linear(recurrent.hidden_size * (2 if recurrent.bidirectional else 1), outputs)

    def forward(self, x: Tensor, state: LSTMState | None = None, **how: Any) -> tuple[Tensor, LSTMState]:
        """Read x (B, T, D) from `state`, zero when None."""
        h, state = self.recurrent(x, state, **how)  # (B, T, H)
        return self.readout(h), state


LSTMState = tuple[Tensor, Tensor]  # h and c, each (layers · directions, B, H)


def detached(state: LSTMState) -> LSTMState:
    """The same state, cut from the graph: gradients stop at the border of a window."""
    return state[0].detach(), state[1].detach()


def count_parameters(module: nn.Module) -> int:
    """The number of trained values."""
    return sum(parameter.numel() for parameter in module.parameters())


# --- Reading and setting one gate's parameters ------------------------------------------------------------------


def gate_rows(hidden: int, gate: Gate) -> slice:
    """The rows of weight_ih, weight_hh and the biases that belong to `gate`."""
    position = GATES.index(gate)
    return slice(position * hidden, (position + 1) * hidden)


def _passes(lstm: nn.RNNBase) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """weight_ih, weight_hh, bias_ih, bias_hh of every layer and direction."""
    for layer in range(lstm.num_layers):
        for direction in ("", "_reverse") if lstm.bidirectional else ("",):
            names = (f"{kind}_l{layer}{direction}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            w_ih, w_hh, b_ih, b_hh = (getattr(lstm, name) for name in names)
            yield w_ih, w_hh, b_ih, b_hh


@torch.no_grad()
def set_gate_bias(lstm: nn.LSTM, gate: Gate, value: float | Tensor) -> None:
    """Set a gate's bias to `value`, a number or a tensor (H,). Both biases count, so the second becomes 0."""
    rows = gate_rows(lstm.hidden_size, gate)
    for _, _, b_ih, b_hh in _passes(lstm):
        b_ih[rows] = value
        b_hh[rows] = 0.0


def set_forget_bias(lstm: nn.LSTM, value: float) -> None:
    """Start the forget gate at σ(value); +1 is the usual choice (Gers et al. 2000; Jozefowicz et al. 2015)."""
    set_gate_bias(lstm, "f", value)


@torch.no_grad()
def chrono(lstm: nn.LSTM, longest_lag: int, generator: torch.Generator) -> None:
    """Start the gates for lags up to `longest_lag` steps (Tallec & Ollivier 2018).

    b_f = log U(1, longest_lag − 1), b_i = −b_f: a unit with bias log(τ) holds its content for about τ steps.
    Every layer and direction draws its own. Errors: ValueError when `longest_lag` is below 3.
    """
    if longest_lag < 3:
        raise ValueError(f"chrono needs longest_lag of 3 or more, got {longest_lag}")
    forget, write = gate_rows(lstm.hidden_size, "f"), gate_rows(lstm.hidden_size, "i")
    for _, _, b_ih, b_hh in _passes(lstm):
        spans = 1.0 + torch.rand(lstm.hidden_size, generator=generator) * (longest_lag - 2)
        b_ih[forget], b_ih[write] = spans.log(), -spans.log()
        b_hh[forget] = b_hh[write] = 0.0


@torch.no_grad()
def hold_gate(lstm: nn.LSTM, gate: Gate, bias: float = HELD_OPEN) -> None:
    """Hold a gate at σ(bias), whatever comes in: its weights become 0. At HELD_OPEN it is exactly 1 and gets no gradient."""
    rows = gate_rows(lstm.hidden_size, gate)
    for w_ih, w_hh, _, _ in _passes(lstm):
        w_ih[rows] = 0.0
        w_hh[rows] = 0.0
    set_gate_bias(lstm, gate, bias)


@torch.no_grad()
def wire_reset(lstm: nn.LSTM, channel: int) -> None:
    """Hold the forget gate of a one-layer LSTM at exactly 1, and at exactly 0 on steps where input `channel` is 1."""
    hold_gate(lstm, "f", HELD_OPEN)
    w_ih, *_ = next(_passes(lstm))
    w_ih[gate_rows(lstm.hidden_size, "f"), channel] = HELD_SHUT - HELD_OPEN


@torch.no_grad()
def orthogonal(rnn: nn.RNNBase, gain: float, generator: torch.Generator | None = None) -> None:
    """Make the recurrent matrix orthogonal times `gain`: without inputs a linear RNN scales h by exactly `gain` a step."""
    for _, w_hh, _, _ in _passes(rnn):
        for block in torch.split(w_hh, rnn.hidden_size):  # one block in an RNN, one a gate in an LSTM
            nn.init.orthogonal_(block, gain, generator=generator)


# --- Looking inside ---------------------------------------------------------------------------------------------


class Trace(NamedTuple):
    """Every gate and state of one layer, each (B, T, H)."""

    i: Tensor
    f: Tensor
    g: Tensor
    o: Tensor
    c: Tensor
    h: Tensor


def trace(lstm: nn.LSTM, x: Tensor, state: LSTMState | None = None) -> Trace:
    """What torch.nn.LSTM computes inside, step by step, for x (B, T, D): same values and same gradients.

    For pictures, not for training: it is many times slower than nn.LSTM.
    Errors: ValueError unless `lstm` is one layer, one direction, batch first, without projection, and nn.LSTM itself.
    """
    if type(lstm) is not nn.LSTM:
        raise ValueError(f"this trace is of torch.nn.LSTM, got {type(lstm).__name__}")
    if lstm.num_layers != 1 or lstm.bidirectional or not lstm.batch_first or lstm.proj_size:
        raise ValueError(f"trace needs one layer, one direction, batch_first and no projection, got {lstm}")
    if state is None:
        h = c = x.new_zeros(x.shape[0], lstm.hidden_size)  # (B, H)
    else:
        h, c = state[0][0], state[1][0]
    w_ih, w_hh, b_ih, b_hh = next(_passes(lstm))
    steps: list[Trace] = []
    for x_t in x.unbind(1):  # (B, D)
        gates = x_t @ w_ih.T + b_ih + h @ w_hh.T + b_hh  # (B, 4H)
        i, f, g, o = gates.chunk(4, 1)  # each (B, H)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        steps.append(Trace(i, f, g, o, c, h))
    return Trace(*(torch.stack(parts, 1) for parts in zip(*steps, strict=True)))
