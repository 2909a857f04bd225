"""The benchmark: what each policy is worth on the day of the interview, how good the forecasts are, how short the diagnostic.

`python -m quiz simulate --learners 300 --days 14 --minutes 15 --seed 0 --json`. The same seeds give the same numbers, with
any number of processes. Learner k of seed s is drawn by 1000 s + k, the same person with the same evenings for every
policy, so differences between policies are paired.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from itertools import chain
from multiprocessing import get_context
from statistics import fmean

import numpy as np

from questions.loader import load_bank
from quiz.engine.calibration import losses
from quiz.engine.diagnostic import SE_GOAL, Probe, finding, next_item
from quiz.simulate.learner import Learner, Model
from quiz.simulate.play import Course, Subject, play
from quiz.simulate.policies import FORECASTING, POLICIES

MODELS: tuple[Model, ...] = ("traces", "strength")
OURS = "ours"


@dataclass(frozen=True)
class Options:
    """What to simulate."""

    learners: int = 300
    days: int = 14
    minutes: float = 15.0
    seed: int = 0


@dataclass(frozen=True)
class DiagnosticRun:
    """One diagnostic: items until the standard error was reached, and the error of the level against the true one."""

    items: int
    error: float
    covered: bool


_subject: Subject | None = None


def _shared() -> Subject:
    """The bank, loaded once in each process."""
    global _subject
    if _subject is None:
        _subject = Subject.of(load_bank())
    return _subject


def person(options: Options, model: Model, number: int) -> tuple[dict[str, Course], dict[str, DiagnosticRun]]:
    """Everything one learner goes through: a course under each policy, and the diagnostic both ways."""
    subject, seed = _shared(), 1000 * options.seed + number
    courses = {name: play(subject, policy, model, seed, options.days, options.minutes, forecasting=name in FORECASTING) for name, policy in POLICIES.items()}
    return courses, {"ours": diagnose(subject, model, seed, adaptive=True), "random": diagnose(subject, model, seed, adaptive=False)}


def diagnose(subject: Subject, model: Model, seed: int, *, adaptive: bool) -> DiagnosticRun:
    """Ask until the level is known to `SE_GOAL`, item by item chosen or in random order. Nothing is learnt meanwhile."""
    learner = Learner.drawn(subject.world, model, seed)
    order = list(subject.catalogue.place)
    random.Random(f"{seed} order").shuffle(order)
    probes: list[Probe] = []
    while True:
        name = next_item(subject.catalogue, probes) if adaptive else order[len(probes)]
        probes.append(Probe(name, learner.answer(subject.index[name], learn=False)[0]))
        found = finding(subject.catalogue, probes, decide=False, cap=len(order))
        if found.ending is not None:
            true = float(learner.ability.mean())
            return DiagnosticRun(len(probes), found.overall.mean - true, found.overall.low <= true <= found.overall.high)


def simulate(options: Options, processes: int = 2, progress: Callable[[str], None] = lambda _: None) -> dict[str, object]:
    """The whole report, as JSON-able data."""
    return {
        "options": asdict(options),
        "versions": {"python": sys.version.split()[0], "numpy": version("numpy"), "fsrs": version("fsrs"), "items": len(_shared().world.item_ids)},
        "models": {model: _report(_everybody(_of_model(options, model), model, processes, progress)) for model in MODELS},
    }


def _of_model(options: Options, model: Model) -> Options:
    """The second model is there to see how much hangs on the first: a third of the learners will do."""
    return options if model == MODELS[0] else replace(options, learners=-(-options.learners // 3))


People = Sequence[tuple[dict[str, Course], dict[str, DiagnosticRun]]]


def _everybody(options: Options, model: Model, processes: int, progress: Callable[[str], None]) -> People:
    run = partial(person, options, model)
    if processes == 1:
        return [run(number) for number in range(options.learners)]
    people = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for done, one in enumerate(pool.map(run, range(options.learners), chunksize=2), start=1):
            people.append(one)
            if done % 50 == 0:
                progress(f"{model}: {done} of {options.learners} learners")
    return people


def _report(people: People) -> dict[str, object]:
    policies = {name: _policy(name, [courses[name] for courses, _ in people], [courses[OURS] for courses, _ in people]) for name in POLICIES}
    diagnostic = {way: _diagnostic([runs[way] for _, runs in people]) for way in ("ours", "random")}
    share = diagnostic["ours"]["items"] / diagnostic["random"]["items"]
    return {
        "learners": len(people),
        "policies": policies,
        "calibration": _calibration([courses[OURS] for courses, _ in people]),
        "diagnostic": diagnostic,
        "diagnostic_share": share,
    }


def _policy(name: str, courses: Sequence[Course], ours: Sequence[Course]) -> dict[str, float]:
    scores = np.array([course.score for course in courses])
    ahead = np.array([course.score for course in ours]) - scores
    found = {
        "score": float(scores.mean()),
        "score_before": fmean(course.before for course in courses),
        "lowest_tenth": float(np.percentile(scores, 10)),
        "items": fmean(course.items for course in courses),
        "minutes": fmean(course.minutes for course in courses),
    }
    return found if name == OURS else found | {"ours_ahead": float(ahead.mean()), "ours_ahead_plus_minus": 1.96 * _standard_error(ahead)}


def _standard_error(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def _calibration(courses: Sequence[Course]) -> dict[str, object]:
    made = list(chain.from_iterable(course.made for course in courses))
    ours, average = losses([(one.chance, one.correct) for one in made]), losses([(one.average, one.correct) for one in made])
    off = np.array([course.expected - course.score for course in courses])
    return {
        "answers": len(made),
        "ours": asdict(ours),
        "moving_average": asdict(average),
        "score_bias": float(off.mean()),
        "score_error": float(np.sqrt((off**2).mean())),
        "interval_coverage": fmean(course.covered for course in courses),
    }


def _diagnostic(runs: Sequence[DiagnosticRun]) -> dict[str, float]:
    errors = np.array([run.error for run in runs])
    return {
        "se_goal": SE_GOAL,
        "items": fmean(run.items for run in runs),
        "error": float(np.sqrt((errors**2).mean())),
        "bias": float(errors.mean()),
        "coverage": fmean(run.covered for run in runs),
    }


def as_text(report: dict[str, object]) -> str:
    """The report as Markdown tables, as they stand in docs/adaptive.md."""
    lines = []
    for model, found in report["models"].items():  # type: ignore[attr-defined]
        lines += [
            f"### Learner model: {model}, {found['learners']} learners",
            "",
            "| policy | score on the day | items | minutes | ours is ahead by |",
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        for name, row in found["policies"].items():
            ahead = f"{row['ours_ahead']:+.1f} ± {row['ours_ahead_plus_minus']:.1f}" if "ours_ahead" in row else ""
            lines.append(f"| {name} | {row['score']:.1f} | {row['items']:.0f} | {row['minutes']:.0f} | {ahead} |")
        before = found["policies"][OURS]["score_before"]
        calibration, diagnostic = found["calibration"], found["diagnostic"]
        lines += [
            "",
            f"Before any practice the score is {before:.1f}. "
            f"Forecasts ({calibration['answers']} answers): log loss {calibration['ours']['log_loss']:.3f}, Brier {calibration['ours']['brier']:.3f}; "
            f"moving average {calibration['moving_average']['log_loss']:.3f} and {calibration['moving_average']['brier']:.3f}. "
            f"Score foretold on the last evening: off by {calibration['score_bias']:+.1f} on average, {calibration['score_error']:.1f} root mean square; "
            f"95% intervals of single questions cover {calibration['interval_coverage']:.0%}.",
            "",
            "| diagnostic to SE ≤ 0.35 | items | error (root mean square) | 95% interval covers |",
            "| --- | ---: | ---: | ---: |",
        ]
        for way in ("ours", "random"):
            row = diagnostic[way]
            lines.append(f"| {way} | {row['items']:.1f} | {row['error']:.3f} | {row['coverage']:.0%} |")
        lines += ["", f"Ours needs {found['diagnostic_share']:.0%} of the items of random selection.", ""]
    return "\n".join(lines)
