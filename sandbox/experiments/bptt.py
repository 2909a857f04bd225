"""Question 5: backpropagation through time, worked out by hand, and what cutting it into windows costs.

First the chain rule itself: a small LSTM is read forward and its gradients are carried back step by step, in a few lines
below that use no autograd. They must equal autograd's, and finite differences. Then truncation (Williams & Peng 1990): an
endless stream shows a bit and asks for it later. Four equal LSTMs are trained in windows of different length: the state
is carried over a window's border, the gradient is not.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
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

WIDTH, UNITS, LENGTH = 3, 5, 12  # the network worked out by hand: D, H, T
NUDGE = 5e-6  # of a weight, for finite differences in float64: its square and the rounding error ÷ it are both below 1e-10
STREAMS = 32  # read at once in an update
PAUSE = 8  # steps from a question to the next bit
EXAM, PROBED = 200, 600  # streams in the final measurement and in the picture of what the state still tells

WINDOWS = {"window-5": 5, "window-10": 10, "window-20": 20, "window-40": 40}
ARMS = (
    Arm("window-5", "windows of 5 steps", "ablated"),
    Arm("window-10", "windows of 10 steps", "rnn"),
    Arm("window-20", "windows of 20 steps", "variant"),
    Arm("window-40", "windows of 40 steps", "lstm"),
)


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train in the four windows, then compare the gradients by hand and measure and show everything."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    models = yield from core.training.interleave(arms, Point, seed, device)
    compared = _compare(seed)
    accuracy = {arm: _examine(arm, model, settings, seed, device) for arm, model in models.items()}
    yield Measured(accuracy | {"autograd": compared.from_autograd, "differences": compared.from_differences})
    yield _accuracy_picture(accuracy, settings)
    yield _told_picture({arm: _told(arm, model, settings, seed, device) for arm, model in models.items()}, settings)
    yield _shares_picture(compared)
    yield _errors_picture(compared)
    period = _period(settings)  # streams that have just begun, three questions each
    fresh = next(core.tasks.late_questions(core.surgery.SEQUENCES, 3 * period, int(settings["lag"]), period, core.devices.generator(seed, "surgery")))
    for arm in ("window-40", "window-20"):
        yield Specimen(arm, *core.surgery.pack(models[arm], fresh.x, fresh.target))


# --- By hand ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """The gradient of every weight by hand, and how far others are from it, ÷ its largest entry."""

    parts: Tensor  # (T, weights): what each step adds
    autograd: Tensor  # (weights,)
    from_autograd: float
    from_differences: float


def _compare(seed: int) -> Compared:
    """One small LSTM in float64, always on the CPU; the loss is a random weighting of the last h."""
    import torch

    with core.devices.Randomness(seed):
        lstm = torch.nn.LSTM(WIDTH, UNITS, batch_first=True, dtype=torch.float64)
    core.cells.set_forget_bias(lstm, 1.0)
    noise = core.devices.generator(seed, "by hand")
    x = torch.randn(1, LENGTH, WIDTH, generator=noise, dtype=torch.float64)
    v = torch.randn(UNITS, generator=noise, dtype=torch.float64)
    weights = [lstm.get_parameter(f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih")]  # bias_hh is added to the other
    exact = torch.autograd.grad((lstm(x)[0][0, -1] * v).sum(), weights)
    parts = _by_hand(lstm, x[0], v)
    total = parts.sum(0)
    autograd, differences = torch.cat([one.flatten() for one in exact]), _finite_differences(lstm, weights, x, v)
    size = float(total.abs().max())
    off, off_differences = (core.probes.error_or_inf(float((total - other).abs().max()) / size) for other in (autograd, differences))
    return Compared(parts, autograd, off, off_differences)


def _by_hand(lstm: nn.LSTM, x: Tensor, v: Tensor) -> Tensor:
    """What each step of x (T, D) adds to ∂L/∂(W, U, b), for L = v · h_T: (T, weights). No autograd.

    δh_t = Uᵀ δz_{t+1}, and v at the last step; δc_t = δh_t ⊙ o_t ⊙ (1 − tanh² c_t) + δc_{t+1} ⊙ f_{t+1}; δz_t are the
    gradients before the four activations.
    """
    import torch

    with torch.no_grad():
        i, f, g, o, c, h = (part[0] for part in core.cells.trace(lstm, x[None]))  # each (T, H)
        c_before, h_before = (torch.cat([torch.zeros(1, UNITS, dtype=x.dtype), part[:-1]]) for part in (c, h))
        dh, dc_next, parts = v, torch.zeros_like(v), []
        for t in reversed(range(len(x))):
            shown = c[t].tanh()
            dc = dh * o[t] * (1 - shown**2) + dc_next  # two routes: through this step's h, and through the next cell
            di = dc * g[t] * i[t] * (1 - i[t])
            df = dc * c_before[t] * f[t] * (1 - f[t])
            dg = dc * i[t] * (1 - g[t] ** 2)
            do = dh * shown * o[t] * (1 - o[t])
            dz = torch.cat([di, df, dg, do])  # (4H,)
            parts.append(torch.cat([torch.outer(dz, x[t]).flatten(), torch.outer(dz, h_before[t]).flatten(), dz]))
            dh, dc_next = dz @ lstm.get_parameter("weight_hh_l0"), dc * f[t]
    return torch.stack(parts[::-1])


def _finite_differences(lstm: nn.LSTM, weights: Sequence[Tensor], x: Tensor, v: Tensor) -> Tensor:
    """(L(w + ε) − L(w − ε)) / 2ε for every weight in turn: no chain rule at all."""
    import torch

    slopes = []
    with torch.no_grad():
        for weight in weights:
            flat = weight.view(-1)
            for position in range(len(flat)):
                losses = []
                for nudge in (NUDGE, -NUDGE):
                    flat[position] += nudge
                    losses.append(float((lstm(x)[0][0, -1] * v).sum()))
                    flat[position] -= nudge
                slopes.append((losses[0] - losses[1]) / (2 * NUDGE))
    return torch.tensor(slopes, dtype=torch.float64)


# --- In windows -------------------------------------------------------------------------------------------------


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.cells.Reader]:
    import torch

    model = _network(settings, seed).to(device)
    streams = STREAMS * max(WINDOWS.values()) // WINDOWS[arm] if settings["equal"] == "steps" else STREAMS
    windows = _windows(arm, model, streams, settings, seed, "stream", device)

    def forward() -> tuple[Tensor, Measures]:
        logits, target = next(windows)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=core.tasks.IGNORED)
        return loss, {"accuracy": core.probes.accuracy(logits, target)}

    optimizer = core.optimizers.Adam(model.parameters(), float(settings["learning_rate"]))
    yield from core.training.train(forward, model.parameters(), optimizer, int(settings["updates"]))
    return model


def _network(settings: Settings, seed: int) -> core.cells.Reader:
    import torch

    lstm = torch.nn.LSTM(3, int(settings["hidden"]), batch_first=True)
    if settings["start"] == "chrono":
        core.cells.chrono(lstm, 2 * int(settings["lag"]), core.devices.generator(seed, "chrono"))
    else:
        core.cells.set_forget_bias(lstm, 1.0)
    return core.cells.Reader(lstm, 2)


def _period(settings: Settings) -> int:
    return int(settings["lag"]) + PAUSE


def _windows(arm: str, model: core.cells.Reader, batch: int, settings: Settings, seed: int, use: str, device: str) -> Iterator[tuple[Tensor, Tensor]]:
    """The model's logits (B, k, 2) on one window after another, with the targets (B, k); two periods are read beforehand.

    Between windows the state is carried on and detached, or forgotten: the network is free to change in between.
    """
    import torch

    k, period, state = WINDOWS[arm], _period(settings), None
    data = core.tasks.late_questions(batch, k, int(settings["lag"]), period, core.devices.generator(seed, use, arm))
    for number, window in enumerate(data):
        early = number * k < 2 * period  # before there was anything to ask for
        with torch.set_grad_enabled(torch.is_grad_enabled() and not early):
            logits, after = model(window.x.to(device), state)
        state = core.cells.detached(after) if settings["border"] == "carried" else None
        if not early and bool((window.target >= 0).any()):  # where nothing is asked there is nothing to learn from
            yield logits, window.target.to(device)


def _examine(arm: str, model: core.cells.Reader, settings: Settings, seed: int, device: str) -> float:
    """The accuracy on fresh streams, read in the windows of the training, over about ten questions a stream."""
    import torch

    with core.probes.examining(model):
        windows = _windows(arm, model, EXAM, settings, seed, "exam", device)
        logits, targets = zip(*islice(windows, 10 * _period(settings) // WINDOWS[arm] + 1), strict=True)
    return core.probes.accuracy(torch.cat(logits, 1), torch.cat(targets, 1))


@dataclass(frozen=True)
class Told:
    """What h still says about a bit, by steps since the bit: 0 … lag."""

    named: list[float]  # the share of bits that a linear read-out fitted to h names
    apart: list[float]  # half the distance between the mean h after a 1 and after a 0


def _told(arm: str, model: core.cells.Reader, settings: Settings, seed: int, device: str) -> Told:
    """The trained network reads fresh streams; whether it ever learnt to use what h says does not matter here."""
    import torch

    k, lag, period = WINDOWS[arm], int(settings["lag"]), _period(settings)
    data = core.tasks.late_questions(PROBED, k, lag, period, core.devices.generator(seed, "probed", arm))
    state, seen, states = None, [], []
    for window in islice(data, 3 * period // k + 1):
        traced = core.probes.record_gates(model, window.x.to(device), state)
        if settings["border"] == "carried":
            state = (traced.h[None, :, -1].contiguous().to(device), traced.c[None, :, -1].contiguous().to(device))
        seen.append(window.x)
        states.append(traced.h)
    x, h = torch.cat(seen, 1), torch.cat(states, 1).nan_to_num()  # (B, T, 3), (B, T, H)
    rows, place = torch.arange(PROBED), x[..., 1].argmax(1) + period  # the second bit: there was one before it
    bits = x[rows, place, 0]
    at = [h[rows, place + distance] for distance in range(lag + 1)]  # each (B, H)
    apart = [float((one[bits > 0].mean(0) - one[bits < 0].mean(0)).norm()) / 2 for one in at]
    return Told([_read_out(one, bits) for one in at], apart)


def _read_out(h: Tensor, bits: Tensor) -> float:
    """A read-out (least squares) fitted to half of the states (B, H): how often it names the bits of the other half."""
    import torch

    fitted, judged = torch.cat([h, torch.ones(len(h), 1)], 1).double().tensor_split(2)
    known, asked = bits.double().tensor_split(2)
    ridge = 1e-9 * torch.eye(fitted.shape[1], dtype=torch.float64)  # only so that there is a solution
    weights = torch.linalg.solve(fitted.T @ fitted + ridge, fitted.T @ known)
    return float(((judged @ weights > 0) == (asked > 0)).double().mean())


# --- Pictures ---------------------------------------------------------------------------------------------------


def _accuracy_picture(accuracy: Measures, settings: Settings) -> Bars:
    """Accuracy beside the share of questions whose bit lies in the same window."""
    lag = int(settings["lag"])
    shares = {arm.key: max(0.0, 1 - lag / WINDOWS[arm.key]) for arm in ARMS}
    series = [Series(arm.label, arm.role, [0.0, 1.0], core.probes.rounded([accuracy[arm.key], shares[arm.key]])) for arm in ARMS]
    able = [str(WINDOWS[arm.key]) for arm in ARMS if accuracy[arm.key] > LEARNED]
    message = (
        f"A bit asked for {lag} steps later: learned in windows of {' and '.join(able)} steps"
        if able
        else f"A bit asked for {lag} steps later: learned in no window"
    )
    each = ", ".join(f"{arm.label} {accuracy[arm.key]:.1%} (bit and question share a window {shares[arm.key]:.0%} of the time)" for arm in ARMS)
    groups = ["right answers", "bit and question in one window"]
    return Bars("accuracy", message, f"{message}. Right answers on fresh streams: {each}.", "share", groups, series, rules=((0.5, "guessing"),))


def _told_picture(told: dict[str, Told], settings: Settings) -> Lines:
    """What crosses the border: the bit, as a trace in h that may be faint."""
    lag = int(settings["lag"])
    steps = [float(distance) for distance in range(lag + 1)]
    named = [Series(arm.label, arm.role, steps, core.probes.rounded(told[arm.key].named)) for arm in ARMS]
    apart = [Series(arm.label, arm.role, steps, core.probes.rounded([max(one, 1e-9) for one in told[arm.key].apart])) for arm in ARMS]
    short, long = told["window-5"], told["window-40"]
    message = (
        f"{lag} steps on, a read-out fitted to h names {short.named[-1]:.0%} of the bits even in windows of 5, "
        f"from a trace of {short.apart[-1]:.1g} against {long.apart[-1]:.1g} in windows of 40"
    )
    each = "; ".join(f"{arm.label} {told[arm.key].named[-1]:.0%} from a trace of {told[arm.key].apart[-1]:.2g}" for arm in ARMS)
    alt = f"{message}. A trace is half the distance between the mean h after a 1 and after a 0. At the question: {each}."
    events = ((float(lag), "asked"),)
    panels = [
        Panel("Bits that a fitted read-out names", "share", named, y_range=(0.4, 1.02), rules=((0.5, "guessing"),), events=events),
        Panel("Size of the trace in h", "distance", apart, log_y=True, events=events),
    ]
    return Lines("told", message, alt, "steps since the bit", panels)


def _shares_picture(compared: Compared) -> Lines:
    """The gradient of the shared weights is a sum: what each step adds, and how the sum grows on the way back."""
    import torch

    steps = [float(t + 1) for t in range(LENGTH)]
    alone = compared.parts.norm(dim=1)
    missing = torch.stack([(compared.parts[t:].sum(0) - compared.autograd).norm() for t in range(LENGTH)]) / compared.autograd.norm()
    half = next((t for t in reversed(range(LENGTH)) if float(missing[t]) < 0.5), 0)
    message = f"Going back from step {LENGTH}, half of the gradient is complete at step {half + 1}, all of it at step 1"
    alt = (
        f"{message}. Norm of what each of {LENGTH} steps adds to the gradient of the shared weights, {float(alone[-1]):.2g} at the last step and "
        f"{float(alone[0]):.2g} at the first, and how much is still missing from autograd's gradient on the way back."
    )
    panels = [
        Panel("Added by each step", "norm", [Series("by hand", "lstm", steps, core.probes.plain(alone))]),
        Panel("Missing when the sum has come this far back", "share", [Series("missing", "target", steps, core.probes.plain(missing))]),
    ]
    return Lines("by-hand", message, alt, "step", panels)


def _errors_picture(compared: Compared) -> Bars:
    """How far the gradients by hand are from the two others."""
    errors = core.probes.rounded([compared.from_autograd, compared.from_differences])
    floor = [max(error, 1e-17) for error in errors]  # a logarithmic axis has no place for an exact 0
    message = (
        f"Largest difference of the gradients by hand: {errors[0]:.1e} from autograd's, {errors[1]:.1e} from finite differences (the largest gradient is 1)"
    )
    alt = f"{message}. Largest difference over all {len(compared.autograd)} weights of an LSTM with {UNITS} units over {LENGTH} steps, in float64."
    series = [Series("largest difference", "lstm", [0.0, 1.0], floor)]
    groups = ["autograd", "finite differences"]
    return Bars("errors", message, alt, "difference ÷ largest gradient", groups, series, rules=((EQUAL, "counts as equal below"),), log_y=True)


# --- Judging ----------------------------------------------------------------------------------------------------

EQUAL, GUESSING, LEARNED = 1e-9, 0.65, 0.95

CHECKS = (
    Check("autograd", "gradients by hand against autograd", "<", EQUAL),
    Check("differences", "gradients by hand against finite differences", "<", EQUAL),
    Check("window-5", "accuracy, windows of 5", "<", GUESSING),
    Check("window-10", "accuracy, windows of 10", "<", GUESSING),
    Check("window-40", "accuracy, windows of 40", ">", LEARNED),
)
AS_LONG = Check("window-20", "accuracy, windows of 20", ">", GUESSING)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    median = medians(CHECKS, measured)
    if median["window-40"] <= LEARNED:
        return "none"
    if max(median["window-5"], median["window-10"]) >= GUESSING:
        return "shorter"
    return "as-long" if AS_LONG.median(measured) > GUESSING else "longest"


EXPERIMENT = Experiment(
    id="bptt",
    number=5,
    title="The chain rule by hand, and what truncation cuts",
    claim="Gradients carried back by hand equal autograd's and finite differences. And when an endless stream is cut into windows, an LSTM does "
    "not learn to keep a bit over 20 steps in windows of 5 or of 10, although its state is carried on. In windows of 40 it does.",
    textbook="Backpropagation through time unrolls the network and applies the chain rule from the last step to the first. Truncated to k steps, "
    "it limits how far back credit reaches.",
    truths=(
        "A window as long as the lag is not enough: bit and question must fall into the same window. With k steps and a lag of n they do in "
        "1 − n/k of all cases, so none at k = n, and half at k = 2n.",
        "Shorter windows are not strictly hopeless. The state is carried on, and a faint trace of the bit may survive in it even where nothing ever "
        "taught the network to keep it. See what h still tells. Reading it takes only credit within a window, and over many seeds a run "
        "now and then learns some of it.",
        "What one window's credit teaches serves everywhere: only half of the questions in windows of 40 can reach their bit, and nearly all are answered.",
        "Forget the state at the border, and even windows of 40 fail on the questions whose bit was in the window before.",
    ),
    limits=(
        "Fixed windows that follow one another. Windows that overlap, moving on by less than their length, lose fewer pairs at more work.",
        "One lag, always the same. Real streams mix lags, and the short ones are learnt whatever the window.",
    ),
    paper=Paper(
        "Williams, R. J., Peng, J.",
        1990,
        "An efficient gradient-based algorithm for on-line training of recurrent network trajectories",
        "Neural Computation 2(4)",
    ),
    asks="An endless stream shows a bit and asks for it 20 steps later, again and again. An LSTM is trained in windows of 5, 10, 20 or 40 steps: "
    "the state is carried from window to window, the gradient is not. In which windows does it learn to answer?",
    predictions=(
        Outcome("longest", "Only in windows of 40: bit and question must share a window"),
        Outcome("as-long", "In windows of 20 and 40: a window as long as the lag will do"),
        Outcome("shorter", "In windows of 5 or 10 as well: the state carries the bit over the borders"),
        Outcome("none", "In none of them are nearly all answers right"),
    ),
    outcome=outcome,
    controls=(
        Number(name="lag", label="Lag", help="Steps from a bit to the question about it.", default=20, low=3, high=60, whole=True, unit="steps"),
        Choice(
            name="border",
            label="State at a window's border",
            help="Carried on without its gradient, as usual, or forgotten.",
            default="carried",
            options={"carried": "carried on, detached", "forgotten": "set to zero"},
        ),
        Choice(
            name="start",
            label="Gates at the start",
            help="Chrono starts the gates for lags up to twice this one; a forget bias of 1 is the usual start.",
            default="chrono",
            options={"chrono": "for this lag (chrono)", "one": "forget bias 1"},
        ),
        Choice(
            name="equal",
            label="Equal for all windows",
            help="32 streams each, so that short windows see fewer steps an update; or as many steps, in up to eight times as many streams.",
            default="streams",
            options={"streams": "streams", "steps": "steps an update"},
        ),
        Number(name="hidden", label="Units", help="Of each LSTM.", default=16, low=2, high=64, whole=True),
        Number(
            name="updates",
            label="Updates",
            help="Each on the next window of every stream.",
            default=300,
            low=50,
            high=4000,
            step=50,
            whole=True,
        ),
        Number(name="learning_rate", label="Learning rate", help="Of Adam.", default=0.01, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3, {"updates": 250}), "thorough": Preset("Thorough", 10, {"updates": 400})},
    arms=ARMS,
    curves=(
        Curve("accuracy", "accuracy where asked", y_range=(0.0, 1.0), rules=((0.5, "guessing"),)),
        Curve("loss", "loss (nats)", rules=((0.693, "guessing, ln 2"),)),
        Curve("gradient", "gradient norm before clipping", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
