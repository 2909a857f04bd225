"""Question 10: what overfitting looks like, and what each of its remedies mends.

Five equal LSTMs learn a noisy rule from few sequences, and are judged on fresh ones: without a remedy, with weight
decay, with dropout, with more data, and stopped early. The labels are wrong now and then, so the ceiling is known, and
a network that gets every training sequence right has learnt some of them by heart.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
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
    from torch import Tensor

STEPS, CHANNELS, BATCH, CLIP = 15, 8, 32, 1.0  # a sequence's length and channels; sequences in an update; largest gradient norm
EXAM, OWN = 1000, 200  # fresh sequences for all; further ones whose labels only early stopping sees
EVERY, LOOKED = 10, 250  # updates between two looks at fresh sequences; how many of them are looked at for the curve
BINS = 5  # groups of confidence from 0.5 to 1

ARMS = (
    Arm("none", "no remedy", "ablated"),
    Arm("decay", "weight decay", "variant"),
    Arm("dropout", "dropout", "remedy"),
    Arm("data", "more data", "oracle"),
    Arm("early", "stopped early", "lstm"),
)
LABEL = {arm.key: arm.label for arm in ARMS}


@dataclass(frozen=True)
class Answers:
    """What a trained network says of labelled sequences."""

    logits: Tensor  # (N, 2)
    target: Tensor  # (N,)

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return core.probes.accuracy(self.logits, self.target)

    @property
    def loss(self) -> float:
        """Cross-entropy in nats; infinite when the network diverged."""
        import torch

        return core.probes.error_or_inf(float(torch.nn.functional.cross_entropy(self.logits, self.target)))


@dataclass(frozen=True)
class Trained:
    """An arm at its end: what it says of its training sequences and of fresh ones, and the update its weights are of."""

    training: Answers
    fresh: Answers
    update: int
    model: core.cells.Reader


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the five arms, then measure and show them."""
    arms = {arm.key: _train(arm.key, settings, seed, device) for arm in ARMS}
    trained = yield from core.training.interleave(arms, Point, seed, device)
    none = trained["none"]
    values = {"gap": none.training.accuracy - none.fresh.accuracy}
    values |= {f"{arm}_accuracy": one.fresh.accuracy for arm, one in trained.items()}
    values |= {f"{arm}_loss": one.fresh.loss for arm, one in trained.items()}
    values |= {f"{arm}_ratio": core.probes.error_or_inf(one.fresh.loss / none.fresh.loss) for arm, one in trained.items() if arm != "none"}
    yield Measured(values)
    yield _bars_picture(trained, settings)
    yield _loss_picture(trained)
    yield _reliability_picture(trained)
    unseen = _draw(core.surgery.SEQUENCES, settings, seed, "surgery")
    for arm in ("none", "early"):
        yield Specimen(arm, *core.surgery.pack(trained[arm].model, unseen.x, unseen.target))


def _train(arm: str, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, Trained]:
    import torch

    model = core.cells.Reader(torch.nn.LSTM(CHANNELS, int(settings["hidden"]), batch_first=True), 2)
    core.cells.set_forget_bias(model.recurrent, 1.0)  # type: ignore[arg-type]  # it is the LSTM just made
    model = model.to(device)
    size = int(settings["sequences"]) * (int(settings["more"]) if arm == "data" else 1)
    known, fresh, own = (_draw(size, settings, seed, "training"), _draw(EXAM, settings, seed, "fresh"), _draw(OWN, settings, seed, "own"))
    known, fresh, own = known.to(device), fresh.to(device), own.to(device)
    drops = (float(settings["drop_input"]), float(settings["drop_readout"])) if arm == "dropout" else (0.0, 0.0)
    choose = core.devices.generator(seed, "batches")
    best, seen, updates = core.training.Best(model), {"fresh_loss": 0.0, "fresh_accuracy": 0.0}, 0

    def look() -> None:
        """Measure on the fresh sequences; who stops early looks at its own first, and only keeps what is best there."""
        if arm == "early":
            before = best.value
            best.offer(_answer(model, own).loss, updates)
            if best.value == before and updates:
                return
        answers = _answer(model, core.tasks.Labelled(fresh.x[:LOOKED], fresh.target[:LOOKED]))
        seen.update(fresh_loss=answers.loss, fresh_accuracy=answers.accuracy)

    def forward() -> tuple[Tensor, Measures]:
        nonlocal updates
        if updates % EVERY == 0:
            look()
        updates += 1
        some = torch.randint(0, size, (min(BATCH, size),), generator=choose).to(device)
        logits = _logits(model, known.x[some], *drops)
        loss = torch.nn.functional.cross_entropy(logits, known.target[some])
        return loss, {"accuracy": core.probes.accuracy(logits, known.target[some]), **seen}

    decay = float(settings["weight_decay"]) if arm == "decay" else 0.0
    optimizer = core.optimizers.Adam(model.parameters(), float(settings["learning_rate"]), weight_decay=decay)
    yield from core.training.train(forward, model.parameters(), optimizer, int(settings["updates"]), CLIP)
    if arm == "early":
        best.offer(_answer(model, own).loss, updates)
        best.restore()
    return Trained(_answer(model, known), _answer(model, fresh), best.update if arm == "early" else updates, model)


def _draw(size: int, settings: Settings, seed: int, use: str) -> core.tasks.Labelled:
    """A fixed set of sequences; a larger training set begins differently from a smaller one, but follows the same rule."""
    return next(core.tasks.noisy_sums(size, STEPS, CHANNELS, core.devices.generator(seed, use), flips=float(settings["flips"])))


def _logits(model: core.cells.Reader, x: Tensor, drop_input: float = 0.0, drop_readout: float = 0.0) -> Tensor:
    """The answer (B, 2) to x (B, T, D) at the last step, with dropout before and after the LSTM, but not inside it."""
    import torch

    h, _ = model.recurrent(torch.nn.functional.dropout(x, drop_input))
    logits: Tensor = model.readout(torch.nn.functional.dropout(h[:, -1], drop_readout))
    return logits


def _answer(model: core.cells.Reader, data: core.tasks.Labelled) -> Answers:
    with core.probes.examining(model):
        return Answers(_logits(model, data.x).cpu(), data.target.cpu())


# --- Pictures ---------------------------------------------------------------------------------------------------


def _bars_picture(trained: dict[str, Trained], settings: Settings) -> Bars:
    """Accuracy on the training set and on fresh sequences."""
    groups = [arm.label for arm in ARMS]
    known, fresh = ([trained[arm.key].training.accuracy for arm in ARMS], [trained[arm.key].fresh.accuracy for arm in ARMS])
    places = [float(k) for k in range(len(ARMS))]
    series = [
        Series("training sequences", "input", places, core.probes.rounded(known)),
        Series("fresh sequences", "target", places, core.probes.rounded(fresh)),
    ]
    ceiling = 1 - float(settings["flips"])
    message = f"Without a remedy {known[0]:.0%} right on its training sequences, {fresh[0]:.0%} on fresh ones"
    each = "; ".join(f"{group} {one:.0%} and {other:.0%}" for group, one, other in zip(groups, known, fresh, strict=True))
    alt = f"{message}. Accuracy on training and on fresh sequences: {each}. Knowing the rule gives {ceiling:.0%} on fresh ones."
    return Bars("accuracy", message, alt, "accuracy", groups, series, rules=((ceiling, "knowing the rule"), (0.5, "guessing")))


def _loss_picture(trained: dict[str, Trained]) -> Bars:
    """The loss on fresh sequences, which pays for confidence as well as for mistakes."""
    series = [Series(arm.label, arm.role, [0.0], core.probes.rounded([trained[arm.key].fresh.loss])) for arm in ARMS]
    none, best = trained["none"].fresh, min(ARMS, key=lambda arm: trained[arm.key].fresh.loss)
    one = trained[best.key].fresh
    message = f"Loss on fresh sequences: {none.loss:.2f} without a remedy, {one.loss:.2f} with the best ({best.label})"
    each = ", ".join(f"{arm.label} {trained[arm.key].fresh.loss:.2f}" for arm in ARMS)
    gain = f"The accuracy went from {none.accuracy:.0%} to {one.accuracy:.0%}"
    alt = f"{message}. {gain}. All: {each}. Stopped early at update {trained['early'].update} of {trained['none'].update}. Guessing costs ln 2 = 0.69."
    return Bars("loss", message, alt, "cross-entropy (nats)", ["fresh sequences"], series, rules=((0.693, "guessing, ln 2"),))


def _reliability_picture(trained: dict[str, Trained]) -> Lines:
    """How often an answer of some confidence is right: on the diagonal a network is as good as it believes."""
    import torch

    series, sure = [Series("as good as it believes", "target", [0.5, 1.0], [0.5, 1.0], dash=True)], {}
    for arm in ARMS:
        fresh = trained[arm.key].fresh
        confidence, said = fresh.logits.double().softmax(1).nan_to_num(0.5).max(1)
        right = (said == fresh.target).double()
        groups = ((confidence - 0.5) * 2 * BINS).long().clamp(max=BINS - 1)
        present = [k for k in range(BINS) if int((groups == k).sum()) >= 10]
        x, y = ([float(part[groups == k].mean()) for k in present] for part in (confidence, right))
        series.append(Series(arm.label, arm.role, core.probes.rounded(x), core.probes.rounded(y)))
        sure[arm.key] = float(confidence.mean()), float(torch.mean(right))
    message = f"Without a remedy the network is {sure['none'][0]:.0%} sure on average and {sure['none'][1]:.0%} right"
    each = ", ".join(f"{arm.label} {sure[arm.key][0]:.0%} sure, {sure[arm.key][1]:.0%} right" for arm in ARMS)
    alt = f"How often answers of some confidence are right, on {EXAM} fresh sequences. {each}."
    panel = Panel("How often it is right", "share right", series, y_range=(0.0, 1.0))
    return Lines("reliability", message, alt, "how sure it is (probability of the answer given)", [panel])


# --- Judging ----------------------------------------------------------------------------------------------------

GAP, CUT = 0.2, 0.7
CHECKS = (
    Check("gap", "accuracy on training minus fresh sequences, no remedy", ">", GAP),
    Check("early_ratio", "loss on fresh sequences, stopped early ÷ no remedy", "<", CUT),
    Check("dropout_ratio", "loss on fresh sequences, dropout ÷ no remedy", "<", CUT),
    Check("data_ratio", "loss on fresh sequences, more data ÷ no remedy", "<", CUT),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    gap, early, dropout, data = (check.median(measured) for check in CHECKS)
    if gap <= GAP:
        return "no-gap"
    helped = [ratio < CUT for ratio in (early, dropout, data)]
    if all(helped):
        return "all"
    return "only-data" if helped == [False, False, True] else "some"


EXPERIMENT = Experiment(
    id="overfitting",
    number=10,
    title="Few sequences, noisy labels",
    claim="An LSTM trained on few noisy sequences learns them by heart: it is right on those far more often than on fresh ones. Stopping early, "
    "dropout and more data each cut its loss on fresh sequences by three tenths or more.",
    textbook="Overfitting is fought with dropout, weight decay, early stopping and more data.",
    truths=(
        "Remedies mend the loss far more than the accuracy: most of the loss is paid for being sure and wrong, and they make the network less sure.",
        "Early stopping is not free: it needed labelled sequences of its own, which might have been used for training instead.",
        "A network that gets all its training sequences right must have learnt wrong labels by heart. Set the wrong labels to 0 and the gap shrinks.",
    ),
    limits=(
        "One choice of strength for each remedy. Which does best changes with the strength: move the controls.",
        "Dropout acts before and after the LSTM only. Masks inside the recurrence are a subject of their own.",
    ),
    paper=Paper("Zaremba, W., Sutskever, I., Vinyals, O.", 2014, "Recurrent neural network regularization", "arXiv:1409.2329"),
    asks="Five equal LSTMs learn from 128 sequences, one label in ten of them wrong: without a remedy, with weight decay, dropout, four times the "
    "data, or stopped early. Which cut the loss on fresh sequences by three tenths or more?",
    predictions=(
        Outcome("all", "Stopping early, dropout and more data, each of them"),
        Outcome("only-data", "Only more data: the others do not add information"),
        Outcome("some", "One or two of the three, or none, though there is overfitting to cure"),
        Outcome("no-gap", "There is nothing to cure: fresh sequences go about as well as training ones"),
    ),
    outcome=outcome,
    controls=(
        Number(name="sequences", label="Training sequences", help="Few are learnt by heart.", default=128, low=16, high=2048, whole=True, log=True),
        Number(
            name="flips",
            label="Wrong labels",
            help="The share of labels that are wrong, in every set: the ceiling is 1 minus this.",
            default=0.1,
            low=0,
            high=0.4,
        ),
        Number(name="more", label="More data", help="How many times as many sequences the arm with more data gets.", default=4, low=1, high=16, whole=True),
        Number(name="weight_decay", label="Weight decay", help="Of AdamW: weights shrink by this times the learning rate.", default=1, low=0, high=10),
        Number(name="drop_input", label="Dropout of the input", help="The share of input values that are dropped.", default=0.3, low=0, high=0.9),
        Number(name="drop_readout", label="Dropout before the read-out", help="The share of hidden units that are dropped.", default=0.6, low=0, high=0.9),
        Number(name="hidden", label="Units", help="Of every network.", default=32, low=2, high=96, whole=True),
        Number(name="updates", label="Updates", help="Each on 32 of the training sequences.", default=200, low=50, high=2000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of AdamW.", default=0.01, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3), "thorough": Preset("Thorough", 10)},
    arms=ARMS,
    curves=(
        Curve("fresh_loss", "loss on fresh sequences (nats)", rules=((0.693, "guessing, ln 2"),)),
        Curve("loss", "loss in training (nats)"),
        Curve("fresh_accuracy", "accuracy on fresh sequences", y_range=(0.0, 1.0), rules=((0.5, "guessing"),)),
        Curve("accuracy", "accuracy in training", y_range=(0.0, 1.0)),
    ),
    checks=CHECKS,
    run=run,
)
