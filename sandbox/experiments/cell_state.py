"""Question 4: which of its two states an LSTM remembers with, settled by an intervention.

A network sees a few bits and must name them much later. Halfway, two sequences exchange their cell states and keep their
hidden states, or the other way round, and each reads on. Whose bits does it name? This is activation patching, as in
causal studies of larger networks. A linear probe stands beside it for contrast: it tells what can be read from a state,
the exchange tells what the network goes by.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from sandbox import core
from sandbox.protocol import (
    Arm,
    Bars,
    Check,
    Choice,
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
LOOKS, GLANCE = 25, 200  # how often states are exchanged while training, and between how many sequences
PLACES = 20  # steps at which states are exchanged for the second picture
RIDGE = 1e-4  # keeps the probe's equations solvable when a unit never moves

ARMS = (Arm("lstm", "LSTM", "lstm"),)

Surgery = Literal["nothing", "c", "h", "both", "no-c", "no-h"]
SURGERIES: dict[Surgery, str] = {
    "nothing": "nothing done",
    "c": "c swapped",
    "h": "h swapped",
    "both": "both swapped",
    "no-c": "c set to\u00a00",
    "no-h": "h set to\u00a00",
}


class Answers(NamedTuple):
    """Whose bits were named after the surgery, as shares of the pairs whose bits differ."""

    own: float
    donor: float


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train one network, then exchange its states between sequences in every way."""
    arms = {arm.key: _train(settings, seed, device) for arm in ARMS}
    model = (yield from core.training.interleave(arms, Point, seed, device))["lstm"]
    exam = next(_data(EXAM, settings, seed, "exam")).to(device)
    with core.probes.examining(model):
        accuracy = core.probes.accuracy(model(exam.x)[0][:, -1], exam.target)
        answers = {surgery: _answers_after(surgery, model, exam, _halfway(settings)) for surgery in SURGERIES}
    trace = core.probes.record_gates(model, exam.x)
    bits = exam.x[:, 0, :-1].cpu()  # (B, bits), −1 or +1
    probed = {name: _readable(states[:, _halfway(settings) - 1], bits) for name, states in (("c", trace.c), ("h", trace.h))}
    values = {"accuracy": accuracy, "c_donor": answers["c"].donor, "h_own": answers["h"].own, "h_donor": answers["h"].donor}
    yield Measured(values | {"no_c_own": answers["no-c"].own, "probe_c": probed["c"], "probe_h": probed["h"]})
    yield _surgery_picture(answers, settings)
    yield _places_picture(model, exam, settings)
    yield _probe_picture(trace, bits, settings)
    fresh = next(_data(core.surgery.SEQUENCES, settings, seed, "surgery"))
    yield Specimen("lstm", *core.surgery.pack(model, fresh.x, fresh.target))


def _train(settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.cells.Reader]:
    import torch

    bits, steps, updates = int(settings["bits"]), int(settings["steps"]), int(settings["updates"])
    lstm = torch.nn.LSTM(bits + 1, int(settings["hidden"]), batch_first=True)
    core.cells.set_forget_bias(lstm, 1.0)
    if settings["start"] == "chrono":
        core.cells.chrono(lstm, steps, core.devices.generator(seed, "chrono"))
    model = core.cells.Reader(lstm, 2**bits).to(device)
    data, glance = _data(BATCH, settings, seed, "bits"), next(_data(GLANCE, settings, seed, "glance")).to(device)
    done, seen = 0, {"c_donor": 0.0, "h_own": 0.0}

    def forward() -> tuple[Tensor, Measures]:
        nonlocal done, seen
        if done % max(1, updates // LOOKS) == 0:
            with core.probes.examining(model):
                seen = {
                    "c_donor": _answers_after("c", model, glance, _halfway(settings)).donor,
                    "h_own": _answers_after("h", model, glance, _halfway(settings)).own,
                }
        done += 1
        batch = next(data).to(device)
        logits = model(batch.x)[0][:, -1]  # (B, classes)
        loss = torch.nn.functional.cross_entropy(logits, batch.target)
        return loss, {"accuracy": core.probes.accuracy(logits, batch.target), **seen}

    optimizer = core.optimizers.Adam(model.parameters(), float(settings["learning_rate"]))
    yield from core.training.train(forward, model.parameters(), optimizer, updates)
    return model


def _data(batch: int, settings: Settings, seed: int, use: str) -> Iterator[core.tasks.Labelled]:
    """Bits at the first step, each in a channel of its own, and one more channel of noise that lasts as long as the sequence."""
    import torch

    noise = core.devices.generator(seed, use, "noise")
    for x, target in core.tasks.recall(batch, int(settings["steps"]), int(settings["bits"]), core.devices.generator(seed, use)):
        random = torch.randn(*x.shape[:2], 1, generator=noise) * float(settings["noise"])
        yield core.tasks.Labelled(torch.cat([x, random], 2), target)


def _halfway(settings: Settings) -> int:
    """The number of steps read before the exchange: at least 1, and at least 1 is left."""
    steps = int(settings["steps"])
    return min(steps - 1, max(1, round(float(settings["when"]) * steps)))


# --- Surgery ----------------------------------------------------------------------------------------------------


def _answers_after(surgery: Surgery, model: core.cells.Reader, exam: core.tasks.Labelled, at: int) -> Answers:
    """Read `at` steps, operate on the states, read the rest. Every sequence's donor is the one before it."""
    _, (h, c) = model(exam.x[:, :at])  # each (1, B, H)
    if surgery in {"h", "both"}:
        h = h.roll(1, 1)
    if surgery in {"c", "both"}:
        c = c.roll(1, 1)
    h, c = h * (surgery != "no-h"), c * (surgery != "no-c")
    logits = model(exam.x[:, at:], (h, c))[0][:, -1]
    donor = exam.target.roll(1)
    differ = donor != exam.target
    return Answers(*(core.probes.accuracy(logits[differ], target[differ]) for target in (exam.target, donor)))


def _readable(states: Tensor, bits: Tensor) -> float:
    """The share of sequences whose bits (B, bits) a linear probe reads from states (B, H): fitted on one half, tested on the other."""
    import torch

    ones = torch.ones(len(states), 1, dtype=torch.float64)
    known = torch.cat([states.double(), ones], 1).nan_to_num()  # (B, H + 1)
    half = len(known) // 2
    fit, truth = known[:half], bits[:half].double()
    weights = torch.linalg.solve(fit.T @ fit + RIDGE * torch.eye(known.shape[1], dtype=torch.float64), fit.T @ truth)
    right = (known[half:] @ weights > 0) == (bits[half:] > 0)
    return float(right.all(1).double().mean())


# --- Pictures ---------------------------------------------------------------------------------------------------


def _surgery_picture(answers: dict[Surgery, Answers], settings: Settings) -> Bars:
    """Whose bits are named after each surgery."""
    groups = [float(group) for group in range(len(answers))]
    series = [
        Series("names its own bits", "lstm", groups, core.probes.rounded([one.own for one in answers.values()])),
        Series("names the donor's bits", "remedy", groups, core.probes.rounded([one.donor for one in answers.values()])),
    ]
    message = f"With c swapped it names the donor's bits in {100 * answers['c'].donor:.3g} % of cases, with h swapped its own in {100 * answers['h'].own:.3g} %"
    each = "; ".join(f"{SURGERIES[surgery]}: own {one.own:.1%}, donor's {one.donor:.1%}" for surgery, one in answers.items())
    chance = 0.5 ** int(settings["bits"])
    alt = f"Whose bits the network names after a swap, that is an exchange, of states at step {_halfway(settings)}, over pairs whose bits differ. {each}."
    return Bars("surgery", message, alt, "share of answers", [SURGERIES[surgery] for surgery in answers], series, rules=((chance, "chance"),))


def _places_picture(model: core.cells.Reader, exam: core.tasks.Labelled, settings: Settings) -> Lines:
    """The same exchanges, at other steps."""
    steps = int(settings["steps"])
    places = sorted({max(1, round(place * (steps - 1) / PLACES)) for place in range(1, PLACES + 1)})
    with core.probes.examining(model):
        by_c = [_answers_after("c", model, exam, at).donor for at in places]
        by_h = [_answers_after("h", model, exam, at).own for at in places]
    x = [float(at) for at in places]
    series = [
        Series("c exchanged: names the donor's bits", "c", x, core.probes.rounded(by_c)),
        Series("h exchanged: names its own bits", "h", x, core.probes.rounded(by_h), dash=True),
    ]
    ends = f"after the first c decides {by_c[0]:.1%}, after the last {by_c[-1]:.1%}"
    message = (
        f"Wherever the states are exchanged, the donor's bits are named in at least {min(by_c):.0%} of cases with c exchanged, "
        f"its own in at least {min(by_h):.0%} with h exchanged"
    )
    alt = f"{message}. Exchanged after {places[0]} to {places[-1]} of {steps} steps: {ends}."
    return Lines("places", message, alt, "steps read before the exchange", [Panel("Whose bits are named", "share of answers", series, y_range=(0.0, 1.0))])


def _probe_picture(trace: core.cells.Trace, bits: Tensor, settings: Settings) -> Lines:
    """What a linear probe reads from each state, step by step, above the output gate."""
    steps = trace.c.shape[1]
    x = [float(step) for step in range(1, steps + 1)]
    readable = {name: [_readable(states[:, step], bits) for step in range(steps)] for name, states in (("c", trace.c), ("h", trace.h))}
    gate = trace.o.mean((0, 2))  # (T,)
    at = _halfway(settings)
    from_c, from_h = readable["c"][at - 1], readable["h"][at - 1]
    message = f"At step {at} a linear probe reads the bits from c in {100 * from_c:.3g} % of sequences and from h in {100 * from_h:.3g} %"
    alt = f"{message}. Which of them decides the answer only the exchange tells. The output gate is {gate.mean():.2f} on average: so far open is h to the cell."
    panels = [
        Panel(
            "All bits read rightly by a linear probe",
            "share",
            [Series(f"from {k}", k, x, core.probes.rounded(v), dash=k == "h") for k, v in readable.items()],
            y_range=(0.0, 1.0),
        ),
        Panel("Output gate, mean over units", "o", [Series("o gate", "o", x, core.probes.plain(gate), steps=True)], y_range=(0.0, 1.0)),
    ]
    return Lines("probe", message, alt, "step", panels)


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("accuracy", "accuracy, nothing done", ">", 0.9),
    Check("c_donor", "c exchanged: names the donor's bits", ">", 0.9),
    Check("h_own", "h exchanged: names its own bits", ">", 0.9),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    accuracy, c_donor, h_own = (check.median(measured) for check in CHECKS)
    if accuracy <= CHECKS[0].threshold:
        return "guesses"
    if c_donor > CHECKS[1].threshold and h_own > CHECKS[2].threshold:
        return "cell"
    return "hidden" if c_donor < 0.5 and h_own < 0.5 else "between"


EXPERIMENT = Experiment(
    id="cell-state",
    number=4,
    title="Two sequences exchange their memories",
    claim="What an LSTM goes by when it remembers is its cell state: exchange c between two sequences halfway and each names the other's bits; "
    "exchange h instead and each goes on naming its own.",
    textbook="The cell state is the memory of the LSTM; the hidden state is its output.",
    truths=(
        "The neat sentence that c stores and h only shows is wrong: a linear probe reads the bits from h nearly as well as from c, as the output gate is "
        "mostly open. Being readable is not being used; only the exchange tells the two apart.",
        "h is no mere display, either. With c set to 0 halfway, more answers are right than by chance, in some runs nearly all: the gates read h and write "
        "the memory anew, as far as they can.",
    ),
    limits=(
        "One small network on one task. Where the output gate shuts, or the network is wide, c and h may share the work in another way.",
        "An exchange puts together states that never occur together in training. A network could react to "
        "that oddity; here it does not, as its answers stay clean.",
    ),
    paper=Paper("Hochreiter, S., Schmidhuber, J.", 1997, "Long Short-Term Memory", "Neural Computation 9(8)"),
    asks="A trained LSTM holds bits in memory, each sequence its own. Halfway, two sequences exchange their cell states but keep their hidden states, "
    "then read on. Whose bits does each name at the end? And when they exchange h instead?",
    predictions=(
        Outcome("cell", "It follows the cell: the other's bits with c exchanged, its own with h exchanged"),
        Outcome("hidden", "It follows the hidden state: that is what the gates and the read-out see"),
        Outcome("between", "Neither clearly: the memory is spread over both, the exchange garbles it"),
        Outcome("guesses", "Even untouched it does not remember the bits through all that noise"),
    ),
    outcome=outcome,
    controls=(
        Number(name="bits", label="Bits to remember", help="Shown at the first step; two to this power answers.", default=3, low=1, high=4, whole=True),
        Number(name="steps", label="Length", help="Steps from the bits to the answer.", default=40, low=5, high=80, whole=True),
        Number(
            name="noise",
            label="Noise",
            help="Standard deviation of the channel that chatters on while the bits, −1 or +1, are to be kept.",
            default=0.5,
            low=0,
            high=2,
            step=0.1,
        ),
        Number(name="when", label="Exchange after", help="Which share of the sequence is read before it.", default=0.5, low=0.05, high=0.95, step=0.05),
        Number(name="hidden", label="Units", help="Cells of the network.", default=20, low=1, high=48, whole=True),
        Choice(
            name="start",
            label="Gates at the start",
            help="chrono draws forget biases for lags up to the length (Tallec & Ollivier 2018); without it this lag is hard to learn.",
            default="chrono",
            options={"chrono": "chrono", "one": "forget bias 1"},
        ),
        Number(name="updates", label="Updates", help="Each on 32 fresh sequences.", default=700, low=50, high=3000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam.", default=0.01, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3, {"updates": 500}), "thorough": Preset("Thorough", 10, {"updates": 1000, "learning_rate": 0.005})},
    arms=ARMS,
    curves=(
        Curve("accuracy", "accuracy", y_range=(0.0, 1.0)),
        Curve("c_donor", "c exchanged: share naming the donor's bits", y_range=(0.0, 1.0)),
        Curve("h_own", "h exchanged: share naming their own bits", y_range=(0.0, 1.0)),
        Curve("loss", "loss (nats)"),
    ),
    checks=CHECKS,
    run=run,
)
