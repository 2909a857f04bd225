"""Question 12: what a peephole sees that h does not show.

While the output gate is shut, h is 0 and the gates of a standard LSTM know nothing of the cell they control. Then
each input acts on the one cell as an increasing function, c → f(x) c + i(x) g(x), so no sequence of inputs can swap two
of its values, and telling odd from even is out of reach, whatever the weights. A peephole (Gers & Schmidhuber 2000)
lets the gates read the cell, and the map may fall. Banks of one-cell nets compare the two on the parity of pulses.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox import core
from sandbox.protocol import (
    Arm,
    Bars,
    Check,
    Choice,
    Curve,
    Experiment,
    Lines,
    Measured,
    Measures,
    Number,
    Outcome,
    Panel,
    Paper,
    Point,
    Preset,
    Series,
    Settings,
    Step,
)

if TYPE_CHECKING:
    from torch import Tensor

NETS = {"peephole": 64, "none": 64, "free": 16}  # nets in each bank; of larger nets a few are enough
BATCH, EXAM, CLIP = 64, 1000, 1.0  # sequences in an update and in an examination; largest gradient norm of a net
SOLVED, FAILED = 0.98, 0.8  # accuracies
# Weights start uniform up to these: from small ones, or from large biases, fewer nets find the way.
BOUND, PEEPHOLE_BOUND, BIAS_BOUND, READOUT_BOUND = 3.0, 6.0, 0.5, 0.5
GRID = 101  # points of a drawn function

ARMS = (
    Arm("peephole", "with peepholes", "variant"),
    Arm("none", "without peepholes", "lstm"),
    Arm("free", "without, three cells, output gate free", "remedy"),
)


@dataclass(frozen=True)
class Examined:
    """An arm after training: its best net, and how good that one is on fresh sequences."""

    bank: core.banks.Bank
    net: int
    accuracy: float
    solved: int  # nets of the bank


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the three banks on the same sequences, then measure and show them."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    banks = yield from core.training.interleave(arms, Point, seed, device)
    examined = {arm: _examine(arm, bank, settings, seed, device) for arm, bank in banks.items()}
    yield Measured({arm: one.accuracy for arm, one in examined.items()} | {f"{arm}_solved": float(one.solved) for arm, one in examined.items()})
    yield _map_picture(examined, settings, seed, device)
    yield _timeline_picture(examined, settings, seed, device)
    yield _bars_picture(examined)


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.banks.Bank]:
    import torch

    bank = _bank(arm, settings).to(device)
    data = _data(BATCH, settings, seed, "pulses")

    def forward() -> tuple[Tensor, Measures]:
        batch = next(data).to(device)
        logits = _answers(arm, bank, batch.x, settings)  # (B, nets)
        losses = core.banks.per_net(torch.nn.functional.binary_cross_entropy_with_logits, logits, batch.target)
        accuracies = core.banks.accuracies(logits, batch.target)
        return losses.sum(), {
            "accuracy": float(accuracies.max()),
            "solved": float((accuracies > SOLVED).sum()),
            "cross_entropy": core.banks.lowest(losses)[1],
        }

    optimizer = core.optimizers.Adam(bank.parameters(), float(settings["learning_rate"]))
    yield from core.training.train(forward, bank.parameters(), optimizer, int(settings["updates"]), functools.partial(bank.clip_each, CLIP))
    return bank


def _bank(arm: str, settings: Settings) -> core.banks.Bank:
    import torch

    if arm == "free":
        bank = core.banks.Bank(1, NETS[arm], 3, bound=BOUND)
    else:
        design = core.general_cell.Design(peepholes=arm == "peephole")
        make = functools.partial(core.general_cell.GeneralLSTM, design=design)
        bank = core.banks.Bank(1, NETS[arm], int(settings["cells"]), bound=BOUND, make=make)
    lstm = bank.recurrent
    with torch.no_grad():
        lstm.get_parameter("bias_ih_l0").uniform_(-BIAS_BOUND, BIAS_BOUND)
        lstm.get_parameter("bias_hh_l0").zero_()
        for part in (bank.weight, bank.bias):
            part.uniform_(-READOUT_BOUND, READOUT_BOUND)
        if arm == "peephole":
            lstm.get_parameter("peephole_l0").uniform_(-PEEPHOLE_BOUND, PEEPHOLE_BOUND)
    return bank


def _data(batch: int, settings: Settings, seed: int, use: str) -> Iterator[core.tasks.Labelled]:
    return core.tasks.parity(batch, int(settings["steps"]), core.devices.generator(seed, use))


def _held(arm: str, steps: int, settings: Settings) -> dict[str, Any]:
    """What a reading of `steps` steps is told: the output gate is 0 up to the last step, and free there."""
    import torch

    if arm == "free" or settings["output"] == "free":
        return {}
    values = torch.zeros(steps)
    values[-1] = math.nan
    return {"held": {"o": values}}


def _answers(arm: str, bank: core.banks.Bank, x: Tensor, settings: Settings) -> Tensor:
    """Each net's answer (B, nets) after the last step of x (B, T, 1)."""
    y: Tensor = bank(x, None, **_held(arm, x.shape[1], settings))[0]
    return y[:, -1]


def _examine(arm: str, bank: core.banks.Bank, settings: Settings, seed: int, device: str) -> Examined:
    """The best net is chosen on fresh sequences and measured on others, so that the choice does not flatter it."""
    data = _data(EXAM, settings, seed, "exam")
    with core.probes.examining(bank):
        chosen, judged = (
            core.banks.accuracies(_answers(arm, bank, batch.x, settings), batch.target) for batch in (next(data).to(device), next(data).to(device))
        )
    net = int(chosen.argmax())
    return Examined(bank, net, float(judged[net]), int((judged > SOLVED).sum()))


# --- Pictures ---------------------------------------------------------------------------------------------------


def _map_picture(examined: dict[str, Examined], settings: Settings, seed: int, device: str) -> Lines:
    """What a step makes of the cell, with and without a pulse, while the output gate is shut: c before → c after."""
    import torch

    x = next(_data(EXAM, settings, seed, "pictures")).x.to(device)
    panels, falls = [], {}
    for arm in ARMS[:2]:
        one = examined[arm.key]
        unit = _telling_unit(one)
        c = core.probes.record_gates(one.bank, x, **_held(arm.key, x.shape[1], settings)).c[..., unit]
        low, high = float(c.nan_to_num().min()), float(c.nan_to_num().max())
        margin = 0.05 * (high - low) + 0.01
        before = torch.linspace(low - margin, high + margin, GRID)
        state = torch.zeros(1, GRID, one.bank.recurrent.hidden_size)
        state[..., unit] = before
        series = [Series("unchanged", "target", core.probes.plain(before), core.probes.plain(before), dash=True)]
        for pulse, label, role in ((0.0, "no pulse", "input"), (1.0, f"pulse, {arm.label}", arm.role)):
            after = _one_step(one.bank, pulse, state.to(device))[:, unit].cpu()
            series.append(Series(label, role, core.probes.plain(before), core.probes.plain(after)))
            falls[arm.key] = float((after.diff() < -1e-6).double().mean())  # that of the pulse stays
        panels.append(Panel(f"One cell {arm.label}", "c after the step", series))
    message = f"A pulse swaps higher and lower cell states on {falls['peephole']:.0%} of their range with peepholes, on {falls['none']:.0%} without"
    alt = (
        f"The cell after a step against the cell before it, with h = 0, for a step with and a step without a pulse, in the best net of each kind. {message}. "
        "A map that only rises cannot swap two values, which counting odd and even needs."
    )
    return Lines("map", message, alt, "c before the step", panels)


def _telling_unit(one: Examined) -> int:
    """The unit of the best net that the read-out weighs most."""
    first: int = one.bank.units(one.net).start
    return first + int(one.bank.weight.detach()[one.net].abs().argmax())


def _one_step(bank: core.banks.Bank, pulse: float, c: Tensor) -> Tensor:
    """The cells (B, H) after one step from c (1, B, H) with h = 0."""
    import torch

    with torch.no_grad():
        after: Tensor = bank.recurrent(c.new_full((c.shape[1], 1, 1), pulse), (torch.zeros_like(c), c))[1][1]
    return after[0]


def _timeline_picture(examined: dict[str, Examined], settings: Settings, seed: int, device: str) -> Lines:
    """One sequence in the best net of each kind: what is counted, and what the cell makes of it."""
    batch = next(_data(EXAM, settings, seed, "pictures"))
    shown = int((batch.x[..., 0].sum(1) * (batch.x[:, 0, 0] == 1)).argmax())  # one with many pulses
    x = batch.x[shown : shown + 1]
    steps = [float(t + 1) for t in range(x.shape[1])]
    odd = core.probes.plain(x[0, :, 0].cumsum(0) % 2)
    events = [(t, "pulse") for t, pulse in zip(steps, x[0, :, 0].tolist(), strict=True) if pulse]
    panels = [Panel("Odd number of pulses so far", "odd", [Series("odd", "target", steps, odd, steps=True)], y_range=(0.0, 1.0), events=events)]
    cells = []
    for arm in ARMS[:2]:
        one = examined[arm.key]
        unit = _telling_unit(one)
        traced = core.probes.record_gates(one.bank, x.to(device), **_held(arm.key, x.shape[1], settings))
        parts = {"i": traced.i, "f": traced.f, "o": traced.o}
        gates = [Series(f"{gate} gate", gate, steps, core.probes.plain(part[0, :, unit]), steps=True) for gate, part in parts.items()]
        panels.append(Panel(f"Gates {arm.label}", "gate", gates, y_range=(0.0, 1.0), events=events))
        cells.append(Series(arm.label, arm.role, steps, core.probes.plain(traced.c[0, :, unit]), steps=True))
    panels.append(Panel("Cell state", "c", cells, events=events))
    right = {arm.key: examined[arm.key].accuracy for arm in ARMS}
    message = (
        f"A sequence with {len(events)} pulses: the best net with peepholes is right on {right['peephole']:.0%} of sequences, "
        f"the best without on {right['none']:.0%}"
    )
    alt = f"{message}. Gates and cell of the best net of each kind along one sequence. c at the end: " + ", ".join(
        f"{one.y[-1]:.2g} {one.label}" for one in cells
    )
    return Lines("timeline", message, f"{alt}.", "step", panels)


def _bars_picture(examined: dict[str, Examined]) -> Bars:
    """The accuracy of the best net of each bank."""
    series = [Series(arm.label, arm.role, [0.0], core.probes.rounded([examined[arm.key].accuracy])) for arm in ARMS]
    message = "Accuracy of the best net: " + "; ".join(f"{arm.label} {examined[arm.key].accuracy:.1%}" for arm in ARMS)
    alt = f"{message}. Nets that tell odd from even: " + "; ".join(f"{arm.label} {examined[arm.key].solved} of {NETS[arm.key]}" for arm in ARMS) + "."
    return Bars("accuracy", message, alt, "accuracy", ["best net, fresh sequences"], series, rules=((0.5, "guessing"), (SOLVED, "solved")))


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("peephole", "best accuracy with peepholes", ">", SOLVED),
    Check("none", "best accuracy without", "<", FAILED),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    peephole, none = (check.median(measured) for check in CHECKS)
    if none >= FAILED:
        return "both"
    if peephole > SOLVED:
        return "needed"
    return "ahead" if peephole > FAILED else "neither"


EXPERIMENT = Experiment(
    id="peephole",
    number=12,
    title="Counting with the output gate shut",
    claim="One cell whose output gate is shut until the last step can tell an odd number of pulses from an even one if its gates see the cell "
    "through peepholes. Without them not one of 64 nets learns it.",
    textbook="Peephole connections let the gates read the cell state, which helps with precise timing and counting.",
    truths=(
        "Without a peephole it is impossible, not just hard: with h = 0 every input moves the cell by a function that only rises, and such "
        "functions cannot swap two values. See the map of a pulse.",
        "Leave the output gate free and give the net three cells, and it does without peepholes: h carries what they would have shown. "
        "That may be why peepholes brought no reliable gain in the comparison of Greff et al. (2017).",
        "Possible is not easy: even with peepholes most nets get stuck, which is why 64 of them try at once.",
    ),
    limits=(
        "The shut output gate is set by hand, to take h out of the picture. A network left to itself rarely shuts it for good.",
        "torch.nn.LSTM and cuDNN have no peepholes: here they come with a slower cell of our own.",
    ),
    unoperable="The output gate is held shut from outside until the last step here; an operation would read the sequence without that.",
    paper=Paper("Gers, F. A., Schmidhuber, J.", 2000, "Recurrent nets that time and count", "IJCNN"),
    asks="Pulses come at random, and at the end one cell must say whether their number was odd. Its output gate is shut until then, so h tells "
    "the gates nothing. 64 nets try it with peepholes, 64 without. Which find the answer?",
    predictions=(
        Outcome("needed", "Only nets with peepholes: some of them get every sequence right"),
        Outcome("ahead", "Those with peepholes do better, but none gets nearly all right"),
        Outcome("both", "Some of both: the gates also read the pulses, which is enough to count"),
        Outcome("neither", "Neither: parity is too much for one cell"),
    ),
    outcome=outcome,
    controls=(
        Number(name="steps", label="Length", help="Steps in a sequence; a pulse comes at two in five.", default=6, low=2, high=12, whole=True),
        Number(name="cells", label="Cells", help="Of each net in the first two groups.", default=1, low=1, high=4, whole=True),
        Choice(
            name="output",
            label="Output gate of the first two groups",
            help="Shut until the last step, it hides the cell from the gates. Free, h may show it to them.",
            default="shut",
            options={"shut": "shut until the last step", "free": "free"},
        ),
        Number(name="updates", label="Updates", help="Each on 64 fresh sequences.", default=250, low=50, high=2000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam.", default=0.05, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 10, {"updates": 400})},
    arms=ARMS,
    curves=(
        Curve("accuracy", "accuracy of the best net", y_range=(0.0, 1.0), rules=((0.5, "guessing"),)),
        Curve("solved", "nets that solve the batch"),
        Curve("cross_entropy", "loss of the best net (nats)", rules=((0.693, "guessing, ln 2"),)),
    ),
    checks=CHECKS,
    run=run,
)
