"""A page to print: where a learner stands. One self-contained HTML file without scripts, laid out for a sheet of A4."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from questions.schema import Group
from quiz.service.progress import RECENT_RUNS
from quiz.views import DayStat, MasteryCell, ProgressView, RunRow

WEEKS = 12
RUNS = 8
ENOUGH = 3  # answers that place a question among the strongest or weakest
NAMED = 3


def report(view: ProgressView, now: datetime, zone: tzinfo, title_of: Callable[[str], str], outcome_of: Callable[[str, str], str]) -> str:
    """The page. `title_of` names an experiment, `outcome_of` says what an outcome's key stands for."""
    today = now.astimezone(zone).date()
    judged = [run for run in view.runs if run.prediction is not None and run.outcome is not None]
    ended = [run for run in view.runs if run.outcome is not None]
    weak_first = sorted((cell for cell in view.cells if cell.mastery is not None and cell.attempts >= ENOUGH), key=lambda cell: cell.mastery or 0.0)
    return _template().render(
        day=_day(today),
        cells=view.cells,
        met=sum(cell.attempts > 0 for cell in view.cells),
        attempts=view.attempts,
        right=f"{view.correct / view.attempts:.0%}" if view.attempts else "–",
        days_active=len(view.days),
        hits=sum(run.prediction == run.outcome for run in judged),
        foretold=len(judged),
        runs_told=f", in the latest {RECENT_RUNS} runs" if len(view.runs) >= RECENT_RUNS else "",
        groups=[_group(group, [cell for cell in view.cells if cell.group is group]) for group in Group],
        strongest=[cell.title for cell in reversed(weak_first[-NAMED:])] if len(weak_first) >= 2 * NAMED else [],
        weakest=[cell.title for cell in weak_first[:NAMED]],
        runs=[_run(run, zone, title_of, outcome_of) for run in ended[:RUNS]],
        more_runs=max(len(ended) - RUNS, 0),
        **_weeks(view.days, today),
    )


@cache
def _template() -> Template:
    # What comes from outside is escaped, whatever it is.
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("report.html")


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _group(group: Group, cells: Sequence[MasteryCell]) -> dict[str, Any]:
    known = [cell.mastery for cell in cells if cell.mastery is not None]
    return {"label": group.label, "cells": cells, "mean": f"{mean(known):.0%}" if known else None, "met": len(known)}


def _run(run: RunRow, zone: tzinfo, title_of: Callable[[str], str], outcome_of: Callable[[str, str], str]) -> dict[str, str]:
    hit = run.prediction == run.outcome
    return {
        "title": title_of(run.experiment),
        "predicted": outcome_of(run.experiment, run.prediction) if run.prediction else "nothing",
        "showed": ("as predicted" if hit else outcome_of(run.experiment, run.outcome)) if run.outcome else "",
        "verdict": run.status or "",
        "day": f"{run.started_at.astimezone(zone):%d %b %Y}".removeprefix("0"),
    }


def _weeks(days: Sequence[DayStat], today: date) -> dict[str, Any]:
    """Bars of the last weeks, the last one ending today, as shares of the busiest."""
    right, missed = [0] * WEEKS, [0] * WEEKS
    for day in days:
        ago = (today - day.day) // timedelta(days=7)
        if 0 <= ago < WEEKS:
            right[WEEKS - 1 - ago] += day.correct
            missed[WEEKS - 1 - ago] += day.attempts - day.correct
    most = max((a + b for a, b in zip(right, missed, strict=True)), default=0)
    scale = 100 / most if most else 0.0
    bars = [{"right": f"{a * scale:.1f}", "missed": f"{b * scale:.1f}"} for a, b in zip(right, missed, strict=True)]
    return {"weeks": bars, "weeks_text": f"{sum(right) + sum(missed):,} answers, at most {most:,} in a week."}
