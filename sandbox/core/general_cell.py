r"""One LSTM layer for what torch.nn.LSTM cannot do: peepholes, other activations, held gates, masks inside the recurrence.

    i, f = σ(W x_t + U h̃ + b + p ⊙ c̃)       h̃ = m_h ⊙ h_{t−1},  c̃ = m_c ⊙ c_{t−1}: what the step receives
    g    = φ(W x_t + U h̃ + b)               i = 1 − f when coupled
    c_t  = f ⊙ c̃ + i ⊙ m_g ⊙ g
    o    = σ(W x_t + U h̃ + b + p ⊙ c_t)
    h_t  = o ⊙ ψ(c_t)

Peepholes p are diagonal (Gers & Schmidhuber 2000); masks m are those of recurrent dropout (on h: Gal & Ghahramani
2016; on g: Semeniuta et al. 2016). The gradient is backpropagation through time by hand. Its point: once a sequence
has been read, every option is a factor that is known for all steps at once, so that the loop back in time is the same
five operations whatever the cell:

    dh_t = ∂L/∂h_t + m_h ⊙ Uᵀ d_{t+1}       d: the gates' gradients before their activations
    dc_t = carry + dh_t ⊙ K_c
    d_t  = (dc_t ⊙ K_g, dc_t ⊙ K_i, dc_t ⊙ K_f, dh_t ⊙ K_o)
    carry = dc_t ⊙ K_carry

Inside, tensors are feature-major, (rows, B) a step, so that every gate is one block of memory, in the order g, i, f, o:
one sigmoid covers the three gates, one product three gradients. Outside, everything is as in torch.nn.LSTM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sandbox.core.activations import APPLY, SLOPE, Activation, Squash
from sandbox.core.cells import GATES, Gate, LSTMState, Trace

Masked = Literal["c", "h", "g"]
INNER: tuple[Gate, ...] = ("g", "i", "f", "o")


@dataclass(frozen=True, kw_only=True)
class Design:
    """What kind of cell it is. The default is torch.nn.LSTM's."""

    candidate: Activation = "tanh"  # φ
    output: Activation = "tanh"  # ψ
    gates: Squash = "sigmoid"  # σ; hard-sigmoid is clip(x/6 + 1/2, 0, 1)
    peepholes: bool = False
    coupled: bool = False  # i = 1 − f: the rows of i are there, but unused


@dataclass
class Watch:
    """Given to a reading, it is filled: `trace` by the reading, the gradients by loss.backward(); each (B, T, H).

    `dh` is dL/dh_t and `dc` is dL/dc_t, over every path, that from c_t through h_t included.
    """

    trace: Trace | None = None
    dh: Tensor | None = None
    dc: Tensor | None = None


class GeneralLSTM(nn.LSTM):
    """One layer, one direction, batch first; parameters named, shaped and started as torch.nn.LSTM's.

    With peepholes there is one more, `peephole_l0` (3, H): rows i, f, o. Equal seeds give equal weights with and without.
    """

    weight_ih_l0: nn.Parameter
    weight_hh_l0: nn.Parameter
    bias_ih_l0: nn.Parameter
    bias_hh_l0: nn.Parameter

    def __init__(self, input_size: int, hidden_size: int, design: Design | None = None) -> None:
        super().__init__(input_size, hidden_size, batch_first=True)
        self.design = design or Design()
        if self.design.peepholes:
            self.peephole_l0 = nn.Parameter(torch.empty(3, hidden_size).uniform_(-(hidden_size**-0.5), hidden_size**-0.5))

    @classmethod
    def like(cls, lstm: nn.LSTM, design: Design | None = None) -> GeneralLSTM:
        """A copy of a one-layer LSTM's weights in a cell of this design: the start of surgery. Peepholes start at 0."""
        if lstm.num_layers != 1 or lstm.bidirectional or lstm.proj_size or not lstm.bias:
            raise ValueError(f"one layer, one direction, biases and no projection can be copied, got {lstm}")
        weight = next(lstm.parameters())
        with torch.random.fork_rng(devices=[]):  # the copy draws nothing
            copy = cls(lstm.input_size, lstm.hidden_size, design).to(weight.device, weight.dtype)
        if copy.design.peepholes:
            nn.init.zeros_(copy.peephole_l0)
        copy.load_state_dict(copy.state_dict() | lstm.state_dict())
        return copy

    def forward(  # type: ignore[override]  # takes more than nn.LSTM and no packed sequences
        self,
        input: Tensor,
        hx: LSTMState | None = None,
        *,
        held: Mapping[Gate, Tensor | float] | None = None,
        masks: Mapping[Masked, Tensor] | None = None,
        watch: Watch | None = None,
    ) -> tuple[Tensor, LSTMState]:
        """Read x (B, T, D) from `hx`, zero when None: h (B, T, H) and the final (h, c), each (1, B, H).

        `held` sets gates to values: a number, or a tensor (T,), (B, T) or (B, T, H) in which NaN leaves the gate free.
        `masks` multiply what a step receives, c or h of the step before, or its candidate g: (B, T, H), or (B, H) for
        one mask a sequence. Errors: ValueError for other shapes.
        """
        batch, steps, _ = input.shape
        zero = input.new_zeros(batch, self.hidden_size)
        h0, c0 = (zero, zero) if hx is None else (hx[0][0], hx[1][0])
        sizes = (batch, steps, self.hidden_size)
        plan = _Plan(
            self.design,
            {gate: _held(gate, value, sizes, input) for gate, value in (held or {}).items()},
            {name: _mask(name, mask, sizes) for name, mask in (masks or {}).items()},
            watch,
        )
        peephole = self.peephole_l0 if self.design.peepholes else None
        bias = self.bias_ih_l0 + self.bias_hh_l0
        h, c = _Cell.apply(plan, input, h0, c0, self.weight_ih_l0, self.weight_hh_l0, bias, peephole)  # type: ignore[no-untyped-call]
        return h.permute(2, 0, 1), (h[-1].t()[None], c.t()[None])

    def trace(self, x: Tensor, state: LSTMState | None = None, **how: Any) -> Trace:
        """Every gate and state on x (B, T, D), each (B, T, H), without gradients; `how` as in `forward`."""
        watch = Watch()
        with torch.no_grad():
            self(x, state, watch=watch, **how)
        assert watch.trace is not None
        return watch.trace


def dropout_mask(*shape: int, drop: float, generator: torch.Generator) -> Tensor:
    """A mask for `masks`: 0 with probability `drop`, else 1 / (1 − drop), so that its mean is 1."""
    return torch.empty(shape).bernoulli_(1 - drop, generator=generator) / (1 - drop)


# --- What a reading is told, in inner shapes --------------------------------------------------------------------


class _Hold(NamedTuple):
    free: Tensor  # bool, broadcasts to (T, H, B)
    value: Tensor  # of the same shape; anything where free


class _Plan(NamedTuple):
    design: Design
    held: Mapping[Gate, _Hold]
    masks: Mapping[Masked, Tensor]  # each (T, H, B)
    watch: Watch | None


def _held(gate: Gate, value: Tensor | float, sizes: tuple[int, int, int], like: Tensor) -> _Hold:
    batch, steps, _ = sizes
    given = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    shape = tuple(given.shape)
    if gate not in GATES or shape not in ((), (steps,), (batch, steps), sizes):
        raise ValueError(f"held takes gates {GATES} and a number, ({steps},), ({batch}, {steps}) or {sizes}, got {gate!r} with {shape}")
    if shape == sizes:
        inner = given.permute(1, 2, 0)
    elif shape == (batch, steps):
        inner = given.t()[:, None, :]
    else:
        inner = given.expand(steps)[:, None, None]
    return _Hold(inner.isnan(), inner)


def _mask(name: Masked, mask: Tensor, sizes: tuple[int, int, int]) -> Tensor:
    batch, steps, hidden = sizes
    if name not in ("c", "h", "g") or tuple(mask.shape) not in ((batch, hidden), sizes):
        raise ValueError(f"masks takes c, h or g and ({batch}, {hidden}) or {sizes}, got {name!r} with {tuple(mask.shape)}")
    return mask.permute(1, 2, 0) if mask.dim() == 3 else mask.t().expand(steps, hidden, batch)


# --- Forward ----------------------------------------------------------------------------------------------------


def _split(gates: Tensor, blocks: int) -> Tensor:
    """(T, blocks · H, B) as (T, blocks, H, B)."""
    steps, rows, batch = gates.shape
    return gates.view(steps, blocks, rows // blocks, batch)


class _Tape(NamedTuple):
    """A whole sequence. Where nothing is masked, `received` and `written` are views of `c` and `gates`."""

    gates: Tensor  # (T, 4H, B): g, i, f, o after their activations
    inputs: Tensor  # (T + 1, H + D + 1, B): h̃, x and 1, so that one product a step makes all gates
    h: Tensor  # (T, H, B)
    c: Tensor  # (T + 1, H, B): c_0 is the state before
    received: Tensor  # (T, H, B): c̃
    written: Tensor  # (T, H, B): m_g ⊙ g
    output: Tensor  # (T, H, B): ψ(c_t)

    def blocks(self) -> tuple[Tensor, ...]:
        """The gates g, i, f, o, each (T, H, B)."""
        return _split(self.gates, 4).unbind(1)


def _start(plan: _Plan, x: Tensor, h0: Tensor, c0: Tensor) -> _Tape:
    """Buffers for a sequence, with what is known before the first step."""
    batch, steps, width = x.shape
    hidden = h0.shape[1]
    inputs = x.new_empty(steps + 1, hidden + width + 1, batch)
    inputs[:steps, hidden:-1] = x.permute(1, 2, 0)
    inputs[:, -1] = 1
    mask = plan.masks.get("h")
    inputs[0, :hidden] = h0.t() if mask is None else h0.t() * mask[0]
    gates, c = x.new_empty(steps, 4 * hidden, batch), x.new_empty(steps + 1, hidden, batch)
    c[0] = c0.t()
    return _Tape(
        gates,
        inputs,
        inputs[1:, :hidden] if mask is None else x.new_empty(steps, hidden, batch),
        c,
        x.new_empty(steps, hidden, batch) if "c" in plan.masks else c[:-1],
        x.new_empty(steps, hidden, batch) if "g" in plan.masks else gates[:, :hidden],
        x.new_empty(steps, hidden, batch),
    )


Act = Callable[[int], object]  # something done at step t


def _on_gates(plan: _Plan, tape: _Tape, peephole: Tensor | None) -> tuple[list[Act], list[Act]]:
    """What makes the gates of step t from their sums: i, f and g before c_t is known, o after it."""
    hidden = tape.c.shape[1]
    squash, candidate = APPLY[plan.design.gates], APPLY[plan.design.candidate]
    early = 3 if peephole is None else 2  # o waits for c_t only when it looks at it
    g, sums = tape.gates[:, :hidden].unbind(0), tape.gates[:, hidden : (1 + early) * hidden].unbind(0)
    before: list[Act] = [lambda t: squash(sums[t], sums[t]), lambda t: candidate(g[t], g[t])]
    after: list[Act] = []
    if peephole is not None:
        looks, at_c = peephole[:2, :, None], tape.received[:, None].unbind(0)  # (2, H, 1), each (1, H, B)
        pairs = _split(tape.gates[:, hidden : 3 * hidden], 2).unbind(0)
        o, c, look = tape.gates[:, 3 * hidden :].unbind(0), tape.c[1:].unbind(0), peephole[2, :, None]
        before.insert(0, lambda t: pairs[t].addcmul_(looks, at_c[t]))
        after += [lambda t: o[t].addcmul_(look, c[t]), lambda t: squash(o[t], o[t])]
    blocks = dict(zip(INNER, tape.blocks(), strict=True))
    before += _holding(plan, "f", blocks)
    if plan.design.coupled:
        i, f, one = blocks["i"].unbind(0), blocks["f"].unbind(0), tape.c.new_ones(())
        before.append(lambda t: torch.sub(one, f[t], out=i[t]))
    before += _holding(plan, "i", blocks) + _holding(plan, "g", blocks)
    if (mask := plan.masks.get("g")) is not None:
        masks, written = mask.unbind(0), tape.written.unbind(0)
        before.append(lambda t: torch.mul(g[t], masks[t], out=written[t]))
    return before, after + _holding(plan, "o", blocks)


def _holding(plan: _Plan, gate: Gate, blocks: Mapping[Gate, Tensor]) -> list[Act]:
    """Setting a gate to its held values, if it has any."""
    if gate not in plan.held:
        return []
    free, value, gates = plan.held[gate].free.unbind(0), plan.held[gate].value.unbind(0), blocks[gate].unbind(0)
    return [lambda t: torch.where(free[t], gates[t], value[t], out=gates[t])]


def _read(plan: _Plan, tape: _Tape, weight: Tensor, peephole: Tensor | None) -> None:
    """Read the sequence, filling the tape. `weight` (4H, H + D + 1) holds U, W and b."""
    hidden, output = tape.c.shape[1], APPLY[plan.design.output]
    gates, inputs, h, c, y = (part.unbind(0) for part in (tape.gates, tape.inputs, tape.h, tape.c, tape.output))
    received, written = tape.received.unbind(0), tape.written.unbind(0)
    _, i, f, o = (block.unbind(0) for block in tape.blocks())
    before, after = _on_gates(plan, tape, peephole)
    m_c, m_h = (plan.masks[name].unbind(0) if name in plan.masks else None for name in ("c", "h"))
    for t in range(len(gates)):
        if m_c is not None:
            torch.mul(c[t], m_c[t], out=received[t])
        torch.mm(weight, inputs[t], out=gates[t])
        for act in before:
            act(t)
        torch.mul(f[t], received[t], out=c[t + 1]).addcmul_(i[t], written[t])
        for act in after:
            act(t)
        output(c[t + 1], y[t])
        torch.mul(o[t], y[t], out=h[t])
        if m_h is not None and t + 1 < len(gates):
            torch.mul(h[t], m_h[t + 1], out=inputs[t + 1][:hidden])


# --- Backward ---------------------------------------------------------------------------------------------------


class _Factors(NamedTuple):
    """What the loop back in time multiplies with, for all steps at once."""

    gates: Tensor  # (T, 4, H, B): K_g, K_i, K_f (for dc) and K_o (for dh)
    cell: Tensor  # (T, H, B): K_c
    carry: Tensor  # (T, H, B)


def _factors(plan: _Plan, tape: _Tape, peephole: Tensor | None) -> _Factors:
    """The derivatives of one step of the cell, options included."""
    g, i, f, o = tape.blocks()
    slope, design, masks = SLOPE[plan.design.gates], plan.design, plan.masks
    hidden = g.shape[1]
    k = _split(torch.cat([g, slope(tape.gates[:, hidden:])], 1), 4)
    k_g, k_i, k_f, k_o = k.unbind(1)
    torch.mul(SLOPE[design.candidate](g), i * masks["g"] if "g" in masks else i, out=k_g)
    k_o *= tape.output
    if design.coupled:
        given_up = tape.written if "i" not in plan.held else tape.written * plan.held["i"].free
        k_i.zero_()
        k_f *= tape.received - given_up
    else:
        k_i *= tape.written
        k_f *= tape.received
    for gate, hold in plan.held.items():
        k[:, INNER.index(gate)].masked_fill_(~hold.free, 0)
    cell, carry = o * SLOPE[design.output](tape.output), f
    if peephole is not None:
        p_i, p_f, p_o = peephole[:, :, None]  # each (H, 1)
        cell, carry = cell + k_o * p_o, carry + k_i * p_i + k_f * p_f
    return _Factors(k, cell, carry * masks["c"] if "c" in masks else carry)


class _Gradients(NamedTuple):
    """`gates` (T, 4H, B) before the activations; `h` and `c` (H, B) of the state before the sequence."""

    gates: Tensor
    h: Tensor
    c: Tensor


def _return(plan: _Plan, k: _Factors, dh_given: Tensor, dc_last: Tensor, u: Tensor) -> _Gradients:
    """The loop back in time, from dL/dh (T, H, B) and dL/dc_T (H, B). `u` (H, 4H) is U transposed."""
    steps, hidden, batch = dh_given.shape
    kept = steps if plan.watch else 1  # dh and dc of every step are kept only for those who ask
    dh_all, dc_all = dh_given.new_empty(2, kept, hidden, batch)
    dh, dc = ([*part.unbind(0)] * (steps // kept) for part in (dh_all, dc_all))
    d = k.gates.new_empty(steps + 1, 4, hidden, batch)
    d[steps] = 0  # nothing comes after the last step
    d_all, d_gif, d_o = d.flatten(1, 2).unbind(0), d[:, :3].unbind(0), d[:, 3].unbind(0)
    given, k_gif, k_o, k_c, k_carry = (part.unbind(0) for part in (dh_given, k.gates[:, :3], k.gates[:, 3], k.cell, k.carry))
    m_h = plan.masks["h"].unbind(0) if "h" in plan.masks else None
    carry = dc_last.clone()
    for t in reversed(range(steps)):
        if m_h is None or t + 1 == steps:
            torch.addmm(given[t], u, d_all[t + 1], out=dh[t])
        else:
            torch.mm(u, d_all[t + 1], out=dh[t]).mul_(m_h[t + 1]).add_(given[t])
        torch.addcmul(carry, dh[t], k_c[t], out=dc[t])
        torch.mul(dh[t], k_o[t], out=d_o[t])
        torch.mul(dc[t], k_gif[t], out=d_gif[t])
        torch.mul(dc[t], k_carry[t], out=carry)
    if plan.watch:
        plan.watch.dh, plan.watch.dc = dh_all.permute(2, 0, 1), dc_all.permute(2, 0, 1)
    before = u @ d_all[0]
    return _Gradients(d[:steps].flatten(1, 2), before if m_h is None else before * m_h[0], carry)


def _to_inner(w: Tensor) -> Tensor:
    """Rows i, f, g, o as g, i, f, o."""
    hidden = w.shape[0] // 4
    return torch.cat([w[2 * hidden : 3 * hidden], w[: 2 * hidden], w[3 * hidden :]])


def _to_outer(w: Tensor) -> Tensor:
    """Rows g, i, f, o as i, f, g, o."""
    hidden = w.shape[0] // 4
    return torch.cat([w[hidden : 3 * hidden], w[:hidden], w[3 * hidden :]])


class _Cell(torch.autograd.Function):
    """x (B, T, D), state (B, H) → h (T, H, B), c_T (H, B)."""

    @staticmethod
    def forward(ctx: Any, plan: _Plan, x: Tensor, h0: Tensor, c0: Tensor, w_ih: Tensor, w_hh: Tensor, bias: Tensor, peephole: Tensor | None) -> Any:
        tape = _start(plan, x, h0, c0)
        _read(plan, tape, _to_inner(torch.cat([w_hh, w_ih, bias[:, None]], 1)), peephole)
        ctx.plan = plan
        ctx.save_for_backward(*tape, w_ih, w_hh, peephole)
        if plan.watch:
            g, i, f, o = (block.permute(2, 0, 1) for block in tape.blocks())
            plan.watch.trace = Trace(i, f, g, o, tape.c[1:].permute(2, 0, 1), tape.h.permute(2, 0, 1))
        return tape.h, tape.c[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dh: Tensor, dc_last: Tensor) -> Any:
        *parts, w_ih, w_hh, peephole = ctx.saved_tensors
        tape = _Tape(*parts)
        hidden, width = w_hh.shape[1], w_ih.shape[1]
        d = _return(ctx.plan, _factors(ctx.plan, tape, peephole), dh.contiguous(), dc_last, _to_inner(w_hh).t())
        dw = _to_outer(torch.bmm(d.gates, tape.inputs[:-1].transpose(1, 2)).sum(0))  # (4H, H + D + 1)
        dx = (_to_inner(w_ih).t() @ d.gates).permute(2, 0, 1) if ctx.needs_input_grad[1] else None
        dp = None
        if peephole is not None:
            _, d_i, d_f, d_o = _split(d.gates, 4).unbind(1)
            dp = torch.stack([(one * seen).sum((0, 2)) for one, seen in ((d_i, tape.received), (d_f, tape.received), (d_o, tape.c[1:]))])
        return None, dx, d.h.t(), d.c.t(), dw[:, hidden : hidden + width], dw[:, :hidden], dw[:, -1], dp
