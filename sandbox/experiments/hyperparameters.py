"""Question 18: searching hyperparameters, which of them matters, and how to keep the score honest.

Two searches with the same budget of updates tune a tiny LSTM: random settings, each trained to its end, and a search
that learns from its trials (TPE) and stops poor ones early (median pruning). How much each setting matters is computed
from the random trials, which cover the ranges evenly. Beside them, a forecaster is scored by shuffled and by
forward-chaining cross-validation, and then on what really comes later.
"""

from __future__ import annotations

import importlib
import math
import statistics
import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sandbox import core
from sandbox.protocol import (
    Arm,
    Axis,
    Bars,
    Check,
    Curve,
    Experiment,
    Measured,
    Measures,
    Number,
    Outcome,
    Paper,
    Parallel,
    Point,
    Preset,
    Series,
    Settings,
    Step,
)

if TYPE_CHECKING:
    from types import ModuleType

    import optuna
    from torch import Tensor

SYMBOLS, STEPS, LAG, BATCH, CLIP = 5, 10, 2, 32, 1.0  # say the symbol of two steps ago; sequences in an update; largest gradient norm
EXAM, LOOK, POINTS = 64, 8, 50  # validation sequences; updates between two looks at them; live readings of a search
WORST = 10.0  # what a trial that diverged is told to have reached, in nats
BEST_THIRD = 1 / 3  # importance asks what sets the best third of the trials apart
UNITS, BIAS, NOISE, MOMENTUM = (10, 40), (0.0, 3.0), (0.0, 0.5), (0.01, 1.0)  # the ranges searched besides the learning rate's

NAMES = {"rate": "learning rate", "units": "units", "bias": "forget bias", "noise": "input noise", "momentum": "1 − momentum"}
ARMS = (Arm("random", "random search", "oracle"), Arm("tpe", "TPE with pruning", "lstm"))


@dataclass(frozen=True)
class Material:
    """What every trial of a seed learns from and is judged on: the same batches, so that only the settings differ."""

    batches: Sequence[core.tasks.Labelled]
    exam: core.tasks.Labelled


def run(settings: Settings, seed: int, device: str) -> Iterator[Step]:
    """Search twice, weigh the settings, then validate a forecaster in two ways."""
    material = _material(int(settings["length"]), seed, device)
    searches = {arm.key: _search(arm.key, settings, seed, material) for arm in ARMS}
    studies = yield from core.training.interleave(searches, Point, seed, device)
    shares = {arm: _importance(study) for arm, study in studies.items()}
    with core.devices.Randomness(seed):
        forecast = _forecast_errors(float(settings["drift"]), seed)
    values = {f"share_{name}": share for name, share in shares["random"].items()}
    values["lead"] = values["share_rate"] - max(share for name, share in shares["random"].items() if name != "rate")
    values |= {f"best_{arm}": _best(study) for arm, study in studies.items()}
    values |= {f"trials_{arm}": float(len(study.trials)) for arm, study in studies.items()}
    values |= {f"{way}_error": error for way, error in forecast.items()}
    values["shuffled_ratio"] = core.probes.error_or_inf(forecast["shuffled"] / forecast["later"])
    values["forward_ratio"] = core.probes.error_or_inf(forecast["forward"] / forecast["later"])
    yield Measured(values)
    yield _trials_picture(studies["random"], settings)
    yield _importance_picture(shares)
    yield _found_picture(studies, settings)
    yield _forecast_picture(forecast)


# --- Searching --------------------------------------------------------------------------------------------------


def _material(length: int, seed: int, device: str) -> Material:
    draw = partial(core.tasks.echo, steps=STEPS, lag=LAG, symbols=SYMBOLS)
    batches = draw(BATCH, generator=core.devices.generator(seed, "batches"))
    exam = next(draw(EXAM, generator=core.devices.generator(seed, "exam")))
    return Material([next(batches).to(device) for _ in range(length)], exam.to(device))


def _study(arm: str, seed: int) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    number = core.devices.derive_seed(seed, arm) % 2**32
    if arm == "random":
        return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=number), pruner=optuna.pruners.NopPruner())
    sampler = optuna.samplers.TPESampler(seed=number, n_startup_trials=8)
    return optuna.create_study(sampler=sampler, pruner=optuna.pruners.MedianPruner(n_startup_trials=4))


def _search(arm: str, settings: Settings, seed: int, material: Material) -> Generator[core.training.Reading, None, optuna.Study]:
    """Trial after trial until the updates left are too few for another one."""
    import optuna

    study, length, budget = _study(arm, seed), int(settings["length"]), int(settings["updates"])
    spent, due, every, best = 0, 0, max(LOOK, budget // POINTS), math.inf
    values: dict[str, float] = {}
    while budget - spent >= length:
        trial, loss, pruned, before = study.ask(), math.inf, False, spent
        for used, loss in _trial(_suggest(trial, settings), core.devices.derive_seed(seed, "noise", str(trial.number)), material):
            spent = before + used
            trial.report(loss, used)
            values = {"best": min(best, loss) if used == length or math.isinf(best) else best, "trial": loss}
            if spent >= due:
                yield core.training.Reading(spent, values)
                due = spent + every
            pruned = used < length and trial.should_prune()
            if pruned:
                break
        study.tell(trial, None if pruned else loss, state=optuna.trial.TrialState.PRUNED if pruned else None)
        best = best if pruned else min(best, loss)
    if due != budget + every:
        yield core.training.Reading(budget, values | {"best": best})
    return study


def _suggest(trial: optuna.Trial, settings: Settings) -> dict[str, float]:
    low, high = float(settings["rate_low"]), float(settings["rate_high"])
    return {
        "rate": trial.suggest_float("rate", low, high, log=True),
        "units": trial.suggest_int("units", *UNITS),
        "bias": trial.suggest_float("bias", *BIAS),
        "noise": trial.suggest_float("noise", *NOISE),
        "momentum": trial.suggest_float("momentum", *MOMENTUM, log=True),
    }


def _trial(chosen: dict[str, float], noise_seed: int, material: Material) -> Iterator[tuple[int, float]]:
    """Train one network, and yield every few updates, and at the end, how many it had and its validation loss."""
    import torch

    model = core.cells.Reader(torch.nn.LSTM(SYMBOLS, int(chosen["units"]), batch_first=True), SYMBOLS)
    core.cells.set_forget_bias(model.recurrent, chosen["bias"])  # type: ignore[arg-type]  # it is the LSTM just made
    model = model.to(material.exam.x.device)
    parameters = list(model.parameters())
    optimizer = core.optimizers.Adam(parameters, chosen["rate"], betas=(1 - chosen["momentum"], 0.999))
    draw = torch.Generator().manual_seed(noise_seed)
    for update, batch in enumerate(material.batches, 1):
        noise = torch.randn(batch.x.shape, generator=draw).to(batch.x.device)
        loss = _loss(model, batch.x + chosen["noise"] * noise, batch.target)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        core.training.clip_norm(parameters, CLIP)
        optimizer.step()
        if update % LOOK == 0 or update == len(material.batches):
            with core.probes.examining(model):
                seen = float(_loss(model, material.exam.x, material.exam.target))
            yield update, min(seen, WORST) if math.isfinite(seen) else WORST


def _loss(model: core.cells.Reader, x: Tensor, target: Tensor) -> Tensor:
    import torch

    logits, _ = model(x)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=core.tasks.IGNORED)


def _completed(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return [trial for trial in study.trials if trial.value is not None and trial.state.name == "COMPLETE"]


def _best(study: optuna.Study) -> float:
    return float(study.best_value)


def _importance(study: optuna.Study) -> dict[str, float]:
    """Each setting's share in what sets the best third of the trials apart (PED-ANOVA, Watanabe et al. 2023); they add up to 1."""
    importance = _optuna_importance()
    evaluator = importance.PedAnovaImportanceEvaluator(target_quantile=BEST_THIRD, evaluate_on_local=False)
    shares = importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(shares.get(name, 0.0)) for name in NAMES}


def _optuna_importance() -> ModuleType:
    """optuna.importance without scikit-learn, which it loads for other evaluators where it is installed: 1.6 s and 150 MB with all it needs."""
    wanted = "sklearn" in sys.modules
    if not wanted:
        sys.modules["sklearn"] = None  # type: ignore[assignment]  # importing it fails now, as where it is not installed
    try:
        return importlib.import_module("optuna.importance")
    finally:
        if not wanted:
            del sys.modules["sklearn"]


# --- Validating a forecaster ------------------------------------------------------------------------------------

PAST, LATER, WINDOW, AHEAD, BLOCKS = 240, 80, 12, 3, 4  # windows known and still to come; values read; how far ahead; blocks of the past
FORECASTER, FIT, FIT_RATE, SEASON = 8, 40, 0.03, 20  # units, updates, learning rate; period of the series


def _forecast_errors(drift: float, seed: int) -> dict[str, float]:
    """Root mean squared errors of an LSTM that forecasts a series: estimated in two ways, and as it turns out later.

    The series rises by `drift` a season, in units of the season's amplitude.
    """
    import torch

    total = PAST + LATER + WINDOW + AHEAD
    t = torch.arange(total) / SEASON
    noise = 0.1 * torch.randn(total, generator=core.devices.generator(seed, "series"))
    series = drift * t + (2 * math.pi * t).sin() + noise
    x = series.unfold(0, WINDOW, 1)[: PAST + LATER]  # (N, WINDOW)
    target = series[WINDOW - 1 + AHEAD :][: PAST + LATER]  # (N,)
    past, later = torch.arange(PAST), torch.arange(PAST, PAST + LATER)
    shuffled = torch.randperm(PAST, generator=core.devices.generator(seed, "folds")).chunk(BLOCKS)
    in_time = past.chunk(BLOCKS)
    errors = {
        "shuffled": [_fitted_error(x, target, torch.cat([*shuffled[:k], *shuffled[k + 1 :]]), shuffled[k]) for k in range(BLOCKS)],
        "forward": [_fitted_error(x, target, torch.cat(in_time[:k]), in_time[k]) for k in range(1, BLOCKS)],
        "later": [_fitted_error(x, target, past, later)],
    }
    return {way: math.sqrt(sum(some) / len(some)) for way, some in errors.items()}


def _fitted_error(x: Tensor, target: Tensor, known: Tensor, asked: Tensor) -> float:
    """The mean squared error on the windows `asked` of a network fitted to the windows `known`, which also fix the scaling."""
    import torch

    mean, spread = x[known].mean(), x[known].std()
    scaled, wanted = (x - mean) / spread, (target - mean) / spread
    model = core.cells.Reader(torch.nn.LSTM(1, FORECASTER, batch_first=True), 1)
    core.cells.set_forget_bias(model.recurrent, 1.0)  # type: ignore[arg-type]  # it is the LSTM just made
    optimizer = core.optimizers.Adam(model.parameters(), FIT_RATE)
    for _ in range(FIT):
        loss = (_ahead(model, scaled[known]) - wanted[known]).square().mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
    with core.probes.examining(model):
        return float((_ahead(model, scaled[asked]) - wanted[asked]).square().mean() * spread.square())


def _ahead(model: core.cells.Reader, x: Tensor) -> Tensor:
    h, _ = model.recurrent(x[..., None])
    answer: Tensor = model.readout(h[:, -1])[:, 0]
    return answer


# --- Pictures ---------------------------------------------------------------------------------------------------


def _trials_picture(study: optuna.Study, settings: Settings) -> Parallel:
    """Every random trial as a line through its settings to its loss."""
    trials = _completed(study)
    worst = math.log(SYMBOLS)
    axes = [
        Axis(NAMES["rate"], float(settings["rate_low"]), float(settings["rate_high"]), log=True),
        Axis(NAMES["units"], *UNITS),
        Axis(NAMES["bias"], *BIAS),
        Axis(NAMES["noise"], *NOISE),
        Axis(NAMES["momentum"], *MOMENTUM, log=True),
        Axis("loss", 0.0, round(worst, 1)),
    ]
    rows = [core.probes.rounded([*(float(trial.params[name]) for name in NAMES), float(trial.value or 0.0)]) for trial in trials]
    good = sorted(rows, key=lambda row: row[-1])[: max(1, round(len(rows) * BEST_THIRD))]
    low, high = min(row[0] for row in good), max(row[0] for row in good)
    message = f"The best third of {len(rows)} random trials has learning rates from {low:.2g} to {high:.2g}"
    best = ", ".join(f"{NAMES[name]} {value:.3g}" for name, value in zip(NAMES, good[0], strict=False))
    alt = f"{message}, of {axes[0].low:.2g} to {axes[0].high:.2g} searched. The best, with loss {good[0][-1]:.3g}: {best}. Guessing costs ln {SYMBOLS}."
    return Parallel("trials", message, alt, axes, rows)


def _importance_picture(shares: dict[str, dict[str, float]]) -> Bars:
    """What sets good trials apart: from random trials, and from those of TPE, which are not spread evenly."""
    labels = {"random": "from random trials", "tpe": "from TPE's trials (biased)"}
    series = [Series(labels[arm.key], arm.role, [float(k) for k in range(len(NAMES))], core.probes.rounded(list(shares[arm.key].values()), 3)) for arm in ARMS]
    first = max(NAMES, key=lambda name: shares["random"][name])
    message = f"Of random trials, {NAMES[first]} explains most: share {shares['random'][first]:.0%}"
    told = {arm: ", ".join(f"{NAMES[name]} {share:.0%}" for name, share in own.items()) for arm, own in shares.items()}
    alt = f"{message}. From random trials: {told['random']}. From the trials of TPE that were not pruned: {told['tpe']}."
    return Bars("importance", message, alt, "share", list(NAMES.values()), series)


def _found_picture(studies: dict[str, optuna.Study], settings: Settings) -> Bars:
    """The lowest validation loss each search found."""
    best, tried = ({arm: one(study) for arm, study in studies.items()} for one in (_best, lambda study: len(study.trials)))
    series = [Series(arm.label, arm.role, [0.0], core.probes.rounded([best[arm.key]])) for arm in ARMS]
    message = f"Loss of the best setting found: {best['random']:.3g} by random search, {best['tpe']:.3g} by TPE with pruning"
    ended = len(_completed(studies["tpe"]))
    cost = f"Both had {settings['updates']} updates to spend: {tried['random']} trials at random, {tried['tpe']} by TPE, of which {ended} ran to their end"
    alt = f"{message}. {cost}. Guessing costs {math.log(SYMBOLS):.3g}. Both losses flatter: each is the lowest of many."
    return Bars("found", message, alt, "validation loss (nats)", ["the best trial"], series)


def _forecast_picture(errors: dict[str, float]) -> Bars:
    """Two estimates of a forecaster's error, and its error on what came later."""
    labels = {"shuffled": ("shuffled folds say", "ablated"), "forward": ("forward chaining says", "lstm"), "later": ("what comes later shows", "target")}
    series = [Series(label, role, [0.0], core.probes.rounded([errors[way]])) for way, (label, role) in labels.items()]
    message = f"Forecast error: shuffled folds promise {errors['shuffled']:.3g}, later it is {errors['later']:.3g}"
    alt = f"{message}. Forward chaining, which validates on what follows each stretch of training, said {errors['forward']:.3g}."
    return Bars("forecast", message, alt, "root mean squared error", ["forecast of a series"], series)


# --- Judging ----------------------------------------------------------------------------------------------------

SHARE, PROMISE = 0.4, 0.8
CHECKS = (
    Check("lead", "importance of the learning rate minus that of the next setting", ">", 0.0),
    Check("share_rate", "importance of the learning rate, on random trials", ">", SHARE),
    Check("shuffled_ratio", "forecast error promised by shuffled folds ÷ error later", "<", PROMISE),
)


def outcome(settings: Settings, measured: Sequence[Measures]) -> str:
    """Which prediction came true, from the medians over seeds."""
    shares = {name: statistics.median(one.get(f"share_{name}", math.nan) for one in measured) for name in NAMES}
    first = max(shares, key=lambda name: shares[name])
    if not shares[first] > SHARE:  # NaN included
        return "even"
    return first if first in ("rate", "units") else "other"


EXPERIMENT = Experiment(
    id="hyperparameters",
    number=18,
    title="Which setting matters",
    claim="Among learning rate, units, forget bias, input noise and momentum, drawn at random over wide ranges, the learning rate matters most: "
    "it has more than four tenths of the importance. And shuffled cross-validation of a forecaster on a drifting series promises at least a fifth less "
    "error than comes.",
    textbook="Tune the learning rate first; prefer random or model-based search to a grid; stop poor trials early; validate forwards in time.",
    truths=(
        "Importance belongs to the ranges searched. Narrow that of the learning rate to a factor of three about its best values, "
        "and another setting comes first.",
        "Importance is computed on the random trials. A search that crowds into good regions has few bad learning rates left to learn from, "
        "so its own trials give another picture.",
        "The lowest loss of many trials flatters: part of it is luck on these validation sequences. A test set, used once, has no such bias.",
        "Shuffled folds are not wrong in themselves. Set the drift of the series to 0 and they promise about what comes; with drift they have seen "
        "the level they are asked about, and the future has not.",
    ),
    limits=(
        f"One task over {STEPS} steps, tiny networks and very short training, which favours high learning rates.",
        "The searches are small: 25 random trials of 32 updates each in the quick preset, 32 in the thorough one. More and longer trials make the shares "
        "steadier.",
        "Importance is PED-ANOVA's, which asks what sets the best third of the trials apart; the study of Greff et al. used fANOVA, which asks what moves "
        "the loss over all trials. The shares of the two are not to be compared.",
        "The searches are Optuna's: the run as a script or a notebook needs the package optuna beside torch.",
        "One search a seed. That TPE wins is shown, not judged: with few trials it is no more than likely.",
    ),
    unoperable="Of each trial the score is kept, not the network.",
    paper=Paper(
        "Greff, K., Srivastava, R. K., Koutník, J., Steunebrink, B. R., Schmidhuber, J.",
        2017,
        "LSTM: A search space odyssey",
        "IEEE Transactions on Neural Networks and Learning Systems 28(10)",
    ),
    asks="A tiny LSTM is trained with settings drawn at random: learning rate over four powers of ten, 10 to 40 units, forget bias, input noise "
    "and momentum. What sets the good trials apart?",
    predictions=(
        Outcome("rate", "The learning rate more than anything else"),
        Outcome("units", "The number of units more than anything else"),
        Outcome("other", "Forget bias, noise or momentum more than anything else"),
        Outcome("even", "No single setting: none has four tenths of the importance"),
    ),
    outcome=outcome,
    controls=(
        Number(
            name="rate_low",
            label="Learning rate from",
            help="The lower end of its range.",
            default=0.00001,
            low=0.000001,
            high=0.05,
            log=True,
        ),
        Number(
            name="rate_high",
            label="Learning rate to",
            help="The upper end. Narrow the range and its importance shrinks.",
            default=0.1,
            low=0.06,
            high=1,
            log=True,
        ),
        Number(
            name="updates",
            label="Updates to spend",
            help="What each search may spend, in updates of all its trials together.",
            default=1024,
            low=320,
            high=6400,
            step=32,
            whole=True,
        ),
        Number(name="length", label="Updates of a trial", help="A trial that is not pruned has this many.", default=32, low=16, high=128, step=8, whole=True),
        Number(
            name="drift",
            label="Drift of the series",
            help="How much the series to be forecast rises in a season, in amplitudes of the season.",
            default=1,
            low=0,
            high=2,
        ),
    ),
    presets={"quick": Preset("Quick", 3, {"updates": 800}), "thorough": Preset("Thorough", 10)},
    arms=ARMS,
    curves=(
        Curve("best", "lowest validation loss so far (nats)", log_y=True, rules=((1.609, "guessing, ln 5"),)),
        Curve("trial", "validation loss of the trial at work (nats)"),
    ),
    checks=CHECKS,
    run=run,
)
