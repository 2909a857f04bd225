"""The outcome of `python -m sandbox verify` as a page of Markdown: what was measured on every seed, beside what is needed."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import metadata
from typing import Any

HEADINGS = ("| Experiment | Seeds | CPU s | Measured | Needed | Median | Lowest to highest |", "|:--|:--|--:|:--|:--|--:|:--|")


def page(rows: Sequence[Mapping[str, Any]], preset: str, day: date) -> str:
    """The whole page. `rows` are those of `verify --json`; their seeds are as many as the first one's."""
    machine = f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {metadata.version('torch')}"
    held = sum(row["holds"] for row in rows)
    seeds = rows[0]["verdict"]["seeds"]
    lines = [
        f"# What the experiments showed: preset “{preset}”",
        "",
        f"Every experiment at its preset “{preset}”, judged by the rule its page shows. A claim holds when at least 4 of 5 seeds satisfy the whole rule;",
        f"**{held} of {len(rows)}** hold. Taken on {day.isoformat()}: {machine}. CPU seconds are of one seed, all networks together, on one thread.",
        "",
        f"Made by `python -m sandbox verify --preset {preset} --seeds {seeds} --markdown`; the same seeds on the same versions give the same values,",
        "except for what a clock says.",
        "",
        *HEADINGS,
    ]
    for row in rows:
        verdict = row["verdict"]
        for number, check in enumerate(verdict["checks"]):
            first = f"{row['experiment']} | {verdict['passed']} of {verdict['seeds']} | {row['cpu_seconds']:.1f}" if number == 0 else "| |"
            values = sorted(float(value) for value in check["values"])
            lines.append(f"| {first} | {needed(check)} | {float(check['median']):.3g} | {values[0]:.3g} to {values[-1]:.3g} |")
    return "\n".join(lines) + "\n"


def needed(check: Mapping[str, Any]) -> str:
    """The two cells that say what is measured and what the rule asks of it."""
    label = check["label"].replace("|", "\\|")
    return f"{label} | {check['relation']} {check['threshold']:g}"
