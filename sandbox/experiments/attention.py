"""Question 24: what attention spares a decoder, shown against the length of the source.

Two encoder-decoders learn to write down a random sequence that they have read. One has to carry all of it through the
encoder's last state (Sutskever, Vinyals & Le 2014); the other may look back at every state of the encoder (Bahdanau, Cho
& Bengio 2015; the order of decoder and attention, and the scores, are Luong's). The plain one is wider, so that it has more
parameters: what it lacks is not size. Copying has a true alignment, so the weights can be marked right or wrong.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sandbox import core
from sandbox.protocol import (
    Arm,
    Check,
    Choice,
    Curve,
    Experiment,
    HeatMap,
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

BATCH, EXAM = 48, 200  # sequences in an update; fresh ones a length in the final measurement
SYMBOLS, EMBEDDED, SHORTEST = 8, 16, 3  # different symbols; their embedding's width; shortest source in training
SHORT = 4  # the length at which the short sources are examined
EVERY, BEYOND = 4, 1.3  # lengths examined: every fourth, and one beyond training by this factor
LAST_RATE = 0.05  # the learning rate falls along a cosine to this part of itself

ARMS = (
    Arm("plain", "plain: last state only", "lstm"),
    Arm("attention", "with attention", "remedy"),
)


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train both networks on the same sequences, then let them write sources of every length."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    networks = yield from core.training.interleave(arms, Point, seed, device)
    lengths = _lengths(settings)
    exams = {length: next(_of_length(length, EXAM, settings, core.devices.generator(seed, "exam"))).to(device) for length in lengths}
    with core.probes.examining(*networks.values()):
        accuracy = {arm: [_accuracy(network, exams[length]) for length in lengths] for arm, network in networks.items()}
        weights, written = _look(networks["attention"], exams[int(settings["longest"])])
    at = lengths.index(int(settings["longest"]))
    exact, near = _alignment(weights, exams[lengths[at]])
    values = {f"{arm}_{name}": shares[place] for arm, shares in accuracy.items() for name, place in (("short", 0), ("long", at), ("beyond", -1))}
    gap = values["attention_long"] - values["plain_long"]
    yield Measured(values | {"gap": gap, "alignment": exact, "near": near})
    yield _length_picture(accuracy, lengths, settings)
    yield _weights_picture(weights, written, exams[lengths[at]], exact, near)


def _mixed(settings: Settings, seed: int) -> Iterator[core.tasks.Pairs]:
    """Batches for training, each of one length drawn anew: no padding, which would weaken what the plain network remembers."""
    import torch

    lengths, symbols = (core.devices.generator(seed, use) for use in ("lengths", "sequences"))
    while True:
        length = int(torch.randint(SHORTEST, int(settings["longest"]) + 1, (), generator=lengths))
        yield next(_of_length(length, BATCH, settings, symbols))


def _of_length(length: int, batch: int, settings: Settings, generator: torch.Generator) -> Iterator[core.tasks.Pairs]:
    return core.tasks.copying(batch, length, length, SYMBOLS, generator, reverse=settings["order"] == "reverse")


def _lengths(settings: Settings) -> list[int]:
    """The lengths examined, in order: short ones up to the longest in training, then one never met."""
    longest = int(settings["longest"])
    return [*range(SHORT, longest, EVERY), longest, math.ceil(BEYOND * longest)]


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, nn.ModuleDict]:
    import torch

    network = _network(arm, settings).to(device)
    data = _mixed(settings, seed)
    rate, updates = float(settings["learning_rate"]), int(settings["updates"])
    optimizer = core.optimizers.Adam(network.parameters(), rate)
    done = 0

    def forward() -> tuple[Tensor, Measures]:
        nonlocal done
        for group in optimizer.param_groups:
            group["lr"] = rate * (LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done / updates)) / 2)
        done += 1
        pairs = next(data).to(device)
        memory, state = _encode(network, pairs.source)
        logits, _, _ = _decode(network, pairs.given, state, memory)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), pairs.target.flatten(), ignore_index=core.tasks.IGNORED)
        return loss, {"accuracy": core.probes.accuracy(logits, pairs.target)}

    yield from core.training.train(forward, network.parameters(), optimizer, updates)
    return network


# --- The networks -----------------------------------------------------------------------------------------------


def _network(arm: str, settings: Settings) -> nn.ModuleDict:
    """Encoder, decoder and read-out; for the arm with attention also its score and the layer that takes in the context."""
    from torch import nn

    attends = arm == "attention"
    hidden = int(settings["hidden" if attends else "plain_hidden"])
    parts: dict[str, nn.Module] = {"embed": nn.Embedding(SYMBOLS + 1, EMBEDDED)}  # one more for the blank
    for name in ("encoder", "decoder"):
        lstm = nn.LSTM(EMBEDDED, hidden, batch_first=True)
        core.cells.set_forget_bias(lstm, 1.0)
        parts[name] = lstm
    parts["readout"] = nn.Linear(hidden, SYMBOLS)
    if attends:
        parts["merge"] = nn.Linear(2 * hidden, hidden)
        if settings["score"] != "dot":
            parts["score"] = nn.Linear(hidden, hidden, bias=False)
        if settings["score"] == "additive":
            parts |= {"ask": nn.Linear(hidden, hidden), "weigh": nn.Linear(hidden, 1, bias=False)}
    return nn.ModuleDict(parts)


def _encode(network: nn.ModuleDict, source: Tensor) -> tuple[Tensor, core.cells.LSTMState]:
    """Every state of the encoder on source (B, S): (B, S, H), and its last one."""
    states, last = network["encoder"](network["embed"](source))
    return states, last


def _decode(network: nn.ModuleDict, given: Tensor, state: core.cells.LSTMState, memory: Tensor) -> tuple[Tensor, core.cells.LSTMState, Tensor | None]:
    """Answers to the tokens `given` (B, L): logits (B, L, V), the state after them, and the weights (B, L, S) of who attends.

    `memory` (B, S, H) are the encoder's states. All sources of a batch are equally long; padding would have to be masked here.
    """
    import torch

    h, state = network["decoder"](network["embed"](given), state)  # (B, L, H)
    if "merge" not in network:
        return network["readout"](h), state, None
    weights = _scores(network, h, memory).softmax(-1)  # (B, L, S)
    context = weights @ memory  # (B, L, H)
    merged = network["merge"](torch.cat([context, h], -1)).tanh()
    return network["readout"](merged), state, weights


def _scores(network: nn.ModuleDict, h: Tensor, memory: Tensor) -> Tensor:
    """How well each decoder state (B, L, H) fits each encoder state (B, S, H): (B, L, S)."""
    if "weigh" in network:  # v·tanh(W s + U h), Bahdanau's additive score
        both = (network["ask"](h)[:, :, None] + network["score"](memory)[:, None]).tanh()  # (B, L, S, H)
        scores: Tensor = network["weigh"](both)[..., 0]
        return scores
    keys = network["score"](memory) if "score" in network else memory  # s·W h, or s·h
    return h @ keys.transpose(1, 2)


# --- Measuring --------------------------------------------------------------------------------------------------


def _write(network: nn.ModuleDict, pairs: core.tasks.Pairs) -> Tensor:
    """What the network writes on its own, each symbol fed back as the next input: (B, L)."""
    memory, last = _encode(network, pairs.source)

    def step(token: Tensor, state: core.cells.LSTMState) -> tuple[Tensor, core.cells.LSTMState]:
        logits, after, _ = _decode(network, token[:, None], state, memory)
        return logits[:, 0], after

    written, _ = core.decoding.go_on(step, pairs.given[:, 0], last, pairs.target.shape[1])
    return written


def _accuracy(network: nn.ModuleDict, pairs: core.tasks.Pairs) -> float:
    """The share of symbols written right."""
    return float((_write(network, pairs) == pairs.target).double().mean())


def _look(network: nn.ModuleDict, pairs: core.tasks.Pairs) -> tuple[Tensor, Tensor]:
    """The weights (B, L, S) while the network writes on its own, and what it writes (B, L); both on the CPU."""
    import torch

    written = _write(network, pairs)
    memory, last = _encode(network, pairs.source)
    given = torch.cat([pairs.given[:, :1], written[:, :-1]], 1)  # it reads its own words again: the same weights, all at once
    _, _, weights = _decode(network, given, last, memory)
    assert weights is not None
    return weights.cpu(), written.cpu()


def _alignment(weights: Tensor, pairs: core.tasks.Pairs) -> tuple[float, float]:
    """How often the largest weight lies on the symbol being written, and how often on it or a neighbour of it."""
    distance = (weights.argmax(-1) - pairs.place.cpu()).abs()  # (B, L)
    return float((distance == 0).double().mean()), float((distance <= 1).double().mean())


# --- Pictures ---------------------------------------------------------------------------------------------------


def _length_picture(accuracy: Mapping[str, list[float]], lengths: list[int], settings: Settings) -> Lines:
    """Accuracy against the length of the source, for both networks."""
    longest = int(settings["longest"])
    at = lengths.index(longest)
    series = [Series(arm.label, arm.role, [float(length) for length in lengths], core.probes.rounded(accuracy[arm.key])) for arm in ARMS]
    plain, attention = accuracy["plain"], accuracy["attention"]
    message = (
        f"From {lengths[0]} to {longest} symbols the plain network goes from {plain[0]:.0%} to {plain[at]:.0%} right, "
        f"the one with attention from {attention[0]:.0%} to {attention[at]:.0%}"
    )
    each = "; ".join(f"{length} symbols: plain {one:.0%}, attention {other:.0%}" for length, one, other in zip(lengths, plain, attention, strict=True))
    panel = Panel(
        "Symbols written right",
        "accuracy",
        series,
        y_range=(0.0, 1.0),
        rules=((1 / SYMBOLS, "guessing"),),
        events=((float(longest), "longest in training"),),
    )
    return Lines("length", message, f"{message}. {each}. The last length was never met in training.", "symbols in the source", [panel])


def _weights_picture(weights: Tensor, written: Tensor, pairs: core.tasks.Pairs, exact: float, near: float) -> HeatMap:
    """The weights of one sequence, symbol written by symbol read."""
    letters = "ABCDEFGH"
    source, target, own = pairs.source[0].tolist(), pairs.target[0].tolist(), written[0].tolist()
    columns = [f"{place} {letters[symbol]}" for place, symbol in enumerate(source, 1)]
    rows = [f"{place} {letters[symbol]}" for place, symbol in enumerate(own, 1)]
    message = f"The largest weight lies on the symbol being written in {exact:.0%} of all steps, within one place of it in {near:.0%}"
    right = sum(one == other for one, other in zip(own, target, strict=True))
    peaks = ", ".join(str(place + 1) for place in weights[0].argmax(-1).tolist())
    alt = (
        f"{message}. Attention weights of one sequence of {len(source)} symbols, {right} of them written right: a row for each symbol written, "
        f"a column for each read. Source places with the largest weight, row by row: {peaks}."
    )
    z = [core.probes.plain(row, 3) for row in weights[0].nan_to_num()]
    return HeatMap("weights", message, alt, "symbol read", "symbol written", columns, rows, z, "weight", (0.0, 1.0))


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("gap", "longest sources: accuracy with attention − without", ">", 0.35),
    Check("alignment", "share of steps with the largest weight on the symbol being written", ">", 0.9),
)
AHEAD = 0.1  # a difference in accuracy that counts


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    gap = Check("gap", "", ">", AHEAD).median(measured)
    if gap <= AHEAD:
        return "behind" if gap < -AHEAD else "equal"
    short = Check("attention_short", "", ">", 0).median(measured) - Check("plain_short", "", ">", 0).median(measured)
    return "everywhere" if short > AHEAD else "long-only"


EXPERIMENT = Experiment(
    id="attention",
    number=24,
    title="Attention against the length of the source",
    claim="Without attention, what a decoder can write down again falls with the length of the source. With attention, and fewer parameters, "
    "it hardly falls, as each step reads the very place it needs: the largest weight lies on the symbol being written.",
    textbook="Attention lets the decoder focus on the relevant parts of the input, so that not everything must fit into one vector.",
    truths=(
        "The weights are no word-for-word explanation. Let the networks write backwards: attention is still ahead, yet the largest weight hardly ever "
        "lies on the symbol being written. It lies beside it, as the state next to it knows that symbol, too.",
        "The vector is not too small to hold the sequence: with more updates or units the plain network gets further. What attention removes is the "
        "need to learn to pack everything into it.",
        "Attention helps with lengths never met in training as well, though not without loss.",
    ),
    limits=(
        "Copying is the best case for attention: every symbol written is a symbol read. In translation the alignment is neither one to one nor in order.",
        "The encoder reads in one direction only. A bidirectional one, as in Bahdanau's network, has states that know both sides.",
    ),
    unoperable="An encoder, a decoder and attention between them work together here; operations read one network along one sequence.",
    paper=Paper("Bahdanau, D., Cho, K., Bengio, Y.", 2015, "Neural Machine Translation by Jointly Learning to Align and Translate", "ICLR"),
    asks="Two networks read a random sequence of 3 to 20 symbols and write it down again. One sees only the encoder's last state, the other has "
    "attention, and fewer parameters. How do they compare on short and on long sequences?",
    predictions=(
        Outcome("long-only", "About equal on short ones; attention is far ahead on long ones"),
        Outcome("everywhere", "Attention is clearly ahead on short ones, too"),
        Outcome("equal", "About equal at all lengths: the last state holds what is needed"),
        Outcome("behind", "The plain one is ahead: it has more parameters"),
    ),
    outcome=outcome,
    controls=(
        Number(
            name="longest",
            label="Longest source",
            help="Training mixes batches of sources from 3 symbols to this; the exam also asks for about a third more.",
            default=20,
            low=6,
            high=30,
            whole=True,
            unit="symbols",
        ),
        Choice(
            name="order",
            label="To be written",
            help="The sequence as it was read, or backwards. Watch the accuracy and the alignment part ways.",
            default="copy",
            options={"copy": "as it was read", "reverse": "backwards"},
        ),
        Choice(
            name="score",
            label="Score",
            help="How a decoder state s and an encoder state h are compared.",
            default="general",
            options={"general": "multiplicative, s·Wh (Luong)", "dot": "dot product, s·h", "additive": "additive, v·tanh(Ws + Uh) (Bahdanau)"},
        ),
        Number(name="hidden", label="Units with attention", help="Of encoder and decoder.", default=32, low=8, high=64, whole=True),
        Number(
            name="plain_hidden",
            label="Units without",
            help="Of the plain network. At 40 it has more parameters than the other at 32.",
            default=40,
            low=8,
            high=96,
            whole=True,
        ),
        Number(name="updates", label="Updates", help="Each on 48 fresh sequences.", default=550, low=50, high=3000, step=50, whole=True),
        Number(
            name="learning_rate", label="Learning rate", help="Of Adam at the start; it falls along a cosine.", default=0.01, low=0.0001, high=0.1, log=True
        ),
    ),
    presets={"quick": Preset("Quick", 3, {"updates": 400, "learning_rate": 0.02}), "thorough": Preset("Thorough", 10, {"updates": 800})},
    arms=ARMS,
    curves=(
        Curve("accuracy", "accuracy, told the right symbols so far", y_range=(0.0, 1.0), rules=((1 / SYMBOLS, "guessing"),)),
        Curve("loss", "loss (nats)"),
        Curve("gradient", "gradient norm before clipping", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
