"""Faults of the descent: no clipping, learning rates far off, gradients never zeroed, a stack too deep for its gradient."""

from __future__ import annotations

import math
import statistics
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sandbox.core import cells, devices, tasks
from sandbox.recordings.chart import Chart, Panel, Recipe, Series, Values
from sandbox.recordings.fitting import Log, fit, thinned

BATCH = 32
REACH = 2  # drawn points over which a rise of the loss is told

# --- A hot RNN without clipping (Pascanu, Mikolov & Bengio 2013) ----------------------------------------------------


def no_clipping(settings: Values, seed: int) -> Chart:
    """A tanh RNN with large recurrent weights on temporal order, plain gradient descent, nothing clipped."""
    rnn = nn.RNN(tasks.ORDER_SYMBOLS, int(settings["hidden"]), batch_first=True)
    cells.orthogonal(rnn, float(settings["gain"]))
    model = cells.Reader(rnn, tasks.ORDER_CLASSES)
    data = tasks.temporal_order(BATCH, int(settings["steps"]), devices.generator(seed, "order"))

    def loss() -> Tensor:
        batch = next(data)
        return F.cross_entropy(model(batch.x)[0][:, -1], batch.target)

    optimizer = torch.optim.SGD(model.parameters(), float(settings["learning_rate"]))
    log = fit(loss, model.parameters(), optimizer, int(settings["updates"]), clip=math.inf)
    losses, norms = thinned("training loss", log.every["loss"], extreme=max), thinned("gradient norm", log.every["gradient"], extreme=max)
    return Chart(
        "A recurrent network learns which of four classes a sequence belongs to",
        f"Two charts over the updates of one training. Above, the training loss. Below, the norm of each update's gradient. {_rises(losses, norms)}",
        "Update",
        [Panel("Training loss (nats)", [losses]), Panel("Gradient norm", [norms], log=True)],
    )


def _rises(losses: Series, norms: Series) -> str:
    """The steepest rises of the loss in words, with the gradient norm before and at each: what values at equal distances would miss."""
    told: list[str] = []
    free = list(range(REACH, len(losses.y) - REACH))
    while len(told) < 3:
        start = max(free, key=lambda k: losses.y[k + REACH] - losses.y[k])
        free = [k for k in free if abs(k - start) > 4 * REACH]
        usual, burst = statistics.median(norms.y[:start]), max(norms.y[start : start + REACH + 1])
        rise = f"from {losses.y[start]:.2g} to {losses.y[start + REACH]:.2g} between updates {losses.x[start]:g} and {losses.x[start + REACH]:g}"
        told.append(f"{rise}, with a gradient norm of up to {burst:.2g} (median until then {usual:.2g})")
    return f"The three steepest rises of the loss: {'; '.join(told)}."


# --- Three learning rates -------------------------------------------------------------------------------------------


def three_rates(settings: Values, seed: int) -> Chart:
    """The same LSTM from the same weights, on the same data, at three learning rates of Adam."""
    runs = [thinned(name, _echo(1, settings, seed, float(settings[f"rate_{name[-1].lower()}"]), False).every["loss"]) for name in ("run A", "run B", "run C")]
    return Chart(
        "Three trainings of one LSTM that differ in a single setting",
        "One chart: the training loss of three runs, A, B and C, over their updates. Guessing among the 8 symbols costs 2.08 nats.",
        "Update",
        [Panel("Training loss (nats)", runs)],
    )


def _echo(layers: int, settings: Values, seed: int, rate: float, measured: bool) -> Log:
    """Train an LSTM of some layers to say the symbol of two steps ago; when `measured`, log the gradient norm of each layer."""
    with devices.Randomness(seed):
        model = cells.Reader(nn.LSTM(int(settings["symbols"]), int(settings["hidden"]), layers, batch_first=True), int(settings["symbols"]))
    data = tasks.echo(BATCH, int(settings["steps"]), int(settings["lag"]), int(settings["symbols"]), devices.generator(seed, "echo"))
    names = [[f"{kind}_l{layer}" for kind in ("weight_ih", "weight_hh")] for layer in range(layers)]

    def loss() -> Tensor:
        batch = next(data)
        return F.cross_entropy(model(batch.x)[0].flatten(0, 1), batch.target.flatten(), ignore_index=tasks.IGNORED)

    def look() -> dict[str, float]:
        if not measured:
            return {}
        parts = torch.autograd.grad(loss(), [getattr(model.recurrent, name) for name in chain(*names)])
        return {f"layer {k + 1}": float(torch.stack([parts[2 * k].norm(), parts[2 * k + 1].norm()]).norm()) for k in range(layers)}

    optimizer = torch.optim.Adam(model.parameters(), rate)
    return fit(loss, model.parameters(), optimizer, int(settings["updates"]), look=look, every=10)


# --- A deep stack ---------------------------------------------------------------------------------------------------


def deep_stack(settings: Values, seed: int) -> Chart:
    """One layer and many, on the same task; the many have neither residual connections nor normalisation."""
    layers, rate = int(settings["layers"]), float(settings["learning_rate"])
    one, many = _echo(1, settings, seed, rate, False), _echo(layers, settings, seed, rate, True)
    runs = [thinned("1 layer", one.every["loss"]), thinned(f"{layers} layers", many.every["loss"])]
    shown = [f"layer {k}" for k in (1, layers // 2, layers)]
    return Chart(
        f"A stacked LSTM with 1 and with {layers} layers",
        f"Two charts over the updates. Above, the training loss with 1 and with {layers} layers; guessing among the 8 symbols costs 2.08 nats. "
        f"Below, for the {layers} layers, the gradient norm of the weights of layer 1 (next to the input), layer {layers // 2} and layer {layers} "
        "(next to the output).",
        "Update",
        [Panel("Training loss (nats)", runs), Panel(f"Gradient norm, {layers} layers", many.series(*shown), log=True)],
    )


# --- Gradients that are never zeroed --------------------------------------------------------------------------------


def kept_gradients(settings: Values, seed: int) -> Chart:
    """A loop that calls backward() and step() and forgets zero_grad(): every gradient so far is added up."""
    model = cells.Reader(nn.LSTM(1, int(settings["hidden"]), batch_first=True), 1)
    data = tasks.sines(BATCH, int(settings["steps"]) + 1, devices.generator(seed, "sines"))
    parameters = list(model.parameters())
    optimizer = torch.optim.SGD(parameters, float(settings["learning_rate"]))
    losses: list[float] = []
    own: list[float] = []
    used: list[float] = []
    for _ in range(int(settings["updates"])):
        wave = next(data)
        loss = (model(wave[:, :-1])[0] - wave[:, 1:]).square().mean()
        before = _flat(parameters)
        loss.backward()
        after = _flat(parameters)
        optimizer.step()
        losses.append(float(loss.detach()))
        own.append(float((after - before).norm()))
        used.append(float(after.norm()))
    return Chart(
        "An LSTM learns to predict the next value of a sine",
        "Two charts over the updates of one training with plain gradient descent. Above, the training loss. Below, two norms: that of the gradient of the "
        "current batch's loss alone, and that of what stands in `.grad` when the optimiser takes its step.",
        "Update",
        [
            Panel("Training loss", [thinned("training loss", losses)]),
            Panel("Gradient norm", [thinned("of this batch's loss", own), thinned("in .grad at the step", used)], log=True),
        ],
    )


def _flat(parameters: list[nn.Parameter]) -> Tensor:
    """All of `.grad` as one vector, zeros where there is none yet; a copy."""
    return torch.cat([torch.zeros_like(one).flatten() if one.grad is None else one.grad.flatten().clone() for one in parameters])


ECHO = {"symbols": 8, "steps": 12, "lag": 2, "hidden": 24}
RECIPES = (
    Recipe("no-clipping", {"gain": 1.2, "steps": 20, "hidden": 32, "learning_rate": 0.05, "updates": 300}, no_clipping, seed=1),
    Recipe("three-rates", ECHO | {"rate_a": 0.6, "rate_b": 0.01, "rate_c": 0.00001, "updates": 200}, three_rates),
    Recipe("deep-stack", ECHO | {"layers": 10, "learning_rate": 0.005, "updates": 200}, deep_stack),
    Recipe("kept-gradients", {"hidden": 16, "steps": 30, "learning_rate": 0.02, "updates": 200}, kept_gradients),
)
