"""`python -m quiz serve` starts the app; `migrate` brings the database up to date; `rebuild` folds every attempt anew;
`simulate` compares ways of choosing the next item on simulated learners (docs/adaptive.md).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from questions.loader import QuestionBankError, load_banks
from quiz.engine.state import NOTHING_YET, fold
from quiz.service import QuizService
from quiz.settings import InvalidSettings, Settings
from quiz.storage.database import DatabaseUnusable, open_database

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
    arguments = parser.parse_args(argv)
    command = arguments.command
    try:
        if command == "simulate":
            return _simulate(arguments)
        settings = Settings.from_environment()
        return {"serve": _serve, "migrate": _migrate, "rebuild": _rebuild}[command](settings)
    except (QuestionBankError, DatabaseUnusable, InvalidSettings) as error:
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
    bank = load_banks(settings.questions)
    for problem in bank.left_out:
        print(f"Left out: {problem}", file=sys.stderr)
    open_database(settings.database_url).close()
    from quiz.ui import asgi, context

    context.keep_bank(bank)
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
    learner = service.default_learner()
    with database.read() as repository:
        facts, _ = repository.facts_after(learner, 0)
    at_once, step_by_step = service.state(learner), NOTHING_YET
    for fact in facts:
        step_by_step = fold(step_by_step, [fact])
    identical = at_once == step_by_step
    print(f"{len(facts)} attempts folded anew: {'identical' if identical else 'DIFFERENT'}")
    database.close()
    return 0 if identical else 1


if __name__ == "__main__":
    sys.exit(main())
