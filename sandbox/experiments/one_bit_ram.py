"""Question 2: what each part of an LSTM unit does, shown on the smallest memory there is.

A value comes at every step, now and then with a cue to store it, now and then with a cue to say what is stored: write,
keep, read, which is what the three gates are there for. Banks of one-cell LSTMs, 16 at once, are trained whole and with
one gate held open from the start (variants after Greff et al. 2017). The same gates are then taken out of the trained
whole nets, which is another question: not what the task needs, but what those weights came to rely on.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
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
    Specimen,
    Step,
)

if TYPE_CHECKING:
    from torch import Tensor

NETS, BATCH, EXAM = 16, 32, 500  # nets in a bank; sequences in an update and in an examination
SOLVED, FAILED = 0.05, 0.25  # error ÷ variance of the target
VALUE, WRITE, READ = 0, 1, 2  # input channels

ARMS = (
    Arm("full", "whole LSTM", "lstm"),
    Arm("no-input", "no input gate (i = 1)", "ablated"),
    Arm("no-forget", "no forget gate (f = 1)", "variant"),
    Arm("no-output", "no output gate (o = 1)", "rnn"),
)
REMOVED: dict[str, core.cells.Gate] = {"no-input": "i", "no-forget": "f", "no-output": "o"}


@dataclass(frozen=True)
class Task:
    """One of the three tasks of the matrix."""

    label: str
    width: int  # input channels
    forget_bias: float | None = None  # at the start; None for the setting
    clip: float = math.inf  # largest gradient norm of a net


TASKS = {
    "ram": Task("write, keep, read", 3),
    "marked": Task("one value among distractors", 2, forget_bias=3.0, clip=1.0),
    "release": Task("hold, say nothing yet", 2),
}
MARKED_STEPS, RELEASE_STEPS = 20, 30  # lengths of the two further tasks, as in the experiments of their own


@dataclass(frozen=True)
class Examined:
    """A bank after training: its best net, and how good that one is on fresh sequences."""

    bank: core.banks.Bank
    net: int
    error: float  # ÷ variance of the target
    solved: int  # nets of the bank


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the four banks on the same sequences, then measure and show them."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    trained = yield from core.training.interleave(arms, Point, seed, device)
    examined = {task: {arm: _examine(task, banks[task], settings, seed, device) for arm, banks in trained.items()} for task in _tasks(settings)}
    ram = examined["ram"]
    taken_out = {arm: _take_out(gate, ram["full"], settings, seed, device) for arm, gate in REMOVED.items()}
    values = {arm: one.error for arm, one in ram.items()} | {f"{arm}_taken_out": error for arm, error in taken_out.items()}
    yield Measured(values | {f"{arm}_{task}": one.error for task in _tasks(settings)[1:] for arm, one in examined[task].items()})
    yield _timeline_picture(ram["full"], settings, seed, device)
    yield _bars_picture(ram, taken_out)
    yield _chances_picture(ram)
    if len(examined) > 1:
        yield _matrix_picture(examined)
    fresh = next(_data("ram", core.surgery.SEQUENCES, settings, seed, "surgery"))
    best = ram["full"].bank.single(ram["full"].net)
    yield Specimen("full", *core.surgery.pack(best, fresh.x, fresh.target, exchanges=False))


def _tasks(settings: Settings) -> list[str]:
    return list(TASKS) if settings["tasks"] == "three" else ["ram"]


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, dict[str, core.banks.Bank]]:
    """Train one bank a task, side by side; the readings are those of the one-bit memory."""
    import torch

    banks = {task: _bank(arm, task, settings).to(device) for task in _tasks(settings)}
    data = {task: _data(task, BATCH, settings, seed, "sequences") for task in banks}
    parameters = [parameter for bank in banks.values() for parameter in bank.parameters()]

    def forward() -> tuple[Tensor, Measures]:
        losses = {task: _losses(task, bank, next(data[task]).to(device)) for task, bank in banks.items()}  # each (nets,)
        nmse = losses["ram"].detach() / _variance("ram", settings)
        return torch.cat(list(losses.values())).sum(), {"nmse": core.banks.lowest(nmse)[1], "solved": float(core.banks.solved(nmse, SOLVED))}

    def clip() -> float:
        return max(bank.clip_each(TASKS[task].clip) for task, bank in banks.items())

    optimizer = core.optimizers.Adam(parameters, float(settings["learning_rate"]))
    yield from core.training.train(forward, parameters, optimizer, int(settings["updates"]), clip)
    return banks


def _bank(arm: str, task: str, settings: Settings) -> core.banks.Bank:
    bank = core.banks.Bank(TASKS[task].width, NETS, int(settings["cells"]))
    bias = TASKS[task].forget_bias
    core.cells.set_forget_bias(bank.recurrent, float(settings["forget_bias"]) if bias is None else bias)
    if arm in REMOVED:
        core.cells.hold_gate(bank.recurrent, REMOVED[arm])
    return bank


def _data(task: str, batch: int, settings: Settings, seed: int, use: str) -> Iterator[core.tasks.Labelled]:
    generator = core.devices.generator(seed, task, use)
    if task == "ram":
        return core.tasks.one_bit_ram(batch, int(settings["steps"]), generator)
    if task == "marked":
        return core.tasks.marked_value(batch, MARKED_STEPS, generator)
    return core.tasks.store_and_release(batch, RELEASE_STEPS, generator)


def _variance(task: str, settings: Settings) -> float:
    """The squared error of always answering 0."""
    released = core.tasks.READ * (RELEASE_STEPS - 1) / RELEASE_STEPS
    return {"ram": core.tasks.ram_variance(int(settings["steps"])), "marked": 1.0, "release": released}[task]


def _losses(task: str, bank: core.banks.Bank, batch: core.tasks.Labelled) -> Tensor:
    """Each net's mean squared error (nets,); the marked value is asked for at the last step only."""
    import torch

    y = bank(batch.x)[0]
    return core.banks.per_net(torch.nn.functional.mse_loss, y[:, -1] if task == "marked" else y, batch.target)


def _examine(task: str, bank: core.banks.Bank, settings: Settings, seed: int, device: str) -> Examined:
    """The best net is chosen on fresh sequences and measured on others, so that the choice does not flatter it."""
    data = _data(task, EXAM, settings, seed, "exam")
    with core.probes.examining(bank):
        chosen, judged = (_losses(task, bank, next(data).to(device)) / _variance(task, settings) for _ in range(2))
    net, _ = core.banks.lowest(chosen)
    return Examined(bank, net, core.probes.error_or_inf(float(judged[net])), core.banks.solved(judged, SOLVED))


def _take_out(gate: core.cells.Gate, one: Examined, settings: Settings, seed: int, device: str) -> float:
    """The error of the trained whole net when a gate is held open afterwards."""
    bank = copy.deepcopy(one.bank)
    core.cells.hold_gate(bank.recurrent, gate)
    exam = next(_data("ram", EXAM, settings, seed, "taken out")).to(device)
    with core.probes.examining(bank):
        error = float(_losses("ram", bank, exam)[one.net])
    return core.probes.error_or_inf(error / _variance("ram", settings))


# --- Pictures ---------------------------------------------------------------------------------------------------


def _timeline_picture(full: Examined, settings: Settings, seed: int, device: str) -> Lines:
    """One sequence in the best whole net: its gates above the cues."""
    import torch

    batch = next(_data("ram", EXAM, settings, seed, "pictures"))
    x, steps = batch.x, [float(t) for t in range(batch.x.shape[1])]
    traced = core.probes.record_gates(full.bank, x.to(device))
    unit = full.bank.units(full.net).start + int(full.bank.weight.detach()[full.net].abs().argmax())
    with torch.no_grad():
        answer = full.bank(x[:1].to(device))[0][0, :, full.net]
    cues = {"i": x[..., WRITE] == 1, "f": x[..., WRITE] == 1, "o": x[..., READ] == 1}  # when each gate has work to do
    gates = {"i": traced.i[..., unit], "f": traced.f[..., unit], "o": traced.o[..., unit]}
    stands = {gate: (float(part[cues[gate]].mean()), float(part[~cues[gate]].mean())) for gate, part in gates.items()}
    told = {gate: f"{gate} is {at:.2f} (else {off:.2f})" for gate, (at, off) in stands.items()}
    message = f"On average over {EXAM} sequences: at a write cue {told['i']}, {told['f']}; at a read cue {told['o']}"
    alt = f"{message}. Gates, cell and answers of the best whole net over {len(steps)} steps of one sequence."
    written, asked = core.probes.plain(x[0, :, VALUE] * x[0, :, WRITE]), core.probes.plain(x[0, :, READ])
    panels = [
        Panel(
            "Gates", "gate", [Series(f"{gate} gate", gate, steps, core.probes.plain(part[0]), steps=True) for gate, part in gates.items()], y_range=(0.0, 1.0)
        ),
        Panel("Cues", "cue", [Series("write −1 or +1", "input", steps, written, steps=True), Series("read", "target", steps, asked, dash=True, steps=True)]),
        Panel("Cell", "c", [Series("cell c", "c", steps, core.probes.plain(traced.c[0, :, unit]), steps=True)]),
        Panel(
            "Answers",
            "answer",
            [
                Series("asked for", "target", steps, core.probes.plain(batch.target[0]), dash=True, steps=True),
                Series("answer", "lstm", steps, core.probes.plain(answer), steps=True),
            ],
        ),
    ]
    return Lines("timeline", message, alt, "step", panels)


def _bars_picture(ram: Mapping[str, Examined], taken_out: Mapping[str, float]) -> Bars:
    """A gate missing from the start against the same gate taken out of the trained net."""
    later = {"full": ram["full"].error, **taken_out}
    series = [Series(arm.label, arm.role, [0.0, 1.0], core.probes.rounded([ram[arm.key].error, later[arm.key]])) for arm in ARMS]
    message = f"Error ÷ variance of the best net: {ram['full'].error:.2g} when whole; with one gate held open from the start " + ", ".join(
        f"{ram[arm].error:.2g} ({gate})" for arm, gate in REMOVED.items()
    )
    after = ", ".join(f"{taken_out[arm]:.2g} ({gate})" for arm, gate in REMOVED.items())
    alt = f"{message}. The same gates held open only after the whole net was trained: {after}. Best net of {NETS}, fresh sequences."
    groups = ["trained like this", "whole net, gate held open afterwards"]
    return Bars("errors", message, alt, "error ÷ variance", groups, series, rules=((1.0, "always answering 0"), (SOLVED, "solved")), log_y=True)


def _chances_picture(ram: Mapping[str, Examined]) -> Bars:
    """How many nets of each bank found the way."""
    series = [Series(arm.label, arm.role, [0.0], [float(ram[arm.key].solved)]) for arm in ARMS]
    without = ", ".join(f"{ram[arm].solved} ({gate})" for arm, gate in REMOVED.items())
    message = f"{ram['full'].solved} of {NETS} whole nets solved it; with one gate held open from the start {without}"
    return Bars("solved", message, f"{message}. Solved means an error below {SOLVED:g} times the variance of the target.", "nets", ["solved"], series)


def _matrix_picture(examined: Mapping[str, Mapping[str, Examined]]) -> HeatMap:
    """Three tasks, four banks: which task needs which gate."""
    rows = [TASKS[task].label for task in examined]
    z = [core.probes.rounded([of[arm.key].error for arm in ARMS]) for of in examined.values()]
    needs = {task: [gate for arm, gate in REMOVED.items() if of[arm].error > FAILED] for task, of in examined.items()}
    message = "Gates a task cannot spare: " + "; ".join(f"{TASKS[task].label}: {', '.join(gates) or 'none'}" for task, gates in needs.items())
    cells = "; ".join(
        f"{row}: " + ", ".join(f"{arm.label} {error:.2g}" for arm, error in zip(ARMS, errors, strict=True)) for row, errors in zip(rows, z, strict=True)
    )
    alt = f"{message}. Error ÷ variance of the best net. {cells}."
    return HeatMap("matrix", message, alt, "trained with", "task", [arm.label for arm in ARMS], rows, z, "error ÷ variance", z_range=(0.0, 1.0))


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("full", "best error of the whole LSTMs", "<", SOLVED),
    Check("no-input", "best error without an input gate", ">", FAILED),
    Check("no-forget", "best error without a forget gate", ">", FAILED),
    Check("no-output", "best error without an output gate", ">", FAILED),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    full, *without = (check.median(measured) for check in CHECKS)
    if full >= SOLVED:
        return "whole-fails"
    failed = sum(error > FAILED for error in without)
    return "all-needed" if failed == len(without) else "some-needed" if failed else "none-needed"


EXPERIMENT = Experiment(
    id="one-bit-ram",
    number=2,
    title="One cell as a one-bit memory",
    claim="One LSTM cell learns to be a memory of one bit: write on a cue, keep, say it on another cue, be silent otherwise. With any one of its "
    "gates held open from the start it does not: not one of 16 nets.",
    textbook="Three gates control the cell: the input gate writes, the forget gate keeps or erases, the output gate shows.",
    truths=(
        "Gates are needed like this only where cells are scarce. Give the nets four cells and look again: they stand in for one another, "
        "which is why Greff et al. (2017) found small differences between variants of large networks.",
        "A gate taken out after training shows what those weights came to rely on, and makes it look worse than it need be. Compare the two groups of bars.",
        "A missing gate does not always show: which one a task needs depends on the task. "
        "Set the tasks to “three tasks”, and one picture more shows for each of them which gates it cannot spare.",
    ),
    limits=(
        "The bit and the cues are clean. With noise a gate could not stay at one side, and a single cell would drift.",
        "What a net of one cell cannot learn in one training, a longer one or another start might: the claim is about this training, for 16 starts.",
    ),
    paper=Paper(
        "Greff, K., Srivastava, R. K., Koutník, J., Steunebrink, B. R., Schmidhuber, J.",
        2017,
        "LSTM: A search space odyssey",
        "IEEE Transactions on Neural Networks and Learning Systems 28(10)",
    ),
    asks="One cell shall store a bit on a cue, keep it, say it on another cue and otherwise answer 0. It is trained whole, and with one gate held "
    "open from the start. Which gates can it do without?",
    predictions=(
        Outcome("all-needed", "None: with any gate missing it fails"),
        Outcome("some-needed", "One or two of them: the others make up for them"),
        Outcome("none-needed", "Any one of them: the remaining parts make up for it"),
        Outcome("whole-fails", "One cell cannot even do it with all its gates"),
    ),
    outcome=outcome,
    controls=(
        Number(name="steps", label="Length", help="Steps in a sequence.", default=40, low=5, high=100, whole=True),
        Number(name="cells", label="Cells", help="Of each tiny net. One leaves it no way round; try four.", default=1, low=1, high=4, whole=True),
        Choice(
            name="tasks",
            label="Tasks",
            help="The memory alone, or also one value among distractors and a bit to be held back: one picture more then shows which task needs which gate.",
            default="one",
            options={"one": "the one-bit memory", "three": "three tasks"},
        ),
        Number(
            name="forget_bias",
            label="Forget bias at the start",
            help="Forget gates start near σ of this: 1 gives 0.73, 3 gives 0.95.",
            default=1,
            low=-2,
            high=6,
            step=0.5,
        ),
        Number(name="updates", label="Updates", help="Each on 32 fresh sequences.", default=250, low=50, high=2000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam.", default=0.03, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 10, {"updates": 400, "tasks": "three"})},
    arms=ARMS,
    curves=(
        Curve("nmse", "error ÷ variance, best net", log_y=True, rules=((1.0, "always answering 0"), (SOLVED, "solved"))),
        Curve("solved", "nets that solve the batch"),
        Curve("gradient", "largest gradient norm of a net", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
