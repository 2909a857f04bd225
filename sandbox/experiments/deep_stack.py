"""Question 16: why a deep stack of LSTM layers does not train, and which remedy reaches the trouble.

Say the symbol of a few steps ago: one layer does it with ease, and depth adds nothing but a longer way down for the
gradient. Stacks of 1, 2, 4 and 8 layers are compared, and the deepest one again with clipping, with residual
connections (Wu et al. 2016) and with layer normalisation between the layers (Ba, Kiros & Hinton 2016). What decides is
seen before the first update: the gradient at each layer.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    from torch import Tensor, nn

BATCH, STEPS, SYMBOLS, EXAM = 32, 12, 8, 500  # sequences in an update; their length; symbols; sequences in the final measurement
PROBE = 128  # sequences on which the gradient is measured layer by layer
WARM_UP = 40  # updates in which the learning rate rises, for all arms; without it deep stacks with layer normalisation start badly

ARMS = (
    Arm("one", "1 layer", "lstm"),
    Arm("two", "2 layers", "oracle"),
    Arm("four", "4 layers", "second"),
    Arm("deep", "deep, plain", "ablated"),
    Arm("clipped", "deep, clipped", "rnn"),
    Arm("residual", "deep, residual connections", "remedy"),
    Arm("normalised", "deep, layer normalisation", "variant"),
)
DEPTHS = {"one": 1, "two": 2, "four": 4}  # the others are as deep as the control says


@dataclass(frozen=True)
class Trained:
    """An arm after its training, and the gradient norm at each of its layers (bottom first) before and after."""

    network: nn.ModuleDict
    before: list[float]
    after: list[float]
    idle: float  # the share of updates whose gradient was too small to be clipped


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train all stacks on the same sequences, then measure and show them."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    trained = yield from core.training.interleave(arms, Point, seed, device)
    exam = next(_data(EXAM, settings, seed, "exam")).to(device)
    accuracy = {arm: _accuracy(arm, one.network, exam) for arm, one in trained.items()}
    yield Measured(accuracy | {f"{arm}_ratio": _ratio(one.before) for arm, one in trained.items()} | {"idle": trained["clipped"].idle})
    yield _layers_picture(trained, settings)
    yield _accuracy_picture(accuracy, trained["clipped"].idle)
    fresh = next(_data(core.surgery.SEQUENCES, settings, seed, "surgery"))
    yield Specimen("one", *core.surgery.pack(*_single_layer(trained["one"].network, fresh.x.to(device)), fresh.target))


def _single_layer(network: Any, x: Tensor) -> tuple[core.cells.Reader, Tensor]:
    """The stack of one layer as a network that reads embedded symbols, and x so embedded."""
    reader = core.cells.Reader(network.layers[0], SYMBOLS)
    reader.readout = network.readout
    return reader, network.embedding(x)


def _data(batch: int, settings: Settings, seed: int, use: str) -> Iterator[core.tasks.Labelled]:
    return core.tasks.echo(batch, STEPS, int(settings["lag"]), SYMBOLS, core.devices.generator(seed, use))


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, Trained]:
    import torch

    network = _network(arm, settings).to(device)
    data, probe = _data(BATCH, settings, seed, "sequences"), next(_data(PROBE, settings, seed, "probe")).to(device)
    before = _gradient_by_layer(arm, network, probe)
    rate, done = float(settings["learning_rate"]), 0
    optimizer = core.optimizers.Adam(network.parameters(), rate)

    def forward() -> tuple[Tensor, Measures]:
        nonlocal done
        done += 1
        optimizer.param_groups[0]["lr"] = rate * min(1.0, done / WARM_UP)
        # The gradients still there are those of the update before; clipping scales all layers alike, so the ratio is as it was.
        ratio = _ratio(_norms(network)) if next(network.parameters()).grad is not None else _ratio(before)
        batch = next(data).to(device)
        logits = _answers(arm, network, batch.x)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.target.flatten(), ignore_index=core.tasks.IGNORED)
        return loss, {"accuracy": core.probes.accuracy(logits, batch.target), "ratio": ratio}

    clip = float(settings["clip"])
    limit = clip if arm == "clipped" else core.training.NO_CLIPPING
    history = yield from core.training.train(forward, network.parameters(), optimizer, int(settings["updates"]), limit)
    norms = history.of["gradient"]
    return Trained(network, before, _gradient_by_layer(arm, network, probe), sum(norm <= clip for norm in norms) / len(norms))


# --- The networks -----------------------------------------------------------------------------------------------


def _network(arm: str, settings: Settings) -> nn.ModuleDict:
    """One nn.LSTM of all layers; of one each, stacked by hand, where something comes between them."""
    from torch import nn

    hidden, depth = int(settings["hidden"]), DEPTHS.get(arm, int(settings["layers"]))
    embedding = nn.Linear(SYMBOLS, hidden, bias=False)  # of one-hot inputs: a vector of each symbol's own
    nn.init.normal_(embedding.weight)
    stacks, height = (depth, 1) if arm in ("residual", "normalised") else (1, depth)
    layers = nn.ModuleList(nn.LSTM(hidden, hidden, height, batch_first=True) for _ in range(stacks))
    for lstm in layers:
        core.cells.set_forget_bias(lstm, float(settings["forget_bias"]))  # type: ignore[arg-type]  # a ModuleList forgets its type
    between = nn.ModuleList(nn.LayerNorm(hidden) if arm == "normalised" else nn.Identity() for _ in layers)
    return nn.ModuleDict({"embedding": embedding, "layers": layers, "between": between, "readout": nn.Linear(hidden, SYMBOLS)})


def _answers(arm: str, network: Any, x: Tensor) -> Tensor:
    """The logits of every step, (B, T, symbols)."""
    x = network.embedding(x)  # (B, T, H)
    for lstm, between in zip(network.layers, network.between, strict=True):
        h = between(lstm(x)[0])
        x = h + x if arm == "residual" else h
    logits: Tensor = network.readout(x)
    return logits


def _recurrent(network: Any) -> list[Tensor]:
    """The recurrent weights of every layer, bottom first."""
    return [lstm.get_parameter(f"weight_hh_l{layer}") for lstm in network.layers for layer in range(lstm.num_layers)]


def _gradient_by_layer(arm: str, network: Any, probe: core.tasks.Labelled) -> list[float]:
    """The norm of the loss's gradient in each layer's recurrent weights, bottom first; the network is left as it was."""
    import torch

    loss = torch.nn.functional.cross_entropy(_answers(arm, network, probe.x).flatten(0, 1), probe.target.flatten(), ignore_index=core.tasks.IGNORED)
    return [float(one.norm()) for one in torch.autograd.grad(loss, _recurrent(network))]


def _norms(network: Any) -> list[float]:
    """The same of the gradients stored in the network, bottom and top layer only."""
    weights = _recurrent(network)
    return [float(place.grad.norm()) for place in (weights[0], weights[-1]) if place.grad is not None]


def _ratio(norms: Sequence[float]) -> float:
    """Gradient of the top layer ÷ that of the bottom layer; infinite where nothing arrives."""
    return norms[-1] / norms[0] if norms[0] else math.inf


def _accuracy(arm: str, network: nn.ModuleDict, exam: core.tasks.Labelled) -> float:
    with core.probes.examining(network):
        return core.probes.accuracy(_answers(arm, network, exam.x), exam.target)


# --- Pictures ---------------------------------------------------------------------------------------------------


def _layers_picture(trained: Mapping[str, Trained], settings: Settings) -> Lines:
    """The gradient at each layer, before the first update and after the last."""
    shown = [arm for arm in ARMS if arm.key in ("four", "deep", "residual", "normalised")]
    panels = []
    for title, when in (("Before the first update", "before"), ("After training", "after")):
        series = []
        for arm in shown:
            norms = getattr(trained[arm.key], when)
            finite = [(float(layer), norm) for layer, norm in enumerate(norms, 1) if 0 < norm < math.inf]  # a log axis has no place for others
            if finite:
                series.append(Series(arm.label, arm.role, [layer for layer, _ in finite], core.probes.rounded([norm for _, norm in finite])))
        panels.append(Panel(title, "gradient norm", series, log_y=True))
    ratio = {arm.key: _ratio(trained[arm.key].before) for arm in shown}
    message = (
        f"At the start the top of {settings['layers']} plain layers gets {ratio['deep']:.3g} times the gradient of the bottom; "
        f"{ratio['residual']:.2g} times with residual connections"
    )
    alt = f"Norm of the gradient in each layer's recurrent weights, logarithmic, bottom layer first. {message}. Top ÷ bottom at the start: "
    alt += ", ".join(f"{arm.label} {ratio[arm.key]:.3g}" for arm in shown) + "; after training: "
    alt += ", ".join(f"{arm.label} {_ratio(trained[arm.key].after):.3g}" for arm in shown) + "."
    return Lines("layers", message, alt, "layer, from the input upwards", panels)


def _accuracy_picture(accuracy: Mapping[str, float], idle: float) -> Bars:
    """The final accuracies beside chance."""
    good = [arm.label for arm in ARMS if accuracy[arm.key] > SOLVED]
    message = f"{len(good)} of {len(ARMS)} learnt it. In the clipped stack {idle:.0%} of the gradients were below the clipping threshold"
    alt = f"Accuracy on fresh sequences: {', '.join(f'{arm.label} {accuracy[arm.key]:.0%}' for arm in ARMS)}. {message}. "
    alt += f"Learnt it: {'; '.join(good) if good else 'none'}."
    series = [Series(arm.label, arm.role, [0.0], core.probes.rounded([accuracy[arm.key]])) for arm in ARMS]
    return Bars("accuracy", message, alt, "accuracy", ["fresh sequences"], series, rules=((1 / SYMBOLS, "guessing"),))


# --- Judging ----------------------------------------------------------------------------------------------------

SOLVED, FAILED = 0.9, 0.6
CHECKS = (
    Check("one", "accuracy of 1 layer", ">", SOLVED),
    Check("deep", "accuracy of the deep stack", "<", FAILED),
    Check("clipped", "accuracy of the deep stack, clipped", "<", FAILED),
    Check("residual", "accuracy of the deep stack with residual connections", ">", SOLVED),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    median = medians(CHECKS, measured)
    if median["deep"] >= FAILED:
        return "deep-learns"
    if median["clipped"] >= FAILED:
        return "clipping"
    return "residual" if median["residual"] > SOLVED else "nothing"


EXPERIMENT = Experiment(
    id="deep-stack",
    number=16,
    title="Eight layers, and what gets a gradient down to the first",
    claim="On a task that one LSTM layer learns easily, a plain stack of eight does not learn in the same time. Clipping changes nothing, as the "
    "gradient fades on its way down; residual connections let it through, and the deep stack learns.",
    textbook="Stacked LSTMs are hard to train because gradients must travel through depth and time; clip gradients, use dropout, residual connections.",
    truths=(
        "Through depth an LSTM's gradient vanishes, it does not explode: there is nothing for clipping to clip. What clipping does help with is "
        "recurrent weights that enlarge, along time: see the experiment on gradient clipping, with its preset “30 steps” over sequences far longer than here.",
        "The trouble can be seen before training: look at the gradient by layer. Residual connections keep it level, and layer normalisation nearly so.",
        "Depth as such is no obstacle: two or four plain layers learn the task, too. The gradient at the bottom falls with every further layer.",
    ),
    limits=(
        "The task needs no depth at all, so depth can only do harm here. On large language tasks two to four layers beat one.",
        "Fresh data at every update: nothing can be overfitted, so the other price of depth is not seen.",
    ),
    paper=Paper(
        "Wu, Y., et al.", 2016, "Google's Neural Machine Translation System: Bridging the Gap between Human and Machine Translation", "arXiv:1609.08144"
    ),
    asks="One LSTM layer easily learns to say the symbol of two steps ago. Now eight are stacked. As they are, with clipping, "
    "or with residual connections: what learns in the same time?",
    predictions=(
        Outcome("residual", "Eight plain layers fail, clipped or not; residual connections make them learn"),
        Outcome("clipping", "Eight plain layers fail; clipping alone makes them learn"),
        Outcome("deep-learns", "Eight plain layers learn it, too: they have more parameters"),
        Outcome("nothing", "No stack of eight learns it, with or without residual connections"),
    ),
    outcome=outcome,
    controls=(
        Number(name="layers", label="Layers of the deep stacks", help="Of all arms called deep.", default=8, low=2, high=12, whole=True),
        Number(name="lag", label="Lag", help="How many steps ago the symbol to be said was read.", default=2, low=0, high=5, whole=True, unit="steps"),
        Number(name="clip", label="Clip at norm", help="In the clipped arm only; the others are never clipped.", default=1, low=0.001, high=100, log=True),
        Number(
            name="forget_bias",
            label="Forget bias at the start",
            help="Acts along time. See whether it helps the gradient down through the layers.",
            default=1,
            low=-2,
            high=4,
            step=0.5,
        ),
        Number(name="hidden", label="Units", help="In each layer.", default=24, low=8, high=64, whole=True),
        Number(name="updates", label="Updates", help=f"Each on {BATCH} fresh sequences of {STEPS} steps.", default=150, low=50, high=2000, step=10, whole=True),
        Number(
            name="learning_rate",
            label="Learning rate",
            help="Of Adam, once it has risen over the first 40 updates.",
            default=0.015,
            low=0.0001,
            high=0.1,
            log=True,
        ),
    ),
    presets={"quick": Preset("Quick", 3, {"updates": 110, "learning_rate": 0.03}), "thorough": Preset("Thorough", 10, {"updates": 200})},
    arms=ARMS,
    curves=(
        Curve("accuracy", "accuracy", y_range=(0.0, 1.0), rules=((1 / SYMBOLS, "guessing"),)),
        Curve("ratio", "gradient, top layer ÷ bottom layer", log_y=True, rules=((1.0, "no change"),)),
        Curve("gradient", "gradient norm before clipping", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
