"""Faults of the measurement: the future leaks in, copies and overlaps cross a split, a figure hides what matters."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sandbox.core import cells, devices, tasks
from sandbox.recordings.chart import Chart, Panel, Recipe, Values
from sandbox.recordings.fitting import fit

BATCH = 32

# --- A forecaster that reads ahead ----------------------------------------------------------------------------------


def reads_ahead(settings: Values, seed: int) -> Chart:
    """A bidirectional LSTM forecasts the next value of a noisy sine at every step of a window it has read whole."""
    steps, noise = int(settings["steps"]), float(settings["noise"])
    model = cells.Reader(nn.LSTM(1, int(settings["hidden"]), batch_first=True, bidirectional=True), 1)
    known, exam = _noisy_sines(BATCH, steps, noise, seed, "training"), next(_noisy_sines(200, steps, noise, seed, "validation"))
    last = torch.zeros(())

    def loss() -> Tensor:
        nonlocal last
        x = next(known)
        squared: Tensor = (model(x[:, :-1])[0] - x[:, 1:]).square().mean()
        last = squared.detach()
        return squared

    @torch.no_grad()
    def look() -> dict[str, float]:
        whole = (model(exam[:, :-1])[0] - exam[:, 1:])[:, steps // 2 :]
        live = torch.stack([model(exam[:, : t + 1])[0][:, -1] - exam[:, t + 1] for t in range(steps // 2, steps - 1)])
        return {"training": float(last.sqrt()), "validation": float(whole.square().mean().sqrt()), "live": float(live.square().mean().sqrt())}

    log = fit(loss, model.parameters(), torch.optim.Adam(model.parameters(), float(settings["learning_rate"])), int(settings["updates"]), look=look, every=20)
    return Chart(
        "An LSTM forecasts the next value of a noisy sensor",
        "One chart: root mean squared error of the forecasts over the updates of one training, on training windows, on validation windows, and live: the same "
        f"validation series again, arriving value by value. The sensor's noise has a standard deviation of {noise:g}.",
        "Update",
        [Panel("Root mean squared error", log.series("training", "validation", "live", start=1))],
    )


def _noisy_sines(batch: int, steps: int, noise: float, seed: int, use: str) -> Iterator[Tensor]:
    """Sines (B, T, 1) with noise N(0, noise²) on each value."""
    draw = devices.generator(seed, use, "noise")
    for wave in tasks.sines(batch, steps, devices.generator(seed, use)):
        yield wave + noise * torch.randn(wave.shape, generator=draw)


# --- A time series split by a shuffle -------------------------------------------------------------------------------


def shuffled_split(settings: Values, seed: int) -> Chart:
    """Overlapping windows of one smooth random series, shuffled before the split; what follows in time is the test.

    The series is white noise, averaged over `smooth` steps: what comes `smooth` steps later has nothing to do with now,
    so the variance is the best error there is. Neighbouring windows are nearly copies of each other.
    """
    window, ahead, known = int(settings["window"]), int(settings["smooth"]), int(settings["known"])
    noise = torch.randn(known + int(settings["later"]) + ahead - 1, generator=devices.generator(seed, "noise"))
    series = noise.unfold(0, ahead, 1).mean(1) * ahead**0.5  # variance 1
    x, y = series[:-ahead].unfold(0, window, 1)[..., None], series[window - 1 + ahead :]
    before = known - window - ahead  # windows whose outcome lies in the known part
    order = torch.randperm(before, generator=devices.generator(seed, "shuffle"))
    parts = {"training": order[: before * 4 // 5], "validation": order[before * 4 // 5 :], "later test": torch.arange(known, len(x))}
    model = cells.Reader(nn.LSTM(1, int(settings["hidden"]), batch_first=True), 1)
    choose = devices.generator(seed, "batches")

    def loss() -> Tensor:
        rows = parts["training"][torch.randint(0, len(parts["training"]), (BATCH,), generator=choose)]
        squared: Tensor = (model(x[rows])[0][:, -1, 0] - y[rows]).square()
        return squared.mean()

    @torch.no_grad()
    def look() -> dict[str, float]:
        return {name: float((model(x[rows])[0][:, -1, 0] - y[rows]).square().mean() / y[rows].var()) for name, rows in parts.items()}

    log = fit(loss, model.parameters(), torch.optim.Adam(model.parameters(), float(settings["learning_rate"])), int(settings["updates"]), look=look, every=20)
    return Chart(
        "An LSTM forecasts a series of measurements some steps ahead",
        "One chart over the updates of one training: the squared error of the forecast, divided by the variance of what is forecast, on training windows, "
        "on validation windows and on a later test period. Answering the mean gives 1.",
        "Update",
        [Panel("Error ÷ variance", log.series(*parts))],
    )


# --- Copies on both sides of a split --------------------------------------------------------------------------------


def copied_before_split(settings: Values, seed: int) -> Chart:
    """Rare positives are copied until the classes are level, and only then the data are shuffled and split."""
    drawn = next(_screening(int(settings["drawn"]), settings, seed, "drawn"))
    fresh = next(_screening(int(settings["fresh"]), settings, seed, "fresh"))
    positive, negative = drawn.target.nonzero()[:, 0], (1 - drawn.target).nonzero()[:, 0]
    mixer = devices.generator(seed, "mix")
    level = torch.cat([negative, positive.repeat(-(-len(negative) // len(positive)))[: len(negative)]])
    level = level[torch.randperm(len(level), generator=mixer)]
    cut = len(level) * 4 // 5
    parts = {"training": (drawn, level[:cut]), "validation": (drawn, level[cut:]), "fresh data": (fresh, torch.arange(len(fresh.x)))}
    model = _screener(int(settings["hidden"]))

    def loss() -> Tensor:
        rows = level[torch.randint(0, cut, (BATCH,), generator=mixer)]
        return F.binary_cross_entropy_with_logits(model(drawn.x[rows])[0][:, -1, 0], drawn.target[rows].float())

    @torch.no_grad()
    def look() -> dict[str, float]:
        return {name: _recall(model, data.x[rows], data.target[rows]) for name, (data, rows) in parts.items()}

    log = fit(loss, model.parameters(), torch.optim.Adam(model.parameters(), float(settings["learning_rate"])), int(settings["updates"]), look=look, every=20)
    return Chart(
        "An LSTM looks for rare positives",
        "One chart: the recall of the positives at a cut of one half, over the updates of one training, on training, validation and fresh data.",
        "Update",
        [Panel("Recall of the positives", log.series(*parts, start=1))],
    )


def _screening(count: int, settings: Values, seed: int, use: str) -> Iterator[tasks.Screened]:
    return tasks.rare_positives(count, int(settings["steps"]), devices.generator(seed, use), rate=float(settings["rate"]), shift=float(settings["shift"]))


def _screener(hidden: int) -> cells.Reader:
    """An LSTM that keeps, and writes little at first, as one value of many counts."""
    lstm = nn.LSTM(2, hidden, batch_first=True)
    cells.set_forget_bias(lstm, 3.0)
    cells.set_gate_bias(lstm, "i", -1.0)
    return cells.Reader(lstm, 1)


def _recall(model: cells.Reader, x: Tensor, target: Tensor) -> float:
    return float((model(x[target == 1])[0][:, -1, 0] > 0).double().mean())


# --- A cut that nothing reaches -------------------------------------------------------------------------------------


def cut_out_of_reach(settings: Values, seed: int) -> Chart:
    """Rare positives, plain cross-entropy, and a cut of one half that hardly any calibrated answer reaches."""
    known = next(_screening(int(settings["drawn"]), settings, seed, "drawn"))
    fresh = next(_screening(int(settings["fresh"]), settings, seed, "fresh"))
    model = _screener(int(settings["hidden"]))
    torch.nn.init.constant_(model.readout.bias, math.log(float(settings["rate"])))
    choose = devices.generator(seed, "batches")

    def loss() -> Tensor:
        rows = torch.randint(0, len(known.x), (2 * BATCH,), generator=choose)
        return F.binary_cross_entropy_with_logits(model(known.x[rows])[0][:, -1, 0], known.target[rows].float())

    @torch.no_grad()
    def look() -> dict[str, float]:
        said = model(fresh.x)[0][:, -1, 0].sigmoid()
        yes = fresh.target == 1
        right = ((said > 0.5) == yes).double().mean()
        return {
            "accuracy": float(right),
            "recall": float((said[yes] > 0.5).double().mean()),
            "of positives": float(said[yes].mean()),
            "of negatives": float(said[~yes].mean()),
        }

    log = fit(loss, model.parameters(), torch.optim.Adam(model.parameters(), float(settings["learning_rate"])), int(settings["updates"]), look=look, every=20)
    return Chart(
        "An LSTM looks for rare positives in validation data",
        "Two charts over the updates of one training, on validation data. Above, accuracy, and recall of the positives, both at a cut of 0.5. "
        "Below, the mean probability of being positive that the network gives to positives and to negatives.",
        "Update",
        [Panel("Accuracy and recall", log.series("accuracy", "recall")), Panel("Mean probability", log.series("of positives", "of negatives"))],
    )


SCREENING = {"steps": 16, "rate": 0.04}
RECIPES = (
    Recipe("reads-ahead", {"steps": 24, "noise": 0.3, "hidden": 24, "learning_rate": 0.01, "updates": 300}, reads_ahead),
    Recipe("shuffled-split", {"window": 20, "smooth": 20, "known": 400, "later": 400, "hidden": 48, "learning_rate": 0.005, "updates": 800}, shuffled_split),
    Recipe(
        "copied-before-split",
        SCREENING | {"shift": 1.8, "drawn": 1000, "fresh": 5000, "hidden": 32, "learning_rate": 0.01, "updates": 500},
        copied_before_split,
    ),
    Recipe("cut-out-of-reach", SCREENING | {"shift": 1.4, "drawn": 8000, "fresh": 4000, "hidden": 16, "learning_rate": 0.01, "updates": 500}, cut_out_of_reach),
)
