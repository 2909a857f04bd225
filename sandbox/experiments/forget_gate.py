"""Question 7: what the forget gate is for, shown on a stream that never ends.

Three LSTMs read the same endless stream of segments and are never reset (Gers, Schmidhuber & Cummins 2000). One is
whole; one has its forget gate held at exactly 1, the cell of 1997; the third has it held at 1 too, but wired to 0 at
each new segment by somebody who knows where segments start. If the third succeeds where the second fails, what was
missing is forgetting and nothing else.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox import core
from sandbox.protocol import (
    Arm,
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
    Specimen,
    Step,
    medians,
)

if TYPE_CHECKING:
    from torch import Tensor

    from sandbox.core.tasks import StreamWindow

BATCH, WINDOW, CLIP = 32, 30, 1.0  # streams side by side; steps between updates; largest gradient norm
LAST = 30  # windows over which the final error is taken
SHOWN = 2  # windows in the picture of the gates
START, ASKED = 1, 3  # the input channels that mark a segment's start, and the step at which its value is asked for

ARMS = (
    Arm("full", "LSTM with forget gate", "lstm"),
    Arm("none", "no forget gate (f = 1)", "ablated"),
    Arm("reset", "no forget gate, cell emptied by hand at each start", "oracle"),
)


@dataclass(frozen=True)
class Trained:
    """An arm at the end of its training, with what is needed to read on: its state and its stream."""

    model: core.cells.Reader
    state: core.cells.LSTMState | None
    stream: Iterator[StreamWindow]
    history: core.training.History

    def final(self, metric: str) -> float:
        """The mean over the last windows; infinite when training diverged."""
        return core.probes.error_or_inf(self.history.mean_of_last(metric, LAST))


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the three arms on the same stream, then measure and show them."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    trained = yield from core.training.interleave(arms, Point, seed, device)
    values = {name: arm.final("nmse") for name, arm in trained.items()}
    yield Measured(values | {"cell_ratio": trained["none"].final("cell") / trained["full"].final("cell")})
    yield _gates_picture(trained["full"], trained["none"], device)
    yield _growth_picture({arm.key: trained[arm.key].history.of["cell"] for arm in ARMS})
    for arm in ("full", "reset"):
        yield _specimen(arm, trained[arm].model, settings, seed)


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, Trained]:
    import torch

    lstm = torch.nn.LSTM(4, int(settings["hidden"]), batch_first=True)
    core.cells.set_forget_bias(lstm, float(settings["forget_bias"]))
    if arm == "none":
        core.cells.hold_gate(lstm, "f")
    elif arm == "reset":
        core.cells.wire_reset(lstm, START)
    model = core.cells.Reader(lstm, 1).to(device)
    stream = core.tasks.endless_segments(BATCH, WINDOW, core.devices.generator(seed, "stream"), binary=settings["values"] == "binary")
    state: core.cells.LSTMState | None = None
    free = settings["between"] == "free"

    def forward() -> tuple[Tensor, Measures]:
        nonlocal state
        window = next(stream).to(device)
        answer, after = model(window.x, state)  # (B, T, 1)
        state = core.cells.detached(after)  # never reset: the next window goes on from here
        squared = (answer[..., 0] - window.target).square()  # (B, T)
        loss, variance = (squared[window.asked].mean(), 1.0) if free else (squared.mean(), core.tasks.STREAM_TARGET_VARIANCE)
        return loss, {"nmse": float(loss.detach()) / variance, "cell": float(state[1].abs().mean())}

    optimizer = core.optimizers.Adam(model.parameters(), float(settings["learning_rate"]))
    history = yield from core.training.train(forward, model.parameters(), optimizer, int(settings["updates"]), CLIP)
    return Trained(model, state, stream, history)


def _specimen(arm: str, model: core.cells.Reader, settings: Settings, seed: int) -> Specimen:
    """A trained network with streams that have just begun; judged are the answers that training asked for."""
    import torch

    stream = core.tasks.endless_segments(core.surgery.SEQUENCES, WINDOW, core.devices.generator(seed, "surgery"), binary=settings["values"] == "binary")
    windows = [next(stream) for _ in range(SHOWN)]
    x, target, asked = (torch.cat([getattr(window, name) for window in windows], 1) for name in ("x", "target", "asked"))
    return Specimen(arm, *core.surgery.pack(model, x, target, asked if settings["between"] == "free" else None, exchanges=False))


# --- Pictures ---------------------------------------------------------------------------------------------------


def _gates_picture(full: Trained, none: Trained, device: str) -> Lines:
    """The gates of one unit of each network on the next steps of one stream: the unit that resets most in the whole LSTM.

    Both networks started from the same weights, so it is the same unit in both.
    """
    import torch

    x = torch.cat([next(full.stream).x for _ in range(SHOWN)], 1)  # (B, T, 4)
    traces = {arm.key: core.probes.record_gates(trained.model, x.to(device), trained.state) for arm, trained in zip(ARMS, (full, none), strict=False)}
    new = x[..., START] == 1  # (B, T)
    at_start, otherwise = traces["full"].f[new].mean(0), traces["full"].f[~new].mean(0)  # (H,)
    unit = int((otherwise - at_start).nan_to_num().argmax())
    events = [*((t, "start") for t in _marked(x[0, :, START])), *((t, "asked") for t in _marked(x[0, :, ASKED]))]
    steps = [float(t) for t in range(x.shape[1])]
    panels, sizes = [], []
    for arm in ARMS[:2]:
        gates = {gate: core.probes.plain(getattr(traces[arm.key], gate)[0, :, unit]) for gate in ("i", "f", "o")}
        series = [Series(f"{gate} gate", gate, steps, values, steps=True) for gate, values in gates.items()]
        panels.append(Panel(f"{arm.label}: unit {unit + 1}", "gate", series, y_range=(0.0, 1.0), events=events))
        sizes.append(Series(arm.label, arm.role, steps, core.probes.plain(traces[arm.key].c[0].abs().mean(1)), steps=True))
    panels.append(Panel("Size of the cell state", "mean |c|", sizes, log_y=True, events=events))
    message = f"Forget gate of unit {unit + 1}: {at_start[unit]:.2f} when a new value arrives, {otherwise[unit]:.2f} otherwise"
    ends = ", ".join(f"{series.y[-1]:.3g} with {series.label}" for series in sizes)
    alt = f"Gates i, f and o of one unit of each network over {len(steps)} steps of one stream. {message}. Mean |c| at the end: {ends}."
    return Lines("gates", message, alt, "step after training", panels)


def _growth_picture(cell: dict[str, list[float]]) -> Lines:
    """Mean |c| at the end of every window, over the whole stream."""
    series = []
    for arm in ARMS:
        update, size = core.probes.thin(cell[arm.key])
        series.append(Series(arm.label, arm.role, [WINDOW * u for u in update], size))
    last = {arm: values[-1] for arm, values in cell.items()}
    message = f"After {WINDOW * len(cell['none']):,} steps the cell state is {last['none']:.3g} without a forget gate, {last['full']:.3g} with one"
    alt = f"Mean size of the cell state along the stream, logarithmic. {message}, and {last['reset']:.3g} when emptied by hand."
    return Lines("growth", message, alt, "step of the stream", [Panel("Size of the cell state", "mean |c|", series, log_y=True)])


def _marked(flags: Tensor) -> list[float]:
    """The steps at which an input channel (T,) is 1."""
    return [float(t) for t, flag in enumerate(flags.tolist()) if flag]


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("full", "error with a forget gate", "<", 0.05),
    Check("none", "error without", ">", 0.1),
    Check("reset", "error without, cell emptied by hand", "<", 0.1),
    Check("cell_ratio", "size of the cell state, without ÷ with", ">", 100.0),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    median = medians(CHECKS, measured)
    if median["none"] <= 0.1:
        return "copes"
    if median["full"] >= 0.05:
        return "both-fail"
    return "drowns" if median["cell_ratio"] > 100 else "fails-small"


EXPERIMENT = Experiment(
    id="forget-gate",
    number=7,
    title="A stream that is never reset",
    claim="On an endless stream an LSTM without a forget gate does not learn to answer in a training that is ample for the whole LSTM: "
    "its cell state grows without end. Emptying its cell at each new segment cures it, so forgetting is what it lacks.",
    textbook="The forget gate lets the cell discard what is no longer needed; without it the cell state accumulates.",
    truths=(
        "Growth alone need not be fatal: a cell that only adds can still hold a value, by adding the change. With more updates some networks "
        "without a forget gate get there, others never do: try several seeds. Asking for nothing in between makes it easier; binary values alone do not.",
        "The gate is called forget, yet mostly it keeps, and falls when a new value arrives: see its timeline. It need not stand near 1 for that, "
        "as the network can write a fading value anew through h.",
    ),
    limits=(
        "One small network and one task. With resets between short sequences, as in most training, the gate matters far less.",
        "The gate is removed before training. Knocking it out of a trained network would overstate how much it is needed.",
    ),
    paper=Paper("Gers, F. A., Schmidhuber, J., Cummins, F.", 2000, "Learning to Forget: Continual Prediction with LSTM", "Neural Computation 12(10)"),
    asks="Values arrive one after another in an endless stream, each to be recalled a few steps later. Nobody ever resets the network. "
    "What happens to an LSTM whose forget gate is held at 1, so that it never forgets?",
    predictions=(
        Outcome("drowns", "It fails, and its cell state grows more than a hundredfold"),
        Outcome("fails-small", "It fails, though its cell state stays of ordinary size"),
        Outcome("copes", "It answers well: never forgetting is what memory needs"),
        Outcome("both-fail", "Both fail: the stream is too much for the whole LSTM, too"),
    ),
    outcome=outcome,
    controls=(
        Number(name="hidden", label="Units", help="Cells in each network.", default=8, low=1, high=64, whole=True),
        Number(
            name="forget_bias",
            label="Forget bias at the start",
            help="The forget gate of the whole LSTM starts near σ of this: −2 gives 0.12, 0 gives 0.5, 1 gives 0.73, 6 gives 0.998.",
            default=1,
            low=-2,
            high=6,
            step=0.5,
        ),
        Choice(
            name="values",
            label="Values to recall",
            help="Real values are uniform between −1.73 and 1.73; binary ones are −1 or +1. Both have variance 1.",
            default="real",
            options={"real": "real numbers", "binary": "−1 or +1"},
        ),
        Choice(
            name="between",
            label="Between the questions",
            help="What the network must answer when it is not asked: 0, or whatever it likes.",
            default="silent",
            options={"silent": "answer 0", "free": "anything"},
        ),
        Number(name="updates", label="Updates", help="Each reads 30 more steps of 32 streams.", default=350, low=50, high=2000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam.", default=0.01, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 10)},
    arms=ARMS,
    curves=(
        Curve("nmse", "error ÷ variance of the target", log_y=True, rules=((1.0, "always answering 0"), (0.05, "solved"))),
        Curve("cell", "mean |c|", log_y=True),
        Curve("gradient", "gradient norm before clipping", log_y=True, rules=((CLIP, "clipped above"),)),
    ),
    checks=CHECKS,
    run=run,
)
