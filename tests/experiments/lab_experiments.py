"""Small experiments for testing the laboratory: workers import this module by its name."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Iterator

from sandbox.protocol import Arm, Check, Curve, Experiment, Lines, Measured, Number, Outcome, Panel, Paper, Point, Preset, Series, Settings, Specimen, Step

UPDATES = Number(name="updates", label="Updates", help="How many.", default=20, low=1, high=100_000, whole=True)
PAUSE = Number(name="pause", label="Pause", help="Seconds between updates.", default=0.0, low=0.0, high=100.0)


def play(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Two arms walk down; one diverges at the end. Depends on settings and seed only."""
    for update in range(1, int(settings["updates"]) + 1):
        time.sleep(float(settings["pause"]))
        yield Point("plain", update, {"loss": 1 / (update + seed)})
        yield Point("wild", update, {"loss": math.nan if update == settings["updates"] else float(update)})
    yield Measured({"loss": 1 / (1 + seed), "ratio": math.inf})
    yield Lines(
        "walk", f"Seed {seed} walked down", "A falling line.", "update", (Panel("Loss", "loss", (Series("plain", "lstm", (1.0, 2.0), (1.0, math.nan)),)),)
    )


def kill_itself_once(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """The worker's process dies in the middle, as by the out-of-memory killer; not if the file `flag` names exists."""
    from pathlib import Path

    yield Point("plain", 1, {"loss": 1.0})
    time.sleep(0.3)  # long enough for the report that it started to have left the process
    flag = Path(os.environ["LAB_TEST_FLAG"])
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    yield Measured({"loss": 0.0, "ratio": math.inf})


def hurry_on_a_gpu(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Points that take longer on a CPU. It only pretends to use the device."""
    for update in range(1, 5):
        time.sleep(0.0 if device == "cuda" else 0.4)
        for arm in ("plain", "wild"):
            yield Point(arm, update, {"loss": 0.1})
    yield Measured({"loss": 0.1, "ratio": math.inf})


def use_up_a_gpu(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """What torch says when CUDA has no memory left (seed 0), or is broken."""
    import torch

    yield Point("plain", 1, {"loss": 1.0})
    time.sleep(0.3)  # long enough for the report that it started to have left the process
    if seed == 0:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nSee the documentation")
    raise RuntimeError("CUDA error: unspecified launch failure\nCUDA kernel errors might be asynchronously reported")


def never_yield(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """One point, then a step that does not end."""
    yield Point("plain", 1, {"loss": 1.0})
    time.sleep(600)


def break_off(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """A bug in an experiment."""
    yield Point("plain", 1, {"loss": 1.0})
    raise ArithmeticError("the weights went on strike")


def leave_networks(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Two networks nobody has trained, for surgery: one that names classes at the end, one that says values at steps of each sequence's own."""
    import torch

    from sandbox.core import cells, devices, surgery

    draw = devices.generator(seed, "weights")
    x = torch.randn(32, 10, 2, generator=draw)
    yield Point("plain", 1, {"loss": 1.0})
    yield Measured({"loss": 0.0, "ratio": math.inf})
    for arm, outputs in (("plain", 3), ("wild", 1)):
        model = cells.Reader(torch.nn.LSTM(2, 4, batch_first=True), outputs)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, generator=draw)
        torch.nn.init.zeros_(model.readout.bias)
        said = model(x)[0].detach()
        if outputs == 3:
            yield Specimen(arm, *surgery.pack(model, x, said[:, -1].argmax(-1)))
        else:
            yield Specimen(arm, *surgery.pack(model, x, said[..., 0] + 1e-3 * x[..., 0], x[..., 1] > 0))


def make(key: str, run: object) -> Experiment:
    """An experiment around `run`: the claim is that the loss gets below .4, which seeds 2 and up satisfy."""
    return Experiment(
        id=key,
        number=1,
        title=key,
        claim="The loss falls below .4.",
        textbook="It falls.",
        truths=("It depends on the seed.",),
        limits=("A toy.",),
        paper=Paper("Nobody", 2000, "Walking down", "A journal"),
        asks="What happens?",
        predictions=(Outcome("falls", "It falls"), Outcome("stays", "It stays")),
        outcome=lambda settings, measured: "falls" if measured[-1]["loss"] < 0.4 else "stays",
        controls=(UPDATES, PAUSE),
        presets={"quick": Preset("Quick", 2), "thorough": Preset("Thorough", 4, {"updates": 40})},
        arms=(Arm("plain", "Plain", "lstm"), Arm("wild", "Wild", "rnn")),
        curves=(Curve("loss", "Loss"),),
        checks=(Check("loss", "Loss", "<", 0.4), Check("ratio", "Ratio", ">", 10.0)),
        run=run,  # type: ignore[arg-type]
    )


RUNS = {
    "walk": play,
    "kill": kill_itself_once,
    "stuck": never_yield,
    "networks": leave_networks,
    "broken": break_off,
    "hurry": hurry_on_a_gpu,
    "greedy": use_up_a_gpu,
}


def find(experiment_id: str) -> Experiment:
    """The test's registry."""
    return make(experiment_id, RUNS[experiment_id])
