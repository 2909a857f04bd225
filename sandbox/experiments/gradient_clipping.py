"""Question 9: what clipping the gradient does, and what it does not.

Two tanh RNNs start from the same weights, see the same data and take the same steps of plain gradient descent; one
has its gradient scaled down whenever its global norm exceeds a threshold (Pascanu, Mikolov & Bengio 2013). A side
pair of LSTMs at a far too high learning rate shows the other half of the truth: clipping keeps the numbers finite,
which is not yet learning.
"""

from __future__ import annotations

import bisect
import itertools
import statistics
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

BATCH, EXAM = 32, 1000  # sequences in an update; fresh sequences in the final measurement
SIDE_STEPS = 30  # length of the adding problem that the side pair learns
BINS = (0.01, 0.1, 1.0, 10.0)  # borders between groups of gradient norms

ARMS = (
    Arm("unclipped", "RNN, not clipped", "rnn"),
    Arm("clipped", "RNN, clipped", "remedy"),
    Arm("lstm-unclipped", "LSTM on another task, not clipped", "ablated"),
    Arm("lstm-clipped", "LSTM on another task, clipped", "lstm"),
)
LABEL = {arm.key: arm.label for arm in ARMS}


@dataclass(frozen=True)
class Trained:
    """An arm at the end of its training."""

    model: core.cells.Reader
    history: core.training.History


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train both pairs in turns, then measure and show them."""
    clips = {"unclipped": core.training.NO_CLIPPING, "clipped": float(settings["clip"])}
    arms = {arm: _train_rnn(clip, settings, seed, device) for arm, clip in clips.items()}
    arms |= {f"lstm-{arm}": _train_lstm(clip, settings, seed, device) for arm, clip in clips.items()}
    trained = yield from core.training.interleave(arms, Point, seed, device)
    histories = {arm: one.history for arm, one in trained.items()}
    values = {arm: _examine(trained[arm].model, settings, seed, device) for arm in clips}
    values |= {f"{arm}_norm": _typical(histories[arm].of["gradient"]) for arm in clips}
    values |= {f"lstm_{arm}": core.probes.error_or_inf(histories[f"lstm-{arm}"].mean_of_last("nmse", 20)) for arm in clips}
    yield Measured(values)
    yield _norms_picture(histories, float(settings["clip"]))
    yield _sizes_picture(histories)
    yield _side_picture(histories, values)
    fresh = next(core.tasks.adding(core.surgery.SEQUENCES, SIDE_STEPS, core.devices.generator(seed, "surgery")))
    yield Specimen("lstm-clipped", *core.surgery.pack(trained["lstm-clipped"].model, fresh.x, fresh.target))


def _train_rnn(clip: float, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, Trained]:
    """A tanh RNN on temporal order."""
    import torch

    rnn = torch.nn.RNN(core.tasks.ORDER_SYMBOLS, int(settings["hidden"]), batch_first=True)
    core.cells.orthogonal(rnn, float(settings["gain"]))
    model = core.cells.Reader(rnn, core.tasks.ORDER_CLASSES).to(device)
    data = core.tasks.temporal_order(BATCH, int(settings["steps"]), core.devices.generator(seed, "order"))

    def forward() -> tuple[Tensor, Measures]:
        batch = next(data).to(device)
        logits = model(batch.x)[0][:, -1]  # (B, classes)
        loss = torch.nn.functional.cross_entropy(logits, batch.target)
        return loss, {"cross_entropy": float(loss.detach()), "accuracy": core.probes.accuracy(logits, batch.target)}

    optimizer = core.optimizers.SGD(model.parameters(), float(settings["learning_rate"]))
    history = yield from core.training.train(forward, model.parameters(), optimizer, int(settings["updates"]), clip)
    return Trained(model, history)


def _train_lstm(clip: float, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, Trained]:
    """The side pair: an LSTM on the adding problem, at a learning rate chosen too high."""
    import torch

    lstm = torch.nn.LSTM(2, int(settings["hidden"]), batch_first=True)
    core.cells.set_forget_bias(lstm, 1.0)
    model = core.cells.Reader(lstm, 1).to(device)
    data = core.tasks.adding(BATCH, SIDE_STEPS, core.devices.generator(seed, "adding"))

    def forward() -> tuple[Tensor, Measures]:
        batch = next(data).to(device)
        loss = (model(batch.x)[0][:, -1, 0] - batch.target).square().mean()
        return loss, {"nmse": float(loss.detach()) / core.tasks.ADDING_VARIANCE}

    optimizer = core.optimizers.SGD(model.parameters(), float(settings["lstm_learning_rate"]))
    history = yield from core.training.train(forward, model.parameters(), optimizer, int(settings["updates"]), clip)
    return Trained(model, history)


def _examine(model: core.cells.Reader, settings: Settings, seed: int, device: str) -> float:
    """The accuracy on fresh sequences, the same for both arms."""
    import torch

    exam = next(core.tasks.temporal_order(EXAM, int(settings["steps"]), core.devices.generator(seed, "exam"))).to(device)
    with torch.no_grad():
        return core.probes.accuracy(model(exam.x)[0][:, -1], exam.target)


def _typical(norms: Sequence[float]) -> float:
    """The median raw norm over the whole training; infinite when most of it was not finite."""
    return statistics.median(core.probes.error_or_inf(norm) for norm in norms)


# --- Pictures ---------------------------------------------------------------------------------------------------


def _norms_picture(histories: dict[str, core.training.History], clip: float) -> Lines:
    """Raw gradient norms and losses of the RNN pair, update by update."""
    panels = []
    for title, metric, rules in (
        ("Gradient norm before clipping", "gradient", ((clip, "threshold"),)),
        ("Loss", "cross_entropy", ((1.386, "chance, ln 4"),)),
    ):
        series = [Series(arm.label, arm.role, *core.probes.thin(histories[arm.key].of[metric])) for arm in ARMS[:2]]
        panels.append(Panel(title, "nats" if metric == "cross_entropy" else "", series, log_y=metric == "gradient", rules=rules))
    largest = {arm: max(histories[arm].of["gradient"]) for arm in ("unclipped", "clipped")}
    worst = {arm: max(histories[arm].of["cross_entropy"]) for arm in largest}
    over = statistics.fmean(norm > clip for norm in histories["clipped"].of["gradient"])
    message = f"Worst loss {worst['unclipped']:.2f} unclipped, {worst['clipped']:.2f} clipped; {over:.0%} of the clipped network's updates were scaled down"
    alt = f"{message}. Largest raw gradient norm: {largest['unclipped']:.3g} unclipped, {largest['clipped']:.3g} clipped (measured before the scaling)."
    return Lines("norms", message, alt, "update", panels)


def _sizes_picture(histories: dict[str, core.training.History]) -> Bars:
    """How often the raw norm had which size."""
    groups = [f"below {BINS[0]:g}", *(f"{low:g} to {high:g}" for low, high in itertools.pairwise(BINS)), f"above {BINS[-1]:g}"]
    series, medians = [], []
    for arm in ARMS[:2]:
        norms = histories[arm.key].of["gradient"]
        counts = [0] * len(groups)
        for norm in norms:
            counts[bisect.bisect(BINS, norm)] += 1
        series.append(Series(arm.label, arm.role, list(range(len(groups))), [count / len(norms) for count in counts]))
        medians.append(f"{_typical(norms):.2g} ({arm.label})")
    message = f"Median raw gradient norm: {medians[0]}, {medians[1]}"
    shares = "; ".join(f"{one.label}: " + ", ".join(f"{group} {share:.0%}" for group, share in zip(groups, one.y, strict=True)) for one in series)
    return Bars(
        "sizes",
        message,
        f"{message}. Share of updates by size of the norm. {shares}.",
        "share of updates, by the gradient norm before clipping",
        groups,
        series,
    )


def _side_picture(histories: dict[str, core.training.History], values: Measures) -> Lines:
    """Error of the LSTM side pair: what clipping saves, and what it does not."""
    said = []
    for arm in ("unclipped", "clipped"):
        history = histories[f"lstm-{arm}"]
        length = len(history.of["nmse"])
        end = f"stopped being finite after {length} updates" if history.diverged else f"ended at {values[f'lstm_{arm}']:.3g} times the variance"
        said.append(f"{arm} it {end}")
    message = f"LSTM on the adding problem: {said[0]}, {said[1]}"
    series = [Series(arm.label, arm.role, *core.probes.thin(histories[arm.key].of["nmse"])) for arm in ARMS[2:]]
    panel = Panel("Error", "error ÷ variance of the target", series, log_y=True, rules=((1.0, "always answering the mean"),))
    return Lines("side", message, f"{message}. Logarithmic. Below 1 it has learnt something.", "update", [panel])


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("unclipped", "accuracy without clipping", "<", 0.6),
    Check("clipped", "accuracy with clipping", ">", 0.95),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    unclipped, clipped = (check.median(measured) for check in CHECKS)
    if unclipped < 0.6:
        return "rescues" if clipped > 0.95 else "neither"
    return "hurts" if clipped <= 0.95 and clipped < unclipped else "both"


EXPERIMENT = Experiment(
    id="gradient-clipping",
    number=9,
    title="One bad step, or none",
    claim="At a high learning rate of plain gradient descent a tanh RNN does not learn the order of two marks; the same network with its "
    "gradient norm clipped does.",
    textbook="Clipping prevents exploding gradients by limiting their norm, which stabilises training.",
    truths=(
        "Clipping buys tolerance of the learning rate. At 0.05 the unclipped network mostly solves the task, too: try it.",
        "Clipping does not make raw gradients small: the largest norm before the scaling is often larger in the clipped run. Compare the losses instead.",
        "Staying finite is not learning: the clipped LSTM, on the adding problem beside, survives a learning rate of 1 and still learns nothing.",
    ),
    limits=(
        "Plain gradient descent on purpose. Adam rescales every step and tolerates large gradients better.",
        "Clipping does nothing for gradients that vanish.",
    ),
    paper=Paper("Pascanu, R., Mikolov, T., Bengio, Y.", 2013, "On the difficulty of training recurrent neural networks", "ICML"),
    asks="Two equal RNNs, the same data, the same learning rate of plain gradient descent. One has its gradient norm clipped. "
    "Which of them learns to tell the order of two marks?",
    predictions=(
        Outcome("rescues", "Only the clipped one learns it"),
        Outcome("both", "Both learn it; clipping only smooths the way"),
        Outcome("hurts", "The unclipped one gets further: clipping throws information away"),
        Outcome("neither", "Neither learns it"),
    ),
    outcome=outcome,
    controls=(
        Number(name="clip", label="Clip at norm", help="Larger gradients are scaled down to this global norm.", default=1, low=0.01, high=100, log=True),
        Number(name="learning_rate", label="Learning rate", help="Of plain gradient descent, both RNNs.", default=0.3, low=0.001, high=2, log=True),
        Number(
            name="gain",
            label="Gain of the recurrent matrix",
            help="It starts orthogonal times this: above 1 it enlarges what flows back, below 1 it shrinks it.",
            default=1.2,
            low=0.5,
            high=2,
            step=0.1,
        ),
        Number(
            name="steps", label="Length", help="Steps in a sequence; about half of them lie after the second mark.", default=20, low=10, high=50, whole=True
        ),
        Number(name="hidden", label="Units", help="Of every network.", default=32, low=4, high=64, whole=True),
        Number(name="updates", label="Updates", help="Each on 32 fresh sequences.", default=400, low=50, high=2000, step=50, whole=True),
        Number(
            name="lstm_learning_rate",
            label="Learning rate of the two LSTMs",
            help="They learn the adding problem and do not enter the verdict. At 0.1 both stay finite.",
            default=1,
            low=0.01,
            high=4,
            log=True,
        ),
    ),
    presets={
        "quick": Preset("Quick", 3),
        "thorough": Preset("Thorough", 10, {"updates": 600}),
        "longer": Preset("30 steps", 3, {"steps": 30, "learning_rate": 0.2, "updates": 700}),
    },
    arms=ARMS,
    curves=(
        Curve("accuracy", "accuracy of the RNNs", y_range=(0.0, 1.0), rules=((0.25, "chance"),)),
        Curve("gradient", "gradient norm before clipping", log_y=True),
        Curve("cross_entropy", "loss of the RNNs (nats)", rules=((1.386, "chance, ln 4"),)),
        Curve("nmse", "LSTM on the adding problem: error ÷ variance", log_y=True, rules=((1.0, "always answering the mean"),)),
    ),
    checks=CHECKS,
    run=run,
)
