"""Question 1: what an LSTM can learn that a plain RNN cannot, at two distances, and what must be added to make that true.

The adding problem (Hochreiter & Schmidhuber 1997): two of many values are marked, their sum is asked at the end. Over a
short sequence an RNN and an LSTM both learn it. Over a long one the RNN does not, and the LSTM does, if its forget gates
start with time-scales to match (Tallec & Ollivier 2018). A further arm keeps the story honest: the same LSTM with the
usual forget bias. And a control turns the RNN into one of rectified units started at the identity (Le, Jaitly & Hinton
2015), which takes the claim apart.
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
    from torch import Tensor, nn

BATCH, EXAM = 32, 1000  # sequences in an update; fresh sequences in the final measurement
SHOWN = 200  # sequences whose answers are drawn beside the right ones
GAIN = 2.0  # of the input weights at the start: values between 0 and 1 spread by 0.29 only, too little for the usual weights
RELU_RATE = 0.15  # the share of the learning rate that rectified units bear
MEAN_SQUARED = 1 / 6  # the squared error of always answering 1: the variance of a sum of two values uniform on [0, 1]
SOLVED, FAILED, SHORT_SOLVED = 0.03, 0.12, 0.08  # squared errors

ARMS = (
    Arm("short-rnn", "short: RNN", "oracle"),
    Arm("short-lstm", "short: LSTM", "variant"),
    Arm("rnn", "long: RNN", "rnn"),
    Arm("lstm", "long: LSTM, forget biases for this length", "lstm"),
    Arm("plain", "long: LSTM, plain forget bias", "ablated"),
)


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the five arms in turns, then measure and show them."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    models = yield from core.training.interleave(arms, Point, seed, device)
    answers = {arm: _examine(arm, model, settings, seed, device) for arm, model in models.items()}
    errors = {arm: core.probes.error_or_inf(float((given - right).square().mean())) for arm, (given, right) in answers.items()}
    yield Measured({arm.replace("-", "_"): error for arm, error in errors.items()})
    yield _bars_picture(errors, settings)
    yield _answers_picture(answers, errors, settings)
    yield _reach_picture(models, settings, seed)
    for arm in ("lstm", "plain", "short-lstm"):
        fresh = next(core.tasks.adding(core.surgery.SEQUENCES, _steps(arm, settings), core.devices.generator(seed, "surgery")))
        yield Specimen(arm, *core.surgery.pack(models[arm], fresh.x, fresh.target))


def _steps(arm: str, settings: Settings) -> int:
    return int(settings["short" if arm.startswith("short") else "steps"])


def _layer(arm: str, settings: Settings, seed: int) -> nn.RNN | nn.LSTM:
    """The recurrent layer of an arm as it starts."""
    import torch

    layer: nn.RNN | nn.LSTM
    hidden = int(settings["hidden"])
    if arm in {"rnn", "short-rnn"}:
        layer = torch.nn.RNN(2, hidden, batch_first=True, nonlinearity="relu" if settings["rnn"] == "relu" else "tanh")
        if settings["rnn"] == "relu":
            _start_at_the_identity(layer)
    else:
        layer = torch.nn.LSTM(2, hidden, batch_first=True)
        core.cells.set_forget_bias(layer, float(settings["forget_bias"]))
        if arm != "plain":
            core.cells.chrono(layer, _steps(arm, settings), core.devices.generator(seed, "chrono"))
    with torch.no_grad():
        layer.get_parameter("weight_ih_l0").mul_(GAIN)
    return layer


def _start_at_the_identity(rnn: nn.RNN) -> None:
    """Copy what was, add what comes: recurrent matrix the identity, biases 0 (Le et al. 2015, whose input weights are smaller)."""
    import torch

    with torch.no_grad():
        torch.nn.init.eye_(rnn.get_parameter("weight_hh_l0"))
        for name in ("bias_ih_l0", "bias_hh_l0"):
            rnn.get_parameter(name).zero_()


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.cells.Reader]:

    model = core.cells.Reader(_layer(arm, settings, seed), 1).to(device)
    data = core.tasks.adding(BATCH, _steps(arm, settings), core.devices.generator(seed, "adding"))

    def forward() -> tuple[Tensor, Measures]:
        batch = next(data).to(device)
        loss = (model(batch.x)[0][:, -1, 0] - batch.target).square().mean()
        return loss, {"error": float(loss.detach())}

    rate = float(settings["learning_rate"]) * (RELU_RATE if arm in {"rnn", "short-rnn"} and settings["rnn"] == "relu" else 1.0)
    optimizer = core.optimizers.Adam(model.parameters(), rate)
    yield from core.training.train(forward, model.parameters(), optimizer, int(settings["updates"]))
    return model


def _examine(arm: str, model: core.cells.Reader, settings: Settings, seed: int, device: str) -> tuple[Tensor, Tensor]:
    """Answers and right answers (B,) on fresh sequences, on the CPU; all arms of one length get the same."""
    exam = next(core.tasks.adding(EXAM, _steps(arm, settings), core.devices.generator(seed, "exam")))
    with core.probes.examining(model):
        return model(exam.x.to(device))[0][:, -1, 0].cpu(), exam.target


# --- Pictures ---------------------------------------------------------------------------------------------------


def _bars_picture(errors: dict[str, float], settings: Settings) -> Bars:
    """The final errors beside that of always answering the mean."""
    long, short = int(settings["steps"]), int(settings["short"])
    message = f"Over {long} steps: squared error {errors['rnn']:.3f} for the RNN, {errors['lstm']:.3f} for the LSTM"
    alt = f"{message}; always answering the mean costs {MEAN_SQUARED:.3f}. " + ", ".join(f"{arm.label} {errors[arm.key]:.4f}" for arm in ARMS) + "."
    series = [Series(arm.label, arm.role, [0.0], core.probes.rounded([errors[arm.key]])) for arm in ARMS]
    return Bars("errors", message, alt, "squared error", [f"short {short}, long {long} steps"], series, rules=((MEAN_SQUARED, "always the mean"),))


def _answers_picture(answers: dict[str, tuple[Tensor, Tensor]], errors: dict[str, float], settings: Settings) -> Lines:
    """Over the long sequences: what each network answers, from the smallest right sum to the largest."""
    panels, spreads = [], []
    for arm in ARMS[2:]:
        given, right = (one[:SHOWN] for one in answers[arm.key])
        order = right.argsort()
        x = [float(place) for place in range(1, len(order) + 1)]
        series = [Series("right answer", "target", x, core.probes.plain(right[order])), Series(arm.label, arm.role, x, core.probes.plain(given[order]))]
        panels.append(Panel(f"{arm.label}: answers, error {errors[arm.key]:.3f}", "", series, y_range=(-0.2, 2.2)))
        spreads.append(f"{arm.label.removeprefix('long: ').split(',')[0]} {float(answers[arm.key][0].std()):.2f}")
    right = answers["rnn"][1]
    message = f"Spread of the answers: {spreads[0]}, {spreads[1]}; of the right sums {float(right.std()):.2f}"
    alt = f"{message}. {SHOWN} sequences of {int(settings['steps'])} steps, sorted by the right sum, {float(right.mean()):.2f} on average. "
    alt += f"Who answers the same whatever was read has a spread of 0. All spreads: {', '.join(spreads)}."
    return Lines("answers", message, alt, "sequences, by their right sum", panels)


def _reach_picture(models: dict[str, core.cells.Reader], settings: Settings, seed: int) -> Lines:
    """How much of the last answer's gradient each long arm's network sends back how far, once trained."""
    import copy

    import torch

    steps = int(settings["steps"])
    x = next(core.tasks.adding(BATCH, steps, core.devices.generator(seed, "reach"))).x.double()
    cotangent = torch.ones(BATCH, int(settings["hidden"]), dtype=torch.float64)
    series, slopes = [], {}
    for arm in ARMS[2:]:
        layer = copy.deepcopy(models[arm.key].recurrent).double().cpu()
        assert isinstance(layer, torch.nn.LSTM | torch.nn.RNN)
        norms = core.probes.gradients_by_step(layer, x, cotangent)
        series.append(Series(arm.label, arm.role, [float(distance) for distance in range(steps)], core.probes.plain((norms / norms[-1]).flip(0))))
        slopes[arm.key] = core.probes.decades_per_step(norms)
    message = (
        f"After training every step back multiplies the gradient by {10 ** slopes['rnn']:.3f} in the RNN, "
        f"by {10 ** slopes['lstm']:.3f} in the LSTM with forget biases for this length"
    )
    each = ", ".join(f"{arm.label} {10 ** slopes[arm.key]:.3f}" for arm in ARMS[2:])
    alt = f"{message}. Gradient against distance over {steps} steps, logarithmic, relative to the last step. Factor a step: {each}."
    return Lines("reach", message, alt, "steps back from the end", [Panel("Gradient that arrives", "relative to the last step", series, log_y=True)])


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("short_rnn", "squared error of the RNN, short", "<", SHORT_SOLVED),
    Check("short_lstm", "squared error of the LSTM, short", "<", SHORT_SOLVED),
    Check("rnn", "squared error of the RNN, long", ">", FAILED),
    Check("lstm", "squared error of the LSTM, long", "<", SOLVED),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    median = medians(CHECKS, measured)
    if median["lstm"] >= SOLVED:
        return "neither"
    if median["rnn"] <= FAILED:
        return "both"
    return "long-only" if median["short_rnn"] < SHORT_SOLVED else "lstm-everywhere"


EXPERIMENT = Experiment(
    id="lstm-vs-rnn",
    number=1,
    title="Adding two numbers that are far apart",
    claim="Over a short sequence a plain RNN learns to add two marked values as an LSTM does. Over a long one it learns nothing in the same training, while an "
    "LSTM whose forget gates start with long time-scales solves it.",
    textbook="An LSTM is a recurrent network with gates and a cell state, which lets it learn long-range dependencies that a plain RNN cannot.",
    truths=(
        "Gates alone do not do it. The same LSTM with the usual forget bias of 1 mostly fails the long sequences, too, in this training: its cell forgets "
        "a value long before the end. The time-scale it starts with matters as much as having gates.",
        "That RNNs cannot do it is false. An RNN of rectified units that starts as the identity mostly gets clearly below the error of the mean on the long "
        "sequences, without any gate. Choose it in the controls and see what becomes of the claim.",
    ),
    limits=(
        "One small task and one budget of updates. With more of them, or inputs scaled otherwise, the LSTM with the usual forget bias gets there as well.",
        "Two values in a list of random ones: it tells of distance, not of language.",
    ),
    paper=Paper("Hochreiter, S., Schmidhuber, J.", 1997, "Long Short-Term Memory", "Neural Computation 9(8)"),
    asks="Two marked values in a sequence are to be added at its end. A tanh RNN and an LSTM with well-chosen forget biases train on sequences of 10 steps and "
    "of 60. Who learns what?",
    predictions=(
        Outcome("long-only", "Only the LSTM learns the long ones; the RNN learns at least the short ones"),
        Outcome("lstm-everywhere", "Only the LSTM gets anywhere: even 10 steps are too many for the RNN"),
        Outcome("both", "Both learn both; the RNN just takes longer"),
        Outcome("neither", "Neither learns the long ones in so short a training"),
    ),
    outcome=outcome,
    controls=(
        # The bounds do not overlap: a "long" sequence shorter than the "short" one would turn the claim round.
        Number(name="steps", label="Long sequences", help="Steps; one marked value in each half.", default=60, low=30, high=120, whole=True),
        Number(name="short", label="Short sequences", help="Steps; one marked value in each half.", default=10, low=4, high=25, whole=True),
        Number(name="hidden", label="Units", help="Of every network.", default=24, low=4, high=64, whole=True),
        Choice(
            name="rnn",
            label="RNN",
            help="tanh as in the claim, or rectified units that start by copying their state (Le, Jaitly & Hinton 2015).",
            default="tanh",
            options={"tanh": "tanh", "relu": "ReLU, identity start"},
        ),
        Number(
            name="forget_bias",
            label="Forget bias of the plain LSTM",
            help="Its forget gate starts near σ of this: 1 gives 0.73, 3 gives 0.95, 5 gives 0.993.",
            default=1,
            low=-1,
            high=6,
            step=0.5,
        ),
        Number(name="updates", label="Updates", help="Each on 32 fresh sequences.", default=300, low=50, high=3000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam. Rectified units get a smaller one.", default=0.02, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 10, {"updates": 500})},
    arms=ARMS,
    curves=(
        Curve("error", "squared error", log_y=True, rules=((MEAN_SQUARED, "always the mean"), (SOLVED, "solved"))),
        Curve("gradient", "gradient norm before clipping", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
