"""Faults of generalising: learning by heart, dropout left on while evaluating, an old task forgotten over a new one, an eroded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sandbox.core import cells, devices, probes, tasks
from sandbox.recordings.chart import Chart, Panel, Recipe, Series, Values
from sandbox.recordings.fitting import Log, fit

BATCH = 32
STEPS, CHANNELS = 15, 8  # of a noisy sum

# --- Learning by heart ----------------------------------------------------------------------------------------------


def overfitting(settings: Values, seed: int) -> Chart:
    """Few sequences with some wrong labels, a large network, nothing against overfitting."""
    log = _noisy_sums(settings, seed, _loss_and_accuracy, every=5)
    return Chart(
        "An LSTM learns to sort sequences into two classes",
        "Two charts over the updates of one training: the loss, and the accuracy, each on the training sequences and on validation sequences, "
        "always measured without dropout. Guessing costs 0.69 nats and is right half of the time.",
        "Update",
        [
            Panel("Loss (nats)", log.series("training loss", "validation loss")),
            Panel("Accuracy", log.series("training accuracy", "validation accuracy")),
        ],
    )


class Sorter(nn.Module):
    """Dropout on the input, an LSTM, dropout on its last output, a linear read-out: x (B, T, D) → logits (B, 2)."""

    def __init__(self, hidden: int, drop_input: float, drop_output: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(CHANNELS, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, 2)
        self.drop_input, self.drop_output = nn.Dropout(drop_input), nn.Dropout(drop_output)

    def forward(self, x: Tensor) -> Tensor:
        """The two logits of each sequence."""
        logits: Tensor = self.readout(self.drop_output(self.lstm(self.drop_input(x))[0][:, -1]))
        return logits


Sets = Mapping[str, tasks.Labelled]
Look = Callable[[nn.Module, Sets], Mapping[str, float]]


def _noisy_sums(settings: Values, seed: int, look: Look, *, every: int) -> Log:
    """Train on a fixed set; `look(model, sets)` measures on it and on a validation set."""
    model = Sorter(int(settings["hidden"]), float(settings["drop_input"]), float(settings["drop_output"]))
    cells.set_forget_bias(model.lstm, 1.0)
    sets = {
        name: next(tasks.noisy_sums(int(settings[name]), STEPS, CHANNELS, devices.generator(seed, name), flips=float(settings["flips"])))
        for name in ("training", "validation")
    }
    choose = devices.generator(seed, "batches")

    def loss() -> Tensor:
        rows = torch.randint(0, int(settings["training"]), (BATCH,), generator=choose)
        return F.cross_entropy(model(sets["training"].x[rows]), sets["training"].target[rows])

    optimizer = torch.optim.Adam(model.parameters(), float(settings["learning_rate"]))
    return fit(loss, model.parameters(), optimizer, int(settings["updates"]), look=lambda: look(model, sets), every=every)


def _loss_and_accuracy(model: nn.Module, sets: Sets) -> dict[str, float]:
    values: dict[str, float] = {}
    with probes.examining(model):
        for name, data in sets.items():
            logits = model(data.x)
            values |= {f"{name} loss": float(F.cross_entropy(logits, data.target)), f"{name} accuracy": probes.accuracy(logits, data.target)}
    return values


# --- Dropout left on ------------------------------------------------------------------------------------------------


def dropout_left_on(settings: Values, seed: int) -> Chart:
    """The validation loss, measured three times in a row at each look, by code that never calls model.eval()."""
    names = ("evaluation 1", "evaluation 2", "evaluation 3")

    @torch.no_grad()
    def look(model: nn.Module, sets: Sets) -> dict[str, float]:
        return {name: float(F.cross_entropy(model(sets["validation"].x), sets["validation"].target)) for name in names}

    log = _noisy_sums(settings, seed, look, every=20)
    return Chart(
        "The validation loss of an LSTM, evaluated three times at each point",
        f"One chart: at each point of the training, three evaluations in a row of the validation loss on the same {settings['validation']} sequences. Guessing "
        "costs 0.69 nats.",
        "Update",
        [Panel("Validation loss (nats)", log.series(*names))],
    )


# --- An old language forgotten over a new one -------------------------------------------------------------------------


def forgotten_task(settings: Values, seed: int) -> Chart:
    """A language model learns one hidden Markov language, then is tuned on another, all weights at the full learning rate."""
    world = tasks.Languages(devices.generator(seed, "languages"))
    hidden, rate = int(settings["hidden"]), float(settings["learning_rate"])
    model = nn.Sequential(nn.Embedding(world.symbols, hidden), cells.Reader(nn.LSTM(hidden, hidden, batch_first=True), world.symbols))
    first, second = (_one_language(world, which, devices.generator(seed, f"language {which}")) for which in (0, 1))
    exams = {"first text": _exam(world, 0, seed), "second text": _exam(world, 1, seed)}

    def costs(tokens: Tensor) -> Tensor:
        return F.cross_entropy(model(tokens[:, :-1])[0].flatten(0, 1), tokens[:, 1:].flatten())

    def look() -> dict[str, float]:
        with torch.no_grad():
            return {name: float(costs(tokens)) for name, tokens in exams.items()}

    def learn(texts: Iterator[Tensor], updates: int) -> Log:
        optimizer = torch.optim.Adam(model.parameters(), rate)
        return fit(lambda: costs(next(texts)), model.parameters(), optimizer, updates, look=look, every=10)

    before, after = learn(first, int(settings["first"])), learn(second, int(settings["second"]))
    at = before.at + [int(settings["first"]) + update for update in after.at[1:]]
    curves = [Series(name, at, before.of[name] + after.of[name][1:]) for name in exams]
    return Chart(
        "A language model is trained on one text and then on another",
        f"One chart: the loss on held-out parts of two texts over the updates of one network. The first {settings['first']} updates use the first text, "
        "the others the second text. Guessing among the 12 symbols costs 2.48 nats.",
        "Update",
        [Panel("Held-out loss (nats)", curves)],
    )


def _one_language(world: tasks.Languages, which: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Sentences (about BATCH, 24) of one of the languages."""
    for sentences in world.sentences(BATCH * len(world.transition), 24, generator):
        yield sentences.x[sentences.target == which]


def _exam(world: tasks.Languages, which: int, seed: int) -> Tensor:
    drawn = next(world.sentences(1600, 24, devices.generator(seed, f"exam {which}")))
    return drawn.x[drawn.target == which]


SUMS = {"hidden": 32, "flips": 0.1, "validation": 500}
RECIPES = (
    Recipe("overfitting", SUMS | {"training": 128, "drop_input": 0.0, "drop_output": 0.0, "learning_rate": 0.005, "updates": 300}, overfitting),
    Recipe(
        "dropout-left-on",
        SUMS | {"training": 4000, "validation": 150, "flips": 0.0, "drop_input": 0.2, "drop_output": 0.5, "learning_rate": 0.005, "updates": 300},
        dropout_left_on,
    ),
    Recipe("forgotten-task", {"hidden": 32, "learning_rate": 0.01, "first": 200, "second": 200}, forgotten_task),
)
