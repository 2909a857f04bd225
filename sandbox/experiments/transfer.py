"""Question 22: what a pretrained LSTM saves in labels, and how fine-tuning can squander it.

Sentences of four artificial languages share their words and differ in word order only (hidden Markov models). An LSTM
first learns to predict the next symbol of many unlabelled sentences. Then few labelled ones say which language is which:
a new LSTM learns from them alone, the pretrained one is fine-tuned as a whole, or it is frozen and only a new head
learns (Howard & Ruder 2018 on why the second needs care). The best possible accuracy is known exactly.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
    from torch import Tensor, nn

LABELS = (10, 20, 50, 200, 1000)  # numbers of labelled sentences; each set contains the smaller ones
LIVE = 20  # the number of labels that the live curve follows
LANGUAGES, STEPS = 4, 24  # languages to tell apart; symbols in a sentence
UNLABELLED, EXAM = 8000, 500  # sentences to pretrain on; fresh sentences in the final measurement
SYMBOLS, EMBEDDED = 12, 16  # different symbols; their embedding's width
BATCH = 32  # sentences in an update
LOOKS = 10  # how often the live accuracy is taken while labels are learnt
CLIP = 1.0
GENTLE = 0.1  # the careful fine-tuning's learning rate for the LSTM, as a part of the head's

ARMS = (
    Arm("scratch", "from scratch", "lstm"),
    Arm("fine", "pretrained, all fine-tuned", "variant"),
    Arm("frozen", "pretrained, frozen, new head", "remedy"),
)


@dataclass(frozen=True)
class Data:
    """Everything the arms learn from and are examined on, on the device."""

    unlabelled: Tensor  # (UNLABELLED, T) tokens
    labelled: core.tasks.Labelled  # as many as the largest number of labels
    exam: core.tasks.Labelled
    ceiling: list[float]  # the best possible accuracy after each symbol of the exam's sentences


@dataclass
class Pretraining:
    """One language model for the two arms that start from it: who comes first trains it on, the other looks on."""

    steps: Generator[core.training.Reading, None, nn.ModuleDict]
    seen: list[core.training.Reading] = field(default_factory=list)
    body: nn.ModuleDict | None = None

    def readings(self) -> Iterator[core.training.Reading]:
        """Every reading from the first, then `body` is there."""
        place = 0
        while place < len(self.seen) or self._advanced():
            yield self.seen[place]
            place += 1

    def _advanced(self) -> bool:
        if self.body is not None:
            return False
        try:
            self.seen.append(next(self.steps))
        except StopIteration as end:
            self.body = end.value
            return False
        return True


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train on the labels with and without pretraining, then measure and show."""
    data = _data(settings, seed, device)
    source = Pretraining(_pretrain(data, settings, seed, device))
    arms = {arm.key: _arm(arm.key, data, source, settings, seed, device) for arm in ARMS}
    trained = yield from core.training.interleave(arms, Point, seed, device)
    accuracy = {arm: {labels: _accuracy(net, data.exam) for labels, net in nets.items()} for arm, nets in trained.items()}
    values = {f"{arm}_{labels}": share for arm, by_labels in accuracy.items() for labels, share in by_labels.items()}
    gaps = {f"gap_{labels}": values[f"frozen_{labels}"] - values[f"scratch_{labels}"] for labels in LABELS}
    yield Measured(values | gaps | {"gain_1000": values["fine_1000"] - values["scratch_1000"]})
    yield _labels_picture(accuracy, data.ceiling[-1])
    yield _prefix_picture(trained["frozen"][LABELS[-1]], data)
    yield _specimen("frozen", trained["frozen"][LABELS[-1]], data.exam)


def _specimen(arm: str, net: Any, exam: core.tasks.Labelled) -> Specimen:
    """A network that reads embedded symbols, with sentences so embedded."""
    reader = core.cells.Reader(net["body"].lstm, LANGUAGES)
    reader.readout = net["head"]
    return Specimen(arm, *core.surgery.pack(reader, net["body"].embed(exam.x[: core.surgery.SEQUENCES]), exam.target))


def _data(settings: Settings, seed: int, device: str) -> Data:
    """Draw the languages and the three sets of sentences. Pretraining may be on other languages of the same words."""
    languages = core.tasks.Languages(core.devices.generator(seed, "languages"), languages=LANGUAGES, strict=float(settings["strict"]))
    read = languages
    if settings["source"] == "other":
        read = core.tasks.Languages(core.devices.generator(seed, "other languages"), languages=LANGUAGES, strict=float(settings["strict"]))
    unlabelled = next(read.sentences(UNLABELLED, STEPS, core.devices.generator(seed, "unlabelled")))
    labelled = _balanced(next(languages.sentences(LABELS[-1], STEPS, core.devices.generator(seed, "labelled"))))
    exam = next(languages.sentences(EXAM, STEPS, core.devices.generator(seed, "exam")))
    ceiling = [float((languages.posterior(exam.x[:, : t + 1]).argmax(1) == exam.target).double().mean()) for t in range(STEPS)]
    return Data(unlabelled.x.to(device), labelled.to(device), exam.to(device), ceiling)


def _balanced(sentences: core.tasks.Labelled) -> core.tasks.Labelled:
    """The same sentences in an order in which every beginning holds the languages about equally often."""
    import torch

    own = torch.nn.functional.one_hot(sentences.target, LANGUAGES)  # (N, languages)
    rank = (own.cumsum(0) * own).sum(1)  # how many of its language so far
    order = rank.argsort(stable=True)
    return core.tasks.Labelled(sentences.x[order], sentences.target[order])


# --- Training ---------------------------------------------------------------------------------------------------


def _body(settings: Settings) -> nn.ModuleDict:
    """What pretraining hands on: embeddings and LSTM."""
    from torch import nn

    lstm = nn.LSTM(EMBEDDED, int(settings["hidden"]), batch_first=True)
    core.cells.set_forget_bias(lstm, 1.0)
    return nn.ModuleDict({"embed": nn.Embedding(SYMBOLS, EMBEDDED), "lstm": lstm})


def _states(body: Any, tokens: Tensor) -> Tensor:
    """The LSTM's state after each symbol of tokens (B, T): (B, T, H)."""
    states: Tensor = body.lstm(body.embed(tokens))[0]
    return states


def _pretrain(data: Data, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, nn.ModuleDict]:
    """A language model: predict the next symbol of unlabelled sentences."""
    import torch

    body, head = _body(settings).to(device), torch.nn.Linear(int(settings["hidden"]), SYMBOLS).to(device)
    parameters = [*body.parameters(), *head.parameters()]
    chosen = core.devices.generator(seed, "batches")

    def forward() -> tuple[Tensor, Measures]:
        rows = torch.randint(0, UNLABELLED, (BATCH,), generator=chosen).to(device)
        tokens = data.unlabelled[rows]
        logits = head(_states(body, tokens[:, :-1]))
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        return loss, {"bits": float(loss.detach()) / math.log(2)}

    optimizer = core.optimizers.Adam(parameters, float(settings["learning_rate"]))
    yield from core.training.train(forward, parameters, optimizer, int(settings["updates"]), CLIP)
    return body


def _arm(
    arm: str, data: Data, source: Pretraining, settings: Settings, seed: int, device: str
) -> Generator[core.training.Reading, None, dict[int, nn.ModuleDict]]:
    """Pretrain if the arm does, then learn from every number of labels: one network for each."""
    done = 0
    if arm != "scratch":
        for reading in source.readings():
            yield core.training.Reading(reading.update, {"bits": reading.values["bits"]})
            done = reading.update
    nets = {labels: _classifier(source.body if arm != "scratch" else None, settings).to(device) for labels in LABELS}
    for number, reading in enumerate(_learn(arm, nets, data, settings, seed, device)):
        if number % 2 == 0:
            yield core.training.Reading(done + reading.update, reading.values)
    return nets


def _classifier(start: nn.ModuleDict | None, settings: Settings) -> nn.ModuleDict:
    """A new head over a copy of the pretrained `start`, or over a new body."""
    from torch import nn

    body = _body(settings) if start is None else copy.deepcopy(start)
    return nn.ModuleDict({"body": body, "head": nn.Linear(int(settings["hidden"]), LANGUAGES)})


def _learn(arm: str, nets: Mapping[int, nn.ModuleDict], data: Data, settings: Settings, seed: int, device: str) -> core.training.Training:
    """Train one network for each number of labels, side by side; each has its own batches and its own clipping."""
    import torch

    updates, rate = int(settings["label_updates"]), float(settings["learning_rate"])
    gentle = arm == "fine" and settings["tuning"] == "gentle"
    batches = {labels: _batches(labels, core.devices.generator(seed, f"labels {labels}")) for labels in nets}
    frozen = arm == "frozen"
    known = {labels: _features(net, data.labelled.x[:labels]) if frozen else data.labelled.x[:labels] for labels, net in nets.items()}
    bodies = [p for net in nets.values() for p in net["body"].parameters()]
    heads = [p for net in nets.values() for p in net["head"].parameters()]
    optimizer = core.optimizers.Adam([{"params": heads}] if frozen else [{"params": heads}, {"params": bodies}], rate)
    done, accuracy = 0, 0.0

    def forward() -> tuple[Tensor, Measures]:
        nonlocal done, accuracy
        if gentle:  # the head alone first, then everything, the LSTM at a small rate
            optimizer.param_groups[1]["lr"] = 0.0 if done < updates // 2 else GENTLE * rate
        if done % max(1, updates // LOOKS) == 0 or done == updates - 1:
            accuracy = _accuracy(nets[LIVE], data.exam)
        done += 1
        losses = []
        for labels, net in nets.items():
            rows = next(batches[labels]).to(device)
            given = known[labels][rows]
            logits = net["head"](given) if frozen else _answers(net, given)
            losses.append(torch.nn.functional.cross_entropy(logits, data.labelled.target[rows]))
        loss = torch.stack(losses)
        return loss.sum(), {"accuracy": accuracy, "label_loss": float(loss.detach().mean())}

    def clip() -> float:
        norms = [core.training.clip_norm(net.parameters(), CLIP) for net in nets.values()]
        return max(norms)

    history = yield from core.training.train(forward, bodies + heads, optimizer, updates, clip)
    return history


def _batches(labels: int, generator: Any) -> Iterator[Tensor]:
    """Which of the labelled sentences an update sees: all of them, if they fit."""
    import torch

    while True:
        yield torch.arange(labels) if labels <= BATCH else torch.randint(0, labels, (BATCH,), generator=generator)


def _answers(net: nn.ModuleDict, tokens: Tensor) -> Tensor:
    """The logits (B, languages) of whole sentences, read off the state after the last symbol."""
    logits: Tensor = net["head"](_states(net["body"], tokens)[:, -1])
    return logits


def _features(net: nn.ModuleDict, tokens: Tensor) -> Tensor:
    """The frozen body's last state (N, H), computed once: it does not change."""
    with core.probes.examining(net):
        return _states(net["body"], tokens)[:, -1]


def _accuracy(net: nn.ModuleDict, exam: core.tasks.Labelled) -> float:
    with core.probes.examining(net):
        return core.probes.accuracy(_answers(net, exam.x), exam.target)


# --- Pictures ---------------------------------------------------------------------------------------------------


def _labels_picture(accuracy: Mapping[str, Mapping[int, float]], ceiling: float) -> Bars:
    """Accuracy by number of labels, for the three ways."""
    series = [
        Series(arm.label, arm.role, [float(place) for place in range(len(LABELS))], core.probes.rounded(list(accuracy[arm.key].values()))) for arm in ARMS
    ]
    few, many = LABELS[0], LABELS[-1]
    told = {labels: [f"{accuracy[arm.key][labels]:.0%}" for arm in ARMS] for labels in (few, many)}
    message = f"With {few} and with {many} labels: " + ", ".join(
        f"{name} {some} and {all_of_them}" for name, some, all_of_them in zip(("from scratch", "fine-tuned", "frozen"), told[few], told[many], strict=True)
    )
    each = ". ".join(f"{arm.label}: " + ", ".join(f"{labels} labels {share:.0%}" for labels, share in accuracy[arm.key].items()) for arm in ARMS)
    alt = f"Accuracy on fresh sentences by number of labelled ones. {message}. {each}. Best possible {ceiling:.0%}."
    rules = ((1 / LANGUAGES, "guessing"), (ceiling, "best possible"))
    return Bars("labels", message, alt, "accuracy", [f"{labels} labels" for labels in LABELS], series, rules=rules)


def _prefix_picture(net: nn.ModuleDict, data: Data) -> Lines:
    """What the frozen states know of the language after each symbol, beside what can be known."""
    with core.probes.examining(net):
        states = _states(net["body"], data.exam.x)  # (B, T, H)
        right = [core.probes.accuracy(one, data.exam.target) for one in net["head"](states).unbind(1)]
    steps = [float(t) for t in range(1, STEPS + 1)]
    series = [
        Series("best possible (exact)", "target", steps, core.probes.rounded(data.ceiling), dash=True),
        Series("frozen states, head", "remedy", steps, core.probes.rounded(right)),
    ]
    middle = STEPS // 2
    message = (
        f"Never told a language, the pretrained states tell {right[-1]:.0%} of them after {STEPS} symbols, "
        f"{right[middle - 1]:.0%} after {middle} ({data.ceiling[middle - 1]:.0%} is possible)"
    )
    alt = f"{message}. Accuracy of the head learnt from {LABELS[-1]} labels, asked after each symbol, beside Bayes' rule with the true languages."
    panel = Panel("Which language is it?", "accuracy", series, y_range=(0.0, 1.0), rules=((1 / LANGUAGES, "guessing"),))
    return Lines("prefix", message, alt, "symbols read", [panel])


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("gap_10", "10 labels: accuracy frozen − from scratch", ">", 0.25),
    Check("gap_20", "20 labels: accuracy frozen − from scratch", ">", 0.15),
    Check("gain_1000", "1000 labels: accuracy fine-tuned − from scratch", "<", 0.05),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""

    def middle(name: str) -> float:
        return Check(name, name, ">", 0.0).median([{name: one.get(name, math.nan)} for one in measured])

    if max(middle("frozen_10"), middle("fine_10")) <= middle("scratch_10") + 0.1:
        return "none"
    if middle("gain_1000") >= 0.05:
        return "always"
    return "frozen" if middle("frozen_10") > middle("fine_10") else "fine"


EXPERIMENT = Experiment(
    id="transfer",
    number=22,
    title="What pretraining saves in labels",
    claim="With a handful of labels, a new head on a frozen pretrained LSTM is far ahead of an LSTM that learns from the labels alone. "
    "With a thousand labels the advantage of pretraining is gone.",
    textbook="Pretrain an LSTM on a large corpus, then fine-tune it on the target task: it needs fewer labels and converges faster.",
    truths=(
        "With few labels plain fine-tuning of everything does worse than freezing, though it could represent as much: it forgets. That is the reason "
        "for gradual unfreezing. Set the fine-tuning to careful and it is about as good as freezing, with few labels, too.",
        "Pretraining pays only as far as the source fits. Let it read other languages, and with many labels the frozen states fall far behind an LSTM "
        "from scratch, while the fine-tuned one adapts.",
        "Nobody told the language model that there are languages. To predict the next symbol it has to tell them apart, so its states do.",
    ),
    limits=(
        "An ideal case: the pretraining sentences come from the very languages to be told apart. On real text with networks this small, transfer was weak.",
        "The learning rates are not tuned for each way, and from scratch gets no more updates than the others get for their labels.",
    ),
    paper=Paper("Howard, J., Ruder, S.", 2018, "Universal Language Model Fine-tuning for Text Classification", "ACL"),
    asks="Which of four artificial languages is a sentence from? With 10 to 1000 labelled sentences, an LSTM learns from scratch; one pretrained on "
    "unlabelled sentences is fine-tuned as a whole; or it is frozen, with a new head. What do you expect?",
    predictions=(
        Outcome("frozen", "With few labels the frozen one is best; with 1000 all are about equal"),
        Outcome("fine", "With few labels the fine-tuned one is best; with 1000 all are about equal"),
        Outcome("always", "Pretraining is clearly ahead at every number of labels"),
        Outcome("none", "About equal already with 10 labels"),
    ),
    outcome=outcome,
    controls=(
        Number(
            name="updates",
            label="Updates of pretraining",
            help="Each on 32 unlabelled sentences. With few, the frozen states are nearly those of a random network.",
            default=600,
            low=10,
            high=3000,
            step=10,
            whole=True,
        ),
        Number(
            name="label_updates",
            label="Updates on labels",
            help="For every number of labels and every way of learning.",
            default=140,
            low=20,
            high=600,
            step=10,
            whole=True,
        ),
        Choice(
            name="source",
            label="Pretraining reads",
            help="The four languages of the task, without labels, or four others with the same words in other orders.",
            default="same",
            options={"same": "the languages of the task", "other": "other languages"},
        ),
        Choice(
            name="tuning",
            label="Fine-tuning",
            help="Careful: the head alone for the first half, then the LSTM as well, at a tenth of the rate.",
            default="plain",
            options={"plain": "everything at once, full rate", "gentle": "careful: head first, LSTM slowly"},
        ),
        Number(
            name="strict",
            label="Strictness of word order",
            help="How often a sentence follows its language's order. The lower, the harder it is to tell languages apart, also for Bayes' rule.",
            default=0.8,
            low=0.3,
            high=1,
            step=0.1,
        ),
        Number(name="hidden", label="Units", help="Of every network.", default=48, low=8, high=96, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam, everywhere.", default=0.01, low=0.0001, high=0.1, log=True),
    ),
    presets={
        "quick": Preset("Quick", 3, {"hidden": 32, "updates": 300, "label_updates": 100, "learning_rate": 0.02}),
        "thorough": Preset("Thorough", 10, {"updates": 1000}),
    },
    arms=ARMS,
    curves=(
        Curve("accuracy", "accuracy with 20 labels", y_range=(0.0, 1.0), rules=((1 / LANGUAGES, "guessing"),)),
        Curve("bits", "pretraining: bits per symbol"),
        Curve("label_loss", "loss on the labelled sentences (nats)", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
