"""A learner with a history: real answers through the service over three weeks, and real runs of the experiments.

Chance comes from a fixed seed, so the same history comes out every time (for the same bank, and days counted from `now`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from questions.loader import load_bank
from quiz.service import Profiles, QuizService, RunBook
from quiz.storage.database import Database, open_database
from quiz.views import Confidence, SessionView, Turn
from sandbox.jobs import Laboratory
from sandbox.protocol import Setting
from sandbox.registry import find_experiment
from sandbox.requests import make_request, preset_values
from sandbox.settings import LabSettings
from tests.browser.answers import right_response, service_on, wrong_response

# On the logit scale, beside what practice adds: this learner knows the gates and struggles with training.
STRENGTH = {"gates": 1.2, "foundations": 0.8, "architectures": 0.0, "applications": -0.2, "generalisation": -0.8, "training": -1.2}
SESSIONS = ((21, 10), (19, 10), (18, 5), (15, 10), (12, 10), (11, 5), (8, 10), (6, 10), (5, 10), (3, 5), (2, 10), (1, 10))  # days ago, items


@dataclass(frozen=True)
class DemoRun:
    """A run of the history: what was changed from the quick preset, and the key of what the learner had predicted."""

    experiment: str
    days_ago: int
    prediction: str | None
    settings: Mapping[str, Setting]


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def seed_history(database: Path, now: datetime) -> None:
    """Fill an empty database with sessions, by somebody who gets better, and with runs of the experiments."""
    learner = answers_only(database, now)
    opened = open_database(f"sqlite:///{database}")
    try:
        _experiment(opened, learner, now)
    finally:
        opened.close()


def answers_only(database: Path, now: datetime) -> int:
    """The same history without the runs, which take a while; gives the learner."""
    opened = open_database(f"sqlite:///{database}")
    try:
        service = QuizService(opened, load_bank())
        learner, rng = service.default_learner(), random.Random(7)
        for number, (days_ago, length) in enumerate(SESSIONS):
            at = now - timedelta(days=days_ago, hours=2)
            _practise(service, service.start_session(learner, length, at), at, -0.6 + 0.17 * number, rng)
        return learner
    finally:
        opened.close()


def _practise(service: QuizService, session: SessionView, at: datetime, ability: float, rng: random.Random) -> None:
    while (turn := service.current(session.id, at, rng)) is not None:
        at += timedelta(seconds=rng.randint(15, 70))
        right = rng.random() < _chance(turn, ability + STRENGTH[service.bank.by_id[turn.question_id].group])
        confidence: Confidence = rng.choice(("unsure", "sure") if right else ("guess", "unsure"))
        said = None if session.kind == "diagnostic" else confidence
        service.submit(turn.presentation_id, (right_response if right else wrong_response)(turn.item), said, at)
        service.advance(turn.presentation_id, at)


def _chance(turn: Turn, ability: float) -> float:
    """Of a right answer, by the item's difficulty and guessing."""
    return turn.item.guessing + (1 - turn.item.guessing) / (1 + math.exp(turn.item.difficulty - ability))


def demo_runs() -> list[DemoRun]:
    """One run of each experiment as the claims have it, and one that goes against its claim."""
    forget, clipping, both = (find_experiment(name) for name in ("forget-gate", "gradient-clipping", "bilstm"))
    return [
        DemoRun(forget.id, 18, forget.predictions[0].key, {}),
        DemoRun(clipping.id, 11, clipping.predictions[0].key, {}),
        DemoRun(clipping.id, 6, clipping.predictions[-1].key, {"learning_rate": 0.003}),
        DemoRun(both.id, 2, both.predictions[0].key, {}),
    ]


def _experiment(database: Database, learner: int, now: datetime) -> None:
    clock = Clock(now)
    laboratory = Laboratory(LabSettings(), RunBook(database, learner, clock))
    try:
        for run in demo_runs():
            clock.now = now - timedelta(days=run.days_ago, hours=1)
            experiment = find_experiment(run.experiment)
            values = {**preset_values(experiment, "quick"), **run.settings}
            run_id = laboratory.start(make_request(experiment, values, run.prediction))
            while not laboratory.snapshot(run_id).state.final:  # looking renews the lease
                laboratory.wait(run_id, 1.0, final=True)
    finally:
        laboratory.close()


def note(database: Path, run_id: str, text: str) -> None:
    """A note on a run."""
    opened = open_database(f"sqlite:///{database}")
    try:
        RunBook(opened, QuizService(opened, load_bank()).default_learner()).note(run_id, text)
    finally:
        opened.close()


TRACE, WIDE_CODE, CURVES = "lstm-vs-rnn/two-steps-of-keeping", "transfer/released-and-still", "deep-lstm/ten-layers-one-cause"
ONE_OF_EACH = (TRACE, WIDE_CODE, CURVES)


def show_item(database: Path, item_id: str) -> None:
    """Leave a session open with this item on the table, unanswered."""
    opened = open_database(f"sqlite:///{database}")
    try:
        service, rng, now = QuizService(opened, load_bank()), random.Random(1), datetime.now(UTC)
        learner = service.default_learner()
        before = service.open_session(learner)
        if before is not None:
            service.end_session(before.id, now)
        session = service.start_session(learner, 5, now, (item_id.split("/")[0],))
        for _ in range(100):
            turn = service.current(session.id, now, rng)
            assert turn is not None
            if turn.item_id == item_id:
                return
            service.skip(turn.presentation_id, now)
        raise LookupError(f"{item_id} did not come up")
    finally:
        opened.close()


def practise_only(database: Path, question: str, length: int = 5) -> None:
    """Leave a session open that asks only this question."""
    with service_on(database) as service:
        service.start_session(service.default_learner(), length, datetime.now(UTC), (question,))


# --- Preparing for an interview ---------------------------------------------------------------------------------


def find_level(database: Path) -> None:
    """A diagnostic of yesterday, through to its result."""
    at = datetime.now(UTC) - timedelta(days=1)
    with service_on(database) as service:
        _practise(service, service.start_diagnostic(service.default_learner(), at), at, 0.9, random.Random(3))


def set_interview(database: Path, now: datetime, days: int, minutes: int, off: tuple[int, ...] = ()) -> None:
    """Set the interview, so many days ahead."""
    with service_on(database) as service:
        service.adaptive.set_interview(service.default_learner(), now.date() + timedelta(days=days), minutes, now, UTC, off)


def prepare_for_two_weeks(database: Path) -> None:
    """An interview in two weeks and two days; weekends are off."""
    set_interview(database, datetime.now(UTC), days=16, minutes=20, off=(5, 6))


def open_diagnostic(database: Path) -> None:
    """Leave a diagnostic open after three answers."""
    now, rng = datetime.now(UTC), random.Random(5)
    with service_on(database) as service:
        session = service.start_diagnostic(service.default_learner(), now)
        for _ in range(3):
            turn = service.current(session.id, now, rng)
            if turn is not None:
                service.submit(turn.presentation_id, right_response(turn.item), None, now)
                service.advance(turn.presentation_id, now)


def end_interview(database: Path) -> None:
    """The interview was yesterday, and no session is open."""
    now = datetime.now(UTC)
    with service_on(database) as service:
        learner = service.default_learner()
        session = service.open_session(learner)
        if session is not None:
            service.end_session(session.id, now)
        service.adaptive.set_interview(learner, now.date() - timedelta(days=1), 20, now - timedelta(days=9), UTC)


def add_profile(database: Path) -> None:
    """A name for the learner of the history, and somebody else who has just begun."""
    with service_on(database) as service:
        profiles = Profiles(service._database, service)
        profiles.rename(service.default_learner(), "Ada")
        ben = profiles.add("Ben")
        at = datetime.now(UTC) - timedelta(days=1)
        _practise(service, service.start_session(ben, 5, at), at, 0.2, random.Random(4))
