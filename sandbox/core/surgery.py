r"""Surgery on a trained network: hold a gate, couple two, exchange states between sequences; nothing is trained again.

    held        every unit's gate is 0, or 1, at every step
    coupled     i := 1 − f, or f := 1 − i, as in the coupled gates of Greff et al. (2017)
    exchanged   after t steps every sequence goes on with c, h or both of the one before it

A gate coupled or held in a network that was trained with it tells what this network came to use it for. What a network
could do that never had it is another question: that one must be trained without.

    pack(model, x, target)  →  bytes  →  unpack  →  operate(subject, gate="f", hold="1")  →  Record
"""

from __future__ import annotations

import io
import math
from dataclasses import asdict, replace
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from sandbox.core.cells import Gate, LSTMState, Reader, Trace, gate_rows
from sandbox.core.general_cell import Design, GeneralLSTM
from sandbox.core.probes import accuracy, error_or_inf
from sandbox.core.tasks import IGNORED

Hold = Literal["learnt", "0", "1", "coupled"]
Exchange = Literal["none", "c", "h", "both"]

SEQUENCES = 64  # held-out sequences that go with a network, at most
INPUT_BYTES = 500_000  # of their inputs; long sequences are fewer
MAX_BYTES = 2_000_000  # of everything together
DESIGN = Design()


class Packed(NamedTuple):
    """A network with sequences to try it on, in order of what protocol.Specimen takes."""

    payload: bytes
    last_exchange: int  # exchanges make sense after 1 to so many steps; 0: not at all, as sequences are not asked at the same steps


class Subject(NamedTuple):
    """A trained network with held-out sequences."""

    model: Reader  # on a GeneralLSTM
    x: Tensor  # (B, T, D)
    target: Tensor  # (B, T): classes as long, values as float; anything where it is not judged
    judged: Tensor  # (B, T) bool

    @property
    def classes(self) -> bool:
        """Whether it names classes; otherwise it says values."""
        return not self.target.is_floating_point()

    @property
    def lstm(self) -> GeneralLSTM:
        """The layer to operate on."""
        assert isinstance(self.model.recurrent, GeneralLSTM)
        return self.model.recurrent


class Record(NamedTuple):
    """What a network did: every gate and state (B, T, H), and what it answered (B, T, outputs)."""

    trace: Trace
    answers: Tensor


# --- Packing ----------------------------------------------------------------------------------------------------


def pack(model: Reader, x: Tensor, target: Tensor, judged: Tensor | None = None, *, exchanges: bool = True) -> Packed:
    """A network and held-out sequences as bytes that can travel, at most SEQUENCES of them.

    x (B, T, D). target (B,) is asked for at the last step, (B, T) at the steps of `judged` (B, T), which by default are
    all, or all with a label. Integer targets are classes; a network with one output then says the log odds of class 1.
    `exchanges` is False where sequences cannot be compared step by step.
    Errors: TypeError for another cell, ValueError for more than one layer or direction, or when it is too large.
    """
    if not isinstance(model.recurrent, nn.LSTM):
        raise TypeError(f"surgery is on an LSTM, got {type(model.recurrent).__name__}")
    few = max(2, min(SEQUENCES, INPUT_BYTES // max(1, x[0].nbytes)))
    x, target = x[:few].detach().cpu(), target[:few].detach().cpu()
    target, judged = _by_step(target, None if judged is None else judged[:few].cpu(), x.shape[1])
    design = model.recurrent.design if isinstance(model.recurrent, GeneralLSTM) else DESIGN
    weights = GeneralLSTM.like(model.recurrent, design).cpu().state_dict()
    content = {"design": asdict(design), "lstm": weights, "readout": _readout(model.readout, classes=not target.is_floating_point())}
    out = io.BytesIO()
    torch.save(content | {"x": x.clone(), "target": target.clone(), "judged": judged.clone()}, out)  # a view would take its whole storage along
    payload = out.getvalue()
    if len(payload) > MAX_BYTES:
        raise ValueError(f"a network packed for surgery takes at most {MAX_BYTES:,} bytes, got {len(payload):,}")
    aligned = bool((judged == judged[:1]).all()) and bool(judged.any())
    return Packed(payload, int(judged[0].nonzero().max()) if aligned and exchanges else 0)


def unpack(payload: bytes) -> Subject:
    """The network and its sequences. Errors: ValueError for bytes that `pack` has not made; nothing in them is run."""
    if len(payload) > MAX_BYTES:
        raise ValueError(f"a network packed for surgery takes at most {MAX_BYTES:,} bytes, got {len(payload):,}")
    try:
        return _rebuilt(torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True))
    except Exception as error:  # torch's reader fails in a dozen ways, and each says the same
        raise ValueError(f"these bytes are no network packed for surgery ({type(error).__name__})") from error


def _by_step(target: Tensor, judged: Tensor | None, steps: int) -> tuple[Tensor, Tensor]:
    """Target and judged as (B, T)."""
    if target.dim() == 1:
        target = target[:, None].expand(-1, steps)
        last = torch.zeros(target.shape, dtype=torch.bool)
        last[:, -1] = True
        return target, last
    labelled = target != IGNORED if not target.is_floating_point() else torch.ones(target.shape, dtype=torch.bool)
    return target, labelled if judged is None else labelled & judged


def _readout(readout: nn.Linear, *, classes: bool) -> dict[str, Tensor]:
    """The read-out's weights. Log odds z of class 1 become logits 0 and z: the same probabilities."""
    weight, bias = readout.weight.detach().cpu(), readout.bias.detach().cpu()
    if classes and len(bias) == 1:
        weight, bias = torch.cat([torch.zeros_like(weight), weight]), torch.cat([torch.zeros_like(bias), bias])
    return {"weight": weight.clone(), "bias": bias.clone()}


def _rebuilt(content: Any) -> Subject:
    outputs, hidden = content["readout"]["weight"].shape
    with torch.random.fork_rng(devices=[]):  # what is drawn here is overwritten, and nobody else's
        lstm = GeneralLSTM(content["x"].shape[2], hidden, Design(**content["design"]))
        model = Reader(lstm, outputs)
    lstm.load_state_dict(content["lstm"])
    model.readout.load_state_dict(content["readout"])
    subject = Subject(model.eval(), content["x"], content["target"], content["judged"])
    if not subject.target.shape == subject.judged.shape == subject.x.shape[:2]:
        raise ValueError("targets do not fit the sequences")
    return subject


# --- Operating --------------------------------------------------------------------------------------------------


def operate(subject: Subject, *, gate: Gate = "f", hold: Hold = "learnt", exchange: Exchange = "none", at: int = 0) -> Record:
    """Read all sequences with `gate` held and, after `at` steps, states exchanged. Nothing of the subject changes.

    Errors: ValueError for gates that cannot be coupled, and for an exchange that is not within the sequence.
    """
    lstm = coupled(subject.lstm, gate) if hold == "coupled" else subject.lstm
    held = {gate: float(hold)} if hold in {"0", "1"} else {}
    with torch.no_grad():
        if exchange == "none":
            trace = lstm.trace(subject.x, held=held)
        else:
            if not 1 <= at < subject.x.shape[1]:
                raise ValueError(f"states are exchanged after 1 to {subject.x.shape[1] - 1} steps, got {at}")
            first = lstm.trace(subject.x[:, :at], held=held)
            rest = lstm.trace(subject.x[:, at:], _exchanged(first, exchange), held=held)
            trace = Trace(*(torch.cat(parts, 1) for parts in zip(first, rest, strict=True)))
        return Record(trace, subject.model.readout(trace.h))


def coupled(lstm: GeneralLSTM, gate: Gate) -> GeneralLSTM:
    """A copy whose input gate is 1 − f, or whose forget gate is 1 − i. Errors: ValueError for other gates.

    The cell knows i = 1 − f only. With the rows of i, negated, in the place of those of f, f is σ(−z_i) = 1 − σ(z_i), and
    then i = 1 − f is i again; σ may be the hard sigmoid as well.
    """
    if gate not in {"i", "f"}:
        raise ValueError(f"only the gates i and f can be coupled, got {gate}")
    copy = GeneralLSTM.like(lstm, replace(lstm.design, coupled=True))
    if gate == "f":
        forget, write = gate_rows(copy.hidden_size, "f"), gate_rows(copy.hidden_size, "i")
        with torch.no_grad():
            for name, parameter in copy.named_parameters():
                place, source = (1, 0) if name.startswith("peephole") else (forget, write)
                parameter[place] = -parameter[source]
    return copy


def _exchanged(read: Trace, exchange: Exchange) -> LSTMState:
    """The states after what was read, h or c or both from the sequence before."""
    h, c = read.h[:, -1], read.c[:, -1]
    h, c = (donated(part) if exchange in {name, "both"} else part for name, part in (("h", h), ("c", c)))
    return h[None].contiguous(), c[None].contiguous()


def donated(values: Tensor) -> Tensor:
    """What each sequence's donor, the sequence before it, has: values (B, …)."""
    return values.roll(1, 0)


# --- Judging ----------------------------------------------------------------------------------------------------


def counted(subject: Subject, exchange: Exchange = "none", at: int = 0) -> Tensor:
    """Which answers (B, T) are counted: those that are judged; with an exchange those after it, where the donor's differ."""
    if exchange == "none":
        return subject.judged
    counts: Tensor = subject.judged & donated(subject.judged) & (subject.target != donated(subject.target))
    counts[:, :at] = False
    return counts


def score(answers: Tensor, target: Tensor, counts: Tensor) -> float:
    """Of the answers (B, T, outputs) that count: the share that is right; for values the squared error ÷ their variance.

    NaN when nothing counts; an error that is not finite is infinite.
    """
    if not counts.any():
        return math.nan
    if not target.is_floating_point():
        return accuracy(answers, torch.where(counts, target, IGNORED))
    right = target[counts].double()
    return error_or_inf(float((answers[..., 0][counts].double() - right).square().mean() / right.var(correction=0)))


def guess(target: Tensor, counts: Tensor) -> float:
    """The score of whoever has not read the sequence: always the commonest class, or the mean, whose error is 1."""
    if target.is_floating_point() or not counts.any():
        return 1.0
    return float(target[counts].bincount().max() / counts.sum())


def due(subject: Subject, target: Tensor) -> tuple[Tensor, Tensor]:
    """At every step the answer that is asked for next, (B, T), and whether there is one."""
    steps = subject.x.shape[1]
    asked = torch.where(subject.judged, torch.arange(steps), steps)
    coming = asked.flip(1).cummin(1).values.flip(1)  # (B, T): the step at which the next answer is asked for
    return target.gather(1, coming.clamp(max=steps - 1)), coming < steps


# --- What to look at --------------------------------------------------------------------------------------------


def telling_unit(before: Record, after: Record, gate: Gate) -> int:
    """The unit whose h the operation has changed most; where it changed nothing, the one whose gate moves most."""
    change = (after.trace.h - before.trace.h).abs().nan_to_num().mean((0, 1))  # (H,)
    if not change.any():
        values: Tensor = getattr(before.trace, gate)
        change = values.flatten(0, 1).nan_to_num().std(0)
    return int(change.argmax())


def telling_sequence(subject: Subject, before: Record, after: Record, counts: Tensor) -> int:
    """The first sequence that was answered right and is not any more; without one, the first with an answer that counts."""
    if subject.classes:
        lost = (before.answers.argmax(-1) == subject.target) & (after.answers.argmax(-1) != subject.target) & counts
        if lost.any():
            return int(lost.any(1).int().argmax())
    return int(counts.any(1).int().argmax())
