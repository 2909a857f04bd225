"""Question 14: what passes through the one state between an encoder and a decoder.

Three encoder-decoders read a random sequence and write it down. All they know of it is the encoder's last state
(Sutskever, Vinyals & Le 2014). Sutskever's trick of reversing the source is put to the test with equal networks, and
a network twice as wide asks whether size mends what length spoils. Random symbols cannot be guessed from their
neighbours, so every right one has come through the state.
"""

from __future__ import annotations

import statistics
from collections.abc import Generator, Iterator, Mapping, Sequence
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
    Step,
)

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

BATCH, EXAM = 32, 400  # sequences in an update; fresh ones a length in the final measurement
SYMBOLS, EMBEDDED, SHORTEST = 8, 16, 2  # different symbols; their embedding's width; shortest source in training
SHORT, MIDDLE = 4, 8  # lengths examined besides the longest
LAST_RATE = 0.05  # the learning rate falls along a line to this part of itself

ARMS = (
    Arm("forward", "source as it is", "lstm"),
    Arm("reverse", "source reversed", "remedy"),
    Arm("wide", "reversed, twice as wide", "variant"),
)


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the three networks on equally long sequences, then let them write sources of every length."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    networks = yield from core.training.interleave(arms, Point, seed, device)
    right = {arm: _examine(arm, network, settings, seed, device) for arm, network in networks.items()}
    values = {f"{arm}_{length}": statistics.fmean(right[arm][place]) for arm in right for length, place in _places(settings).items()}
    gain = statistics.fmean(values[f"reverse_{name}"] - values[f"forward_{name}"] for name in ("middle", "long"))
    yield Measured(values | {"drop": values["wide_short"] - values["wide_long"], "gain": gain})
    yield _length_picture(right)
    yield _position_picture(right)


def _places(settings: Settings) -> dict[str, int]:
    """The lengths of the verdict by name."""
    return {"short": SHORT, "middle": MIDDLE, "long": int(settings["longest"])}


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, nn.ModuleDict]:
    import torch

    network = _network(int(settings["hidden"]) * (2 if arm == "wide" else 1)).to(device)
    data, updates, done = _mixed(arm, settings, seed), int(settings["updates"]), 0

    def forward() -> tuple[Tensor, Measures]:
        nonlocal done
        for group in optimizer.param_groups:
            group["lr"] = float(settings["learning_rate"]) * (1 - (1 - LAST_RATE) * done / updates)
        done += 1
        pairs = next(data).to(device)
        logits, _ = _decode(network, pairs.given, _encode(network, pairs.source))
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), pairs.target.flatten())
        return loss, {"accuracy": core.probes.accuracy(logits, pairs.target)}

    optimizer = core.optimizers.Adam(network.parameters(), float(settings["learning_rate"]))
    yield from core.training.train(forward, network.parameters(), optimizer, updates)
    return network


def _mixed(arm: str, settings: Settings, seed: int) -> Iterator[core.tasks.Pairs]:
    """Batches for training, each of one length drawn anew, so that no source needs padding."""
    import torch

    lengths, symbols = (core.devices.generator(seed, use) for use in ("lengths", "sequences"))
    while True:
        length = int(torch.randint(SHORTEST, int(settings["longest"]) + 1, (), generator=lengths))
        yield next(_of_length(arm, length, BATCH, symbols))


def _of_length(arm: str, length: int, batch: int, symbols: torch.Generator) -> Iterator[core.tasks.Pairs]:
    """Sources of one length. To write random symbols backwards is to write a reversed source forwards: the same sequences."""
    return core.tasks.copying(batch, length, length, SYMBOLS, symbols, reverse=arm != "forward")


def _network(hidden: int) -> nn.ModuleDict:
    """Encoder, decoder and read-out, with one embedding for both."""
    from torch import nn

    parts: dict[str, nn.Module] = {"embed": nn.Embedding(SYMBOLS + 1, EMBEDDED)}  # one more for the blank
    for name in ("encoder", "decoder"):
        lstm = nn.LSTM(EMBEDDED, hidden, batch_first=True)
        core.cells.set_forget_bias(lstm, 1.0)
        parts[name] = lstm
    return nn.ModuleDict(parts | {"readout": nn.Linear(hidden, SYMBOLS)})


def _encode(network: nn.ModuleDict, source: Tensor) -> core.cells.LSTMState:
    """The encoder's last state: all that the decoder learns of source (B, S)."""
    state: core.cells.LSTMState = network["encoder"](network["embed"](source))[1]
    return state


def _decode(network: nn.ModuleDict, given: Tensor, state: core.cells.LSTMState) -> tuple[Tensor, core.cells.LSTMState]:
    """Answers to the tokens `given` (B, L): logits (B, L, V), and the state after them."""
    h, after = network["decoder"](network["embed"](given), state)
    return network["readout"](h), after


def _examine(arm: str, network: nn.ModuleDict, settings: Settings, seed: int, device: str) -> dict[int, list[float]]:
    """The share written right at every place of the target, by length, each symbol written being the next input."""
    right = {}
    lengths = sorted({*range(SHORTEST, int(settings["longest"]) + 1, 2), *_places(settings).values()})
    for length in lengths:
        pairs = next(_of_length(arm, length, EXAM, core.devices.generator(seed, "exam", str(length)))).to(device)
        with core.probes.examining(network):
            written, _ = core.decoding.go_on(
                lambda token, state: _one(network, token, state), pairs.given[:, 0], _encode(network, pairs.source), pairs.target.shape[1]
            )
        right[length] = core.probes.plain((written == pairs.target).double().mean(0))
    return right


def _one(network: nn.ModuleDict, token: Tensor, state: core.cells.LSTMState) -> tuple[Tensor, core.cells.LSTMState]:
    """One symbol further: token (B,) → logits (B, V), state."""
    logits, after = _decode(network, token[:, None], state)
    return logits[:, 0], after


# --- Pictures ---------------------------------------------------------------------------------------------------


def _length_picture(right: Mapping[str, Mapping[int, Sequence[float]]]) -> Lines:
    """Accuracy against the length of the source."""
    series = []
    for arm in ARMS:
        shares = right[arm.key]
        accuracy = core.probes.rounded([statistics.fmean(one) for one in shares.values()])
        series.append(Series(arm.label, arm.role, [float(length) for length in shares], accuracy))
    first, last = series[0].x[0], series[0].x[-1]
    message = f"From {first:.0f} to {last:.0f} symbols: " + "; ".join(f"{one.label} {one.y[0]:.0%} → {one.y[-1]:.0%}" for one in series)
    alt = f"Share of symbols written right against the length of the source. {message}. Guessing gives {1 / SYMBOLS:.0%}."
    panel = Panel("Symbols written right", "accuracy", series, y_range=(0.0, 1.0), rules=((1 / SYMBOLS, "guessing"),))
    return Lines("length", message, alt, "length of the source", [panel])


def _position_picture(right: Mapping[str, Mapping[int, Sequence[float]]]) -> Lines:
    """Accuracy by place in the target, at the longest source."""
    longest = max(right["forward"])
    places = [float(k + 1) for k in range(longest)]
    series = [Series(arm.label, arm.role, places, list(right[arm.key][longest])) for arm in ARMS]
    halves = [slice(longest // 2), slice(longest // 2, None)]
    gained = [100 * (statistics.fmean(right["reverse"][longest][half]) - statistics.fmean(right["forward"][longest][half])) for half in halves]
    first, second = (f"{'gains' if points >= 0 else 'loses'} {abs(points):.0f}" for points in gained)
    message = f"Reversing a source of {longest} symbols {first} points in the first half of the target and {second} in the second"
    ends = ", ".join(f"{one.label} {one.y[0]:.0%} and {one.y[-1]:.0%}" for one in series)
    alt = f"{message}. Share written right by place in the target; first and last symbol: {ends}. Lags are equal on average."
    panel = Panel("Symbols written right", "accuracy", series, y_range=(0.0, 1.0), rules=((1 / SYMBOLS, "guessing"),))
    return Lines("position", message, alt, "place in the target", [panel])


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("drop", "accuracy lost from short to longest source, wide network", ">", 0.2),
    Check("gain", "accuracy gained by reversing the source, mean of 8 symbols and the longest", ">", 0.05),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    drop, gain = (check.median(measured) for check in CHECKS)
    if drop <= 0.2:
        return "width-cures"
    return "falls-helps" if gain > 0.05 else "falls-hurts" if gain < -0.05 else "falls-same"


EXPERIMENT = Experiment(
    id="seq2seq",
    number=14,
    title="Everything through one state",
    claim="An encoder-decoder that hands on one state copies short sources well and long ones badly, even when it is twice as wide. Reading the "
    "source in reverse makes it better after the same training, though the network is the same.",
    textbook="The encoder compresses the source into a fixed-length vector, from which the decoder generates the target.",
    truths=(
        "Reversing leaves the average lag unchanged: it shortens the lags of the first symbols and lengthens those of the last. See the accuracy by place.",
        "Reversing makes learning easier, not the state larger. Treble the updates and the reversed source is less far ahead.",
        "The fall with length mixes two causes, a state too small and a training too short: with more updates part of it goes away.",
        "The decoder is fed its own symbols here, as in use. In training it was fed the right ones, which looks better.",
    ),
    limits=(
        "Random symbols have no structure to compress. A sentence does, and so a state of the same size carries more words of it.",
        "Here the target is a copy. When the order of source and target differs, reversing need not help.",
    ),
    unoperable="An encoder hands its state to a decoder here; operations read one network along one sequence.",
    paper=Paper("Sutskever, I., Vinyals, O., Le, Q. V.", 2014, "Sequence to sequence learning with neural networks", "NeurIPS"),
    asks="An encoder reads up to 14 random symbols and hands its last state to a decoder, which must write them down. How does the accuracy go with "
    "length in a wide network, and does it help to read the source in reverse?",
    predictions=(
        Outcome("falls-helps", "It falls with length, and reversing helps"),
        Outcome("falls-same", "It falls with length, and reversing changes little: the average lag is the same"),
        Outcome("falls-hurts", "It falls with length, and reversing makes it worse: the last symbols are further away"),
        Outcome("width-cures", "In the wide network it hardly falls: a state of its size holds all 14"),
    ),
    outcome=outcome,
    controls=(
        Number(
            name="longest", label="Longest source", help="Lengths from 2 to this are trained; this one is examined.", default=14, low=9, high=24, whole=True
        ),
        Number(name="hidden", label="Units", help="Of encoder and decoder; the wide network has twice as many.", default=32, low=8, high=96, whole=True),
        Number(name="updates", label="Updates", help="Each on 32 fresh sequences of one length.", default=260, low=50, high=3000, step=10, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam at the start; it falls along a line.", default=0.02, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 10)},
    arms=ARMS,
    curves=(
        Curve("accuracy", "accuracy in training, fed the right symbols", y_range=(0.0, 1.0), rules=((1 / SYMBOLS, "guessing"),)),
        Curve("loss", "loss (nats)", rules=((2.079, "guessing, ln 8"),)),
        Curve("gradient", "gradient norm before clipping", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
