"""The experiments without a browser.

    python -m sandbox list                                   what there is
    python -m sandbox run forget-gate --seeds 3 --json       train, judge, print
    python -m sandbox verify --seeds 10                      does every claim still hold at its preset?
    python -m sandbox script forget-gate > forget.py         the same as one file that needs only torch (hyperparameters: and optuna)
    python -m sandbox notebook forget-gate > forget.ipynb    and as a Jupyter notebook
    python -m sandbox bench                                  how fast are the parts, beside their targets?
    python -m sandbox record --check                         do the sabotaged trainings still give the recorded curves?

`run` ends with 0 whatever the verdict; `verify` ends with 1 when a claim holds on fewer than 4 of 5 seeds, `bench` when
a target is missed, `record --check` when a file of questions/recordings differs; what is asked for wrongly ends with 2 and a message that says what is allowed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox import bench, evidence, notebook, standalone
from sandbox.placing import GpuFailed, placed
from sandbox.playing import Played, play_all
from sandbox.protocol import SUPPORTED_FROM, Experiment, InvalidSetting, RunRequest, Setting, Verdict, judge
from sandbox.recordings import UnknownRecipe
from sandbox.records import plain
from sandbox.registry import UnknownExperiment, all_experiments, find_experiment
from sandbox.requests import make_request, read_values


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; see the module's text for what it returns."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except (UnknownExperiment, InvalidSetting, DeviceRefused, GpuFailed, UnknownRecipe) as error:
        print(f"python -m sandbox: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    listing = commands.add_parser("list", help="every experiment with its settings")
    listing.set_defaults(command=_list)
    running = commands.add_parser("run", help="train one experiment and judge its claim")
    running.set_defaults(command=_run)
    scripting = commands.add_parser("script", help="print a run as one Python file that needs only torch (hyperparameters: and optuna)")
    scripting.set_defaults(command=_script)
    noting = commands.add_parser("notebook", help="print a run as a Jupyter notebook that needs only torch (hyperparameters: and optuna)")
    noting.set_defaults(command=_notebook)
    for command in (running, scripting, noting):
        command.add_argument("experiment", metavar="ID")
        command.add_argument("--seeds", metavar="N", help="how many seeds (default: the preset's)")
        command.add_argument("--set", metavar="NAME=VALUE", nargs="+", action="extend", default=[], help="settings that differ from the preset")
    verifying = commands.add_parser("verify", help="check that claims hold at a preset")
    verifying.add_argument("experiments", metavar="ID", nargs="*", help="which (default: all)")
    verifying.add_argument("--seeds", metavar="N", type=_positive, default=5, help="how many seeds (default: 5)")
    verifying.add_argument("--markdown", action="store_true", help="print a page like docs/evidence.md")
    verifying.set_defaults(command=_verify)
    benching = commands.add_parser("bench", help="time the general cell against torch.nn.LSTM, and runs on workers")
    benching.add_argument("experiments", metavar="ID", nargs="*", help="whose runs are timed (default: all)")
    benching.add_argument("--cell-only", action="store_true", help="the cell alone")
    benching.add_argument("--repetitions", metavar="N", type=_positive, default=bench.REPETITIONS, help="steps timed of each kind (default: %(default)s)")
    benching.set_defaults(command=_bench)
    recording = commands.add_parser("record", help="train what was sabotaged on purpose and keep its curves for the questions")
    recording.add_argument("recordings", metavar="NAME", nargs="*", help="which (default: all)")
    recording.add_argument("--check", action="store_true", help="write nothing; end with 1 when a file differs from what comes out now")
    recording.add_argument("--folder", metavar="FOLDER", type=Path, help="where the files are (default: questions/recordings)")
    recording.set_defaults(command=_record)
    for command in (running, scripting, noting, verifying):
        command.add_argument("--first-seed", metavar="N", default="0")
        command.add_argument("--preset", default="quick", help="quick or thorough (default: quick)")
        command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    for command in (running, verifying):
        command.add_argument("--processes", metavar="N", type=_positive, default=1, help="seeds trained at once, one process each (default: 1)")
    for command in (listing, running, verifying, benching):
        command.add_argument("--json", action="store_true", help="print JSON on standard output")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


# --- list -------------------------------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace) -> int:
    experiments = all_experiments().values()
    if arguments.json:
        print(json.dumps([_described(experiment) for experiment in experiments], ensure_ascii=False, indent=2))
        return 0
    for experiment in experiments:
        print(f"{experiment.id}  (question {experiment.number})\n  {experiment.title}\n  Claim: {experiment.claim}")
        for control in experiment.controls:
            print(f"    {control.name:20} {control.default!s:>8}   {control.allowed}")
        print()
    return 0


def _described(experiment: Experiment) -> dict[str, Any]:
    return {
        "id": experiment.id,
        "number": experiment.number,
        "title": experiment.title,
        "claim": experiment.claim,
        "truths": list(experiment.truths),
        "settings": [{"name": one.name, "label": one.label, "default": one.default, "allowed": one.allowed} for one in experiment.controls],
        "presets": {name: {"seeds": preset.seeds, "settings": dict(preset.settings)} for name, preset in experiment.presets.items()},
        "rule": [plain(check) for check in experiment.checks],
        "predictions": {one.key: one.text for one in experiment.offered},
    }


# --- Playing seeds ----------------------------------------------------------------------------------------------


class DeviceRefused(ValueError):
    """The device asked for is not here."""


def _resolved(experiment: Experiment, request: RunRequest) -> tuple[str, str]:
    """The device and why. Errors: DeviceRefused."""
    from sandbox.core import devices

    try:
        return placed(experiment, request.settings, request.device)
    except devices.DeviceUnavailable as error:
        raise DeviceRefused(str(error)) from None


# --- run --------------------------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    experiment = find_experiment(arguments.experiment)
    request = _request(experiment, arguments, _assigned(arguments.set))
    device, why = _resolved(experiment, request)
    print(f"{experiment.title}: {request.seeds} seed(s) on {why}", file=sys.stderr)
    played = list(_told(experiment, play_all(request, device, arguments.processes)))
    verdict = judge(experiment, request.settings, [one.measured for one in played])
    if arguments.json:
        print(json.dumps(_run_facts(request, device, why, played, verdict), ensure_ascii=False, indent=2))
    else:
        _print_verdict(experiment, verdict)
        print("\n".join(f"  seed {played[0].seed}: {message}" for message in played[0].messages))
    return 0


def _request(experiment: Experiment, arguments: argparse.Namespace, assigned: Mapping[str, Setting]) -> RunRequest:
    """The request the options make. Errors: InvalidSetting naming everything that is wrong."""
    asked = {"preset": arguments.preset, "seed": arguments.first_seed, "device": arguments.device, **assigned}
    if getattr(arguments, "experiment", None) is not None and arguments.seeds is not None:
        asked["seeds"] = arguments.seeds
    return make_request(experiment, read_values(experiment, asked), None)


def _assigned(pairs: Sequence[str]) -> dict[str, Setting]:
    """NAME=VALUE pairs as raw settings. Errors: InvalidSetting for what is no such pair."""
    problems = [f"--set takes NAME=VALUE, got {pair!r}" for pair in pairs if "=" not in pair]
    if problems:
        raise InvalidSetting(problems)
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _told(experiment: Experiment, played: Iterable[Played]) -> Iterator[Played]:
    """The same seeds, each told on standard error as it is ready."""
    for one in played:
        told = ", ".join(f"{check.measure} {one.measured[check.measure]:.3g}" for check in experiment.checks)
        print(f"  seed {one.seed}: {told}  ({one.cpu_seconds:.1f} CPU s)", file=sys.stderr)
        yield one


def _run_facts(request: RunRequest, device: str, why: str, played: Sequence[Played], verdict: Verdict) -> dict[str, Any]:
    from sandbox.core import devices

    return {
        "experiment": request.experiment,
        "settings": plain(request.settings),
        "device": device,
        "device_why": why,
        "versions": devices.versions(device),
        "seeds": [{"seed": one.seed, "measured": plain(one.measured), "cpu_seconds": round(one.cpu_seconds, 2)} for one in played],
        "verdict": plain(verdict),
    }


def _print_verdict(experiment: Experiment, verdict: Verdict) -> None:
    outcome = next(one.text for one in experiment.predictions if one.key == verdict.outcome)
    print(f"{experiment.claim}\n{verdict.status.upper()}: the rule holds on {verdict.passed} of {verdict.seeds} seeds")
    for check in verdict.checks:
        print(f"  {check.label:40} median {check.median:<9.3g} {check.relation} {check.threshold:<6g} on {check.passed} of {verdict.seeds}")
    print(f"  What happened: {outcome}")


# --- script -----------------------------------------------------------------------------------------------------


def _script(arguments: argparse.Namespace) -> int:
    experiment = find_experiment(arguments.experiment)
    request = _request(experiment, arguments, _assigned(arguments.set))
    print(standalone.script(experiment, request, _written_device(experiment, request), {}), end="")
    return 0


def _notebook(arguments: argparse.Namespace) -> int:
    experiment = find_experiment(arguments.experiment)
    request = _request(experiment, arguments, _assigned(arguments.set))
    print(notebook.notebook(experiment, request, _written_device(experiment, request), {}), end="")
    return 0


def _written_device(experiment: Experiment, request: RunRequest) -> str:
    """The device that a file names: it is run elsewhere, so there is none to look for here."""
    return "cuda" if request.device == "cuda" and not experiment.cpu_only else "cpu"


# --- verify -----------------------------------------------------------------------------------------------------


def _verify(arguments: argparse.Namespace) -> int:
    chosen = [find_experiment(one) for one in arguments.experiments] or list(all_experiments().values())
    rows = [_verified(experiment, arguments) for experiment in chosen]
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    elif arguments.markdown:
        print(evidence.page(rows, arguments.preset, datetime.now(UTC).date()), end="")
    return 0 if all(row["holds"] for row in rows) else 1


def _verified(experiment: Experiment, arguments: argparse.Namespace) -> dict[str, Any]:
    request = _request(experiment, arguments, {})
    # More seeds than a page may ask for are welcome here.
    request = RunRequest(request.experiment, request.settings, request.first_seed, arguments.seeds, request.device)
    device, _ = _resolved(experiment, request)
    played = list(play_all(request, device, arguments.processes))
    verdict = judge(experiment, request.settings, [one.measured for one in played])
    holds, cpu_seconds = verdict.passed / verdict.seeds >= SUPPORTED_FROM, sum(one.cpu_seconds for one in played) / len(played)
    if not (arguments.json or arguments.markdown):
        print(f"{'ok ' if holds else 'BAD'} {experiment.id:20} {verdict.passed}/{verdict.seeds} seeds, {cpu_seconds:.1f} CPU s a seed", flush=True)
        for check in verdict.checks:
            told = f"median {check.median:.3g} [{min(check.values):.3g} .. {max(check.values):.3g}]"
            print(f"      {check.label:40} {check.relation} {check.threshold:<6g} {told}", flush=True)
    return {"experiment": experiment.id, "holds": holds, "device": device, "cpu_seconds": round(cpu_seconds, 2), "verdict": plain(verdict)}


# --- bench ------------------------------------------------------------------------------------------------------


def _bench(arguments: argparse.Namespace) -> int:
    figures = []
    for figure in _measured(arguments):
        figures.append(figure)
        if not arguments.json:
            target = "" if figure.target is None else f"≤ {figure.target:g}   {'ok' if figure.ok else 'MISSED'}"
            print(f"{figure.what:<66} {figure.value:>7.2f} {figure.unit:<6} {target or figure.detail}", flush=True)
    if arguments.json:
        print(json.dumps([asdict(figure) | {"ok": figure.ok} for figure in figures], ensure_ascii=False, indent=2))
    return 0 if all(figure.ok for figure in figures) else 1


def _measured(arguments: argparse.Namespace) -> Iterator[bench.Figure]:
    chosen = [find_experiment(one).id for one in arguments.experiments] or list(all_experiments())
    yield from bench.cell_figures(arguments.repetitions)
    if not arguments.cell_only:
        from sandbox.bench_lab import lab_figures  # loads Dask

        yield from lab_figures(chosen)


# --- record -----------------------------------------------------------------------------------------------------


def _record(arguments: argparse.Namespace) -> int:
    from sandbox.recordings import store  # loads torch

    differing = 0
    for recipe in [store.find_recipe(name) for name in arguments.recordings] or store.all_recipes().values():
        path, made = (arguments.folder or store.FOLDER) / f"{recipe.name}.json", store.record(recipe)
        told = store.difference(made, path)
        differing += told is not None
        if not arguments.check:
            path.write_text(store.text_of(made), "utf-8")
            told = f"{'as it was' if told is None else 'written'}: {path}"
        print(f"{recipe.name:20} {told or 'the same'}", flush=True)
    return 1 if arguments.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
