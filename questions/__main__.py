"""`python -m questions check [PATH]` lists every problem in a bank; `python -m questions export` prints it as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from questions.checks import check_bank
from questions.loader import BANK, QuestionBank, QuestionBankError, load_bank


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0 when the bank is good, 1 when it is not."""
    parser = argparse.ArgumentParser(prog="python -m questions", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("check", "list every problem with its file and place"), ("export", "print the whole bank as JSON")):
        command = commands.add_parser(name, help=text)
        command.add_argument("folder", nargs="?", type=Path, default=BANK, help="folder of question files (default: the bank that ships)")
    arguments = parser.parse_args(argv)
    try:
        bank = load_bank(arguments.folder)
    except QuestionBankError as error:
        print(error, file=sys.stderr)
        return 1
    return _export(bank) if arguments.command == "export" else _check(bank)


def _export(bank: QuestionBank) -> int:
    print(json.dumps([question.model_dump(mode="json") for question in bank.questions], ensure_ascii=False, indent=2))
    return 0


def _check(bank: QuestionBank) -> int:
    problems = check_bank(bank)
    for problem in problems:
        print(problem, file=sys.stderr)
    formats = Counter(item.format for _, item in bank.items.values())
    print(f"{len(bank.questions)} questions, {len(bank.items)} items: " + ", ".join(f"{count} {name}" for name, count in sorted(formats.items())))
    print(f"{len(problems)} problem(s)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
