"""Question 20: where a dropout mask may sit inside the recurrence, and where it wipes out what is to be remembered.

Five LSTMs with the same drop rates: no mask, a mask on c or on h drawn anew at every step, one mask on h for the whole
sequence (Gal & Ghahramani 2016), and a mask on the candidate g (Semeniuta, Severyn & Barth 2016). Each learns to keep two
bits through noise, which asks for memory. All but the one with masks on c also learn far too little text by heart, which
asks for a regulariser.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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
    import torch
    from torch import Tensor, nn

    Lesson = Callable[[], tuple[Tensor, dict[str, float]]]  # one batch: its loss and metrics

BITS, NOISE, HELD_BATCH, HELD_UNITS, EXAM = 2, 0.3, 32, 32, 500  # the memory task
WINDOW, TEXT_BATCH, TEXT_UNITS, UNSEEN = 14, 16, 40, 100  # the text: steps and windows of an update; windows of unseen text
LOOKS = 6  # how often the loss on unseen text is taken

ARMS = (
    Arm("none", "no dropout", "lstm"),
    Arm("cell", "on c, each step", "ablated"),
    Arm("step", "on h, each step", "variant"),
    Arm("sequence", "on h, one per sequence", "remedy"),
    Arm("candidate", "on the candidate g, each step", "second"),
)
WRITERS = tuple(arm for arm in ARMS if arm.key != "cell")  # those that also learn the text


@dataclass(frozen=True)
class Trained:
    """What one arm has become: the network of the memory task, and its bits a character on unseen text at every look."""

    memory: core.cells.Reader
    unseen: list[float]


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the five on the same sequences and the same text, then examine them without masks."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    trained = yield from core.training.interleave(arms, Point, seed, device)
    exam = next(_held(EXAM, settings, seed, "exam")).to(device)
    with core.probes.examining(*(one.memory for one in trained.values())):
        right = {arm: core.probes.accuracy(one.memory(exam.x)[0][:, -1], exam.target) for arm, one in trained.items()}
    final = {arm.key: trained[arm.key].unseen[-1] for arm in WRITERS}
    values = {f"{arm}_accuracy": share for arm, share in right.items()} | {f"{arm}_bits": bits for arm, bits in final.items()}
    others = min(share for arm, share in right.items() if arm != "cell")
    yield Measured(values | {"others": others, "gain": final["none"] - final["sequence"]})
    yield _memory_picture(right)
    yield _survival_picture(trained["none"].memory, exam.x, settings, seed)
    yield _text_picture({arm.key: trained[arm.key].unseen for arm in WRITERS})
    fresh = next(_held(core.surgery.SEQUENCES, settings, seed, "surgery"))
    for arm, one in trained.items():
        yield Specimen(arm, *core.surgery.pack(one.memory, fresh.x, fresh.target))


# --- Training ---------------------------------------------------------------------------------------------------


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, Trained]:
    import torch

    lstm, unseen = _lstm(arm, BITS, HELD_UNITS), [math.nan]
    core.cells.chrono(lstm, int(settings["steps"]), core.devices.generator(seed, "spans"))
    memory = core.cells.Reader(lstm, 2**BITS).to(device)
    networks, lessons = [memory], [_memory_lesson(arm, memory, settings, seed, device)]
    if arm != "cell":
        writer, lesson = _text_lesson(arm, unseen, settings, seed, device)
        networks.append(writer)
        lessons.append(lesson)

    def forward() -> tuple[Tensor, Measures]:
        losses, metrics = zip(*(lesson() for lesson in lessons), strict=True)
        return torch.stack(losses).sum(), {name: value for one in metrics for name, value in one.items()}

    def clip() -> float:  # each network by its own norm: they have nothing to do with each other
        return math.hypot(*(core.training.clip_norm(one.parameters(), 1.0) for one in networks))

    parameters = [parameter for one in networks for parameter in one.parameters()]
    optimizer = core.optimizers.Adam(parameters, float(settings["learning_rate"]))
    yield from core.training.train(forward, parameters, optimizer, int(settings["updates"]), clip)
    return Trained(memory, unseen)


def _lstm(arm: str, inputs: int, units: int) -> nn.LSTM:
    """An arm's cell; without masks torch's own will do, which starts from the same weights."""
    import torch

    return torch.nn.LSTM(inputs, units, batch_first=True) if arm == "none" else core.general_cell.GeneralLSTM(inputs, units)


def _masks(arm: str, x: Tensor, units: int, drop: float, generator: torch.Generator) -> dict[str, dict[str, Tensor]]:
    """What a Reader is told beside x (B, T, D): the masks of one pass, of which the arm without dropout has none."""
    if arm == "none":
        return {}
    batch, steps, _ = x.shape
    shape = (batch, units) if arm == "sequence" else (batch, steps, units)
    mask = core.general_cell.dropout_mask(*shape, drop=drop, generator=generator).to(x.device)
    return {"masks": {{"cell": "c", "candidate": "g"}.get(arm, "h"): mask}}


def _held(batch: int, settings: Settings, seed: int, use: str) -> Iterator[core.tasks.Labelled]:
    return core.tasks.recall(batch, int(settings["steps"]), BITS, core.devices.generator(seed, use), noise=NOISE)


def _memory_lesson(arm: str, model: core.cells.Reader, settings: Settings, seed: int, device: str) -> Lesson:
    import torch

    data, draws = _held(HELD_BATCH, settings, seed, "bits"), core.devices.generator(seed, "masks")

    def lesson() -> tuple[Tensor, dict[str, float]]:
        batch = next(data).to(device)
        logits = model(batch.x, None, **_masks(arm, batch.x, HELD_UNITS, float(settings["drop"]), draws))[0][:, -1]
        return torch.nn.functional.cross_entropy(logits, batch.target), {"accuracy": core.probes.accuracy(logits, batch.target)}

    return lesson


@cache
def _english() -> tuple[Tensor, int]:
    """The English text without capitals as codes (N,), and how many different characters it has."""
    text = core.texts.english().lower()
    letters = core.texts.alphabet(text)
    return core.texts.encode(text, letters), len(letters)


def _text_lesson(arm: str, unseen: list[float], settings: Settings, seed: int, device: str) -> tuple[core.cells.Reader, Lesson]:
    """A network for a short piece of text, and its lesson; `unseen` collects the bits a character on other text."""
    import torch

    codes, letters = _english()
    size, place = int(settings["characters"]), core.devices.generator(seed, "place")
    begin = int(torch.randint(0, len(codes) - size, (), generator=place))
    rest = torch.cat([codes[:begin], codes[begin + size :]])
    exam = next(core.tasks.text_windows(rest, UNSEEN, WINDOW, place)).to(device)
    data = core.tasks.text_windows(codes[begin : begin + size], TEXT_BATCH, WINDOW, core.devices.generator(seed, "windows"))
    lstm = _lstm(arm, letters, TEXT_UNITS)
    core.cells.set_forget_bias(lstm, 1.0)
    model = core.cells.Reader(lstm, letters).to(device)
    draws, updates, done = core.devices.generator(seed, "text masks"), int(settings["updates"]), 0

    def bits(batch: core.tasks.Labelled, **how: Mapping[str, Tensor]) -> Tensor:
        logits = model(torch.nn.functional.one_hot(batch.x, letters).float(), None, **how)[0]
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.target.flatten()) / math.log(2)

    def lesson() -> tuple[Tensor, dict[str, float]]:
        nonlocal done
        done += 1
        batch = next(data).to(device)
        loss = bits(batch, **_masks(arm, batch.x[..., None], TEXT_UNITS, float(settings["text_drop"]), draws))
        if done == updates or done % max(1, updates // LOOKS) == 1:
            with core.probes.examining(model):
                unseen.append(float(bits(exam)))
        return loss, {"bits": unseen[-1], "bits_seen": float(loss.detach())}

    return model, lesson


# --- Pictures ---------------------------------------------------------------------------------------------------


def _memory_picture(right: Mapping[str, float]) -> Bars:
    """Accuracy of the memory task by mask."""
    series = [Series(arm.label, arm.role, [0.0], core.probes.rounded([right[arm.key]])) for arm in ARMS]
    message = f"Bits remembered: {right['cell']:.0%} right with masks on c, {right['step']:.0%} with masks on h at each step"
    alt = f"{message}. " + ", ".join(f"{arm.label} {right[arm.key]:.1%}" for arm in ARMS) + f". Guessing gives {2**-BITS:.0%}."
    return Bars("memory", message, alt, "accuracy", ["fresh sequences, no masks"], series, rules=((2**-BITS, "guessing"),))


def _survival_picture(model: core.cells.Reader, x: Tensor, settings: Settings, seed: int) -> Lines:
    """How far masks change the cell of the network trained without them, step by step."""
    import torch

    assert isinstance(model.recurrent, torch.nn.LSTM)
    lstm = core.general_cell.GeneralLSTM.like(model.recurrent)
    clean, drop = lstm.trace(x).c.double(), float(settings["drop"])
    steps = [float(t + 1) for t in range(x.shape[1])]
    series = []
    for arm in ARMS[1:]:
        masked = lstm.trace(x, None, **_masks(arm.key, x, HELD_UNITS, drop, core.devices.generator(seed, "survival"))).c.double()
        likeness = torch.nn.functional.cosine_similarity(clean.transpose(0, 1).flatten(1), masked.transpose(0, 1).flatten(1)).square()
        series.append(Series(arm.label, arm.role, steps, core.probes.plain(likeness)))
    law = Series("(1 − p)ᵗ: never hit", "target", steps, core.probes.rounded([(1 - drop) ** t for t in range(1, x.shape[1] + 1)]), dash=True)
    last = ", ".join(f"{one.label} {one.y[-1]:.2f}" for one in series)
    message = f"Likeness of the cell to itself without masks, after {len(steps)} steps: {series[0].y[-1]:.2f} with masks on c, {series[1].y[-1]:.2f} on h"
    alt = f"{message}. Squared cosine between the cell states with and without masks, in the network trained without. At the end: {last}."
    return Lines("survival", message, alt, "step", [Panel("Likeness of the cell", "squared cosine", [*series, law], y_range=(0.0, 1.0))])


def _text_picture(unseen: Mapping[str, Sequence[float]]) -> Bars:
    """Bits a character on unseen text: at the end, and at the best moment, as early stopping would have it."""
    ends = {arm: bits[-1] for arm, bits in unseen.items()}
    bests = {arm: min([bit for bit in bits if not math.isnan(bit)], default=math.nan) for arm, bits in unseen.items()}
    series = [Series(arm.label, arm.role, [0.0, 1.0], core.probes.rounded([ends[arm.key], bests[arm.key]])) for arm in WRITERS]
    gains = [found["none"] - found["sequence"] for found in (ends, bests)]
    message = f"Unseen text: one mask per sequence saves {gains[0]:.2f} bits a character at the end, {gains[1]:.2f} if each stops at its best"
    alt = f"{message}. At the end and at best: " + ", ".join(f"{arm.label} {ends[arm.key]:.2f} and {bests[arm.key]:.2f}" for arm in WRITERS) + "."
    return Bars("text", message, alt, "bits a character, lower is better", ["at the end", "stopped at its best"], series)


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("cell_accuracy", "memory accuracy, masks on c at each step", "<", 0.6),
    Check("others", "memory accuracy, worst of the other four", ">", 0.65),
    Check("gain", "bits a character saved on unseen text, one mask on h a sequence", ">", 0.05),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    cell, others, gain = (check.median(measured) for check in CHECKS)
    if cell >= 0.6:
        return "harmless"
    if others <= 0.65:
        return "more"
    return "only-c" if gain > 0.05 else "no-gain"


EXPERIMENT = Experiment(
    id="recurrent-dropout",
    number=20,
    title="Where the mask goes",
    claim="A dropout mask drawn anew at every step wipes out an LSTM's memory when it falls on the cell state, and only then: on h or on the "
    "candidate the network still learns to remember. One mask on h for the whole sequence also makes it generalise better from little text.",
    textbook="Recurrent dropout drops recurrent connections, with the same mask at every step, to regularise without losing memory.",
    truths=(
        "The decay by a factor 1 − p at each step belongs to masks on c. What is stored does not run through h, so even fresh masks on h leave it.",
        "Masks are not the only remedy: stopped at its best moment, the network without dropout is much closer to the others.",
        "One mask per sequence is not clearly better than fresh masks on h here: in an LSTM both spare the cell.",
    ),
    limits=(
        "A few hundred characters are very little text, chosen so that the network overfits within seconds. With more text the gain shrinks.",
        "Masks inside the recurrence need a cell of our own: torch.nn.LSTM and its fast kernels have no place for them.",
    ),
    paper=Paper("Gal, Y., Ghahramani, Z.", 2016, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks", "NIPS"),
    asks="Networks have to keep two bits over many steps. While they are trained, a quarter of c, of h or of the candidate g is dropped at every step, or a "
    "quarter of h for the whole sequence. On a little text they must not overfit, with half of it dropped. What happens?",
    predictions=(
        Outcome("only-c", "Only masks on c destroy the memory, and one mask on h per sequence reduces overfitting"),
        Outcome("more", "Fresh masks destroy the memory on h or the candidate g, too: noise at every step adds up"),
        Outcome("harmless", "All of them remember: the network learns to live with the masks"),
        Outcome("no-gain", "Only masks on c destroy the memory, but no overfitting is avoided"),
    ),
    outcome=outcome,
    controls=(
        Number(name="drop", label="Drop rate, memory", help="The share of units that a mask sets to 0.", default=0.25, low=0, high=0.8, step=0.05),
        Number(name="steps", label="Length", help="How long the two bits have to be kept.", default=25, low=4, high=60, whole=True, unit="steps"),
        Number(name="text_drop", label="Drop rate, text", help="The same for the text.", default=0.5, low=0, high=0.8, step=0.05),
        Number(
            name="characters",
            label="Text",
            help="The stretch of English that is learnt; it is examined on other English.",
            default=600,
            low=100,
            high=20000,
            step=100,
            whole=True,
            unit="characters",
        ),
        Number(
            name="updates",
            label="Updates",
            help="Each on 32 fresh sequences, and on 16 windows of the text.",
            default=90,
            low=50,
            high=1000,
            step=10,
            whole=True,
        ),
        Number(name="learning_rate", label="Learning rate", help="Of Adam.", default=0.03, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 10, {"updates": 160})},
    arms=ARMS,
    curves=(
        Curve("accuracy", "memory: accuracy in training, masks on", y_range=(0.0, 1.0), rules=((2**-BITS, "guessing"),)),
        Curve("bits", "text: bits a character, unseen"),
        Curve("bits_seen", "text: bits a character in training, masks on"),
    ),
    checks=CHECKS,
    run=run,
)
