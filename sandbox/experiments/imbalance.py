"""Question 21: what rebalancing rare positives changes, and what it leaves as it was.

Few sequences are positive, and how probable that is for each is known exactly, by Bayes' rule. The same LSTM learns from
the same sequences in four ways: as they are, with the positives weighted, with the positives drawn more often
(oversampled), and with most negatives thrown away (undersampled). Beside what each finds at a cut of one half stand its
ranking, which no cut can change, and its probabilities (Elkan 2001 on costs, weights and prior correction).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
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
    Step,
    medians,
)

if TYPE_CHECKING:
    from torch import Tensor

BATCH, STEPS = 64, 16  # sequences in an update; their length
VALIDATION, EXAM = 3000, 6000  # fresh sequences to choose the cut on, and to measure on
LOOKS, GLANCE = 25, 500  # how often the live figures are taken, and on how many sequences
FINAL_RATE = 0.05  # the learning rate's share that is left at the end
BINS, FEWEST = 10, 20  # of the reliability curve; a bin with fewer sequences is not shown

ARMS = (
    Arm("plain", "plain cross-entropy", "lstm"),
    Arm("weighted", "positives weighted", "remedy"),
    Arm("over", "oversampled", "variant"),
    Arm("under", "undersampled", "ablated"),
)
BAYES, BEST_BRIER = "true probabilities (Bayes)", "best possible (Bayes)"  # by chance, or at a cut, they can be beaten in recall and F1


@dataclass(frozen=True)
class Data:
    """The sequences all arms share, on the device."""

    training: core.tasks.Screened
    validation: core.tasks.Screened
    exam: core.tasks.Screened


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Train the four ways on the same sequences, then measure and show them."""
    data = _data(settings, seed, device)
    arms = {arm.key: _train(arm.key, data, settings, seed, device) for arm in ARMS}
    models = yield from core.training.interleave(arms, Point, seed, device)
    said = {arm: _said(model, data.exam) for arm, model in models.items()}
    cuts = {arm: _best_cut(_said(model, data.validation), data.validation.target.cpu()) for arm, model in models.items()}
    exam = core.tasks.Screened(*(part.cpu() for part in data.exam))
    corrected = {arm: _corrected(arm, one, data, settings) for arm, one in said.items()}
    figures = {arm: _figures(one, cuts[arm], exam) for arm, one in said.items()}
    values = {f"{arm}_{name}": value for arm, by_name in figures.items() for name, value in by_name.items()}
    values |= {f"{arm}_corrected_mean": float(one.mean()) for arm, one in corrected.items()}
    yield Measured(values | _compared(figures, float(settings["rate"])))
    yield _figures_picture(figures | {"bayes": _figures(exam.posterior, _best_cut(exam.posterior, exam.target), exam)})
    yield _reliability_picture(said, exam)
    yield _correction_picture(said, corrected, exam)


def _data(settings: Settings, seed: int, device: str) -> Data:
    def draw(count: int, use: str) -> core.tasks.Screened:
        generator = core.devices.generator(seed, use)
        return next(core.tasks.rare_positives(count, STEPS, generator, rate=float(settings["rate"]), shift=float(settings["shift"]))).to(device)

    return Data(draw(int(settings["examples"]), "training"), draw(VALIDATION, "validation"), draw(EXAM, "exam"))


def _train(arm: str, data: Data, settings: Settings, seed: int, device: str) -> Generator[core.training.Reading, None, core.cells.Reader]:
    import torch

    target = data.training.target.cpu()
    model = _network(settings, math.log(_odds(target) * _raised(arm, target, settings))).to(device)
    draw = _drawing(arm, target, core.devices.generator(seed, "batches"))
    weight = torch.tensor(float(settings["weight"]) if arm == "weighted" else 1.0, device=device)
    updates, rate = int(settings["updates"]), float(settings["learning_rate"])
    glance = core.tasks.Screened(*(part[:GLANCE] for part in data.validation))
    optimizer = core.optimizers.Adam(model.parameters(), rate)
    done, recall, mean = 0, 0.0, 0.0

    def forward() -> tuple[Tensor, Measures]:
        nonlocal done, recall, mean
        if done % max(1, updates // LOOKS) == 0:
            said = _said(model, glance)
            recall, mean = _recall(said, 0.5, glance.target.cpu()), float(said.mean())
        optimizer.param_groups[0]["lr"] = rate * max(FINAL_RATE, min(1.0, 2 - 2 * done / updates))  # it falls in the second half
        done += 1
        rows = draw().to(device)
        logits = model(data.training.x[rows])[0][:, -1, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, data.training.target[rows].float(), pos_weight=weight)
        return loss, {"recall": recall, "mean": mean}

    yield from core.training.train(forward, model.parameters(), optimizer, updates)
    return model


def _network(settings: Settings, start: float) -> core.cells.Reader:
    """An LSTM that keeps, writes little at first, as one value of many counts, and starts by saying the log odds `start`.

    Starting from the share of positives spares the training the way there (Lin et al. 2017, section 3.3).
    """
    import torch

    lstm = torch.nn.LSTM(2, int(settings["hidden"]), batch_first=True)
    core.cells.set_forget_bias(lstm, 3.0)
    core.cells.set_gate_bias(lstm, "i", -1.0)
    model = core.cells.Reader(lstm, 1)
    torch.nn.init.constant_(model.readout.bias, start)
    return model


def _odds(target: Tensor) -> float:
    """Positives ÷ negatives, each counted as one at least."""
    positives = int(target.sum())
    return max(1, positives) / max(1, len(target) - positives)


def _raised(arm: str, target: Tensor, settings: Settings) -> float:
    """The factor by which an arm's training raises the odds of positive."""
    if arm == "plain":
        return 1.0
    return float(settings["weight"]) if arm == "weighted" else 1 / _odds(target)


def _drawing(arm: str, target: Tensor, generator: object) -> Callable[[], Tensor]:
    """How an arm draws the rows of a batch: oversampling half of them from the positives, undersampling from all
    positives and as many negatives, chosen once.
    """
    import torch

    assert isinstance(generator, torch.Generator)
    positive, negative = target.nonzero()[:, 0], (1 - target).nonzero()[:, 0]
    if not len(positive) or not len(negative) or arm in ("plain", "weighted"):  # with one class there is nothing to balance
        return lambda: torch.randint(0, len(target), (BATCH,), generator=generator)
    if arm == "under":
        negative = negative[torch.randperm(len(negative), generator=generator)[: len(positive)]]

    def balanced() -> Tensor:
        halves = (one[torch.randint(0, len(one), (BATCH // 2,), generator=generator)] for one in (positive, negative))
        return torch.cat(list(halves))

    return balanced


# --- Measuring: said (N,) are a network's probabilities, on the CPU ---------------------------------------------


def _said(model: core.cells.Reader, sequences: core.tasks.Screened) -> Tensor:
    """The probability of positive that the network gives each sequence; 0 where it diverged."""
    import torch

    with core.probes.examining(model):
        said = [
            model(part)[0][:, -1, 0].sigmoid().nan_to_num().cpu() for part in sequences.x.chunk(max(1, len(sequences.x) // 1000))
        ]  # in parts, to spare memory
    return torch.cat(said)


def _recall(said: Tensor, cut: float, target: Tensor) -> float:
    return float((said > cut)[target == 1].float().mean().nan_to_num())


def _f1(said: Tensor, cut: float, target: Tensor) -> float:
    """The harmonic mean of precision and recall: 2·hits ÷ (alarms + positives)."""
    alarms = said > cut
    return 2 * float((alarms & (target == 1)).sum()) / max(1.0, float(alarms.sum() + target.sum()))


def _best_cut(said: Tensor, target: Tensor) -> float:
    """The cut with the largest F1."""
    import torch

    cuts: list[float] = torch.unique(said).tolist()
    return max(cuts[:: max(1, len(cuts) // 200)], key=lambda cut: _f1(said, cut, target))


def _average_precision(said: Tensor, target: Tensor) -> float:
    """The area under the precision-recall curve: the mean, over the positives, of the precision at their rank."""
    import torch

    ranked = target[said.argsort(descending=True, stable=True)].double()
    precision = ranked.cumsum(0) / torch.arange(1, len(ranked) + 1)
    return float((precision * ranked).sum() / ranked.sum().clamp(min=1))


def _figures(said: Tensor, cut: float, exam: core.tasks.Screened) -> dict[str, float]:
    """Everything measured of one way to learn."""
    return {
        "recall": _recall(said, 0.5, exam.target),
        "f1": _f1(said, 0.5, exam.target),
        "f1_tuned": _f1(said, cut, exam.target),
        "area": _average_precision(said, exam.target),
        "mean": float(said.mean()),
        "brier": float((said - exam.target).square().mean()),
    }


def _compared(figures: Mapping[str, Mapping[str, float]], rate: float) -> dict[str, float]:
    """The values of the rule."""
    plain = figures["plain"]
    gains = {f"{arm}_gain": figures[arm]["recall"] - plain["recall"] for arm in ("weighted", "over")}
    inflated = {f"{arm}_inflation": figures[arm]["mean"] / rate for arm in ("weighted", "over")}
    return gains | inflated | {"plain_bias": abs(plain["mean"] - rate), "f1_lead": plain["f1_tuned"] - figures["weighted"]["f1"]}


def _corrected(arm: str, said: Tensor, data: Data, settings: Settings) -> Tensor:
    """Prior correction: divide the odds by the factor by which training has raised them (Elkan 2001)."""
    return said / (said + _raised(arm, data.training.target, settings) * (1 - said))


# --- Pictures ---------------------------------------------------------------------------------------------------

NAMES = {
    "recall": "recall, cut ½",
    "f1": "F1, cut ½",
    "f1_tuned": "F1, cut tuned",
    "area": "PR area",
    "mean": "mean probability",
    "brier": "Brier score",
}


def _figures_picture(figures: Mapping[str, Mapping[str, float]]) -> Bars:
    """All figures of all arms, beside those of the true probabilities."""
    shown = [*((arm.key, arm.label, arm.role) for arm in ARMS), ("bayes", BAYES, "oracle")]
    places = [float(place) for place in range(len(NAMES))]
    series = [Series(label, role, places, core.probes.rounded([figures[key][name] for name in NAMES])) for key, label, role in shown]
    plain, weighted = figures["plain"], figures["weighted"]
    message = (
        f"Weighting finds {weighted['recall']:.0%} of the positives instead of {plain['recall']:.0%}; F1 {weighted['f1']:.2f}, "
        f"against {plain['f1_tuned']:.2f} plain with a tuned cut"
    )
    each = ". ".join(f"{label}: " + ", ".join(f"{said} {figures[key][name]:.3f}" for name, said in NAMES.items()) for key, label, _ in shown)
    return Bars("figures", message, f"{message}. Measured on fresh sequences. {each}.", "share or score", list(NAMES.values()), series)


def _reliability_picture(said: Mapping[str, Tensor], exam: core.tasks.Screened) -> Lines:
    """What the networks say against what is true, in bins of what they say."""
    series = [Series("what is said is true", "target", [0.0, 1.0], [0.0, 1.0], dash=True)]
    off = {}
    for arm in ARMS:
        bins = (said[arm.key] * BINS).long().clamp(0, BINS - 1)
        full = [one for one in range(BINS) if int((bins == one).sum()) >= FEWEST]
        x, y = ([float(values[bins == one].mean()) for one in full] for values in (said[arm.key], exam.posterior))
        series.append(Series(arm.label, arm.role, core.probes.rounded(x), core.probes.rounded(y)))
        off[arm.key] = float((said[arm.key] - exam.posterior).abs().mean())
    alarms = said["weighted"] > 0.5
    truth = float(exam.posterior[alarms].mean().nan_to_num())
    claimed = float(said["weighted"][alarms].mean().nan_to_num())
    message = f"Where the weighted network raises the alarm it says {claimed:.0%} on average; {truth:.0%} is true"
    alt = f"True probability, by Bayes' rule, against the probability said, in bins. {message}. Mean distance from the truth: "
    alt += ", ".join(f"{arm.label} {off[arm.key]:.3f}" for arm in ARMS) + "."
    return Lines("reliability", message, alt, "probability said", [Panel("Is it as probable as said?", "true probability", series, y_range=(0.0, 1.0))])


def _correction_picture(said: Mapping[str, Tensor], corrected: Mapping[str, Tensor], exam: core.tasks.Screened) -> Bars:
    """Brier scores before and after the correction of the prior."""
    brier = {arm.key: [float((one[arm.key] - exam.target).square().mean()) for one in (said, corrected)] for arm in ARMS}
    series = [Series(arm.label, arm.role, [0.0, 1.0], core.probes.rounded(brier[arm.key])) for arm in ARMS]
    best = float((exam.posterior - exam.target).square().mean())
    message = f"Prior correction takes the weighted network's Brier score from {brier['weighted'][0]:.3f} to {brier['weighted'][1]:.3f}; {best:.3f} is possible"
    alt = (
        f"{message}. Lower is better. " + "; ".join(f"{arm.label}: {brier[arm.key][0]:.3f} as trained, {brier[arm.key][1]:.3f} corrected" for arm in ARMS) + "."
    )
    return Bars("correction", message, alt, "Brier score", ["as trained", "corrected for the prior"], series, rules=((best, BEST_BRIER),))


# --- Judging ----------------------------------------------------------------------------------------------------

CHECKS = (
    Check("weighted_gain", "recall at ½, weighted − plain", ">", 0.25),
    Check("over_gain", "recall at ½, oversampled − plain", ">", 0.25),
    Check("weighted_inflation", "mean probability ÷ true rate, weighted", ">", 2.5),
    Check("over_inflation", "mean probability ÷ true rate, oversampled", ">", 2.5),
    Check("plain_bias", "distance of the plain mean probability from the rate", "<", 0.02),
    Check("f1_lead", "F1, plain with a tuned cut − weighted at ½", ">", 0.0),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    median = medians(CHECKS, measured)
    if median["weighted_gain"] <= 0.25:
        return "same"
    if median["f1_lead"] <= 0:
        return "better"
    return "threshold" if median["weighted_inflation"] > 2.5 else "calibrated"


EXPERIMENT = Experiment(
    id="imbalance",
    number=21,
    title="Rare positives, reweighted and resampled",
    claim="Weighting or oversampling rare positives makes an LSTM find many more of them at a cut of one half. Its probabilities become far too high, "
    "and moving the cut of the plain network gives a better F1.",
    textbook="For imbalanced classes use class weights or resampling, and judge by F1 or the area under the precision-recall curve, not by accuracy.",
    truths=(
        "Rebalancing mostly moves the cut. The ranking of the sequences, which the PR area measures, gets no better.",
        "It wrecks the probabilities, in a known way: dividing the odds by the factor by which training raised them repairs most of it.",
        "Undersampling throws away nearly everything it could learn from; on a small set that costs most.",
    ),
    limits=(
        "The loss here is plain cross-entropy throughout; with a limited network or a hard-to-find signal, rebalancing can also help learning to start.",
        "Recall can be worth its price: when a missed positive costs far more than a false alarm, the right cut is low. But then say the cut.",
    ),
    unoperable="An operation is scored on 64 sequences. Two or three of them would be positive: too few to tell what it does.",
    paper=Paper("Elkan, C.", 2001, "The Foundations of Cost-Sensitive Learning", "IJCAI"),
    asks="4% of all sequences are positive. One LSTM is trained as usual, another with the positives weighted 24-fold. "
    "Compared with the usual one, the weighted one will …",
    predictions=(
        Outcome("threshold", "find many more positives at ½, say far too high probabilities, and have no better F1 than the usual one with a tuned cut"),
        Outcome("better", "find many more positives at ½, with a better F1 than the usual one, whatever its cut"),
        Outcome("calibrated", "find many more positives at ½, and its probabilities stay about right"),
        Outcome("same", "find about as many positives: the weights average out"),
    ),
    outcome=outcome,
    controls=(
        Number(name="rate", label="Share of positives", help="In all sets. Both classes are drawn at random.", default=0.04, low=0.02, high=0.5, log=True),
        Number(
            name="weight",
            label="Weight of a positive",
            help="In the weighted arm's loss. The usual choice is negatives ÷ positives: 24 at a share of 0.04.",
            default=24,
            low=1,
            high=100,
            log=True,
        ),
        Number(
            name="shift",
            label="Distance of the classes",
            help="A positive's marked value lies this much higher on average, in standard deviations.",
            default=1.8,
            low=0.5,
            high=4,
            step=0.1,
        ),
        Number(
            name="examples", label="Training sequences", help="Drawn once; all arms learn from them.", default=3000, low=500, high=20000, step=500, whole=True
        ),
        Number(name="hidden", label="Units", help="Of every network.", default=32, low=4, high=64, whole=True),
        Number(name="updates", label="Updates", help="Each on 64 of the training sequences.", default=300, low=50, high=2000, step=50, whole=True),
        Number(name="learning_rate", label="Learning rate", help="Of Adam; it falls in the second half.", default=0.015, low=0.0001, high=0.1, log=True),
    ),
    presets={"quick": Preset("Quick", 3, {"updates": 250}), "thorough": Preset("Thorough", 10, {"examples": 6000})},
    arms=ARMS,
    curves=(
        Curve("recall", "positives found at a cut of ½", y_range=(0.0, 1.0)),
        Curve("mean", "mean probability said", y_range=(0.0, 1.0)),
        Curve("loss", "own loss (nats; weights and draws differ)", log_y=True),
    ),
    checks=CHECKS,
    run=run,
)
