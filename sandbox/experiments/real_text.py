"""Question 19: three LSTMs on real text, each beside what plain counting achieves.

One continues English reference text, one says of every character of Python source what it is part of, one tells the
country of a surname: a sequence of its own, a label for each token, one answer for a text. n-grams, the most frequent
label of a context and naive Bayes learn the same from the same text, at once. The texts are frozen in sandbox/core/corpora.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sandbox import core
from sandbox.protocol import (
    Arm,
    Bars,
    Check,
    Curve,
    Experiment,
    HeatMap,
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
)

if TYPE_CHECKING:
    from torch import Generator as Random
    from torch import Tensor, nn

BATCHES = {"writer": (24, 25), "tagger": (16, 60), "names": (96, 0)}  # sequences in an update, and their steps; names are as long as they are
WIDTH = 16  # of the vectors that stand for characters
LONGEST_GRAM, REACH = 4, 2  # of the counting baselines: characters of an n-gram; neighbours on either side of a labelled character
PIECE, UNSCORED = 250, 20  # held-out text is read in pieces; in English their first characters lack context and do not count
BLOCK, HELD = 2000, 8  # Python source is cut into blocks, and every eighth is held out
TEST_NAMES = 960  # of the 4800
SAMPLE, LINE = 200, 60  # characters written; characters of source shown

ARMS = (
    Arm("writer", "next character of English", "lstm"),
    Arm("tagger", "class of each character of Python", "variant"),
    Arm("names", "country of a surname", "second"),
)


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the three networks in turns, then compare them with counting and show what they do."""
    tasks = {"writer": _english(int(settings["share"])), "tagger": _python(int(settings["share"])), "names": _names(int(settings["share"]), seed)}
    arms = {arm.key: _train(arm.key, tasks[arm.key], settings, seed, device) for arm in ARMS}
    models = yield from core.training.interleave(arms, Point, seed, device)
    counted = {name: value for text in tasks.values() for name, value in text.count().items()}
    answers = {arm: _answers(models[arm], tasks[arm], device) for arm in ("tagger", "names")}
    values = _compare(tasks, answers, _nats(models["writer"], tasks["writer"], device), counted)
    yield Measured(values)
    yield _bits_picture(values, _write(models["writer"], tasks["writer"], settings, seed, device))
    yield _accuracy_picture(values)
    yield _line_picture(answers["tagger"], tasks["tagger"])
    yield _confusion_picture(answers["names"], tasks["names"])
    few, names = core.surgery.SEQUENCES, tasks["names"]
    embedded = models["names"]["embed"](names.held[:few].to(device))
    yield Specimen("names", *core.surgery.pack(models["names"]["reader"], embedded, names.held_wanted[:few]))  # type: ignore[arg-type]  # a ModuleDict forgets it


# --- The texts, and what counting makes of them -----------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """A task: characters as codes, wanted answers, and what the baselines say of the held-out part."""

    letters: str  # code 0 is a blank in names, else positions in this alphabet
    classes: Sequence[str]
    train: Tensor  # (N,), (blocks, N) or (names, L)
    wanted: Tensor  # of train: (N,), (blocks, N) or (names,)
    held: Tensor  # (pieces, steps)
    held_wanted: Tensor  # (pieces, steps) or (names,)
    count: Callable[[], Mapping[str, float]]  # baseline -> bits a character, or accuracy; takes a while, and the networks need not wait for it


@cache
def _english(share: int) -> Text:
    """The first nine tenths are learnt from (`share` percent of them), the last is held out."""
    text = core.texts.english()
    letters = core.texts.alphabet(text)
    codes = core.texts.encode(text, letters)
    cut = len(codes) * 9 // 10
    train, held = codes[: cut * share // 100], codes[cut:]
    held = held[: len(held) // PIECE * PIECE]

    @cache
    def count() -> dict[str, float]:
        bits = core.counting.ngram_bits(train, held, len(letters), LONGEST_GRAM).view(LONGEST_GRAM, -1, PIECE)
        return {f"gram-{n}": float(one[:, UNSCORED:].mean()) for n, one in enumerate(bits, 1)}

    pieces = held.view(-1, PIECE)
    return Text(letters, letters, train[:-1], train[1:], pieces[:, :-1], pieces[:, 1:], count)


@cache
def _python(share: int) -> Text:
    import torch

    letters, classes = core.texts.alphabet(core.texts.python()), core.texts.PYTHON_CLASSES
    codes, wanted = (one[: len(one) // BLOCK * BLOCK].view(-1, BLOCK) for one in (core.texts.encode(core.texts.python(), letters), core.texts.python_classes()))
    out = torch.arange(len(codes)) % HELD == HELD - 1
    kept = (~out).nonzero()[: max(1, int((~out).sum()) * share // 100), 0]
    train, labels, held, held_wanted = codes[kept], wanted[kept], codes[out], wanted[out]

    @cache
    def count() -> dict[str, float]:
        guesses = core.counting.labels_of_contexts(train, labels, held, REACH, len(letters), len(classes))
        most = labels.flatten().bincount(minlength=len(classes)).argmax()
        return {"majority": float((held_wanted == most).double().mean()), "context": float((guesses == held_wanted).double().mean())}

    return Text(letters, classes, train, labels, held.reshape(-1, PIECE), held_wanted.reshape(-1, PIECE), count)


def _names(share: int, seed: int) -> Text:
    """Surnames, blanks before them; the split depends on the seed."""
    import torch

    codes, wanted, letters, countries = _coded_names()
    order = torch.randperm(len(codes), generator=core.devices.generator(seed, "names split"))
    test, kept = order[:TEST_NAMES], order[TEST_NAMES:]
    kept = kept[: len(kept) * share // 100]
    train, labels, held, held_wanted = codes[kept], wanted[kept], codes[test], wanted[test]

    def count() -> dict[str, float]:
        guesses = {
            key: core.counting.naive_bayes(train, labels, held, width, len(letters) + 1, len(countries)) for key, width in (("letters", 1), ("threes", 3))
        }
        return {key: float((one == held_wanted).double().mean()) for key, one in guesses.items()}

    return Text(letters, countries, train, labels, held, held_wanted, count)


@cache
def _coded_names() -> tuple[Tensor, Tensor, str, list[str]]:
    import torch

    names = core.texts.names()
    letters, countries = core.texts.alphabet("".join(name for name, _ in names)), sorted({country for _, country in names})
    codes = torch.zeros(len(names), max(len(name) for name, _ in names), dtype=torch.long)
    for row, (name, _) in enumerate(names):
        codes[row, -len(name) :] = core.texts.encode(name, letters) + 1
    return codes, torch.tensor([countries.index(country) for _, country in names]), letters, countries


# --- The networks -----------------------------------------------------------------------------------------------


def _train(arm: str, text: Text, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, nn.ModuleDict]:
    import torch

    hidden = int(settings[f"{arm}_hidden"])
    lstm = torch.nn.LSTM(WIDTH, hidden, batch_first=True, bidirectional=arm == "tagger")
    core.cells.set_forget_bias(lstm, 1.0)
    embed = torch.nn.Embedding(len(text.letters) + 1, WIDTH)  # one more for the blank before names
    model = torch.nn.ModuleDict({"embed": embed, "reader": core.cells.Reader(lstm, len(text.classes))}).to(device)
    data = _batches(arm, text, core.devices.generator(seed, arm))
    rate, updates = float(settings["learning_rate"]), int(settings["updates"])
    optimizer = core.optimizers.Adam(model.parameters(), rate)
    rates = (rate * (1 - 0.95 * done / updates) for done in range(updates))  # falls in a straight line to a twentieth

    def forward() -> tuple[Tensor, Measures]:
        optimizer.param_groups[0]["lr"] = next(rates)
        codes, wanted = (part.to(device) for part in next(data))
        logits, _ = _read(model, codes)
        logits = logits[:, -1] if wanted.dim() == 1 else logits  # a name is answered at its end
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, -2), wanted.flatten())
        return loss, {"bits": float(loss.detach()) / math.log(2), "accuracy": core.probes.accuracy(logits, wanted)}

    yield from core.training.train(forward, model.parameters(), optimizer, updates)
    return model


def _read(model: nn.ModuleDict, codes: Tensor, state: core.cells.LSTMState | None = None) -> tuple[Tensor, core.cells.LSTMState]:
    """Logits (B, T, classes) after each character of codes (B, T), and the state."""
    logits, state = model["reader"](model["embed"](codes), state)
    return logits, state


def _batches(arm: str, text: Text, generator: Random) -> Iterator[tuple[Tensor, Tensor]]:
    """Codes (B, T) and what is wanted, (B, T) or (B,), from random places."""
    import torch

    batch, steps = BATCHES[arm]
    rows, columns = text.train.view(1, -1).shape if text.train.dim() == 1 else text.train.shape
    train, wanted = text.train.view(rows, columns), text.wanted.view(rows, -1)
    while True:
        row = torch.randint(0, rows, (batch, 1), generator=generator)
        if arm == "names":
            codes = train[row[:, 0]]
            yield codes[:, int((codes > 0).any(0).int().argmax()) :], wanted[row[:, 0], 0]  # without columns that are blank throughout
        else:
            column = torch.randint(0, columns - steps, (batch, 1), generator=generator) + torch.arange(steps)
            yield train[row, column], wanted[row, column]


def _answers(model: nn.ModuleDict, text: Text, device: str) -> Tensor:
    """Logits on the held-out text: (pieces, steps, classes) or (names, classes)."""
    import torch

    with core.probes.examining(model):
        logits = [_read(model, part.to(device))[0].cpu() for part in text.held.chunk(4)]  # in parts, to spare memory
    return torch.cat([one[:, -1] if text.held_wanted.dim() == 1 else one for one in logits])


def _nats(model: nn.ModuleDict, text: Text, device: str) -> Tensor:
    """What each held-out character costs the network: (pieces, steps). In parts: the logits of all at once take 40 MB."""
    import torch

    with core.probes.examining(model):
        parts = zip(text.held.chunk(8), text.held_wanted.chunk(8), strict=True)
        costs = [torch.nn.functional.cross_entropy(_read(model, x.to(device))[0].cpu().transpose(1, 2), wanted, reduction="none") for x, wanted in parts]
    return torch.cat(costs)


def _compare(tasks: Mapping[str, Text], answers: Mapping[str, Tensor], nats: Tensor, counted: Mapping[str, float]) -> dict[str, float]:
    """Each network's score, the baselines', and by how much the network is ahead: of a simple baseline, and of the best."""
    values = {"writer": core.probes.error_or_inf(float(nats[:, UNSCORED - 1 :].mean()) / math.log(2))}
    values |= {arm: core.probes.accuracy(answers[arm], tasks[arm].held_wanted) for arm in ("tagger", "names")}
    values |= counted
    values |= {"writer_gain": values["gram-2"] - values["writer"], "writer_best": values[f"gram-{LONGEST_GRAM}"] - values["writer"]}
    values |= {"tagger_gain": values["tagger"] - values["context"], "tagger_best": values["tagger"] - values["context"]}
    return values | {"names_gain": values["names"] - values["letters"], "names_best": values["names"] - values["threes"]}


def _write(model: nn.ModuleDict, text: Text, settings: Settings, seed: int, device: str) -> str:
    """What the network writes by itself after "The "; whatever is no letter, digit or common mark is shown as ·."""
    begin = core.texts.encode("The ", text.letters)[None].to(device)
    choose = core.decoding.sampling(core.devices.generator(seed, "sample"), float(settings["temperature"]))
    with core.probes.examining(model):
        _, state = _read(model, begin[:, :-1])

        def step(codes: Tensor, state: core.cells.LSTMState) -> tuple[Tensor, core.cells.LSTMState]:
            logits, after = _read(model, codes[:, None], state)
            return logits[:, -1], after

        codes, _ = core.decoding.go_on(step, begin[:, -1], state, SAMPLE, choose)
    written = " ".join(core.texts.decode(codes[0].cpu(), text.letters).split())
    return "The " + "".join(letter if letter.isalnum() or letter in " .,;:'()-" else "·" for letter in written)


# --- Pictures ---------------------------------------------------------------------------------------------------


def _bits_picture(values: Measures, written: str) -> Bars:
    """The writer among the n-grams."""
    models = {f"gram-{n}": f"{n}-gram" for n in range(1, LONGEST_GRAM + 1)} | {"writer": "LSTM"}
    series = [Series("held-out text", "lstm", [float(place) for place in range(len(models))], core.probes.rounded([values[key] for key in models]))]
    message = f"English: LSTM {values['writer']:.2f} bits a character, 2-gram {values['gram-2']:.2f}, {LONGEST_GRAM}-gram {values[f'gram-{LONGEST_GRAM}']:.2f}"
    each = ", ".join(f"{label} {values[key]:.2f}" for key, label in models.items())
    alt = f"{message}. Lower is better. {each}. By itself the LSTM writes: {written}"
    return Bars("bits", message, alt, "bits a character, lower is better", list(models.values()), series)


def _accuracy_picture(values: Measures) -> Bars:
    """Tagger and names beside their baselines."""
    models = {
        "majority": "Python: commonest class",
        "context": f"Python: same {2 * REACH + 1} characters",
        "tagger": "Python: BiLSTM",
        "letters": "surname: letters counted",
        "threes": "surname: threes counted",
        "names": "surname: LSTM",
    }
    series = [Series("held-out text", "lstm", [float(place) for place in range(len(models))], core.probes.rounded([values[key] for key in models]))]
    message = (
        f"Python: BiLSTM {values['tagger']:.0%}, counted contexts {values['context']:.0%}. "
        f"Surnames: LSTM {values['names']:.0%}, letters counted {values['letters']:.0%}, threes {values['threes']:.0%}"
    )
    alt = f"{message}. Right answers on held-out text. " + ", ".join(f"{label} {values[key]:.1%}" for key, label in models.items()) + "."
    return Bars("accuracy", message, alt, "accuracy", list(models.values()), series)


def _line_picture(logits: Tensor, text: Text) -> HeatMap:
    """The tagger's chances along a stretch of held-out source."""
    import torch

    kinds = torch.stack([(text.held_wanted[:, :LINE] == kind).any(1) for kind in range(len(text.classes))]).sum(0)
    shown = int(kinds.argmax())  # the first piece with the most classes
    chances = logits[shown, :LINE].softmax(-1).nan_to_num()
    right = float((chances.argmax(-1) == text.held_wanted[shown, :LINE]).double().mean())
    source = core.texts.decode(text.held[shown, :LINE], text.letters)
    message = f"{LINE} characters of unseen Python: the likeliest class is right on {right:.0%}"
    alt = f"{message}. Chance of each of {len(text.classes)} classes, character by character, for: {' '.join(source.split())}"
    x = [f"{letter if letter.strip() else '␣'}{_unseen(place)}" for place, letter in enumerate(source)]
    z = [core.probes.plain(row, 2) for row in chances.t()]
    return HeatMap("line", message, alt, "characters in the order of the source", "class", x, list(text.classes), z, "probability", z_range=(0.0, 1.0))


def _unseen(place: int) -> str:
    """The place, 0 to 63, in characters of no width: equal letters stay columns of their own, and only the letter is seen."""
    return "".join("\u200b\u200c"[place >> bit & 1] for bit in range(6))


def _confusion_picture(logits: Tensor, text: Text) -> HeatMap:
    """Which countries' surnames are taken for which."""
    import torch

    count = len(text.classes)
    table = torch.bincount(text.held_wanted * count + logits.argmax(-1), minlength=count * count).view(count, count).double()
    shares = table / table.sum(1, keepdim=True).clamp(min=1)
    right = shares.diagonal()
    best, worst = int(right.argmax()), int(right.argmin())
    message = f"Surnames: {text.classes[best]} is recognised best, {right[best]:.0%}, {text.classes[worst]} least, {right[worst]:.0%}"
    each = ", ".join(f"{name} {share:.0%}" for name, share in zip(text.classes, right.tolist(), strict=True))
    alt = f"{message}. Share of each country's unseen surnames by the country the LSTM names. Right: {each}."
    z = [core.probes.plain(row, 2) for row in shares]
    return HeatMap("confusion", message, alt, "answer", "country", list(text.classes), list(text.classes), z, "share", z_range=(0.0, 1.0))


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("writer_gain", "English: bits a character fewer than 2-grams", ">", 0.3),
    Check("tagger_gain", "Python: accuracy above counted contexts", ">", 0.08),
    Check("names_gain", "surnames: accuracy above counted letters", ">", 0.05),
)
BEST = tuple(Check(f"{arm.key}_best", f"{arm.label}: ahead of the best that counts", ">", 0.0) for arm in ARMS)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """In how many tasks the network is ahead of the best baseline, from the medians over seeds."""
    ahead = (all(check.median(measured) > 0 for check in pair) for pair in zip(CHECKS, BEST, strict=True))
    return ("none", "one", "two", "three")[sum(ahead)]


EXPERIMENT = Experiment(
    id="real-text",
    number=19,
    title="Real text, and what counting makes of it",
    claim="In a second or two each, small LSTMs learn to continue English, to tag Python source and to tell the country of a surname, "
    "clearly better than the simplest counting: pairs of characters, the neighbours of a character, the letters of a name.",
    textbook="LSTMs suit language: they generate text token by token, label every token, or give one answer for a whole text.",
    truths=(
        "At this size counting is hard to beat. n-grams of four characters predict English better, and naive Bayes with three letters in a row "
        "tells surnames apart better. Both take a fraction of the time. Always show such a baseline.",
        "Where counting falls behind is where the answer depends on something far away: whether a string or a comment has begun.",
        "A good score on characters is not yet good English: see what the network writes.",
        "Who is ahead depends on the amount of text, and not always as one expects: with a tenth of it both are worse at English, the n-grams by "
        "more, as most of what they look up was never counted.",
    ),
    limits=(
        "Small networks, a short training, one corpus for each task. Nothing here compares LSTMs with Transformers.",
        "A surname may belong to several countries of the list, so nobody can get all of them right.",
        "The held-out English has other topics than the part that is learnt from, which is harder than a random split.",
    ),
    paper=Paper("Huang, Z., Xu, W., Yu, K.", 2015, "Bidirectional LSTM-CRF models for sequence tagging", "arXiv:1508.01991"),
    asks="Three small LSTMs on real text: the next character of English, the class of every character of Python source, the country of a surname. "
    "Counting competes: 4-grams, the most frequent class of the same five characters, naive Bayes with three letters in a row. In how many tasks "
    "is the LSTM ahead of that?",
    predictions=(
        Outcome("three", "Ahead of the best counting in all three tasks"),
        Outcome("two", "Ahead of the best counting in two tasks"),
        Outcome("one", "Ahead of the best counting in one task only"),
        Outcome("none", "Ahead of the best counting in no task"),
    ),
    outcome=outcome,
    controls=(
        Number(
            name="share",
            label="Text",
            help="How much of the training text is used, by networks and baselines alike.",
            default=100,
            low=5,
            high=100,
            whole=True,
            unit="%",
        ),
        Number(name="writer_hidden", label="Units, English", help="Of the LSTM that continues English.", default=64, low=8, high=128, whole=True),
        Number(name="tagger_hidden", label="Units, Python", help="In each direction of the BiLSTM.", default=32, low=4, high=64, whole=True),
        Number(name="names_hidden", label="Units, surnames", help="Of the LSTM that reads surnames.", default=48, low=4, high=96, whole=True),
        Number(
            name="temperature",
            label="Temperature",
            help="Of the text it writes: low repeats the likeliest, high is wilder.",
            default=0.6,
            low=0.1,
            high=2,
            step=0.1,
        ),
        Number(name="updates", label="Updates", help="Of each network.", default=200, low=50, high=4000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam, at the start; it falls.", default=0.03, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3, {"learning_rate": 0.04}), "thorough": Preset("Thorough", 5, {"updates": 500, "learning_rate": 0.02})},
    arms=ARMS,
    curves=(
        Curve("bits", "loss, bits an answer (lower is better)"),
        Curve("accuracy", "right answers", y_range=(0.0, 1.0)),
        Curve("gradient", "gradient norm before clipping", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
