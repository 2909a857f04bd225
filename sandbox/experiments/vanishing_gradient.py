"""Question 3: how much of a gradient arrives how far back, before training and after it.

Fresh networks read noise, and a random gradient is put on the last state: what arrives at each earlier step shrinks, or
grows, by a constant factor a step (Hochreiter 1991; Bengio, Simard & Frasconi 1994). The slope of its logarithm, in decades
a step, is the whole story in one number. On the direct path through the cell it is log10 σ(forget bias), a law that can be
checked to the third decimal. Then three networks are trained on a lag, to see what such a slope costs.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox import core
from sandbox.protocol import (
    Arm,
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
    from torch import Tensor, nn

PROBES, CHANNELS = 16, 4  # sequences of noise that a fresh network reads, and their width
BATCH, EXAM = 32, 500  # sequences in an update; fresh sequences in the final measurement
LOOKS = 6  # how often the slope is taken while training: it costs as much as several updates
BIASES = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
LEVEL = 0.01  # a slope this small is level: over 100 steps one decade

ARMS = (
    Arm("rnn", "tanh RNN", "rnn"),
    Arm("lstm", "LSTM, plain forget bias", "lstm"),
    Arm("chrono", "LSTM, forget biases for this lag", "remedy"),
)


@dataclass(frozen=True)
class Fresh:
    """An untrained network: its name on the picture, and ‖gradient‖ (T,) by step."""

    key: str
    label: str
    role: str
    norms: Tensor

    @property
    def slope(self) -> float:
        """Decades a step: below 0 the gradient vanishes with distance, above it explodes."""
        return core.probes.decades_per_step(self.norms)


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the three arms on a lag, then measure fresh networks and the trained ones."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    models = yield from core.training.interleave(arms, Point, seed, device)
    fresh = _fresh_networks(settings, seed)
    trained = {arm: _norms(model.recurrent, int(settings["lag"]), seed) for arm, model in models.items()}
    accuracy = {arm: _examine(model, settings, seed, device) for arm, model in models.items()}
    values = {one.key: one.slope for one in fresh}
    values |= {f"{arm}_accuracy": accuracy[arm] for arm in accuracy}
    values |= {f"{arm}_trained": core.probes.decades_per_step(norms) for arm, norms in trained.items()}
    yield Measured(values)
    yield _distance_picture(fresh, settings)
    yield _law_picture(settings, seed)
    yield _trained_picture(trained, accuracy, settings)
    fresh_exam = next(_data(core.surgery.SEQUENCES, settings, seed, "surgery"))
    for arm in ("chrono", "lstm"):
        yield Specimen(arm, *core.surgery.pack(models[arm], fresh_exam.x, fresh_exam.target))


# --- Fresh networks ---------------------------------------------------------------------------------------------


def _fresh_networks(settings: Settings, seed: int) -> list[Fresh]:
    """Six networks as they are before training. In float64 and on the CPU, for norms far below float32's smallest number."""
    bias, gain = float(settings["forget_bias"]), float(settings["gain"])
    plans = (
        ("rnn", "tanh RNN", "rnn", _rnn(settings, seed)),
        ("orthogonal", "RNN, orthogonal start", "oracle", _rnn(settings, seed, orthogonal=True)),
        ("scaled", f"RNN, recurrent weights × {gain:g}", "ablated", _rnn(settings, seed, gain=gain)),
        ("b0", "LSTM, forget bias 0", "variant", _lstm(settings, seed, 0.0)),
        ("lstm", f"LSTM, forget bias {bias:g} (the rule's)", "lstm", _lstm(settings, seed, bias)),
        ("b3", "LSTM, forget bias 3", "remedy", _lstm(settings, seed, 3.0)),
    )
    return [Fresh(key, label, role, _norms(layer, int(settings["distance"]), seed)) for key, label, role, layer in plans]


def _rnn(settings: Settings, seed: int, *, gain: float = 1.0, orthogonal: bool = False) -> nn.RNN:
    import torch

    with core.devices.Randomness(seed):
        rnn = torch.nn.RNN(CHANNELS, int(settings["hidden"]), batch_first=True)
    if orthogonal:
        core.cells.orthogonal(rnn, 1.0, core.devices.generator(seed, "orthogonal"))
    with torch.no_grad():
        rnn.get_parameter("weight_hh_l0").mul_(gain)
    return rnn


def _lstm(settings: Settings, seed: int, bias: float) -> nn.LSTM:
    import torch

    with core.devices.Randomness(seed):
        lstm = torch.nn.LSTM(CHANNELS, int(settings["hidden"]), batch_first=True)
    core.cells.set_forget_bias(lstm, bias)
    return lstm


def _norms(layer: nn.RNNBase, steps: int, seed: int) -> Tensor:
    """‖∂L/∂s_t‖ (T,) on noise, for a random gradient on the last h; a copy of the layer reads it in float64, on the CPU."""
    import copy

    import torch

    noise = core.devices.generator(seed, "noise")
    x = torch.randn(PROBES, steps, layer.input_size, generator=noise, dtype=torch.float64)
    cotangent = torch.randn(PROBES, layer.hidden_size, generator=noise, dtype=torch.float64)
    twin = copy.deepcopy(layer).double().cpu()
    assert isinstance(twin, torch.nn.LSTM | torch.nn.RNN)
    return core.probes.gradients_by_step(twin, x, cotangent)


def _direct_slope(lstm: nn.LSTM, steps: int, seed: int) -> float:
    """Decades a step on the direct path c → c alone, where the factor of a step is the forget gate: the mean of log10 f."""
    import torch

    x = torch.randn(PROBES, steps, lstm.input_size, generator=core.devices.generator(seed, "noise"), dtype=torch.float64)
    with torch.no_grad():
        return float(core.cells.trace(lstm.double(), x).f.log10().mean())


# --- Training on a lag ------------------------------------------------------------------------------------------


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.cells.Reader]:
    """A network that sees bits at the first step and names them at the last."""
    import torch

    bits, lag, updates = int(settings["bits"]), int(settings["lag"]), int(settings["updates"])
    kind = torch.nn.RNN if arm == "rnn" else torch.nn.LSTM
    layer = kind(bits, int(settings["trained_hidden"]), batch_first=True)
    if isinstance(layer, torch.nn.LSTM):
        core.cells.set_forget_bias(layer, float(settings["forget_bias"]))
        if arm == "chrono":
            core.cells.chrono(layer, lag, core.devices.generator(seed, "chrono"))
    model = core.cells.Reader(layer, 2**bits).to(device)
    data = _data(BATCH, settings, seed, "bits")
    done, slope = 0, math.nan

    def forward() -> tuple[Tensor, Measures]:
        nonlocal done, slope
        if done % max(1, updates // LOOKS) == 0:
            slope = core.probes.decades_per_step(_norms(model.recurrent, lag, seed))
        done += 1
        batch = next(data).to(device)
        logits = model(batch.x)[0][:, -1]  # (B, classes)
        loss = torch.nn.functional.cross_entropy(logits, batch.target)
        return loss, {"accuracy": core.probes.accuracy(logits, batch.target), "slope": slope}

    optimizer = core.optimizers.Adam(model.parameters(), float(settings["learning_rate"]))
    yield from core.training.train(forward, model.parameters(), optimizer, updates)
    return model


def _data(batch: int, settings: Settings, seed: int, use: str) -> Iterator[core.tasks.Labelled]:
    return core.tasks.recall(batch, int(settings["lag"]), int(settings["bits"]), core.devices.generator(seed, use), noise=0.5)


def _examine(model: core.cells.Reader, settings: Settings, seed: int, device: str) -> float:
    """The accuracy on fresh sequences, the same for all arms."""
    exam = next(_data(EXAM, settings, seed, "exam")).to(device)
    with core.probes.examining(model):
        return core.probes.accuracy(model(exam.x)[0][:, -1], exam.target)


# --- Pictures ---------------------------------------------------------------------------------------------------


def _against_distance(label: str, role: str, norms: Tensor) -> Series:
    """‖gradient‖ relative to the last step's, against the distance from it."""
    share = (norms / norms[-1]).flip(0)
    return Series(label, role, [float(distance) for distance in range(len(share))], core.probes.plain(share))


def _distance_picture(fresh: Sequence[Fresh], settings: Settings) -> Lines:
    """What arrives of the last step's gradient in six fresh networks."""
    distance = int(settings["distance"])
    slopes = {one.key: one.slope for one in fresh}
    message = f"Before training every step back multiplies the gradient by {10 ** slopes['rnn']:.2f} in the RNN and by {10 ** slopes['lstm']:.2f} in the LSTM"
    alt = (
        f"{message}. Size of the gradient against distance over {distance} steps, logarithmic, relative to the last step. Powers of ten a step: "
        + ", ".join(f"{one.label} {one.slope:+.3f}" for one in fresh)
        + "."
    )
    series = [_against_distance(one.label, one.role, one.norms) for one in fresh]
    panel = Panel("Gradient that arrives", "relative to the last step", series, log_y=True, rules=((1.0, "nothing lost"),))
    return Lines("distance", message, alt, "steps back from the end", [panel])


def _law_picture(settings: Settings, seed: int) -> Lines:
    """The slope against the forget bias: the law, the direct path and all paths together."""
    steps = int(settings["distance"])
    law = [math.log10(1 / (1 + math.exp(-bias))) for bias in BIASES]
    direct, total = [], []
    for bias in BIASES:
        lstm = _lstm(settings, seed, bias)
        total.append(core.probes.decades_per_step(_norms(lstm, steps, seed)))
        direct.append(_direct_slope(lstm, steps, seed))
    off = max(abs(one - other) for one, other in zip(direct, law, strict=True))
    message = f"The direct path through the cell follows the law, log10 σ(forget bias), to within {off:.1g}; all paths together differ from it"
    pairs = ", ".join(f"{bias:g}: {one:+.3f} direct, {every:+.3f} all" for bias, one, every in zip(BIASES, direct, total, strict=True))
    alt = f"{message}. Slope against forget bias of fresh LSTMs. By bias: {pairs}. Above 0 the gradient grows with distance."
    series = [
        Series("law: log10 σ(b)", "target", list(BIASES), core.probes.rounded(law)),
        Series("direct path, c to c", "c", list(BIASES), core.probes.rounded(direct), dash=True),
        Series("all paths together", "lstm", list(BIASES), core.probes.rounded(total)),
    ]
    panel = Panel("Slope of the gradient", "powers of ten a step", series, rules=((0.0, "no change"),))
    return Lines("law", message, alt, "forget bias", [panel])


def _trained_picture(norms: dict[str, Tensor], accuracy: dict[str, float], settings: Settings) -> Lines:
    """The gradient against distance once training is over."""
    said = ", ".join(f"{arm.label} {accuracy[arm.key]:.0%} right" for arm in ARMS)
    message = f"After training on a lag of {int(settings['lag']) - 1} steps: {said}"
    slopes = ", ".join(f"{arm.label} {core.probes.decades_per_step(norms[arm.key]):+.3f}" for arm in ARMS)
    alt = f"{message} (chance {0.5 ** int(settings['bits']):.0%}). Gradient against distance after training, powers of ten a step: {slopes}."
    series = [_against_distance(arm.label, arm.role, norms[arm.key]) for arm in ARMS]
    panel = Panel("Gradient that arrives, after training", "relative to the last step", series, log_y=True, rules=((1.0, "nothing lost"),))
    return Lines("trained", message, alt, "steps back from the end", [panel])


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("rnn", "powers of ten a step, fresh RNN", "<", -0.15),
    Check("lstm", "powers of ten a step, fresh LSTM", ">", -0.10),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    rnn, lstm = (check.median(measured) for check in CHECKS)
    if rnn >= CHECKS[0].threshold:
        return "rnn-holds"
    if lstm <= CHECKS[1].threshold:
        return "both-vanish"
    return "slower" if lstm < -LEVEL else "level"


EXPERIMENT = Experiment(
    id="vanishing-gradient",
    number=3,
    title="How much of the gradient arrives",
    claim="Before any training, the gradient that reaches a step far back shrinks by a constant factor a step. In a plain RNN it is a large "
    "one; in an LSTM with a forget bias of 1 it is much milder, though its gradient vanishes, too.",
    textbook="In an RNN the gradient is a product of Jacobians and vanishes; the LSTM's cell lets it flow unchanged.",
    truths=(
        "LSTMs do vanish. On the direct path through the cell the rate is log10 of the forget gate, exactly: see the law in the second picture.",
        "All paths together are not the direct path: with a high forget bias the whole gradient can even grow with distance, "
        "as in an RNN with enlarged weights.",
        "A plain RNN with an orthogonal recurrent matrix loses about as little as an LSTM with a forget bias of 1: at the start it is initialisation "
        "that counts, not gates.",
        "A mild slope is not yet learning. Over the lag trained here the LSTM with a forget bias of 1 guesses, as the RNN does; with forget biases "
        "drawn for the lag (chrono) the same LSTM answers, and its gradient arrives almost whole.",
        "“An RNN cannot” is too strong: with a single bit to remember this RNN gets there from some starts. Set the bits to 1 and try several seeds.",
    ),
    limits=(
        "Fresh networks reading noise. Training changes the slopes, and real inputs are not noise.",
        "A norm says how much gradient arrives, not whether it points anywhere useful.",
    ),
    paper=Paper(
        "Bengio, Y., Simard, P., Frasconi, P.",
        1994,
        "Learning long-term dependencies with gradient descent is difficult",
        "IEEE Transactions on Neural Networks 5(2)",
    ),
    asks="Before training, a gradient is put on the last state of a plain tanh RNN and of an LSTM with forget bias 1. "
    "How does what arrives change, step by step back?",
    predictions=(
        Outcome("slower", "It vanishes in both, in the LSTM much more slowly"),
        Outcome("level", "It vanishes in the RNN and stays level, or grows, in the LSTM"),
        Outcome("both-vanish", "It vanishes in both about as fast: gates need training first"),
        Outcome("rnn-holds", "It hardly vanishes in the RNN, either"),
    ),
    outcome=outcome,
    controls=(
        Number(
            name="forget_bias",
            label="Forget bias of the LSTM",
            help="Its forget gate starts near σ of this: 0 gives 0.5, 1 gives 0.73, 3 gives 0.95, 6 gives 0.998.",
            default=1,
            low=-3,
            high=6,
            step=0.5,
        ),
        Number(name="distance", label="Steps to look back", help="In the fresh networks.", default=60, low=10, high=120, whole=True),
        Number(name="hidden", label="Units of the fresh networks", help="Of each of the six.", default=32, low=4, high=64, whole=True),
        Number(
            name="gain",
            label="Enlarged RNN: weights times",
            help="Its recurrent weights are multiplied by this; the usual start keeps about 0.58 of a vector's length.",
            default=4,
            low=0.5,
            high=8,
            step=0.5,
        ),
        Number(name="lag", label="Length of the trained task", help="Bits at the first step, named at the last.", default=40, low=5, high=80, whole=True),
        Number(name="bits", label="Bits to remember", help="Two to this power classes.", default=2, low=1, high=4, whole=True),
        Number(name="trained_hidden", label="Units of the trained networks", help="Of each of the three.", default=16, low=2, high=64, whole=True),
        Number(name="updates", label="Updates", help="Each on 32 fresh sequences.", default=300, low=50, high=2000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam.", default=0.01, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 10, {"updates": 600})},
    arms=ARMS,
    curves=(
        Curve("accuracy", "accuracy", y_range=(0.0, 1.0)),
        Curve("slope", "slope of the gradient (powers of ten a step)", rules=((0.0, "no change"),)),
        Curve("loss", "loss (nats)"),
    ),
    checks=CHECKS,
    run=run,
)
