"""`python -m questions check [PATH]` lists every problem in a bank or a file of it; `python -m questions export` prints it as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from questions.checks import check_bank
from questions.loader import BANK, Problem, QuestionBank, QuestionBankError, load_bank
from questions.measures import EASY, HARD, count_formats, family, tells


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0 when the bank is good, 1 when it is not."""
    parser = argparse.ArgumentParser(prog="python -m questions", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="list every problem with its file and place, and what to do about it")
    check.add_argument("--strict", action="store_true", help="ask also for what measures people: ten items a question, four formats, every point covered …")
    check.add_argument("--json", action="store_true", help="print counts by question, format, difficulty and coverage, every tell's figure and the problems")
    export = commands.add_parser("export", help="print the whole bank as JSON")
    for command in (check, export):
        command.add_argument("place", nargs="?", type=Path, default=BANK, help="a question file, or a folder of them (default: the bank that ships)")
    arguments = parser.parse_args(argv)
    try:
        bank = load_bank(arguments.place)
    except QuestionBankError as error:
        if arguments.command == "check" and arguments.json:
            print(json.dumps({"problems": [_plain(problem) for problem in error.problems]}, ensure_ascii=False, indent=2))
        else:
            print(error, file=sys.stderr)
        return 1
    return _export(bank) if arguments.command == "export" else _check(bank, arguments.place, strict=arguments.strict, as_json=arguments.json)


def _export(bank: QuestionBank) -> int:
    print(json.dumps([question.model_dump(mode="json") for question in bank.questions], ensure_ascii=False, indent=2))
    return 0


def _check(bank: QuestionBank, place: Path, *, strict: bool, as_json: bool) -> int:
    problems = check_bank(bank, strict=strict, beside=None if place == BANK else load_bank())
    if as_json:
        print(json.dumps(_report(bank, problems), ensure_ascii=False, indent=2))
    else:
        _say(bank, problems)
    return 1 if problems else 0


def _say(bank: QuestionBank, problems: list[Problem]) -> None:
    for problem in problems:
        print(problem, file=sys.stderr)
    formats = count_formats(item for _, item in bank.items.values())
    print(
        f"{len(bank.questions)} question{'' if len(bank.questions) == 1 else 's'}, {len(bank.items)} items: "
        + ", ".join(f"{count} {name}" for name, count in formats.items())
    )
    for tell in tells(bank):
        print(f"{tell.name}: {tell.figure:.2f}, at most {tell.limit:.2f}, measured on {tell.of}")
    print(f"{len(problems)} problem(s)")


def _report(bank: QuestionBank, problems: list[Problem]) -> dict[str, object]:
    """Everything that is counted and measured, JSON-able."""
    items = [item for _, item in bank.items.values()]
    easy, hard = sum(item.difficulty <= EASY for item in items), sum(item.difficulty >= HARD for item in items)
    families = {question.id: family(question) for question in bank.questions}
    points = {level: sum(point.level == level for question in bank.questions for point in question.points) for level in ("core", "expert", "wrong")}
    missing = {level: sum(len(one.uncovered[level]) for one in families.values()) for level in points}
    return {
        "questions": len(bank.questions),
        "items": len(items),
        "formats": dict(count_formats(items)),
        "difficulty": {f"easy (to {EASY})": easy, "between": len(items) - easy - hard, f"hard (from {HARD})": hard},
        "coverage": {level: {"points": points[level], "covered": points[level] - missing[level]} for level in points},
        "tells": {tell.name: {"figure": round(tell.figure, 4), "limit": tell.limit, "measured on": tell.of, "fails": tell.fails} for tell in tells(bank)},
        "families": {name: one.to_json() for name, one in families.items()},
        "problems": [_plain(problem) for problem in problems],
    }


def _plain(problem: Problem) -> dict[str, str]:
    return {"file": problem.file, "place": problem.place, "message": problem.message}


if __name__ == "__main__":
    sys.exit(main())
