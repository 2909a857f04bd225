"""Question 6: what tanh buys, shown far beyond the trained length.

Two bits are shown, then noise, and the bits are asked for. LSTMs with different activation functions learn it on short
sequences and are tested on sequences many times as long. With ReLU in the place of tanh nothing bounds h, which is fed
back at every step. Six nets an arm, trained at once in a bank and told apart, and the median net is judged.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
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
    medians,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

NETS, BITS, BATCH, EXAM, CLIP = 6, 2, 24, 120, 1.0  # nets an arm; bits to recall; sequences an update and an exam; norm of a net
CLASSES = 2**BITS

ARMS = (
    Arm("tanh", "tanh, as usual", "lstm"),
    Arm("softsign", "softsign for tanh", "variant"),
    Arm("hard", "hard-sigmoid gates", "second"),
    Arm("relu-out", "ReLU at the output", "ablated"),
    Arm("relu", "ReLU for candidate and output", "rnn"),
)
LABEL = {arm.key: arm.label for arm in ARMS}
DESIGNS: dict[str, dict[str, str]] = {  # what differs from torch.nn.LSTM
    "softsign": {"candidate": "softsign", "output": "softsign"},
    "hard": {"gates": "hard-sigmoid"},
    "relu-out": {"output": "relu"},
    "relu": {"candidate": "relu", "output": "relu"},
}


@dataclass(frozen=True)
class Examined:
    """An arm after training, on sequences of the longest length; what is said after t steps is the answer at length t."""

    accuracy: list[float]  # (T,) of the median net
    loss: float  # at the trained length, nats, of the median net
    h: list[float]  # (T,) largest |h| so far, over nets and sequences; infinite once something is not finite
    c: list[float]  # (T,) largest |c| so far


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the five arms on the same short sequences, then measure them up to the long ones."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    banks = yield from core.training.interleave(arms, Point, seed, device)
    examined = {arm: _examine(bank, settings, seed, device) for arm, bank in banks.items()}
    steps = int(settings["steps"])
    values = {f"{arm}_short": one.accuracy[steps - 1] for arm, one in examined.items()}
    values |= {f"{arm}_long": one.accuracy[-1] for arm, one in examined.items()} | {f"{arm}_h": one.h[-1] for arm, one in examined.items()}
    yield Measured(values)
    yield _accuracy_picture(examined, settings)
    yield _size_picture(examined, settings)
    yield _bars_picture(examined, settings)
    for arm in ("tanh", "relu"):
        yield _specimen(arm, banks[arm], settings, seed, device)


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.banks.Bank]:

    bank = _bank(arm, settings, seed).to(device)
    data = core.tasks.recall(BATCH, int(settings["steps"]), BITS, core.devices.generator(seed, "bits"), noise=float(settings["noise"]))

    def forward() -> tuple[Tensor, Measures]:
        batch = next(data).to(device)
        logits = bank(batch.x)[0][:, -1]  # (B, nets, classes)
        losses = _losses(logits, batch.target)
        return losses.sum(), {"cross_entropy": float(losses.detach().median()), "accuracy": float(_right(logits.detach(), batch.target).median())}

    optimizer = core.optimizers.Adam(bank.parameters(), float(settings["learning_rate"]))
    yield from core.training.train(forward, bank.parameters(), optimizer, int(settings["updates"]), functools.partial(bank.clip_each, CLIP))
    return bank


def _bank(arm: str, settings: Settings, seed: int) -> core.banks.Bank:
    """Six nets; started as torch.nn.LSTM starts a net of this size, the gates for lags up to the trained length."""
    hidden = int(settings["hidden"])
    plain = core.banks.Bank(BITS, NETS, hidden, outputs=CLASSES, bound=hidden**-0.5)
    bank = plain if arm == "tanh" else core.banks.Bank(BITS, NETS, hidden, outputs=CLASSES, make=functools.partial(_make, arm))
    bank.load_state_dict(plain.state_dict())  # the same start for all arms
    core.cells.chrono(bank.recurrent, int(settings["steps"]), core.devices.generator(seed, "chrono"))
    return bank


def _make(arm: str, inputs: int, hidden: int) -> nn.LSTM:
    return core.general_cell.GeneralLSTM(inputs, hidden, core.general_cell.Design(**DESIGNS[arm]))  # type: ignore[arg-type]  # the names are literals above


def _losses(logits: Tensor, target: Tensor) -> Tensor:
    """Each net's cross-entropy (nets,), for logits (B, nets, classes)."""
    import torch

    each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), target[:, None].expand(-1, NETS), reduction="none")
    return each.mean(0)


def _right(logits: Tensor, target: Tensor) -> Tensor:
    """Each net's share of right answers, (…, nets), for logits (B, …, nets, classes). An answer that is not finite is wrong."""
    wanted = target.view(-1, *[1] * (logits.dim() - 2))
    return ((logits.argmax(-1) == wanted) & logits.isfinite().all(-1)).double().mean(0)


def _examine(bank: core.banks.Bank, settings: Settings, seed: int, device: str) -> Examined:
    """Fresh sequences, read once; the same for all arms."""
    import torch

    steps, longest = int(settings["steps"]), int(settings["steps"]) * int(settings["stretch"])
    exam = next(core.tasks.recall(EXAM, longest, BITS, core.devices.generator(seed, "exam"), noise=float(settings["noise"])))
    with core.probes.examining(bank):
        logits = torch.cat([bank(part.to(device))[0].cpu() for part in exam.x.chunk(4)])  # (B, T, nets, classes); in parts, to spare memory
        traced = core.probes.record_gates(bank, exam.x[: EXAM // 4].to(device))
    right = _right(logits, exam.target)  # (T, nets)
    h, c = (part.abs().amax((0, 2)).nan_to_num(math.inf).cummax(0).values for part in (traced.h, traced.c))
    loss = float(_losses(logits[:, steps - 1], exam.target).median())
    return Examined(right.quantile(0.5, dim=1).tolist(), core.probes.error_or_inf(loss), h.tolist(), c.tolist())


def _specimen(arm: str, bank: core.banks.Bank, settings: Settings, seed: int, device: str) -> Specimen:
    """The net of an arm that is best at the trained length, with sequences of the longest."""
    steps, noise = int(settings["steps"]), float(settings["noise"])
    chosen = next(core.tasks.recall(EXAM, steps, BITS, core.devices.generator(seed, "surgery", "choice"), noise=noise)).to(device)
    with core.probes.examining(bank):
        net, _ = core.banks.lowest(_losses(bank(chosen.x)[0][:, -1], chosen.target))
    generator = core.devices.generator(seed, "surgery")
    fresh = next(core.tasks.recall(core.surgery.SEQUENCES, steps * int(settings["stretch"]), BITS, generator, noise=noise))
    return Specimen(arm, *core.surgery.pack(bank.single(net), fresh.x, fresh.target))


# --- Pictures ---------------------------------------------------------------------------------------------------


def _places(values: Sequence[float]) -> list[int]:
    """The lengths to show, at most 100: to the trained length every step, then ever wider apart."""
    longest = len(values)
    return sorted({min(longest, round(longest ** (k / 99))) for k in range(100)})


def _series(examined: Mapping[str, Examined], what: str, *, only_finite: bool = False) -> list[Series]:
    series = []
    for arm in ARMS:
        values: list[float] = getattr(examined[arm.key], what)
        shown = [(float(place), values[place - 1]) for place in _places(values) if not only_finite or 0 < values[place - 1] < math.inf]
        series.append(Series(arm.label, arm.role, [place for place, _ in shown], core.probes.rounded([value for _, value in shown])))
    return series


def _accuracy_picture(examined: Mapping[str, Examined], settings: Settings) -> Lines:
    """Accuracy of the median net against length."""
    steps = int(settings["steps"])
    longest = steps * int(settings["stretch"])
    told = {arm.key: f"{examined[arm.key].accuracy[-1]:.0%}" for arm in ARMS}
    message = f"Trained on {steps} steps, right on {longest}: tanh {told['tanh']}, ReLU at the output {told['relu-out']}, {LABEL['relu']} {told['relu']}"
    each = "; ".join(f"{arm.label} {examined[arm.key].accuracy[steps - 1]:.1%} at {steps}, {examined[arm.key].accuracy[-1]:.1%} at {longest}" for arm in ARMS)
    panel = Panel(
        "Accuracy",
        "median of 6 nets",
        _series(examined, "accuracy"),
        y_range=(0.0, 1.02),
        rules=((1 / CLASSES, "guessing"),),
        events=((float(steps), "trained"),),
    )
    return Lines("length", message, f"{message}. Accuracy against length: {each}.", "length, steps", [panel])


def _size_picture(examined: Mapping[str, Examined], settings: Settings) -> Lines:
    """How large h and c have become by each step."""
    events = ((float(settings["steps"]), "trained"),)
    panels = [
        Panel("Largest |h| so far", "|h|", _series(examined, "h", only_finite=True), log_y=True, rules=((1.0, "bound of tanh"),), events=events),
        Panel("Largest |c| so far", "|c|", _series(examined, "c", only_finite=True), log_y=True, events=events),
    ]
    tanh, relu = examined["tanh"], examined["relu"]
    message = f"With tanh |h| stays at {tanh.h[-1]:.3g} while |c| reaches {tanh.c[-1]:.3g}; with {LABEL['relu']} |h| {_size(relu.h[-1])}"
    each = "; ".join(f"{arm.label}: |h| {_size(examined[arm.key].h[-1])}, |c| {_size(examined[arm.key].c[-1])}" for arm in ARMS)
    alt = f"{message}. Largest absolute values over all nets and sequences by {len(tanh.h)} steps. {each}. What is not finite is not drawn."
    return Lines("size", message, alt, "length, steps", panels)


def _size(value: float) -> str:
    return f"reaches {value:.3g}" if math.isfinite(value) else "overflows"


def _bars_picture(examined: Mapping[str, Examined], settings: Settings) -> Bars:
    """At the trained length there is little to choose."""
    series = [Series(arm.label, arm.role, [0.0], core.probes.rounded([max(examined[arm.key].loss, 1e-9)])) for arm in ARMS]
    steps = int(settings["steps"])
    best = min(ARMS, key=lambda arm: examined[arm.key].loss)
    each = ", ".join(f"{arm.label} {examined[arm.key].loss:.2g}" for arm in ARMS)
    message = f"At the trained length of {steps} steps {best.label} has the lowest loss, {examined[best.key].loss:.2g} nats"
    alt = f"{message}. Loss of the median net on fresh sequences of that length: {each} nats."
    return Bars("loss", message, alt, "loss (nats)", [f"{steps} steps"], series, rules=((math.log(CLASSES), "guessing"),), log_y=True)


# --- Judging ----------------------------------------------------------------------------------------------------

RIGHT, LOST = 0.97, 0.8

CHECKS = (
    Check("tanh_long", "accuracy with tanh, long sequences", ">", RIGHT),
    Check("tanh_h", "largest |h| with tanh (at most 1, but for rounding)", "<", 1.0001),
    Check("relu_short", "accuracy with ReLU, trained length", ">", RIGHT),
    Check("relu_long", "accuracy with ReLU, long sequences", "<", LOST),
    Check("relu_h", "largest |h| with ReLU", ">", 1e3),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    median = medians(CHECKS, measured)
    if median["tanh_long"] <= RIGHT:
        return "all-forget"
    if median["relu_short"] <= RIGHT:
        return "never-learns"
    return "breaks" if median["relu_long"] < LOST else "holds"


EXPERIMENT = Experiment(
    id="activations",
    number=6,
    title="Trained short, tested long",
    claim="An LSTM that learnt on 12 steps to recall two bits still does on 25 times as many, and its h never leaves −1 to 1. With ReLU in the "
    "place of tanh it learns the 12 steps as well, but on the long sequences h explodes and the answers are lost.",
    textbook="Gates use the sigmoid, content uses tanh. ReLU is rare inside the recurrence because it has no upper bound.",
    truths=(
        "At the trained length ReLU for candidate and output is no worse, and on many seeds its loss is the lower one. "
        "What tanh buys is a bound, not a better fit.",
        "The bound is on h. The cell of a standard LSTM is a sum without one, and here it grows with the length: see |c| in the picture.",
        "Tanh is not the only way: softsign is bounded as well, and gates of straight lines (hard-sigmoid) mostly serve as well as the sigmoid.",
        "ReLU at the output alone, with a tanh candidate, grows only in step with the length: nothing overflows, and still the answers suffer.",
    ),
    limits=(
        "A task that only asks to hold two bits. A network that must count needs something that grows, and there a cell without bound is of use.",
        "Trained to the one length. Training on mixed lengths, or a penalty on the size of h, would help the ReLU networks.",
        "An answer that is not finite counts as wrong. So accuracy can fall to 0, below guessing.",
    ),
    paper=Paper(
        "Greff, K., Srivastava, R. K., Koutník, J., Steunebrink, B. R., Schmidhuber, J.",
        2017,
        "LSTM: A search space odyssey",
        "IEEE Transactions on Neural Networks and Learning Systems 28(10)",
    ),
    asks="LSTMs learn to recall two bits after 12 steps of noise, one with tanh as usual, one with ReLU in its place. Both are then tested on 300 "
    "steps. What happens to the one with ReLU?",
    predictions=(
        Outcome("breaks", "It learns the 12 steps as well, but fails on 300"),
        Outcome("holds", "It does as well as tanh, on 12 steps and on 300"),
        Outcome("never-learns", "It does not even learn the 12 steps"),
        Outcome("all-forget", "On 300 steps even the one with tanh has forgotten the bits"),
    ),
    outcome=outcome,
    controls=(
        Number(name="steps", label="Trained length", help="Steps in a training sequence.", default=12, low=3, high=40, whole=True, unit="steps"),
        Number(name="stretch", label="Test length", help="How many times the trained length.", default=25, low=2, high=40, whole=True, unit="times"),
        Number(name="noise", label="Noise", help="Standard deviation of the inputs after the bits, which are −1 or +1.", default=0.5, low=0, high=2, step=0.1),
        Number(name="hidden", label="Units", help="Of each net; six nets an arm.", default=12, low=2, high=24, whole=True),
        Number(name="updates", label="Updates", help="Each on 24 fresh sequences.", default=130, low=50, high=2000, step=10, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam.", default=0.03, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 10, {"updates": 250, "learning_rate": 0.02})},
    arms=ARMS,
    curves=(
        Curve("accuracy", "accuracy of the median net", y_range=(0.0, 1.0), rules=((1 / CLASSES, "guessing"),)),
        Curve("cross_entropy", "loss of the median net (nats)", log_y=True),
        Curve("gradient", "largest gradient norm before clipping", log_y=True, rules=((CLIP, "clipped above"),)),
    ),
    checks=CHECKS,
    run=run,
)
