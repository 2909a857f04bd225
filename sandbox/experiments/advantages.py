"""Question 13: what gates gain over a plain recurrence, and where they gain nothing.

An LSTM and a tanh RNN of equally many recurrent parameters meet on up to four tasks: telling in which order two events
came, adding two marked numbers, echoing a symbol after two steps, and, if asked for, predicting English letter by letter.
A GRU joins in the adding, and an RNN that starts orthogonal in the order: the plain RNN's trouble is partly a matter of
its start. Each network of an arm has a task of its own; they share nothing but the turns they take.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from sandbox import core
from sandbox.protocol import (
    Arm,
    Bars,
    Check,
    Choice,
    Curve,
    Experiment,
    Measured,
    Measures,
    Number,
    Outcome,
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
    import torch
    from torch import Tensor, nn

BATCH, EXAM = 32, 500  # sequences in an update; fresh sequences in the final measurement
ECHO_STEPS, ECHO_LAG, ECHO_SYMBOLS = 12, 2, 5
WINDOW = 25  # characters of a piece of text
SHARE = {"order": 0.7, "adding": 1.0, "echo": 0.4, "text": 0.5}  # of the updates: the adding takes longest to learn
TIMED = 20  # passes of which the shortest counts
GAIN = 2.0  # of the gated networks' input weights where they start with long time-scales: their inputs are small or rare there
ARMS = (
    Arm("lstm", "LSTM", "lstm"),
    Arm("rnn", "plain RNN", "rnn"),
    Arm("gru", "GRU", "variant"),
    Arm("orthogonal", "RNN, orthogonal start", "remedy"),
)
BLOCKS = {"lstm": 4, "rnn": 1, "gru": 3, "orthogonal": 1}  # gates and candidate: the matrices of a unit


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train every arm on its tasks, then measure each on fresh sequences."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    trained = yield from core.training.interleave(arms, Point, seed, device)
    values = {f"{arm}_{task}": _examine(task, model, settings, seed, device) for arm, models in trained.items() for task, model in models.items()}
    units = {arm: models["order" if "order" in models else "adding"].recurrent.hidden_size for arm, models in trained.items()}
    clock = _clock({arm: trained[arm]["order"] for arm in ("lstm", "rnn")}, settings, seed, device)
    yield Measured(values | clock)
    yield _accuracy_picture(values, units, settings)
    yield _adding_picture(values, settings)
    yield _clock_picture(clock, units, settings)
    if settings["text"] == "yes":
        yield _text_picture(values, settings)
    fresh = next(_data("order", core.surgery.SEQUENCES, settings, seed, "surgery"))
    yield Specimen("lstm", *core.surgery.pack(trained["lstm"]["order"], fresh.x, fresh.target))


def _tasks(arm: str, settings: Settings) -> tuple[str, ...]:
    """What an arm is trained on: the GRU and the orthogonal RNN only where they have something to add."""
    if arm in ("gru", "orthogonal"):
        return ("adding",) if arm == "gru" else ("order",)
    return ("order", "adding", "echo", "text") if settings["text"] == "yes" else ("order", "adding", "echo")


def _examine(task: str, model: core.cells.Reader, settings: Settings, seed: int, device: str) -> float:
    """On fresh sequences: accuracy, for adding the error's share of the variance, for text bits a character."""
    exam = next(_data(task, EXAM, settings, seed, "exam")).to(device)
    with core.probes.examining(model):
        loss, accuracy = _judge(task, model, exam)
    return accuracy if task in ("order", "echo") else core.probes.error_or_inf(float(loss))


def _clock(models: Mapping[str, core.cells.Reader], settings: Settings, seed: int, device: str) -> dict[str, float]:
    """Milliseconds of a forward and backward pass over a batch of the order task, the shortest of many. No rule judges them."""
    import torch

    batch = next(_data("order", BATCH, settings, seed, "clock")).to(device)

    def passing(model: core.cells.Reader) -> None:
        model.zero_grad()
        _judge("order", model, batch)[0].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if device == "cuda":  # which only begins when it is told to
            torch.cuda.synchronize()

    seconds = core.costs.shortest([functools.partial(passing, model) for model in models.values()], TIMED)
    return {f"clock_{arm}": 1000 * one for arm, one in zip(models, seconds, strict=True)}


def _data(task: str, batch: int, settings: Settings, seed: int, use: str) -> Iterator[core.tasks.Labelled]:
    generator = core.devices.generator(seed, use, task)
    if task == "order":
        return core.tasks.temporal_order(batch, int(settings["order_steps"]), generator)
    if task == "adding":
        return core.tasks.adding(batch, int(settings["adding_steps"]), generator)
    if task == "echo":
        return core.tasks.echo(batch, ECHO_STEPS, ECHO_LAG, ECHO_SYMBOLS, generator)
    return core.tasks.text_windows(_english()[0], batch, WINDOW, generator)


@cache
def _english() -> tuple[Tensor, int]:
    text = core.texts.english()
    letters = core.texts.alphabet(text)
    return core.texts.encode(text, letters), len(letters)


def _sizes(task: str) -> tuple[int, int]:
    """Inputs and outputs of a task's network."""
    if task == "text":
        return _english()[1], _english()[1]
    return {"order": (core.tasks.ORDER_SYMBOLS, core.tasks.ORDER_CLASSES), "adding": (2, 1), "echo": (ECHO_SYMBOLS, ECHO_SYMBOLS)}[task]


def _network(arm: str, task: str, settings: Settings, seed: int) -> core.cells.Reader:
    """An arm's network for a task as it starts."""
    import torch

    inputs, outputs = _sizes(task)
    units = _units(arm, inputs, int(settings["parameters"]))
    kind: type[nn.LSTM | nn.RNN | nn.GRU] = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}.get(arm, torch.nn.RNN)
    recurrent = kind(inputs, units, batch_first=True)
    lag = {"order": int(settings["order_steps"]), "adding": int(settings["adding_steps"])}.get(task)
    spans = core.devices.generator(seed, "spans", task)
    if isinstance(recurrent, torch.nn.LSTM):
        if lag:
            core.cells.chrono(recurrent, lag, spans)
        else:
            core.cells.set_forget_bias(recurrent, 1.0)
    elif arm == "gru" and lag:
        _keep_for(recurrent, lag, spans)
    elif arm == "orthogonal":
        core.cells.orthogonal(recurrent, 1.0)
    if arm in ("lstm", "gru") and lag:
        with torch.no_grad():
            recurrent.get_parameter("weight_ih_l0").mul_(GAIN)
    return core.cells.Reader(recurrent, outputs)


def _units(arm: str, inputs: int, budget: int) -> int:
    """As wide as a budget of recurrent parameters allows, one unit at least: each block has W, U and torch's two biases."""
    blocks, units = BLOCKS[arm], 1
    while blocks * (units + 1) * (units + 1 + inputs + 2) <= budget:
        units += 1
    return units


def _keep_for(gru: nn.RNNBase, longest_lag: int, generator: torch.Generator) -> None:
    """What `core.cells.chrono` does, for torch's GRU: its update gate, the second of three blocks, is what keeps the state."""
    import torch

    units = gru.hidden_size
    with torch.no_grad():
        spans = 1.0 + torch.rand(units, generator=generator) * (longest_lag - 2)
        gru.get_parameter("bias_ih_l0")[units : 2 * units] = spans.log()
        gru.get_parameter("bias_hh_l0")[units : 2 * units] = 0.0


def _judge(task: str, model: core.cells.Reader, batch: core.tasks.Labelled) -> tuple[Tensor, float]:
    """Loss (NMSE for adding, bits for text, nats else) and accuracy (NaN for adding)."""
    from torch.nn import functional as F

    x = F.one_hot(batch.x, _english()[1]).float() if task == "text" else batch.x
    answers, _ = model(x)
    if task == "adding":
        return F.mse_loss(answers[:, -1, 0], batch.target) / core.tasks.ADDING_VARIANCE, math.nan
    logits = answers[:, -1] if task == "order" else answers
    loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), batch.target.reshape(-1), ignore_index=core.tasks.IGNORED)
    return loss / (math.log(2) if task == "text" else 1), core.probes.accuracy(logits, batch.target)


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, dict[str, core.cells.Reader]]:
    """Train an arm's networks side by side; those with a smaller share of the updates stop earlier."""
    import torch

    models = {task: _network(arm, task, settings, seed).to(device) for task in _tasks(arm, settings)}
    data = {task: _data(task, BATCH, settings, seed, "training") for task in models}
    updates, done, shown = int(settings["updates"]), 0, dict.fromkeys(models, math.nan)

    def forward() -> tuple[Tensor, Measures]:
        nonlocal done
        losses = []
        for task, model in models.items():
            if done < SHARE[task] * updates:
                loss, share = _judge(task, model, next(data[task]).to(device))
                losses.append(loss)
                shown[task] = share if task in ("order", "echo") else float(loss.detach())
        done += 1
        return torch.stack(losses).sum(), dict(shown)

    def clip() -> float:  # each network by its own norm; the norm of all together is shown
        return math.hypot(*(core.training.clip_norm(model.parameters(), 1.0) for model in models.values()))

    rate = float(settings["learning_rate" if arm in ("lstm", "gru") else "rnn_learning_rate"])
    parameters = [parameter for model in models.values() for parameter in model.parameters()]
    optimizer = core.optimizers.Adam(parameters, rate)
    yield from core.training.train(forward, parameters, optimizer, math.ceil(updates * max(SHARE[task] for task in models)), clip)
    return models


# --- Pictures ---------------------------------------------------------------------------------------------------


def _accuracy_picture(values: Measures, units: Mapping[str, int], settings: Settings) -> Bars:
    """The long and the short task that are answered right or wrong, beside guessing."""
    steps, chance = int(settings["order_steps"]), 1 / core.tasks.ORDER_CLASSES
    message = f"Order over {steps} steps: LSTM {values['lstm_order']:.0%}, RNN {values['rnn_order']:.0%}; echo: "
    message += f"LSTM {values['lstm_echo']:.0%}, RNN {values['rnn_echo']:.0%}"
    shown = [arm for arm in ARMS if f"{arm.key}_order" in values]
    alt = f"Accuracy on fresh sequences. {message}. The RNN that starts orthogonal tells {values['orthogonal_order']:.0%} of the orders right, and "
    alt += f"guessing {chance:.0%}. Units at equally many recurrent parameters: {', '.join(f'{arm.label} {units[arm.key]}' for arm in shown)}."
    groups = [f"order, {steps} steps", f"echo, {ECHO_LAG} steps back"]
    series = []
    for arm in shown:
        heights = [values[f"{arm.key}_{task}"] for task in ("order", "echo") if f"{arm.key}_{task}" in values]  # one did not join the echo
        series.append(Series(arm.label, arm.role, [float(place) for place in range(len(heights))], core.probes.rounded(heights)))
    return Bars("accuracy", message, alt, "accuracy", groups, series, rules=((chance, "guessing the order"),))


def _one_value_each(values: Measures, name: str, form: str, unit: str = "") -> tuple[str, list[Series]]:
    """The value of every arm that has one, in words and as bars; `name` is that of the measure, with {} for the arm."""
    shown = [(arm, values[name.format(arm.key)]) for arm in ARMS if name.format(arm.key) in values]
    told = ", ".join(f"{arm.label} {value:{form}}{unit}" for arm, value in shown)
    return told, [Series(arm.label, arm.role, [0.0], core.probes.rounded([value])) for arm, value in shown]


def _adding_picture(values: Measures, settings: Settings) -> Bars:
    """The errors of the adding beside that of always answering the mean."""
    each, series = _one_value_each(values, "{}_adding", ".3f")
    message = f"Adding over {int(settings['adding_steps'])} steps, error as a share of the variance: {each}"
    alt = f"{message}. Always answering the mean costs 1, the right sums 0; below {LEARNT} counts as learnt, above {LOST} as not."
    return Bars("adding", message, alt, "squared error ÷ variance", ["adding"], series, rules=((1.0, "always the mean"),))


def _clock_picture(clock: Measures, units: Mapping[str, int], settings: Settings) -> Bars:
    """What a pass takes, at equally many parameters."""
    each, series = _one_value_each(clock, "clock_{}", ".2g", " ms")
    wide = ", ".join(f"{arm.label} {units[arm.key]}" for arm in ARMS if f"clock_{arm.key}" in clock)
    message = f"Time of a pass forward and back over {BATCH} sequences of {int(settings['order_steps'])} steps: {each}"
    alt = f"{message}. Shortest of {TIMED}, no part of the rule. Units: {wide}."
    return Bars("clock_pass", message, alt, "milliseconds", ["equally many parameters"], series)


def _text_picture(values: Measures, settings: Settings) -> Bars:
    """Bits a character on pieces of the same text; no part of the rule."""
    each, series = _one_value_each(values, "{}_text", ".2f")
    message = f"English, {math.ceil(SHARE['text'] * int(settings['updates']))} updates: bits a character: {each}"
    alt = f"{message}. Lower is better. Any of {_english()[1]} characters alike would cost {math.log2(_english()[1]):.2f}."
    return Bars("text", message, alt, "bits a character, lower is better", ["English text"], series)


# --- Judging ----------------------------------------------------------------------------------------------------

TOLD, UNTOLD = 0.9, 0.6  # accuracy in the order
LEARNT, LOST = 0.3, 0.6  # error of the adding as a share of the variance
ECHOED = 0.98
CHECKS = (
    Check("lstm_order", "accuracy of the LSTM, order", ">", TOLD),
    Check("rnn_order", "accuracy of the RNN, order", "<", UNTOLD),
    Check("lstm_adding", "error ÷ variance of the LSTM, adding", "<", LEARNT),
    Check("rnn_adding", "error ÷ variance of the RNN, adding", ">", LOST),
    Check("lstm_echo", "accuracy of the LSTM, echo", ">", ECHOED),
    Check("rnn_echo", "accuracy of the RNN, echo", ">", ECHOED),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    median = medians(CHECKS, measured)
    if median["lstm_order"] <= TOLD or median["lstm_adding"] >= LEARNT or median["lstm_echo"] <= ECHOED:
        return "unfinished"
    if median["rnn_order"] >= UNTOLD or median["rnn_adding"] <= LOST:
        return "keeps-up"
    return "distance" if median["rnn_echo"] > ECHOED else "everywhere"


EXPERIMENT = Experiment(
    id="advantages",
    number=13,
    title="Where gates pay, at equal parameters",
    claim="With equally many recurrent parameters and updates, an LSTM tells the order of two events far apart and adds two distant values, while a plain "
    "RNN learns neither. To echo a symbol of two steps ago both learn without fault.",
    textbook="LSTMs capture long-term dependencies that plain RNNs cannot, and so do better on language, speech and time series.",
    truths=(
        "The gain is one of distance. Where the answer lies two steps back, the plain RNN is as good, and the gates have nothing to protect.",
        "The start is half the story. The LSTM's forget gates start with time-scales that fit the sequences here; and the same RNN with an orthogonal "
        "recurrent matrix at the start often gets well beyond guessing the order, without any gate; with other settings it may not.",
        "A GRU adds as well as the LSTM does, with three blocks instead of four. At equally many parameters it may therefore be wider.",
        "Four blocks a unit do not make the LSTM the larger network here: at equally many parameters it is about half as wide as the RNN. Nor the slower "
        "one: on a CPU, torch computes its LSTM's four gates in one piece, and a pass took no longer than the plain RNN's where this was written. "
        "The last picture has your times.",
    ),
    limits=(
        "One short training, with a learning rate for the gated networks and one for the others, each chosen beforehand. With more updates or another "
        "start a plain RNN gets further.",
        "Made-up tasks, to have the distance in hand. The thorough preset has longer ones and adds real text, of which little is learnt in so few "
        "updates; no rule judges it.",
        "Times depend on the machine, the device and how the loop over steps is written; no rule judges them.",
        "The order is trained for 70 % of the updates, the echo for 40 %, so their curves are flat from there on; the gradient norm is that of all of an "
        "arm's networks still in training, taken together.",
    ),
    paper=Paper(
        "Chung, J., Gulcehre, C., Cho, K., Bengio, Y.",
        2014,
        "Empirical Evaluation of Gated Recurrent Neural Networks on Sequence Modeling",
        "NIPS Deep Learning and Representation Learning Workshop",
    ),
    asks="An LSTM and a plain RNN with equally many parameters train on three tasks: the order of two events far apart, the sum of two distant values, and "
    "the symbol of two steps ago. Where does the LSTM win?",
    predictions=(
        Outcome("distance", "On the two long tasks only; over two steps the RNN is as good"),
        Outcome("everywhere", "On all three: gates help at any distance"),
        Outcome("keeps-up", "The RNN keeps up on a long task, too: with equal parameters it is twice as wide"),
        Outcome("unfinished", "The LSTM itself fails at one of the tasks: half the width is too little"),
    ),
    outcome=outcome,
    controls=(
        Number(
            name="order_steps",
            label="Steps of the order task",
            help="The two events come in the first and the sixth tenth.",
            default=50,
            low=10,
            high=80,
            whole=True,
        ),
        Number(name="adding_steps", label="Steps of the adding", help="One value to add is in each half.", default=30, low=6, high=80, whole=True),
        Number(
            name="parameters",
            label="Recurrent parameters",
            help="Of every network, its read-out not counted. The width follows from it.",
            default=3000,
            low=500,
            high=12000,
            step=100,
            whole=True,
        ),
        Choice(name="text", label="English text as well", help="A fourth task for the LSTM and the RNN.", default="no", options={"no": "no", "yes": "yes"}),
        Number(
            name="updates",
            label="Updates",
            help="Of the adding, each on 32 fresh sequences. The other tasks get a fixed share of as many.",
            default=200,
            low=20,
            high=2000,
            step=20,
            whole=True,
        ),
        Number(name="learning_rate", label="Learning rate, LSTM and GRU", help="Of Adam.", default=0.03, low=0.0001, high=0.1, log=True),
        Number(name="rnn_learning_rate", label="Learning rate, RNNs", help="Of Adam.", default=0.004, low=0.0001, high=0.1, log=True),
    ),
    presets={
        "quick": Preset("Quick", 3, {"order_steps": 40, "adding_steps": 25}),
        "thorough": Preset("Thorough", 10, {"updates": 400, "learning_rate": 0.02, "text": "yes"}),
    },
    arms=ARMS,
    curves=(
        Curve("order", "accuracy, order", y_range=(0.0, 1.0), rules=((0.25, "guessing"),)),
        Curve("adding", "squared error ÷ variance, adding", log_y=True, rules=((1.0, "always the mean"),)),
        Curve("echo", "accuracy, echo", y_range=(0.0, 1.0), rules=((1 / ECHO_SYMBOLS, "guessing"),)),
        Curve("gradient", "gradient norm before clipping", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
