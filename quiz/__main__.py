"""`python -m quiz serve` starts the app; `migrate` brings the database up to date; `rebuild` folds every attempt anew;
`backup` and `restore` copy the whole database out and in (docs/data.md); `simulate` compares ways of choosing the next
item on simulated learners (docs/adaptive.md).
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from questions.loader import QuestionBankError, load_banks
from quiz.engine.state import NOTHING_YET, fold
from quiz.service import QuizService, RunsUnderWay, UnusableBackup
from quiz.service.backup import look_into, restore, write_backup
from quiz.service.profiles import people
from quiz.settings import InvalidSettings, Settings
from quiz.storage.database import DatabaseUnusable, open_database
from quiz.views import Profile

COMMANDS = {
    "serve": "check the bank, bring the database up to date and start the app",
    "migrate": "bring the database up to date",
    "rebuild": "fold every attempt anew, in one go and one by one, and report whether both agree",
}


def main(argv: list[str] | None = None) -> int:
    """Run a command. 0 when it went well; 1, with the reason on standard error, when it could not start."""
    parser = argparse.ArgumentParser(prog="python -m quiz", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text)
    _add_simulate(commands)
    _add_backup(commands)
    arguments = parser.parse_args(argv)
    command = arguments.command
    try:
        if command == "simulate":
            return _simulate(arguments)
        settings = Settings.from_environment()
        if command == "backup":
            return _backup(settings, arguments.file)
        if command == "restore":
            return _restore(settings, arguments.file, arguments.yes)
        return {"serve": _serve, "migrate": _migrate, "rebuild": _rebuild}[command](settings)
    except (QuestionBankError, DatabaseUnusable, InvalidSettings, UnusableBackup, RunsUnderWay, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _add_simulate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("simulate", help="compare ways of choosing the next item on simulated learners")
    for name, default, most, text in (
        ("learners", 300, 1000, "how many simulated learners"),
        ("days", 14, 365, "days until the interview"),
        ("minutes", 15, 240, "minutes of practice a day"),
        ("processes", 2, 64, "processes to use"),
    ):
        parser.add_argument(f"--{name}", type=_between(name, 1, most), default=default, help=f"{text} (default {default})")
    parser.add_argument("--seed", type=_between("seed", 0, 10**6), default=0, help="which learners are drawn (default 0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def _add_backup(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backup = commands.add_parser("backup", help="write a consistent copy of the whole database to a file, also while the app runs")
    backup.add_argument("file", type=Path, help="the file to write; one that is there is never overwritten")
    restore = commands.add_parser("restore", help="put a backup in the place of the whole database; a copy of what was there is kept beside it")
    restore.add_argument("file", type=Path, help="a file written by backup")
    restore.add_argument("--yes", action="store_true", help="do not ask")


def _between(name: str, least: int, most: int) -> Callable[[str], int]:
    def parsed(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{name} must be a whole number from {least} to {most}, got {text[:40]!r}")
        return int(text)

    return parsed


def _simulate(arguments: argparse.Namespace) -> int:
    from quiz.simulate.benchmark import Options, as_text, simulate

    options = Options(arguments.learners, arguments.days, arguments.minutes, arguments.seed)
    report = simulate(options, arguments.processes, lambda line: print(line, file=sys.stderr))
    print(json.dumps(report, indent=1) if arguments.json else as_text(report))
    return 0


def _serve(settings: Settings) -> int:
    gc.disable()  # nothing that starting makes is garbage; once it is up, the collector need not look at it again
    bank = load_banks(settings.questions)
    for problem in bank.left_out:
        print(f"Left out: {problem}", file=sys.stderr)
    open_database(settings.database_url).close()
    from quiz.ui import asgi, context

    context.keep_bank(bank)
    gc.freeze()
    gc.enable()
    asgi.serve(settings)
    return 0


def _migrate(settings: Settings) -> int:
    database = open_database(settings.database_url)
    print(f"{database.place} is up to date")
    database.close()
    return 0


def _rebuild(settings: Settings) -> int:
    database = open_database(settings.database_url)
    service = QuizService(database, load_banks(settings.questions))
    attempts, identical = 0, True
    for learner in service.learners():
        with database.read() as repository:
            facts, _ = repository.facts_after(learner, 0)
        at_once, step_by_step = service.state(learner), NOTHING_YET
        for fact in facts:
            step_by_step = fold(step_by_step, [fact])
        attempts, identical = attempts + len(facts), identical and at_once == step_by_step
    print(f"{attempts} attempts folded anew: {'identical' if identical else 'DIFFERENT'}")
    database.close()
    return 0 if identical else 1


def _backup(settings: Settings, target: Path) -> int:
    database = open_database(settings.database_url)
    try:
        write_backup(database, target)
    finally:
        database.close()
    print(f"{target} holds {_in_words(look_into(target))}")
    return 0


def _restore(settings: Settings, source: Path, sure: bool) -> int:
    held = look_into(source)
    database = open_database(settings.database_url)
    try:
        print(f"{source} holds {_in_words(held)}")
        print(f"{database.place} holds {_in_words(people(database))}, all of which it replaces")
        if not sure and input('Type "restore" to go on: ').strip() != "restore":
            print("Nothing was changed")
            return 1
        done = restore(database, source, datetime.now(UTC), lambda: None)
    finally:
        database.close()
    print(f"Restored. What was there before is kept as {done.kept}")
    return 0


def _in_words(profiles: Sequence[Profile]) -> str:
    each = ", ".join(f"{one.name} ({one.answers} answers, {one.runs} runs)" for one in profiles)
    return f"{len(profiles)} profile{'' if len(profiles) == 1 else 's'}: {each}"


if __name__ == "__main__":
    sys.exit(main())
