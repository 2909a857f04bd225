"""The pages of evidence under docs/ are of the experiments as they are: all of them, by their present rules, and every claim holds."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import date
from itertools import groupby
from pathlib import Path

import pytest

from sandbox import evidence
from sandbox.protocol import SUPPORTED_FROM
from sandbox.registry import all_experiments

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {"quick": DOCS / "evidence.md", "thorough": DOCS / "evidence-thorough.md"}
ROW = re.compile(
    r"\| (?:(?P<experiment>[a-z0-9-]+) \| (?P<passed>\d+) of (?P<seeds>\d+) \| [\d.]+|\| \|) \| (?P<needed>.+ \| [<>] \S+) \| \S+ \| \S+ to \S+ \|"
)


def rows_of(page: Path) -> list[tuple[str, int, int, list[str]]]:
    """Of each experiment: its id, seeds that satisfied the rule, all seeds, and its lines of the rule."""
    _, table = page.read_text("utf-8").split("\n".join(evidence.HEADINGS) + "\n")
    found: list[tuple[str, int, int, list[str]]] = []
    for line in table.splitlines():
        row = ROW.fullmatch(line)
        assert row, line
        if row["experiment"]:
            found.append((row["experiment"], int(row["passed"]), int(row["seeds"]), []))
        found[-1][3].append(row["needed"])
    return found


@pytest.mark.parametrize("preset", PAGES)
def test_a_page_has_every_experiment_by_its_present_rule_and_every_claim_holds(preset: str) -> None:
    rows = rows_of(PAGES[preset])
    assert [(name, needed) for name, _, _, needed in rows] == [
        (one.id, [evidence.needed(asdict(check)) for check in one.checks]) for one in all_experiments().values()
    ]
    assert [name for name, passed, seeds, _ in rows if passed / seeds < SUPPORTED_FROM] == []


@pytest.mark.parametrize("preset", PAGES)
def test_a_page_was_written_by_the_command_it_names_in_one_go(preset: str) -> None:
    text = PAGES[preset].read_text("utf-8")
    rows = rows_of(PAGES[preset])
    assert len(list(groupby(seeds for _, _, seeds, _ in rows))) == 1
    empty = {"verdict": {"seeds": rows[0][2], "checks": []}, "holds": True}
    assert without_facts(text.split("\n| ")[0]) == without_facts(evidence.page([empty] * len(rows), preset, date(2026, 1, 1)).split("\n| ")[0])


def without_facts(intro: str) -> str:
    """The page's words without the day and the machine."""
    return re.sub(r"Taken on .*?\. CPU", "CPU", intro)
