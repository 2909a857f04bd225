"""The end of every stand-alone script: unpacks the files above it, trains, judges and compares.

This file is copied into the scripts that `sandbox.standalone` writes, so it uses the standard library alone until the
files are unpacked.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def play(files: Mapping[str, str], packed: Mapping[str, str], facts: Mapping[str, Any], argv: Sequence[str] | None = None) -> int:
    """Train the seeds of a run and print the verdict; 1 when a number differs from the recorded ones, else 0.

    `files` are sources by path, `packed` data files (zlib, base 85); `facts` say the module, settings, seeds, device and
    `measured`, the numbers by seed that the lab had (empty: none to compare with).
    """
    parser = argparse.ArgumentParser(description="Trains the networks of one Carousel experiment and judges its claim.")
    parser.add_argument("--first-seed", type=int, default=facts["first_seed"], help="default: %(default)s")
    parser.add_argument("--seeds", type=int, default=facts["seeds"], help="how many (default: %(default)s)")
    parser.add_argument("--device", default=facts["device"], choices=("cpu", "cuda"), help="default: %(default)s")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        _unpack(Path(folder), files, packed)
        # Some experiments start processes of their own: they find the same files.
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
        sys.path.insert(0, folder)
        try:
            measured = _train(facts, arguments)
        finally:
            sys.path.remove(folder)
    return _compare({int(seed): values for seed, values in facts["measured"].items()}, measured)


def _unpack(folder: Path, files: Mapping[str, str], packed: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for name, code in packed.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zlib.decompress(base64.b85decode(code)))


def _train(facts: Mapping[str, Any], arguments: argparse.Namespace) -> dict[int, dict[str, float]]:
    """The measures by seed, each seed told as it is ready, and the verdict at the end."""
    import importlib

    import torch

    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("device 'cuda' was asked for, but torch finds no CUDA device here; use --device cpu (the last digits may differ)")
    torch.set_num_threads(1)  # as in the lab: sums keep their order
    protocol = importlib.import_module("sandbox.protocol")
    experiment = importlib.import_module(facts["module"]).EXPERIMENT
    print(f"{experiment.title}\nClaim: {experiment.claim}\nSettings: {json.dumps(facts['settings'])}\ntorch {torch.__version__} on {arguments.device}\n")
    measured: dict[int, dict[str, float]] = {}
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        for step in experiment.run(facts["settings"], seed, arguments.device):
            if isinstance(step, protocol.Measured):
                measured[seed] = dict(step.values)
        print(f"seed {seed}: " + ", ".join(f"{check.label} {measured[seed][check.measure]:.6g}" for check in experiment.checks), flush=True)
    verdict = protocol.judge(experiment, facts["settings"], list(measured.values()))
    print(f"\n{verdict.status.upper()}: the rule holds on {verdict.passed} of {verdict.seeds} seeds")
    for check in verdict.checks:
        print(f"  {check.label}: median {check.median:.6g}, needed {check.relation} {check.threshold:g}, on {check.passed} of {verdict.seeds}")
    return measured


def _compare(recorded: Mapping[int, Mapping[str, float]], measured: Mapping[int, Mapping[str, float]]) -> int:
    """Say whether the numbers are those of the lab, bit for bit; timings aside. Another version of torch or another processor may differ in the last digits."""
    both = recorded.keys() & measured.keys()
    if not both:
        return 0
    differing = sorted(seed for seed in both if _untimed(recorded[seed]) != _untimed(measured[seed]))
    print(f"\nThe lab's numbers again: {len(both) - len(differing)} of {len(both)} seeds identical, every digit.")
    for seed in differing:
        print(f"  seed {seed} had " + ", ".join(f"{name} {value!r}" for name, value in recorded[seed].items()))
    return 1 if differing else 0


def _untimed(values: Mapping[str, float]) -> str:
    """All but the timings, in a comparable form."""
    return repr(sorted((name, value) for name, value in values.items() if not name.startswith("clock_")))  # protocol.CLOCK: not unpacked yet
