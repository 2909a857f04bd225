"""Question 23: what accumulation and a second process change, and what they cannot.

One batch of sequences with unequal numbers of targets is trained on four ways: whole; in micro-batches whose gradients are
added up with the right weights; in micro-batches whose means are averaged plainly; and by two real processes that average
their gradients after every backward pass (Li et al. 2020). What a pass keeps for its backward pass is then counted against
the length, also with checkpoints (Chen et al. 2016), and a clock shows what no batch can change: steps come one after another.
"""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    Step,
    medians,
)

if TYPE_CHECKING:
    from torch import Tensor

    from sandbox.core.cells import Reader

BATCH, LAG, SYMBOLS = 32, 2, 8  # sequences in the batch; how long ago the symbol to be said was read; symbols
LENGTHS = (15, 30, 60, 90, 120)  # steps, for time against length
MEMORY_LENGTHS = (20, 40, 80, 160)  # steps, for memory against length
REPEATS = 60  # of every timing; the shortest counts, as everything else that runs can only add to it
TIMED_STEPS = 20  # steps of the sequences in the timings that compare batches
SHARED = (64, 512)  # sequences of the updates that two processes share

ARMS = (
    Arm("whole", "whole batch", "lstm"),
    Arm("accumulated", "accumulated, weighted by targets", "remedy"),
    Arm("naive", "accumulated, plain mean of means", "ablated"),
)


@dataclass(frozen=True)
class Trained:
    """An arm's gradient at the first update and its parameters after the last, both flat."""

    gradient: Tensor
    parameters: Tensor


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the arms while two processes train beside them; when those have ended, read the clock. All on the CPU."""
    from torch import nn

    with core.devices.Randomness(seed, "cpu"):
        model = core.cells.Reader(nn.LSTM(SYMBOLS, int(settings["hidden"]), batch_first=True), SYMBOLS)
    x, target = _batch(settings, seed)
    updates, rate = int(settings["updates"]), float(settings["learning_rate"])
    # Leaving ends the processes also when nobody wants the next step.
    with core.ranks.Ranks(model, x, target, updates=updates, rate=rate, timed=SHARED) as pair:
        arms = {arm.key: _train(arm.key, copy.deepcopy(model), x, target, settings) for arm in ARMS}
        trained = yield from core.training.interleave(arms, Point, seed)
        together = pair.result()
    whole = trained["whole"]
    errors = {arm: _distance(trained[arm].gradient, whole.gradient) for arm in ("accumulated", "naive")}
    errors |= {"pair": _distance(together.gradient, whole.gradient), "pair_after": _distance(together.parameters, whole.parameters)}
    errors["checkpointed"] = _distance(_checkpointed_gradient(model, x, target, int(settings["segments"])), whole.gradient)
    kept = {arm: _kept(arm, model, x, target, settings) for arm in ("whole", "accumulated")}
    by_steps = {way: [_kept_of_length(model, steps, segments) for steps in MEMORY_LENGTHS] for way, segments in _ways(settings).items()}
    by_length, clock = _clock(model, x, target, settings)
    clock |= _pair_times(together)
    memory = {"memory": kept["whole"] / kept["accumulated"], "saved": by_steps["whole"][-1] / by_steps["checkpointed"][-1]}
    yield Measured(errors | {f"{arm}_kept": size for arm, size in kept.items()} | memory | clock)
    yield _errors_picture(errors)
    yield _memory_picture(kept)
    yield _lengths_picture(by_steps, clock, settings)
    yield _clock_picture(by_length, clock, settings)
    yield _pair_picture(together, sum(one.numel() for one in model.parameters()))


def _batch(settings: Settings, seed: int) -> tuple[Tensor, Tensor]:
    """Inputs (B, T, symbols) and targets (B, T), sorted by how many of its targets a sequence has: from one to all."""
    steps = int(settings["steps"])
    x, target = next(core.tasks.echo(BATCH, steps, LAG, SYMBOLS, core.devices.generator(seed, "sequences")))[:2]
    if settings["lengths"] == "unequal":
        target = target.clone()
        for row in range(BATCH):
            target[row, LAG + 1 + round((steps - LAG - 1) * (row / (BATCH - 1)) ** 2) :] = core.tasks.IGNORED
    return x, target


# --- Training ---------------------------------------------------------------------------------------------------


def _train(arm: str, model: Reader, x: Tensor, target: Tensor, settings: Settings) -> Generator[core.training.Reading, None, Trained]:
    """Plain gradient descent by hand: nothing of an optimiser stands between the gradients and what they do."""
    import torch

    updates, rate = int(settings["updates"]), float(settings["learning_rate"])
    every = max(1, updates // core.training.READINGS)
    first = torch.zeros(0)
    for update in range(1, updates + 1):
        loss = _fill_gradients(arm, model, x, target, int(settings["micro"]))
        if update == 1:
            first = _flat(one.grad for one in model.parameters() if one.grad is not None)
        with torch.no_grad():
            for one in model.parameters():
                one.sub_(rate * one.grad)  # type: ignore[operator]  # all have one by now
        if update in (1, updates) or update % every == 0:
            yield core.training.Reading(update, {"loss": loss})
    return Trained(first, _flat(one.detach() for one in model.parameters()))


def _fill_gradients(arm: str, model: Reader, x: Tensor, target: Tensor, micro: int) -> float:
    """Put the arm's gradient of the batch into `.grad`; return the mean loss over all targets."""
    model.zero_grad()
    counted = int((target != core.tasks.IGNORED).sum())
    pieces = 1 if arm == "whole" else micro
    total = 0.0
    for part, wanted in zip(x.chunk(pieces), target.chunk(pieces), strict=True):
        loss = _summed_loss(model, part, wanted)
        # Right: the share of all targets. Plain: each piece's own mean, then the mean of those.
        own = int((wanted != core.tasks.IGNORED).sum()) * pieces if arm == "naive" else counted
        (loss / own).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        total += float(loss.detach())
    return total / counted


def _summed_loss(model: Reader, x: Tensor, target: Tensor) -> Tensor:
    logits, _ = model(x)
    return _cost(logits, target)


def _cost(logits: Tensor, target: Tensor) -> Tensor:
    import torch

    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=core.tasks.IGNORED, reduction="sum")


def _flat(tensors: Iterator[Tensor]) -> Tensor:
    import torch

    return torch.cat([one.flatten() for one in tensors]).clone()


def _distance(one: Tensor, reference: Tensor) -> float:
    """The difference's norm relative to the reference's."""
    return core.probes.error_or_inf(float((one - reference).norm() / reference.norm()))


# --- Memory and time --------------------------------------------------------------------------------------------


def _kept(arm: str, model: Reader, x: Tensor, target: Tensor, settings: Settings) -> float:
    """The most that one forward pass of the arm keeps for its backward pass, in MB."""
    pieces = 1 if arm == "whole" else int(settings["micro"])
    parts = zip(x.chunk(pieces), target.chunk(pieces), strict=True)
    return max(core.costs.kept_bytes(model, lambda part=part, wanted=wanted: _summed_loss(model, part, wanted)) for part, wanted in parts) / 1e6  # type: ignore[misc]


def _ways(settings: Settings) -> dict[str, int]:
    """Segments that a sequence is read in: one, or several with checkpoints between them."""
    return {"whole": 1, "checkpointed": int(settings["segments"])}


def _kept_of_length(model: Reader, steps: int, segments: int) -> float:
    """What a pass over the batch keeps at most, in MB."""
    return core.costs.kept_in_segments(model, *_blank(BATCH, steps), segments, _cost) / 1e6


def _checkpointed_gradient(model: Reader, x: Tensor, target: Tensor, segments: int) -> Tensor:
    model = copy.deepcopy(model)
    core.costs.fill_in_segments(model, x, target, segments, _cost, 1 / int((target != core.tasks.IGNORED).sum()))
    return _flat(one.grad for one in model.parameters() if one.grad is not None)


def _blank(batch: int, steps: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets that only cost memory and time."""
    import torch

    return torch.zeros(batch, steps, SYMBOLS), torch.zeros(batch, steps, dtype=torch.long)


def _clock(model: Reader, x: Tensor, target: Tensor, settings: Settings) -> tuple[list[float], dict[str, float]]:
    """Seconds of a forward and backward pass by length, and what follows."""
    large, micro, segments = (int(settings[name]) for name in ("large", "micro", "segments"))

    def work(batch: int, steps: int, segments: int = 1) -> Callable[[], object]:
        inputs, wanted = _blank(batch, steps)
        if segments == 1:
            return lambda: _fill_gradients("whole", model, inputs, wanted, 1)
        return lambda: core.costs.fill_in_segments(model, inputs, wanted, segments, _cost)

    jobs = [work(BATCH // 2, steps) for steps in LENGTHS] + [work(1, TIMED_STEPS), work(large, TIMED_STEPS), work(BATCH // 2, LENGTHS[-1], segments)]
    jobs += [lambda arm=arm: _fill_gradients(arm, model, x, target, micro) for arm in ("whole", "accumulated")]  # type: ignore[misc]
    *by_length, single, many, again, whole, accumulated = core.costs.shortest(jobs, REPEATS)
    measures = {"clock_r2": _straightness(LENGTHS, by_length), "clock_throughput": large * single / many, "clock_gain": whole / accumulated}
    return by_length, measures | {"clock_checkpointed": again / by_length[-1]}


def _pair_times(together: core.ranks.Outcome) -> dict[str, float]:
    """How long two processes take for an update, as a share of the time one takes, by batch; and milliseconds of an exchange."""
    shares = {f"clock_pair_{batch}": both / one for batch, both, one in zip(SHARED, together.together, together.alone, strict=True)}
    return shares | {"clock_exchange": together.exchange * 1000}


def _straightness(x: Sequence[float], y: Sequence[float]) -> float:
    """R² of the straight line through the points: the share of the variance of y that it explains."""
    return statistics.correlation(x, y) ** 2


# --- Pictures ---------------------------------------------------------------------------------------------------

LABELS = {"accumulated": "accumulated", "pair": "two processes", "checkpointed": "checkpointed", "naive": "plain mean of means"}


def _errors_picture(errors: Mapping[str, float]) -> Bars:
    message = f"Relative error of the gradient: {errors['accumulated']:.2g} accumulated, {errors['pair']:.2g} by two processes, "
    message += f"{errors['checkpointed']:.2g} with checkpoints, {errors['naive']:.2g} by a mean of means"
    alt = f"How far the first gradient is from that of the whole batch, logarithmic. {message}. After the last update the parameters of the two processes "
    alt += f"are {errors['pair_after']:.1g} away from those of the whole batch, relatively."
    values = core.probes.rounded([max(errors[name], 1e-9) for name in LABELS])  # a logarithmic axis has no place for 0
    return Bars(
        "errors",
        message,
        alt,
        "relative error",
        list(LABELS.values()),
        [Series("first gradient", "lstm", [float(place) for place in range(len(LABELS))], values)],
        log_y=True,
    )


def _memory_picture(kept: Mapping[str, float]) -> Bars:
    message = f"The whole batch keeps {kept['whole'] / kept['accumulated']:.2g} times as much for the backward pass as a micro-batch does"
    alt = f"{message}: {kept['whole']:.3g} MB against {kept['accumulated']:.3g} MB at most, parameters not counted."
    values = core.probes.rounded(list(kept.values()))
    return Bars("memory", message, alt, "MB", ["whole batch", "accumulated"], [Series("kept for the backward pass", "remedy", [0.0, 1.0], values)])


def _lengths_picture(kept: Mapping[str, Sequence[float]], clock: Mapping[str, float], settings: Settings) -> Lines:
    longest, segments = MEMORY_LENGTHS[-1], int(settings["segments"])
    message = f"{longest} steps keep {kept['whole'][-1]:.2g} MB for the backward pass; read again in {segments} segments, {kept['checkpointed'][-1]:.2g} MB"
    alt = f"{message}. " + "; ".join(
        f"{steps} steps: {whole:.3g} MB and {some:.3g} MB" for steps, whole, some in zip(MEMORY_LENGTHS, kept["whole"], kept["checkpointed"], strict=True)
    )
    alt += f". Whole, memory grows with the length; with checkpoints the gradient is the same, for {clock['clock_checkpointed']:.2g} times the computing."
    x = [float(steps) for steps in MEMORY_LENGTHS]
    labels = {"whole": ("whole sequence", "lstm"), "checkpointed": (f"{segments} segments, checkpointed", "remedy")}
    series = [Series(label, role, x, core.probes.rounded(kept[way])) for way, (label, role) in labels.items()]
    return Lines("clock_lengths", message, alt, "steps", [Panel("Kept for the backward pass", "MB", series)])


def _clock_picture(by_length: Sequence[float], clock: Mapping[str, float], settings: Settings) -> Lines:
    message = f"Time grows straight with length, R² {clock['clock_r2']:.3f}"
    milliseconds = core.probes.rounded([seconds * 1000 for seconds in by_length])
    alt = f"{message}. Milliseconds: " + ", ".join(f"{value:.3g} for {steps} steps" for steps, value in zip(LENGTHS, milliseconds, strict=True))
    alt += f". Beside it: {settings['large']} sequences at once bring {clock['clock_throughput']:.2g} times the throughput of one; "
    alt += f"accumulating goes at {clock['clock_gain']:.2g} times the speed."
    panel = Panel(
        "Forward and backward pass", "milliseconds", [Series("shortest of all repetitions", "lstm", [float(steps) for steps in LENGTHS], milliseconds)]
    )
    return Lines("clock_time", message, alt, "steps", [panel])


def _pair_picture(together: core.ranks.Outcome, parameters: int) -> Bars:
    """Two processes beside one of them, small batch and large."""
    shares = [both / one for both, one in zip(together.together, together.alone, strict=True)]
    told = ", ".join(f"{share:.2g} times as long as one for {batch} sequences" for batch, share in zip(SHARED, shares, strict=True))
    message = f"An update by two processes takes {told}"
    alt = f"{message}. Averaging a gradient of {parameters} parameters between them takes {together.exchange * 1000:.2g} ms of it. "
    alt += "Shortest of several, on a machine that may have had other work; no rule judges them."
    ways = {"one process": ("lstm", together.alone), "two processes": ("second", together.together)}
    places = [float(place) for place in range(len(SHARED))]
    series = [Series(label, role, places, core.probes.rounded([one * 1000 for one in seconds])) for label, (role, seconds) in ways.items()]
    return Bars("clock_pair", message, alt, "milliseconds", [f"{batch} sequences" for batch in SHARED], series)


# --- Judging ----------------------------------------------------------------------------------------------------

ROUNDING, WRONG, FASTER = 1e-5, 0.1, 1.5
CHECKS = (
    Check("accumulated", "gradient error, accumulated by targets", "<", ROUNDING),
    Check("pair", "gradient error, two processes", "<", ROUNDING),
    Check("naive", "gradient error, plain mean of means", ">", WRONG),
    Check("memory", "memory of the whole batch ÷ a micro-batch", ">", 1.5),
    Check("checkpointed", "gradient error, checkpointed", "<", ROUNDING),
    Check("saved", "memory of a long sequence, whole ÷ checkpointed", ">", 1.5),
    Check("clock_r2", "R² of time against length", ">", 0.97),
    Check("clock_throughput", "throughput, large batch ÷ one sequence", ">", 4.0),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds. The speed decides between predictions, not over the claim."""
    median = medians(CHECKS, measured)
    if median["accumulated"] >= ROUNDING:
        return "differs"
    if statistics.median(one["clock_gain"] for one in measured) >= FASTER:
        return "faster"
    return "memory" if median["naive"] > WRONG else "mean"


EXPERIMENT = Experiment(
    id="parallel-training",
    number=23,
    title="Micro-batches, two processes and the clock",
    claim="Accumulated with the right weights, micro-batches give the gradient of the whole batch, and so do two processes; both up to rounding. "
    "A plain mean of means does not, when numbers of targets differ. Time grows with the sequence length on a straight line; sequences side by side "
    "cost far less than one after another. Checkpoints give the same gradient from a part of the memory.",
    textbook="Use data parallelism, and gradient accumulation for a large batch in small memory; steps of a sequence cannot be computed in parallel.",
    truths=(
        "Accumulation saves memory and brings no speed: the micro-batches run one after another, each less efficiently than a large batch.",
        "The mean of means is wrong without any sign of it: the loss falls, only not by the gradient of the loss that is reported.",
        "Many sequences at once cost far less time than the same ones one by one, as long as the processor is not full. "
        "The batch is where an LSTM's parallelism is; its steps have to wait.",
        "Small models do not profit from more processes. At every update they wait for each other to exchange gradients, and half of a small batch takes "
        "more than half the time. A second process pays once a batch is too large for one; the last picture has what it came to here.",
        "Checkpoints buy memory with computing: every segment is read a second time, so the pass takes longer, never less.",
    ),
    limits=(
        "Two processes on one machine, by gloo over the loopback interface: this shows that the gradient is the same, not what is gained on several GPUs.",
        "Times depend on the machine. Of one process the processor's time is read, shortest of 60, so that other programs hardly count; for two processes "
        "the clock on the wall. No rule asks for a gain in speed, by accumulating, checkpoints or a second process.",
        "Everything runs on the CPU, whatever device is chosen.",
    ),
    unoperable="The networks see one batch for a few updates, so that gradients can be compared. They have learnt too little to operate on.",
    paper=Paper(
        "Li, S., Zhao, Y., Varma, R., Salpekar, O., Noordhuis, P., Li, T., et al.",
        2020,
        "PyTorch Distributed: Experiences on Accelerating Data Parallel Training",
        "Proceedings of the VLDB Endowment 13(12)",
    ),
    asks="A batch of sequences with unequal numbers of targets is cut into micro-batches, and their gradients are accumulated "
    "on one processor. What comes of it?",
    predictions=(
        Outcome("memory", "The same gradient in less memory, without being faster; each piece must be weighted by its targets"),
        Outcome("mean", "The same gradient, and averaging the pieces' means does as well"),
        Outcome("faster", "The same gradient, clearly faster: small pieces are quick"),
        Outcome("differs", "Another gradient than the whole batch has, however it is weighted"),
    ),
    outcome=outcome,
    controls=(
        Number(name="micro", label="Micro-batches", help="How many the batch of 32 sequences is cut into.", default=4, low=2, high=16, whole=True),
        Choice(
            name="lengths",
            label="Targets a sequence",
            help="With equal numbers a mean of means is right.",
            default="unequal",
            options={"unequal": "unequal", "equal": "equal"},
        ),
        Number(name="steps", label="Sequence length", help="Of the batch trained on.", default=24, low=8, high=96, whole=True, unit="steps"),
        Number(name="large", label="Large batch", help="Its throughput is compared with that of one sequence.", default=64, low=2, high=256, whole=True),
        Number(name="segments", label="Segments", help="That a sequence is read in with checkpoints between them.", default=8, low=2, high=16, whole=True),
        Number(name="hidden", label="Units", help="Of the LSTM.", default=32, low=8, high=128, whole=True),
        Number(name="updates", label="Updates", help="All on the same batch.", default=60, low=20, high=1000, step=10, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of plain gradient descent.", default=0.5, low=0.001, high=5, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 5, {"updates": 300})},
    arms=ARMS,
    curves=(Curve("loss", "loss, mean over all targets"),),
    checks=CHECKS,
    run=run,
    cpu_only=True,
)
