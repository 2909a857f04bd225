"""Question 11: what the output gate is for, shown on a bit that is to be said only when asked.

Without the gate a cell shows what it holds at every step, so the weight that speaks at the cue must also keep silent
between: the output weight conflict of Hochreiter & Schmidhuber (1997). Banks of one-cell LSTMs, 16 at once, keep the
verdict from hanging on one lucky start. A third bank without the gate gets one cell more in each net.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox import core
from sandbox.protocol import (
    Arm,
    Bars,
    Check,
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
    Specimen,
    Step,
)

if TYPE_CHECKING:
    from torch import Tensor

NETS, BATCH, EXAM = 16, 32, 500  # nets in a bank; sequences in an update and in an examination
SOLVED, FAILED = 0.05, 0.25  # error ÷ variance of the target
BIT, CUE = 0, 1  # input channels

ARMS = (
    Arm("full", "whole LSTM", "lstm"),
    Arm("no-output", "no output gate (o = 1)", "ablated"),
    Arm("spare", "no output gate, one cell more", "remedy"),
)


@dataclass(frozen=True)
class Examined:
    """An arm after training: its best net, and how good that one is on fresh sequences."""

    bank: core.banks.Bank
    net: int
    error: float  # ÷ variance of the target
    asked: float  # at the cues, where the bit is to be said; the error over all steps is a weighted mean of this and the next
    silent: float  # at the other steps, where the answer is 0; both ÷ the variance over all steps
    solved: int  # nets of the bank


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the three banks on the same sequences, then measure and show them."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    banks = yield from core.training.interleave(arms, Point, seed, device)
    examined = {arm: _examine(bank, settings, seed, device) for arm, bank in banks.items()}
    yield Measured({arm: one.error for arm, one in examined.items()})
    yield _timeline_picture(examined, settings, seed, device)
    yield _bars_picture(examined)
    yield _chances_picture(examined)
    fresh = next(_data(core.surgery.SEQUENCES, settings, seed, "surgery"))
    best = examined["full"].bank.single(examined["full"].net)
    yield Specimen("full", *core.surgery.pack(best, fresh.x, fresh.target, exchanges=False))


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.banks.Bank]:
    import torch

    bank = core.banks.Bank(2, NETS, int(settings["cells"]) + (arm == "spare"))
    core.cells.set_forget_bias(bank.recurrent, float(settings["forget_bias"]))
    if arm != "full":
        core.cells.hold_gate(bank.recurrent, "o")
    bank = bank.to(device)
    data, variance = _data(BATCH, settings, seed, "bits"), _variance(settings)

    def forward() -> tuple[Tensor, Measures]:
        batch = next(data).to(device)
        losses = core.banks.per_net(torch.nn.functional.mse_loss, bank(batch.x)[0], batch.target)  # (nets,)
        nmse = losses.detach() / variance
        return losses.sum(), {"nmse": core.banks.lowest(nmse)[1], "solved": float(core.banks.solved(nmse, SOLVED))}

    optimizer = core.optimizers.Adam(bank.parameters(), float(settings["learning_rate"]))
    yield from core.training.train(forward, bank.parameters(), optimizer, int(settings["updates"]), core.training.NO_CLIPPING)
    return bank


def _data(batch: int, settings: Settings, seed: int, use: str) -> Iterator[core.tasks.Labelled]:
    return core.tasks.store_and_release(batch, int(settings["steps"]), core.devices.generator(seed, use))


def _variance(settings: Settings) -> float:
    """The squared error of always answering 0."""
    steps = int(settings["steps"])
    return core.tasks.READ * (steps - 1) / steps


def _examine(bank: core.banks.Bank, settings: Settings, seed: int, device: str) -> Examined:
    """The best net is chosen on fresh sequences and measured on others, so that the choice does not flatter it."""
    import torch

    data = _data(EXAM, settings, seed, "exam")
    chosen, judged = next(data).to(device), next(data).to(device)
    with core.probes.examining(bank):
        net, _ = core.banks.lowest(core.banks.per_net(torch.nn.functional.mse_loss, bank(chosen.x)[0], chosen.target))
        squared = (bank(judged.x)[0] - judged.target[..., None]).square()  # (B, T, nets)
    errors = squared.flatten(0, 1).mean(0) / _variance(settings)
    cued = judged.x[..., CUE] == 1
    asked, silent = (float(squared[..., net][steps].mean()) / _variance(settings) for steps in (cued, ~cued))
    return Examined(bank, net, core.probes.error_or_inf(float(errors[net])), asked, silent, core.banks.solved(errors, SOLVED))


# --- Pictures ---------------------------------------------------------------------------------------------------


def _timeline_picture(examined: dict[str, Examined], settings: Settings, seed: int, device: str) -> Lines:
    """One sequence in the best net with and the best without the gate: held, but silent until the cue."""
    import torch

    x = next(_data(EXAM, settings, seed, "pictures")).x
    cued = x[..., CUE] == 1
    steps = [float(t) for t in range(x.shape[1])]
    events = [(t, "cue") for t, cue in zip(steps, cued[0].tolist(), strict=True) if cue]
    panels, shown = [], {}
    for arm in ARMS[:2]:
        one = examined[arm.key]
        traced = core.probes.record_gates(one.bank, x.to(device))
        weights = one.bank.weight.detach()[one.net].abs().cpu()
        unit = one.bank.units(one.net).start + int(weights.argmax())
        shown[arm.key] = traced.h[..., unit].abs()
        lines = {"o": ("o gate", traced.o), "c": ("cell c", traced.c), "h": ("h, what is shown", traced.h)}
        series = [Series(label, role, steps, core.probes.plain(part[0, :, unit]), steps=True) for role, (label, part) in lines.items()]
        panels.append(Panel(arm.label, "value", series, events=events))
        if arm.key == "full":
            open_at, open_else = float(traced.o[..., unit][cued].mean()), float(traced.o[..., unit][~cued].mean())
    with torch.no_grad():
        answers = {arm: one.bank(x[:1].to(device))[0][0, :, one.net] for arm, one in examined.items()}
    said = [Series(arm.label, arm.role, steps, core.probes.plain(answers[arm.key]), steps=True) for arm in ARMS]
    wanted = Series("asked for", "target", steps, core.probes.plain(x[0, 0, BIT] * x[0, :, CUE]), steps=True)
    panels.append(Panel("Answers", "answer", [wanted, *said], events=events))
    message = f"On average over {EXAM} sequences the output gate of the whole LSTM stands at {open_at:.2f} at the cue, at {open_else:.2f} otherwise"
    quiet = ", ".join(f"{float(size[~cued].mean()):.2g} ({arm.label})" for arm, size in zip(ARMS, shown.values(), strict=False))
    alt = f"Output gate, cell and h of one cell, and the answers, over {len(steps)} steps. {message}. Mean |h| between the cues: {quiet}."
    return Lines("timeline", message, alt, "step", panels)


def _bars_picture(examined: dict[str, Examined]) -> Bars:
    """Where the best nets err: when asked, or when they should be silent."""
    series = [
        Series(arm.label, arm.role, [0.0, 1.0, 2.0], core.probes.rounded([one.error, one.asked, one.silent]))
        for arm, one in ((arm, examined[arm.key]) for arm in ARMS)
    ]
    message = f"Best error without the gate {examined['no-output'].error:.2g} times the variance, with it {examined['full'].error:.2g}"
    message += f", with one cell more instead {examined['spare'].error:.2g}"
    parts = "; ".join(f"{arm.label}: {one.asked:.2g} at the cues, {one.silent:.2g} between" for arm, one in ((arm, examined[arm.key]) for arm in ARMS))
    alt = f"{message}. Squared error of the best net, divided by the variance of the target over all steps. {parts}. Always answering 0 gives 1 over all steps."
    groups, rules = ["all steps", "at the cues", "between the cues"], ((SOLVED, "solved, over all steps"),)
    return Bars("errors", message, alt, "squared error ÷ variance of the target", groups, series, rules=rules, log_y=True)


def _chances_picture(examined: dict[str, Examined]) -> Bars:
    """How many nets of each bank found the way."""
    series = [Series(arm.label, arm.role, [0.0], [float(examined[arm.key].solved)]) for arm in ARMS]
    message = f"Nets that solved it, of {NETS}: " + "; ".join(f"{arm.label} {examined[arm.key].solved}" for arm in ARMS)
    return Bars("solved", message, f"{message}. Solved means an error below {SOLVED:g} times the variance of the target.", "nets", ["solved"], series)


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("full", "best error of the whole LSTMs", "<", SOLVED),
    Check("no-output", "best error without an output gate", ">", FAILED),
)
SPARE = Check("spare", "best error without the gate, one cell more", "<", SOLVED)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    full, without = (check.median(measured) for check in CHECKS)
    if without <= FAILED:
        return "copes"
    if full >= SOLVED:
        return "both-fail"
    return "spare-helps" if SPARE.median(measured) < SOLVED else "fails"


EXPERIMENT = Experiment(
    id="output-gate",
    number=11,
    title="Hold it, but say nothing yet",
    claim="A one-cell LSTM holds a bit and says it only when asked. With its output gate held open it cannot: what it holds shows at every "
    "step, and not one of 16 nets learns to be silent between the cues.",
    textbook="The output gate decides which part of the cell state is exposed as the hidden state.",
    truths=(
        "The gate is needed when cells are scarce: with one cell more a net without it can hold the bit in one cell and let the other take a copy "
        "at the cue. See the third group of nets.",
        "A shut output gate hides the memory without harming it: the cell stays, and h is near 0. See the timeline.",
        "What is held back is held back from the network's own gates, too: at the next step they read h. That is the gap peepholes were meant for.",
    ),
    limits=(
        "Many cells and a read-out with layers of its own make up for the gate: the need shown here is that of a single cell.",
        "The gate is removed before training. Knocking it out of a trained network would overstate how much it is needed.",
    ),
    paper=Paper("Hochreiter, S., Schmidhuber, J.", 1997, "Long Short-Term Memory", "Neural Computation 9(8)"),
    asks="A bit is shown once. Now and then it is asked for, and at every other step the answer must be 0. What happens to a one-cell LSTM "
    "whose output gate is held open?",
    predictions=(
        Outcome("spare-helps", "It fails, but with one cell more it succeeds"),
        Outcome("fails", "It fails, and one cell more does not help"),
        Outcome("copes", "It copes: the read-out can keep silent for it"),
        Outcome("both-fail", "With or without the gate, one cell is too few"),
    ),
    outcome=outcome,
    controls=(
        Number(
            name="steps", label="Length", help="Steps in a sequence; the bit comes first, a cue at one step in five.", default=30, low=5, high=100, whole=True
        ),
        Number(name="cells", label="Cells", help="Of each tiny net; those of the third group have one more.", default=1, low=1, high=4, whole=True),
        Number(
            name="forget_bias",
            label="Forget bias at the start",
            help="Forget gates start near σ of this: 1 gives 0.73, 3 gives 0.95.",
            default=1,
            low=-2,
            high=6,
            step=0.5,
        ),
        Number(name="updates", label="Updates", help="Each on 32 fresh sequences.", default=300, low=50, high=2000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam.", default=0.03, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 10)},
    arms=ARMS,
    curves=(
        Curve("nmse", "error ÷ variance, best net", log_y=True, rules=((1.0, "always answering 0"), (SOLVED, "solved"))),
        Curve("solved", "nets that solve the batch"),
        Curve("gradient", "gradient norm of all nets of a group", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
