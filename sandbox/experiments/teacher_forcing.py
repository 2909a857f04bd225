"""Question 17: what teacher forcing costs once a network has to go on alone, and what it is good for.

Six LSTMs. Three learn to continue a sine: fed the true past (teacher forcing), fed more and more of their own answers
(scheduled sampling, Bengio et al. 2015), or fed the true past with noise on it. Then they go on alone, and their errors
are fed back. Three learn a grammar whose legal continuations are known, fed the truth, ever less of it, or nothing but
their own words from the first: there the other side shows, as truth and own words have nothing to do with each other.
"""

from __future__ import annotations

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
)

if TYPE_CHECKING:
    import torch
    from torch import Tensor

BATCH, EXAM = 32, 300  # sequences in an update and in the final measurement
CONTEXT, ROLLED, HORIZON = 15, 40, 20  # steps of truth before going on alone; steps alone; the step that is judged
TRAINED = 35  # steps of a sine in training
SYMBOLS, SENTENCE = 8, 16  # of the grammar
GRAMMAR_PART, GRAMMAR_HIDDEN = 0.4, 24  # of the sines' updates; units
RAMP, LAST_RATE = 0.2, 0.05  # the part of training in which the share of own answers rises; what is left of the learning rate
LOOKS = 10  # how often the live figures of going on alone are taken

ARMS = (
    Arm("forced", "sine: teacher forcing", "lstm"),
    Arm("scheduled", "sine: scheduled sampling", "remedy"),
    Arm("noisy", "sine: forcing, noisy inputs", "variant"),
    Arm("grammar-forced", "grammar: teacher forcing", "second"),
    Arm("grammar-scheduled", "grammar: scheduled sampling", "oracle"),
    Arm("grammar-free", "grammar: never forced", "ablated"),
)
SINES, GRAMMARS = ARMS[:3], ARMS[3:]


@dataclass(frozen=True)
class Rolled:
    """What a network does alone: root mean squared error at each step, and its continuations beside the true ones."""

    one_step: float  # error when told the past
    errors: list[float]  # of ROLLED steps alone
    said: Tensor  # (N, ROLLED)
    truth: Tensor  # (N, ROLLED)

    @property
    def farthest(self) -> Tensor:
        """How far each continuation gets from the truth at its worst step, (N,)."""
        return (self.said - self.truth).abs().amax(1)


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train all six, then let them go on alone."""
    import torch

    arms = {arm.key: _train_sine(arm.key, settings, seed, device) for arm in SINES}
    arms |= {arm.key: _train_grammar(arm.key, settings, seed, device) for arm in GRAMMARS}
    models = yield from core.training.interleave(arms, Point, seed, device)
    rolled = {arm.key: _roll(models[arm.key], EXAM, seed, "exam", device) for arm in SINES}
    legal = {arm.key: _legal(models[arm.key], EXAM, seed, "exam", device) for arm in GRAMMARS}
    at = {arm: core.probes.error_or_inf(one.errors[HORIZON - 1]) for arm, one in rolled.items()}
    values = {f"{arm}_one_step": one.one_step for arm, one in rolled.items()} | {f"{arm}_alone": error for arm, error in at.items()}
    values |= {f"{arm}_legal": share for arm, share in legal.items()}
    yield Measured(values | {"drift": at["forced"] / rolled["forced"].one_step, "relief": at["scheduled"] / at["forced"]})
    yield _horizon_picture(rolled)
    yield _example_picture(rolled)
    yield _legal_picture(legal)
    wave = next(core.tasks.sines(core.surgery.SEQUENCES, TRAINED + 1, core.devices.generator(seed, "surgery")))
    told = (torch.arange(TRAINED) >= CONTEXT - 1).expand(len(wave), -1)  # judged where training does: each step told the past
    for arm in ("forced", "scheduled"):
        yield Specimen(arm, *core.surgery.pack(models[arm], wave[:, :-1], wave[:, 1:, 0], told))


# --- Training ---------------------------------------------------------------------------------------------------


def _network(inputs: int, hidden: int, device: str) -> core.cells.Reader:
    import torch

    lstm = torch.nn.LSTM(inputs, hidden, batch_first=True)
    core.cells.set_forget_bias(lstm, 1.0)
    return core.cells.Reader(lstm, inputs).to(device)


def _answers(model: core.cells.Reader, x: Tensor, own: Tensor) -> Tensor:
    """Answers (B, T, 1) to values x (B, T, 1), of which those where `own` (B, T) says so are replaced by the network's last answer.

    Gradients flow back through its own answers. Runs of steps at which all is true, or all is its own, are read in one go:
    an answer V h + v that is fed back only adds W V to the recurrent matrix U and W v to the bias.
    """
    import torch

    lstm, (given, by) = model.recurrent, model.readout.parameters()
    w, u, b_w, b_u = lstm.parameters()
    begin = int((~own.any(0)).cumprod(0).sum())  # no own answers before
    end = x.shape[1] - int(own.all(0).flip(0).cumprod(0).sum())  # only own ones from here on
    read, (h, c) = lstm(x[:, :begin])
    parts = [read]
    for t in range(begin, end):
        fed = torch.where(own[:, t, None], model.readout(parts[-1][:, -1]), x[:, t])
        one, two = torch.lstm_cell(fed, (h[0], c[0]), w, u, b_w, b_u)
        parts.append(one[:, None])
        h, c = one[None], two[None]
    if end < x.shape[1]:
        closed = [w, u + w @ given, b_w, b_u + w @ by]
        alone, _, _ = torch.lstm(torch.zeros_like(x[:, end:]), (h, c), closed, True, 1, 0.0, True, False, True)
        parts.append(alone)
    answers: Tensor = model.readout(torch.cat(parts, 1))
    return answers


def _share(last: float, progress: float) -> float:
    """The share of own answers among the inputs of scheduled sampling: it rises to `last` and stays there."""
    return last * min(1.0, progress / RAMP)


def _slow_down(optimizer: core.optimizers.Adam, settings: Settings, progress: float) -> None:
    """Let the learning rate fall along a line to LAST_RATE of itself."""
    for group in optimizer.param_groups:
        group["lr"] = float(settings["learning_rate"]) * (1 - (1 - LAST_RATE) * progress)


def _train_sine(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.cells.Reader]:
    import torch

    model = _network(1, int(settings["hidden"]), device)
    data = core.tasks.sines(BATCH, TRAINED + 1, core.devices.generator(seed, "sines"))
    chance, noise = core.devices.generator(seed, "chance"), core.devices.generator(seed, "noise")
    updates, done, alone = int(settings["updates"]), 0, 0.0

    def forward() -> tuple[Tensor, Measures]:
        nonlocal done, alone
        if done % max(1, updates // LOOKS) == 0:
            alone = _roll(model, BATCH, seed, "look", device).errors[HORIZON - 1]
        share = _share(float(settings["own"]), done / updates) if arm == "scheduled" else 0.0
        _slow_down(optimizer, settings, done / updates)
        done += 1
        wave = next(data)
        x, target = wave[:, :-1], wave[:, 1:].to(device)
        if arm == "noisy":
            x = x + float(settings["noise"]) * torch.randn(x.shape, generator=noise)
        own = torch.rand(x.shape[:2], generator=chance) < share
        own[:, :CONTEXT] = False
        answers = _answers(model, x.to(device), own.to(device))
        loss = (answers - target).square()[:, CONTEXT - 1 :].mean()
        return loss, {"rmse": float(loss.detach()) ** 0.5, "alone": alone}

    optimizer = core.optimizers.Adam(model.parameters(), float(settings["learning_rate"]))
    yield from core.training.train(forward, model.parameters(), optimizer, updates)
    return model


def _train_grammar(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.cells.Reader]:
    import torch

    model = _network(SYMBOLS, GRAMMAR_HIDDEN, device)
    data = core.tasks.de_bruijn(BATCH, SENTENCE + 1, SYMBOLS, core.devices.generator(seed, "walks"))
    chance, words = core.devices.generator(seed, "chance"), core.devices.generator(seed, "words")
    updates, done, legal = round(GRAMMAR_PART * int(settings["updates"])), 0, 0.0

    def forward() -> tuple[Tensor, Measures]:
        nonlocal done, legal
        if done % max(1, updates // LOOKS) == 0:
            legal = _legal(model, BATCH, seed, "look", device)
        scheduled = _share(float(settings["own_words"]), done / updates)
        share = {"grammar-forced": 0.0, "grammar-scheduled": scheduled, "grammar-free": 1.0}[arm]
        _slow_down(optimizer, settings, done / updates)
        done += 1
        walk = next(data)
        x = torch.nn.functional.one_hot(walk[:, :-1], SYMBOLS).float().to(device)
        own = torch.rand(walk[:, :-1].shape, generator=chance) < share
        own[:, 0] = False
        answers, _ = model(_with_own_words(model, x, own.to(device), words))
        loss = torch.nn.functional.cross_entropy(answers.flatten(0, 1), walk[:, 1:].flatten().to(device))
        return loss, {"legal": legal, "cross_entropy": float(loss.detach())}

    optimizer = core.optimizers.Adam(model.parameters(), float(settings["learning_rate"]))
    yield from core.training.train(forward, model.parameters(), optimizer, updates)
    return model


def _with_own_words(model: core.cells.Reader, x: Tensor, own: Tensor, generator: torch.Generator) -> Tensor:
    """The inputs x (B, T, V), with a word drawn from the network's last answer where `own` (B, T) says so.

    No gradient flows through the draw. So the words are drawn beforehand, without gradients, and training reads what was
    fed in one go, as with teacher forcing. The largest of logits plus Gumbel noise is a draw from their softmax.
    """
    import torch

    if not own.any():
        return x
    noise = -(-torch.rand(x.shape, generator=generator).log()).log().to(x.device)
    fed, words, parameters = x.clone(), torch.eye(SYMBOLS, device=x.device), tuple(model.recurrent.parameters())
    with torch.no_grad():
        h = c = x.new_zeros(x.shape[0], model.recurrent.hidden_size)
        for t in range(1, x.shape[1]):
            h, c = torch.lstm_cell(fed[:, t - 1], (h, c), *parameters)
            said = words[(model.readout(h) + noise[:, t]).argmax(1)]
            fed[:, t] = torch.where(own[:, t, None], said, x[:, t])
    return fed


# --- Going on alone ---------------------------------------------------------------------------------------------


def _roll(model: core.cells.Reader, count: int, seed: int, use: str, device: str) -> Rolled:
    """Give CONTEXT steps of fresh sines, then let the network go on alone for ROLLED steps."""
    import torch

    wave = next(core.tasks.sines(count, CONTEXT + ROLLED, core.devices.generator(seed, use))).to(device)
    with core.probes.examining(model):
        told = model(wave[:, :-1])[0]  # answers under teacher forcing
        own = torch.zeros(count, CONTEXT + ROLLED - 1, dtype=torch.bool, device=device)
        own[:, CONTEXT:] = True
        alone = _answers(model, wave[:, :-1], own)
    late = slice(CONTEXT - 1, None)
    one_step = float((told - wave[:, 1:])[:, late].square().mean().sqrt())
    said, truth = alone[:, late, 0], wave[:, CONTEXT:, 0]
    return Rolled(one_step, core.probes.plain((said - truth).square().mean(0).sqrt()), said, truth)


def _legal(model: core.cells.Reader, count: int, seed: int, use: str, device: str) -> float:
    """The share of legal transitions in what the network says alone, from the first word on."""
    import torch

    first = next(core.tasks.de_bruijn(count, 1, SYMBOLS, core.devices.generator(seed, use, "first")))[:, 0].to(device)

    def step(token: Tensor, state: core.cells.LSTMState | None) -> tuple[Tensor, core.cells.LSTMState | None]:
        answer, after = model(torch.nn.functional.one_hot(token, SYMBOLS).float()[:, None], state)
        return answer[:, 0], after

    with core.probes.examining(model):
        words, _ = core.decoding.go_on(step, first, None, SENTENCE, core.decoding.sampling(core.devices.generator(seed, use, "words")))
    return core.tasks.legal_share(torch.cat([first[:, None], words], 1), SYMBOLS)


# --- Pictures ---------------------------------------------------------------------------------------------------


def _horizon_picture(rolled: Mapping[str, Rolled]) -> Lines:
    """The error against the number of steps alone."""
    steps = [float(step) for step in range(1, ROLLED + 1)]
    series = [Series(arm.label, arm.role, steps, rolled[arm.key].errors) for arm in SINES]
    forced, scheduled = rolled["forced"], rolled["scheduled"]
    message = (
        f"Teacher forcing: error {forced.one_step:.3f} a step when told the past, {forced.errors[HORIZON - 1]:.2f} after {HORIZON} steps alone; "
        f"scheduled sampling {scheduled.one_step:.3f} and {scheduled.errors[HORIZON - 1]:.2f}"
    )
    each = ", ".join(f"{arm.label} {rolled[arm.key].one_step:.3f} told, {rolled[arm.key].errors[HORIZON - 1]:.2f} alone" for arm in SINES)
    panel = Panel("Error while going on alone", "root mean squared error", series, log_y=True, rules=((0.5**0.5, "always answering 0"),))
    return Lines("horizon", message, f"{message}. Root mean squared error against steps alone, logarithmic. {each}.", "steps alone", [panel])


def _example_picture(rolled: Mapping[str, Rolled]) -> Lines:
    """A sine of middling difficulty for the forced network, continued by each."""
    steps = [float(step) for step in range(1, ROLLED + 1)]
    worst = rolled["forced"].farthest
    shown = int(worst.argsort()[len(worst) // 2])
    series = [Series("truth", "target", steps, core.probes.plain(rolled["forced"].truth[shown]), dash=True)]
    series += [Series(arm.label, arm.role, steps, core.probes.plain(rolled[arm.key].said[shown])) for arm in SINES]
    forced, scheduled, noisy = (float(rolled[arm.key].farthest[shown]) for arm in SINES)
    message = f"One sine continued alone: at worst {forced:.2f} from the truth after teacher forcing, {scheduled:.2f} after scheduled sampling"
    alt = f"{message}, {noisy:.2f} after forcing with noise; {ROLLED} steps. It is the sine of median difficulty for teacher forcing."
    return Lines("example", message, alt, "steps alone", [Panel("A continuation", "value", series)])


def _legal_picture(legal: Mapping[str, float]) -> Bars:
    """How much of what each says is grammatical."""
    series = [Series(arm.label, arm.role, [0.0], core.probes.rounded([legal[arm.key]])) for arm in GRAMMARS]
    forced, scheduled, free = (legal[arm.key] for arm in GRAMMARS)
    message = f"Legal transitions: {forced:.0%} after teacher forcing, {scheduled:.0%} after scheduled sampling, {free:.0%} when never forced"
    alt = f"{message}. By chance {2 / SYMBOLS:.0%}."
    return Bars("legal", message, alt, "share of legal transitions", ["said alone"], series, rules=((2 / SYMBOLS, "chance"),))


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("drift", "teacher forcing: error after 20 steps alone ÷ error of one step", ">", 4.0),
    Check("relief", "error after 20 steps alone, scheduled sampling ÷ teacher forcing", "<", 0.7),
    Check("grammar-forced_legal", "legal transitions after teacher forcing", ">", 0.95),
    Check("grammar-free_legal", "legal transitions when never forced", "<", 0.6),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    drift, relief, forced, free = (check.median(measured) for check in CHECKS)
    if drift <= 4:
        return "no-drift"
    if relief >= 0.7:
        return "no-relief"
    return "both-sides" if free < 0.6 <= forced else "own-words"


EXPERIMENT = Experiment(
    id="teacher-forcing",
    number=17,
    title="Fed the truth, then left alone",
    claim="Trained on the true past only, a network that continues a sine drifts off once it goes on alone; scheduled sampling drifts much less. "
    "But without any forcing a network does not even learn a simple grammar that teacher forcing teaches with ease.",
    textbook="Teacher forcing feeds the true previous output during training: it converges faster, but causes exposure bias at inference.",
    truths=(
        "Scheduled sampling is a trade: its single steps get worse. And where many continuations are right, as in the grammar, it teaches wrong ones: "
        "the truth it is to say next does not follow from the words it said (Huszár 2015).",
        "A little noise on the inputs gets a good part of the gain at no cost in speed, as every sequence is still read in one go.",
        "Exposure bias does little harm where few errors are made: the forced grammar network goes on alone with hardly a slip.",
    ),
    limits=(
        "A sine is known once a few steps are, and a small error in its period grows with every step. Text forgives more.",
        "Small networks and short training. With more of either, drift may set in later.",
        "Values that are fed back hand gradients on, words do not: with words the choice cannot be differentiated.",
    ),
    paper=Paper("Bengio, S., Vinyals, O., Jaitly, N., Shazeer, N.", 2015, "Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks", "NIPS"),
    asks="A network is trained to continue sines with teacher forcing, another with scheduled sampling; then both go on alone for 20 steps. Two others "
    "learn a grammar, one fed the truth, one fed only its own words. What happens?",
    predictions=(
        Outcome("both-sides", "Teacher forcing drifts off on the sine, scheduled sampling far less; the grammar is learnt only with forcing"),
        Outcome("own-words", "Scheduled sampling wins on the sine; on the grammar, forcing makes little difference"),
        Outcome("no-relief", "Teacher forcing drifts off, and scheduled sampling drifts about as far"),
        Outcome("no-drift", "Teacher forcing goes on alone nearly as well as it predicts single steps"),
    ),
    outcome=outcome,
    controls=(
        Number(
            name="own",
            label="Own answers, sine",
            help="In scheduled sampling the share of own answers among the inputs rises to this in the first fifth of training, and stays there.",
            default=1,
            low=0,
            high=1,
            step=0.1,
        ),
        Number(name="own_words", label="Own words, grammar", help="The same for the grammar.", default=0.5, low=0, high=1, step=0.1),
        Number(name="noise", label="Noise on the inputs", help="Its standard deviation, in the third arm.", default=0.1, low=0, high=0.5, step=0.05),
        Number(name="hidden", label="Units", help="Of the networks for sines.", default=32, low=4, high=64, whole=True),
        Number(
            name="updates",
            label="Updates",
            help=f"Each on 32 fresh sines; the grammar gets {GRAMMAR_PART:.0%} as many.",
            default=220,
            low=50,
            high=2000,
            step=10,
            whole=True,
        ),
        Number(name="learning_rate", label="Learning rate", help="Of Adam at the start; it falls along a line.", default=0.02, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3, {"updates": 180}), "thorough": Preset("Thorough", 10, {"updates": 400})},
    arms=ARMS,
    curves=(
        Curve("alone", "sine: error after 20 steps alone", log_y=True, rules=((0.5**0.5, "always answering 0"),)),
        Curve("rmse", "sine: error in training", log_y=True),
        Curve("legal", "grammar: legal transitions, alone", y_range=(0.0, 1.0), rules=((2 / SYMBOLS, "chance"),)),
        Curve("cross_entropy", "grammar: loss (nats)", rules=((0.693, "best possible, ln 2"),)),
    ),
    checks=CHECKS,
    run=run,
)
