"""`python -m quiz serve` starts the app; `migrate` brings the database up to date; `rebuild` folds every attempt anew."""

from __future__ import annotations

import argparse
import sys

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
    command = parser.parse_args(argv).command
    try:
        settings = Settings.from_environment()
        return {"serve": _serve, "migrate": _migrate, "rebuild": _rebuild}[command](settings)
    except (QuestionBankError, DatabaseUnusable, InvalidSettings) as error:
        print(error, file=sys.stderr)
        return 1


def _serve(settings: Settings) -> int:
    for problem in load_banks(settings.questions).left_out:
        print(f"Left out: {problem}", file=sys.stderr)
    open_database(settings.database_url).close()
    from quiz.ui import asgi

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
