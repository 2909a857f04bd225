"""Faults of memory: gates that start shut, a state set to zero at every window, a forget gate held open, errors fed back."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sandbox.core import cells, devices, probes, tasks
from sandbox.recordings.chart import Chart, Panel, Recipe, Series, Values
from sandbox.recordings.fitting import fit

BATCH = 32
SMALLEST = 1e-12  # a gradient that is worth drawing

# --- A forget gate that starts nearly shut --------------------------------------------------------------------------


def forget_bias(settings: Values, seed: int) -> Chart:
    """Recall of a bit after 1 to `longest` steps by two LSTMs that differ in the forget bias at the start."""
    names = ("run A", "run B")
    parts = [_recall(settings, seed, float(settings[f"bias_{name[-1].lower()}"])) for name in names]
    lags = list(range(1, int(settings["longest"]) + 1))
    norms = [_above_rounding(f"{name}: gradient", norm) for name, (norm, _) in zip(names, parts, strict=True)]
    right = [Series(f"{name}: accuracy", lags, accuracy) for name, (_, accuracy) in zip(names, parts, strict=True)]
    return Chart(
        "Two LSTMs are to name a bit that was shown some steps earlier",
        "Two charts over the distance in time. Above, before training: how much of the gradient of the last step's output arrives at the state this many "
        "steps earlier (its norm, as far as it is above 1e-12). Below, after training: the accuracy for bits shown this many steps before the question; "
        "guessing gives 0.5.",
        "Steps back",
        [Panel("Gradient norm before training", norms, log=True), Panel("Accuracy after training", right)],
    )


def _above_rounding(name: str, norms: list[float]) -> Series:
    """Gradient norms by distance, from one step back on, as far as they are above SMALLEST."""
    large = [(back, norm) for back, norm in enumerate(norms) if back and norm > SMALLEST]
    return Series(name, [back for back, _ in large], [norm for _, norm in large])


def _recall(settings: Values, seed: int, bias: float) -> tuple[list[float], list[float]]:
    """The gradient norm by distance before training, and the accuracy by lag after it."""
    longest = int(settings["longest"])
    with devices.Randomness(seed):
        lstm = nn.LSTM(3, int(settings["hidden"]), batch_first=True)
        cells.set_forget_bias(lstm, bias)
        model = cells.Reader(lstm, 2)
    draw = devices.generator(seed, "bits")
    first = _asked_late(BATCH, longest + 1, longest, draw)
    norms = probes.gradients_by_step(lstm, first.x, torch.randn(BATCH, lstm.hidden_size, generator=draw)).flip(0).tolist()

    def loss() -> Tensor:
        asked = _asked_late(BATCH, longest + 1, longest, draw)
        return F.cross_entropy(model(asked.x)[0][torch.arange(BATCH), asked.place], asked.bit)

    fit(loss, model.parameters(), torch.optim.Adam(model.parameters(), float(settings["learning_rate"])), int(settings["updates"]))
    exam = _asked_late(int(settings["exam"]), longest + 1, longest, draw)
    with torch.no_grad():
        logits = model(exam.x)[0][torch.arange(len(exam.x)), exam.place]
    return norms, _right_by_lag(logits, exam, longest)


def _right_by_lag(logits: Tensor, exam: Asked, longest: int) -> list[float]:
    """The share of right answers (N, 2) for each lag from 1 to `longest`."""
    right = (logits.argmax(1) == exam.bit).double()
    return [float(right[exam.lag == lag].mean()) for lag in range(1, longest + 1)]


class Asked(NamedTuple):
    """Sequences, each with a bit that is asked for later. Channels of x: the bit as −1 or +1 when shown, noise, asked."""

    x: Tensor  # (B, T, 3)
    bit: Tensor  # (B,)
    lag: Tensor  # (B,) steps from the bit to the question
    place: Tensor  # (B,) the step of the question


def _asked_late(batch: int, steps: int, longest: int, generator: torch.Generator, latest_start: int = 0) -> Asked:
    """Bits shown at one of the steps 0 … `latest_start` and asked for 1 to `longest` steps on."""
    rows = torch.arange(batch)
    bit = torch.randint(0, 2, (batch,), generator=generator)
    lag = torch.randint(1, longest + 1, (batch,), generator=generator)
    start = torch.randint(0, latest_start + 1, (batch,), generator=generator)
    x = torch.zeros(batch, steps, 3)
    x[..., 1] = torch.randn(batch, steps, generator=generator)
    x[rows, start, 0] = bit * 2.0 - 1.0
    x[rows, start + lag, 2] = 1.0
    return Asked(x, bit, lag, start + lag)


# --- A state that is set to zero at every window --------------------------------------------------------------------


def window_reset(settings: Values, seed: int) -> Chart:
    """Long sequences cut into windows; the code forgets to hand the state from one window to the next, also at evaluation."""
    window, longest = int(settings["window"]), int(settings["longest"])
    steps = -(-(window + longest) // window) * window
    lstm = nn.LSTM(3, int(settings["hidden"]), batch_first=True)
    cells.chrono(lstm, longest, devices.generator(seed, "chrono"))
    model = cells.Reader(lstm, 2)
    draw = devices.generator(seed, "bits")

    def answers(batch: int) -> tuple[Tensor, Asked]:
        asked = _asked_late(batch, steps, longest, draw, latest_start=window - 1)
        windows = asked.x.reshape(-1, window, 3)  # every window on its own, from a state of zero: the fault
        said = model(windows)[0].reshape(batch, steps, 2)
        return said[torch.arange(batch), asked.place], asked

    def loss() -> Tensor:
        logits, asked = answers(BATCH)
        return F.cross_entropy(logits, asked.bit)

    fit(loss, model.parameters(), torch.optim.Adam(model.parameters(), float(settings["learning_rate"])), int(settings["updates"]))
    with torch.no_grad():
        logits, exam = answers(int(settings["exam"]))
    return Chart(
        "An LSTM is asked for a bit that was shown some steps earlier",
        "One chart: after training, the accuracy against the number of steps between bit and question. Guessing gives 0.5.",
        "Steps between bit and question",
        [Panel("Accuracy", [Series("accuracy", range(1, longest + 1), _right_by_lag(logits, exam, longest))])],
    )


# --- A forget gate held open ----------------------------------------------------------------------------------------


def open_forget_gate(settings: Values, seed: int) -> Chart:
    """Trained on short pieces of a stream, each from a state of zero, with f = 1; then read on without a reset."""
    window = int(settings["window"])
    lstm = nn.LSTM(4, int(settings["hidden"]), batch_first=True)
    cells.hold_gate(lstm, "f")
    model = cells.Reader(lstm, 1)

    def loss() -> Tensor:
        pieces = next(tasks.endless_segments(BATCH, window, draw))
        wanted = pieces.asked & (pieces.start.cumsum(1) > 0)  # a value shown before the piece began cannot be known
        squared: Tensor = (model(pieces.x)[0][..., 0] - pieces.target).square()
        return squared[wanted].mean()

    draw = devices.generator(seed, "pieces")
    fit(loss, model.parameters(), torch.optim.Adam(model.parameters(), float(settings["learning_rate"])), int(settings["updates"]))
    stream = tasks.endless_segments(int(settings["streams"]), window, devices.generator(seed, "stream"))
    state, error, size = None, list[float](), list[float]()
    for _ in range(int(settings["windows"])):
        piece = next(stream)
        with torch.no_grad():
            answer, state = model(piece.x, state)
        known = piece.asked if error else piece.asked & (piece.start.cumsum(1) > 0)
        error.append(float((answer[..., 0] - piece.target)[known].square().mean()))
        size.append(float(state[1].abs().mean()))
    steps = [window * (k + 1) for k in range(len(error))]
    return Chart(
        "An LSTM reads one long stream without a pause",
        f"Two charts over the steps of a stream. Training used pieces of {window} steps, each from a state of zero. Above, the squared error of the answers, "
        "divided by the variance of what is asked for: answering 0 gives 1. Below, the mean size of the cell state.",
        "Step of the stream",
        [Panel("Error ÷ variance", [Series("error", steps, error)]), Panel("Mean |c|", [Series("mean |c|", steps, size)])],
    )


# --- Errors that are fed back (Bengio et al. 2015) ------------------------------------------------------------------


def fed_back(settings: Values, seed: int) -> Chart:
    """A sine predictor trained on true values alone goes on with its own predictions."""
    context, horizon = int(settings["context"]), int(settings["horizon"])
    model = cells.Reader(nn.LSTM(1, int(settings["hidden"]), batch_first=True), 1)
    data = tasks.sines(BATCH, context + 21, devices.generator(seed, "sines"))

    def loss() -> Tensor:
        wave = next(data)
        squared: Tensor = (model(wave[:, :-1])[0] - wave[:, 1:]).square()
        return squared[:, context - 1 :].mean()

    fit(loss, model.parameters(), torch.optim.Adam(model.parameters(), float(settings["learning_rate"])), int(settings["updates"]))
    wave = next(tasks.sines(int(settings["exam"]), context + horizon, devices.generator(seed, "exam")))
    with torch.no_grad():
        told = model(wave[:, :-1])[0][:, context - 1 :]
        said, state = model(wave[:, :context])
        own = [said[:, -1:]]
        for _ in range(horizon - 1):
            said, state = model(own[-1], state)
            own.append(said)
    truth, steps = wave[:, context:], list(range(1, horizon + 1))
    curves = [("run 1", told), ("run 2", torch.cat(own, 1))]
    return Chart(
        "An LSTM continues sines that it was not trained on",
        f"One chart: one trained network is run twice over the same sines. Up to step 0 both runs read {context} true values. From there on their error is "
        "drawn step by step. Answering 0 gives 0.71.",
        "Step ahead",
        [Panel("Root mean squared error", [Series(name, steps, (one - truth).square().mean((0, 2)).sqrt().tolist()) for name, one in curves])],
    )


RECIPES = (
    Recipe("forget-bias", {"bias_a": -2.0, "bias_b": 3.0, "longest": 60, "hidden": 16, "learning_rate": 0.002, "updates": 300, "exam": 12000}, forget_bias),
    Recipe("window-reset", {"window": 20, "longest": 36, "hidden": 12, "learning_rate": 0.01, "updates": 400, "exam": 36000}, window_reset),
    Recipe("open-forget-gate", {"window": 20, "hidden": 12, "learning_rate": 0.01, "updates": 500, "streams": 200, "windows": 40}, open_forget_gate),
    Recipe("fed-back", {"context": 15, "horizon": 40, "hidden": 32, "learning_rate": 0.01, "updates": 220, "exam": 300}, fed_back),
)
