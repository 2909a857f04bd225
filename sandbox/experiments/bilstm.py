"""Question 15: reading both ways, and what can stand in for it.

Each step's label is made of the bit some steps back and the bit as many steps ahead. Who reads one way has, at
that step, one of the two bits and must guess the other: 50 % is an exact ceiling, not a matter of training. A
bidirectional LSTM (Graves & Schmidhuber 2005) has both, and so has a forward LSTM that answers late.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING

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
    medians,
)

if TYPE_CHECKING:
    from torch import Tensor

BATCH, STEPS, EXAM = 64, 30, 500  # sequences in an update; their length; sequences in the final measurement
CEILING = 0.5

ARMS = (
    Arm("forward", "LSTM reading forward", "lstm"),
    Arm("backward", "LSTM reading backward", "ablated"),
    Arm("delayed", "forward, answering late", "remedy"),
    Arm("both", "BiLSTM", "variant"),
)


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the four arms on the same bits, then measure and show them."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    models = yield from core.training.interleave(arms, Point, seed, device)
    values = {arm: _examine(arm, model, settings, seed, device) for arm, model in models.items()}
    yield Measured(values)
    yield _bars_picture(values)
    yield _look_ahead_picture(models["both"], settings, seed, device)
    if int(settings["layers"]) == 1:  # surgery is on one layer that reads one way
        fresh = next(_data(core.surgery.SEQUENCES, settings, seed, "surgery"))
        for arm in ("delayed", "forward"):
            yield _specimen(arm, models[arm], fresh, settings)


def _specimen(arm: str, model: core.cells.Reader, fresh: core.tasks.Labelled, settings: Settings) -> Specimen:
    """A one-way network with sequences to operate on; the late one is asked `delay` steps later."""
    from torch.nn.functional import pad

    delay = int(settings["delay"]) if arm == "delayed" else 0
    return Specimen(arm, *core.surgery.pack(model, pad(fresh.x, (0, 0, 0, delay)), pad(fresh.target, (delay, 0), value=core.tasks.IGNORED)))


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.cells.Reader]:
    import torch

    both = arm == "both"
    model = _network(_matching_size(settings) if both else int(settings["hidden"]), both, settings).to(device)
    data = _data(BATCH, settings, seed, "bits")

    def forward() -> tuple[Tensor, Measures]:
        batch = next(data).to(device)
        logits = _answers(arm, model, batch.x, settings)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.target.flatten(), ignore_index=core.tasks.IGNORED)
        return loss, {"accuracy": core.probes.accuracy(logits, batch.target)}

    optimizer = core.optimizers.Adam(model.parameters(), float(settings["learning_rate"]))
    yield from core.training.train(forward, model.parameters(), optimizer, int(settings["updates"]))
    return model


def _answers(arm: str, model: core.cells.Reader, x: Tensor, settings: Settings) -> Tensor:
    """The answer for every step t of x (B, T, 1), wherever the network gives it: (B, T, classes)."""
    import torch

    delay = int(settings["delay"]) if arm == "delayed" else 0
    # Blank steps at the end, so that the last answers can be late, too.
    read = x.flip(1) if arm == "backward" else torch.nn.functional.pad(x, (0, 0, 0, delay))
    answers: Tensor = model(read)[0]
    return answers.flip(1) if arm == "backward" else answers[:, delay:]


def _data(batch: int, settings: Settings, seed: int, use: str) -> Iterator[core.tasks.Labelled]:
    return core.tasks.past_and_future(batch, STEPS, int(settings["reach"]), core.devices.generator(seed, use), xor=settings["rule"] == "xor")


def _classes(settings: Settings) -> int:
    return 2 if settings["rule"] == "xor" else 4


def _network(size: int, both: bool, settings: Settings) -> core.cells.Reader:
    import torch

    lstm = torch.nn.LSTM(1, size, int(settings["layers"]), batch_first=True, bidirectional=both)
    core.cells.set_forget_bias(lstm, 1.0)
    return core.cells.Reader(lstm, _classes(settings))


def _matching_size(settings: Settings) -> int:
    """The units per direction that give the BiLSTM as many parameters as the one-way LSTMs, or just fewer."""
    import torch

    def parameters(size: int, both: bool) -> int:
        with torch.device("meta"):  # only counted: no memory, no random numbers
            return core.cells.count_parameters(_network(size, both, settings))

    hidden = int(settings["hidden"])
    budget = parameters(hidden, both=False)
    return next(size for size in range(hidden, 0, -1) if size == 1 or parameters(size, both=True) <= budget)


def _examine(arm: str, model: core.cells.Reader, settings: Settings, seed: int, device: str) -> float:
    """The accuracy on fresh sequences, the same for all arms."""
    import torch

    exam = next(_data(EXAM, settings, seed, "exam")).to(device)
    with torch.no_grad():
        return core.probes.accuracy(_answers(arm, model, exam.x, settings), exam.target)


# --- Pictures ---------------------------------------------------------------------------------------------------


def _bars_picture(values: Measures) -> Bars:
    """The final accuracies beside the ceiling for one direction."""
    accuracies = core.probes.rounded([values[arm.key] for arm in ARMS])
    beyond = [arm.label for arm in ARMS if values[arm.key] > CEILING + 0.1]
    message = f"Beyond the one-way ceiling of 50 %: {' and '.join(beyond) if beyond else 'none of the four'}"
    alt = "Accuracy on fresh sequences: " + ", ".join(f"{arm.label} {values[arm.key]:.1%}" for arm in ARMS) + f". {message}."
    series = [Series(arm.label, arm.role, [0.0], [accuracy]) for arm, accuracy in zip(ARMS, accuracies, strict=True)]
    return Bars("accuracy", message, alt, "accuracy", ["fresh sequences"], series, rules=((CEILING, "ceiling for one direction"),))


def _look_ahead_picture(model: core.cells.Reader, settings: Settings, seed: int, device: str) -> Lines:
    """The trained BiLSTM's accuracy at one step when the sequence ends k steps later."""
    import torch

    reach, middle = int(settings["reach"]), STEPS // 2
    exam = next(_data(EXAM, settings, seed, "look-ahead")).to(device)
    aheads = range(reach + 3)
    with torch.no_grad():
        seen = [model(exam.x[:, : middle + ahead + 1])[0][:, middle] for ahead in aheads]  # each (B, classes)
    accuracies = core.probes.rounded([core.probes.accuracy(logits, exam.target[:, middle]) for logits in seen])
    before, at = max(accuracies[:reach]), accuracies[reach]
    message = f"The BiLSTM is right {at:.0%} of the time with {reach} step{'s' * (reach > 1)} of look-ahead, at most {before:.0%} with fewer"
    alt = message + ". By look-ahead: " + ", ".join(f"{ahead}: {accuracy:.0%}" for ahead, accuracy in zip(aheads, accuracies, strict=True)) + "."
    series = Series("BiLSTM, sequence cut off", "variant", [float(ahead) for ahead in aheads], accuracies)
    panel = Panel("Accuracy", "accuracy", [series], y_range=(0.0, 1.0), rules=((CEILING, "ceiling for one direction"),), events=((float(reach), "needed"),))
    return Lines("look-ahead", message, alt, "steps it may look ahead", [panel])


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("both", "accuracy of the BiLSTM", ">", 0.95),
    Check("forward", "accuracy reading forward", "<", 0.6),
    Check("backward", "accuracy reading backward", "<", 0.6),
    Check("delayed", "accuracy reading forward, answering late", ">", 0.95),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    median = medians(CHECKS, measured)
    if max(median["forward"], median["backward"]) >= 0.6:
        return "all"
    if median["both"] <= 0.95:
        return "none"
    return "both-and-late" if median["delayed"] > 0.95 else "only-both"


EXPERIMENT = Experiment(
    id="bilstm",
    number=15,
    title="A label that needs the past and the future",
    claim="When a label depends on a later input, an LSTM reading one way is stuck at guessing the missing bit, in either direction. "
    "A BiLSTM of the same size gets it, and so does a forward LSTM that may answer a few steps late.",
    textbook="A bidirectional LSTM reads the sequence in both directions, so every output sees past and future context.",
    truths=(
        "A small delay of the answer can replace the second direction. Set it below the reach and the forward LSTM is back at the ceiling.",
        "The ceiling is exact: the missing bit is an independent coin. No width, depth or training time lifts it.",
        "Set the label to XOR and the BiLSTM falls to 50 %, while the late forward one still succeeds: each direction knows one bit, they meet "
        "only in a linear read-out, and that cannot form an XOR. A second layer, which reads both directions, can.",
    ),
    limits=(
        "The look-ahead needed is known and short here. In language it is neither, which is why both directions are read there.",
        "A BiLSTM needs the whole sequence first: it cannot forecast, nor answer while the input is still coming in.",
    ),
    paper=Paper(
        "Graves, A., Schmidhuber, J.",
        2005,
        "Framewise phoneme classification with bidirectional LSTM and other neural network architectures",
        "Neural Networks 18",
    ),
    asks="Every step's label is made of the bit 3 steps back and the bit 3 steps ahead, all bits random. Four networks of equal size: forward, "
    "backward, forward answering 3 steps late, and bidirectional. Which get clearly beyond half right?",
    predictions=(
        Outcome("only-both", "Only the BiLSTM"),
        Outcome("both-and-late", "The BiLSTM and the forward one that answers late"),
        Outcome("all", "A one-way network, too: it infers the rest from context"),
        Outcome("none", "Not even the BiLSTM gets nearly all right"),
    ),
    outcome=outcome,
    controls=(
        Number(name="reach", label="Reach", help="How far back and ahead the label's two bits are.", default=3, low=1, high=6, whole=True, unit="steps"),
        Number(name="delay", label="Delay", help="How late the late forward LSTM answers.", default=3, low=0, high=6, whole=True, unit="steps"),
        Choice(
            name="rule",
            label="Label",
            help="The pair of bits (4 classes) or whether they differ (2 classes). One direction is right at most half of the time in both.",
            default="pair",
            options={"pair": "the pair of bits", "xor": "XOR: do they differ?"},
        ),
        Number(
            name="hidden",
            label="Units",
            help="Of each one-way LSTM; the BiLSTM gets fewer a direction, for the same size.",
            default=32,
            low=4,
            high=64,
            whole=True,
        ),
        Number(
            name="layers",
            label="Layers",
            help="From the second on, a BiLSTM's layer reads both directions of the one below.",
            default=1,
            low=1,
            high=2,
            whole=True,
        ),
        Number(name="updates", label="Updates", help="Each on 64 fresh sequences of 30 bits.", default=200, low=50, high=2000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam.", default=0.01, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3, {"updates": 100, "learning_rate": 0.015}), "thorough": Preset("Thorough", 10, {"updates": 300})},
    arms=ARMS,
    curves=(
        Curve("accuracy", "accuracy", y_range=(0.0, 1.0), rules=((CEILING, "ceiling for one direction"),)),
        Curve("loss", "loss (nats)"),
        Curve("gradient", "gradient norm before clipping", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
