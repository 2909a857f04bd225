"""Question 8: what the input gate is for, shown on one marked value among distractors.

Without a gate, the weights that let the marked value in must also keep every distractor out: the input weight conflict
of Hochreiter & Schmidhuber (1997). Banks of tiny LSTMs, 16 at once, lose one gate each, so that no verdict hangs on one
lucky start; a pair of larger networks asks whether more cells and a longer lag change the answer.
"""

from __future__ import annotations

import functools
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
    medians,
)

if TYPE_CHECKING:
    from torch import Tensor

NETS, BATCH, EXAM, CLIP = 16, 48, 1000, 1.0  # nets in a bank; sequences in an update and in an examination; largest gradient norm of a net
SOLVED = 0.05  # error ÷ variance
MARK = 1  # the input channel that marks the value

ARMS = (
    Arm("full", "whole LSTM", "lstm"),
    Arm("no-input", "no input gate (i = 1)", "ablated"),
    Arm("no-forget", "no forget gate (f = 1)", "variant"),
    Arm("no-output", "no output gate (o = 1)", "rnn"),
    Arm("large", "larger pair: whole LSTM", "oracle"),
    Arm("large-no-input", "larger pair: no input gate", "remedy"),
)
REMOVED: dict[str, core.cells.Gate] = {"no-input": "i", "no-forget": "f", "no-output": "o", "large-no-input": "i"}
BANKS, PAIR = ARMS[:4], ARMS[4:]


@dataclass(frozen=True)
class Examined:
    """An arm after training: its model, which of its nets is best, and how good that one is on fresh sequences."""

    model: core.banks.Bank | core.cells.Reader
    units: slice  # the hidden units of the best net
    error: float
    solved: int

    @property
    def alone(self) -> core.cells.Reader:
        """The best net as a network of its own."""
        return self.model.single(self.units.start // self.model.cells) if isinstance(self.model, core.banks.Bank) else self.model


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the four banks and the larger pair on the same sequences, then measure and show them."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    trained = yield from core.training.interleave(arms, Point, seed, device)
    examined = {arm: _examine(arm, model, settings, seed, device) for arm, model in trained.items()}
    yield Measured({arm: one.error for arm, one in examined.items()})
    yield _bars_picture(examined)
    yield _timeline_picture(examined, settings, seed, device)
    yield _pollution_picture(examined, settings, seed, device)
    for arm in ("full", "large"):
        fresh = next(_data(arm, core.surgery.SEQUENCES, settings, seed, "surgery"))
        yield Specimen(arm, *core.surgery.pack(examined[arm].alone, fresh.x, fresh.target))


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.banks.Bank | core.cells.Reader]:
    import torch

    model = _network(arm, settings, seed).to(device)
    data = _data(arm, BATCH, settings, seed, "values")

    def forward() -> tuple[Tensor, Measures]:
        batch = next(data).to(device)
        losses = core.banks.per_net(torch.nn.functional.mse_loss, model(batch.x)[0][:, -1], batch.target)  # (nets,)
        return losses.sum(), {"nmse": core.banks.lowest(losses)[1], "solved": float(core.banks.solved(losses, SOLVED))}

    clip = functools.partial(model.clip_each, CLIP) if isinstance(model, core.banks.Bank) else CLIP
    rate = float(settings["large_learning_rate"] if arm.startswith("large") else settings["learning_rate"])
    optimizer = core.optimizers.Adam(model.parameters(), rate)
    yield from core.training.train(forward, model.parameters(), optimizer, int(settings["updates"]), clip)
    return model


def _network(arm: str, settings: Settings, seed: int) -> core.banks.Bank | core.cells.Reader:
    """A bank of small nets, or one larger net started for its lag; the arm's gate held open."""
    import torch

    model: core.banks.Bank | core.cells.Reader
    if arm.startswith("large"):
        lstm = torch.nn.LSTM(2, int(settings["hidden"]), batch_first=True)
        core.cells.chrono(lstm, int(settings["large_steps"]), core.devices.generator(seed, "chrono"))
        model = core.cells.Reader(lstm, 1)
    else:
        model = core.banks.Bank(2, NETS, int(settings["cells"]))
        lstm = model.recurrent
        core.cells.set_forget_bias(lstm, float(settings["forget_bias"]))
    if arm in REMOVED:
        core.cells.hold_gate(lstm, REMOVED[arm])
    return model


def _data(arm: str, batch: int, settings: Settings, seed: int, use: str) -> Iterator[core.tasks.Labelled]:
    steps = int(settings["large_steps"] if arm.startswith("large") else settings["steps"])
    return core.tasks.marked_value(batch, steps, core.devices.generator(seed, use))


def _examine(arm: str, model: core.banks.Bank | core.cells.Reader, settings: Settings, seed: int, device: str) -> Examined:
    """The best net is chosen on fresh sequences and measured on others, so that the choice does not flatter it."""
    import torch

    data = _data(arm, EXAM, settings, seed, "exam")
    with core.probes.examining(model):
        chosen, judged = (
            core.banks.per_net(torch.nn.functional.mse_loss, model(batch.x)[0][:, -1], batch.target) for batch in (next(data).to(device), next(data).to(device))
        )
    net, _ = core.banks.lowest(chosen)
    units = model.units(net) if isinstance(model, core.banks.Bank) else slice(0, int(settings["hidden"]))
    return Examined(model, units, core.probes.error_or_inf(float(judged[net])), core.banks.solved(judged, SOLVED))


# --- Pictures ---------------------------------------------------------------------------------------------------


def _bars_picture(examined: dict[str, Examined]) -> Bars:
    """The error of the best net of every arm."""
    solved = ", ".join(f"{arm.label} {examined[arm.key].solved}" for arm in BANKS)
    message = f"Best of {NETS} nets, error ÷ variance: {examined['no-input'].error:.2g} without the input gate, {examined['full'].error:.2g} when whole"
    alt = (
        f"{message}. Error of the best net: {', '.join(f'{arm.label} {examined[arm.key].error:.3g}' for arm in ARMS)}. Nets of {NETS} that solved it: {solved}."
    )
    series = [Series(arm.label, arm.role, [0.0], core.probes.rounded([examined[arm.key].error])) for arm in ARMS]
    rules = ((1.0, "always answering 0"), (SOLVED, "solved"))
    return Bars("errors", message, alt, "error ÷ variance", ["best net, fresh sequences"], series, rules=rules, log_y=True)


def _timeline_picture(examined: dict[str, Examined], settings: Settings, seed: int, device: str) -> Lines:
    """One sequence in the best net with and the best net without an input gate: the gate opens, or everything comes in."""
    batch = next(_data("full", EXAM, settings, seed, "pictures"))
    marked = batch.x[..., MARK] == 1  # (B, T)
    shown = int((batch.target.abs() * (marked.int().argmax(1) > 0)).argmax())  # the clearest value that does not come first
    traces = {arm.key: core.probes.record_gates(examined[arm.key].model, batch.x.to(device)) for arm in BANKS[:2]}
    unit = _clearest_unit(traces["full"].c, batch.target, examined["full"].units)
    without = _clearest_unit(traces["no-input"].c, batch.target, examined["no-input"].units)
    gate = traces["full"].i[..., unit]
    at_mark, otherwise = float(gate[marked].mean()), float(gate[~marked].mean())
    steps = [float(t) for t in range(batch.x.shape[1])]
    events = [(float(marked[shown].int().argmax()), "marked")]
    gates = [Series(f"{name} gate", name, steps, core.probes.plain(getattr(traces["full"], name)[shown, :, unit]), steps=True) for name in ("i", "f", "o")]
    values = Series("value read", "input", steps, core.probes.plain(batch.x[shown, :, 0]), steps=True)
    cells = [
        Series(arm.label, arm.role, steps, core.probes.plain(traces[arm.key].c[shown, :, place]), steps=True)
        for arm, place in zip(BANKS[:2], (unit, without), strict=True)
    ]
    panels = [
        Panel("What is read", "value", [values], events=events),
        Panel("Gates of the whole LSTM", "gate", gates, y_range=(0.0, 1.0), events=events),
        Panel("Cell state", "c", cells, events=events),
    ]
    message = f"On average over {EXAM} sequences the input gate stands at {at_mark:.2f} when the marked value comes, at {otherwise:.2f} for distractors"
    moved = [_moved_after(traces[arm.key].c[..., place], marked) for arm, place in zip(BANKS[:2], (unit, without), strict=True)]
    alt = (
        f"One of {EXAM} sequences, in the best net with and the best without an input gate. {message}. "
        f"After the mark the cell changes by {moved[0]:.2g} a step with the gate and by {moved[1]:.2g} without it."
    )
    return Lines("timeline", message, alt, "step", panels)


def _clearest_unit(c: Tensor, target: Tensor, units: slice) -> int:
    """The unit of a net whose last cell state goes most with the target (B,), for c (B, T, H)."""
    unit: int = max(range(units.start, units.stop), key=lambda k: _shared(c[:, -1, k], target))
    return unit


def _moved_after(c: Tensor, marked: Tensor) -> float:
    """The mean step |c_t − c_{t−1}| after the mark, for c and marked (B, T)."""
    after = marked.int().cumsum(1)[:, :-1] == 1
    return float(c.diff(dim=1).abs()[after].mean())


def _shared(values: Tensor, target: Tensor) -> float:
    """The squared correlation of two samples (B,); 0 when one does not vary or is not finite."""
    import torch

    return float(torch.corrcoef(torch.stack([values, target]).double())[0, 1].square().nan_to_num())


def _pollution_picture(examined: dict[str, Examined], settings: Settings, seed: int, device: str) -> Lines:
    """How much of the marked value a cell still tells, step by step after the mark."""
    batch = next(_data("full", EXAM, settings, seed, "pictures"))
    place = (batch.x[..., MARK] == 1).int().argmax(1)  # (B,)
    distances = range(batch.x.shape[1] // 2)  # the mark is in the first half
    series = []
    for arm in BANKS:
        c = core.probes.record_gates(examined[arm.key].model, batch.x.to(device)).c
        unit = _clearest_unit(c, batch.target, examined[arm.key].units)
        told = [_shared(c[range(EXAM), place + distance, unit], batch.target) for distance in distances]
        series.append(Series(arm.label, arm.role, [float(one) for one in distances], core.probes.rounded(told)))
    last = len(distances) - 1
    message = f"{last} steps on, the cell still tells {series[0].y[-1]:.0%} of the value with an input gate, {series[1].y[-1]:.0%} without"
    each = ", ".join(f"{one.label} {one.y[0]:.0%} at the mark and {one.y[-1]:.0%} {last} steps later" for one in series)
    alt = f"Squared correlation of the marked value with a cell of the best net, by steps since the mark. {each}."
    return Lines("pollution", message, alt, "steps since the mark", [Panel("What the cell tells", "squared correlation", series, y_range=(0.0, 1.0))])


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("full", "best error of the whole LSTMs", "<", SOLVED),
    Check("no-input", "best error without an input gate", ">", 0.5),
    Check("large", "error of the larger whole LSTM", "<", SOLVED),
    Check("large-no-input", "error of the larger one without an input gate", ">", 0.5),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    median = medians(CHECKS, measured)
    if max(median["full"], median["large"]) >= SOLVED:
        return "both-fail"
    if median["no-input"] > 0.5:
        return "fails" if median["large-no-input"] > 0.5 else "size-helps"
    return "copes"


EXPERIMENT = Experiment(
    id="input-gate",
    number=8,
    title="One value among distractors",
    claim="An LSTM recalls one marked value among random ones. The same LSTM with its input gate held open does not, in a training that is "
    "ample for the whole one: not one of 16 tiny nets, nor a net of eight cells at twice the length.",
    textbook="The input gate decides which new information is written to the cell, and protects it from irrelevant input.",
    truths=(
        "Hard, not impossible: with more cells and more updates the candidate learns to gate itself, and the cells to cancel one another's pollution. "
        "Give the tiny nets four cells and twice the updates.",
        "This task needs that one gate and no other: without a forget gate, or without an output gate, the tiny nets solve it as well.",
        "The gate does not filter the input: all four blocks of weights still read every distractor. It decides whether the candidate is written.",
    ),
    limits=(
        "The gate is removed before training, which lets the rest adapt. Knocking it out of a trained network would overstate how much it is needed.",
        "Tiny nets at one length. Greff et al. (2017) removed the gate from large networks on real tasks, and some hardly suffered.",
    ),
    paper=Paper("Hochreiter, S., Schmidhuber, J.", 1997, "Long Short-Term Memory", "Neural Computation 9(8)"),
    asks="One number of a sequence is marked, in its first half, and must be recalled at the end. All the others are noise of the same size. "
    "What happens to an LSTM whose input gate is held open?",
    predictions=(
        Outcome("fails", "It fails, tiny or larger: every distractor is written into its cells"),
        Outcome("size-helps", "A single cell fails, but eight cells find a way round"),
        Outcome("copes", "It copes: the candidate can see the mark as well as a gate can"),
        Outcome("both-fail", "Not even the whole LSTM recalls the value"),
    ),
    outcome=outcome,
    controls=(
        Number(
            name="steps", label="Length", help="Steps in a sequence of the tiny nets; the mark is in the first half.", default=20, low=4, high=60, whole=True
        ),
        Number(name="cells", label="Cells of a tiny net", help="One leaves it no way round. Try four.", default=1, low=1, high=4, whole=True),
        Number(
            name="forget_bias",
            label="Forget bias of the tiny nets",
            help="Their forget gates start near σ of this: 1 gives 0.73, 3 gives 0.95.",
            default=3,
            low=-1,
            high=6,
            step=0.5,
        ),
        Number(name="large_steps", label="Length, larger pair", help="Its gates start for lags up to this (chrono).", default=40, low=4, high=100, whole=True),
        Number(name="hidden", label="Cells, larger pair", help="Of each of the two.", default=8, low=1, high=32, whole=True),
        Number(name="updates", label="Updates", help="Each on 48 fresh sequences.", default=300, low=50, high=4000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam, the tiny nets.", default=0.03, low=0.0001, high=0.1, log=True),
        Number(name="large_learning_rate", label="Learning rate, larger pair", help="Of Adam.", default=0.01, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 10)},
    arms=ARMS,
    curves=(
        Curve("nmse", "error ÷ variance, best net", log_y=True, rules=((1.0, "always answering 0"), (SOLVED, "solved"))),
        Curve("solved", "nets that solve the batch"),
        Curve("gradient", "largest gradient norm before clipping", log_y=True, rules=((CLIP, "clipped above"),)),
    ),
    checks=CHECKS,
    run=run,
)
