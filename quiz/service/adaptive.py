"""What adapts to the learner: the diagnostic, the interview and its plan, readiness, calibration, points.

Everything is worked out from the attempts when it is asked for; only the interview itself is stored. Forecasts are followed
answer by answer and kept, so that a call pays for what is new. Submitting an answer does none of this.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, tzinfo
from functools import cache
from typing import Literal, cast, get_args

from questions.loader import QuestionBank
from quiz.engine.ability import Ability, sigmoid
from quiz.engine.calibration import Track, calibration, followed
from quiz.engine.diagnostic import MOST_ITEMS, Ending, Finding, Probe, finding, next_item
from quiz.engine.examiner import Pick, Shown, arranged, pick
from quiz.engine.forecast import READING_S, Catalogue
from quiz.engine.journal import all_rows, certainties, chosen_rows
from quiz.engine.planner import MOST_MINUTES, WITHOUT_DATE, Goal, make_plan, worth
from quiz.engine.points import certainty_of
from quiz.engine.readiness import readiness
from quiz.engine.state import OutOfOrder
from quiz.progress_views import EVERYTHING, Within
from quiz.service.errors import InvalidInterview, NoInterview, UnknownLearner
from quiz.service.hindsight import between
from quiz.service.histories import LATEST, Histories
from quiz.service.lesson import own_log, simulated
from quiz.service.sessions import session_view
from quiz.storage.database import Database
from quiz.storage.models import Interview, PracticeSession
from quiz.storage.repository import Repository
from quiz.views import (
    Calibration,
    Certainty,
    DiagnosticView,
    InterviewView,
    LessonLog,
    LevelLine,
    PlanView,
    ReadinessLine,
    ReadinessView,
    SessionView,
    Went,
)

LEAST_MINUTES = 5
LONGEST_AHEAD_DAYS = 366


class Adaptive:
    """The adaptive use cases. One instance serves every thread of the process; it is `QuizService.adaptive`."""

    def __init__(self, database: Database, bank: QuestionBank, histories: Histories) -> None:
        self._database = database
        self._histories = histories
        self._bank = bank
        self._catalogue = Catalogue.of(bank.questions)
        self._logs: dict[int, tuple[int, LessonLog]] = {}  # learner -> (last attempt in it, log)
        self._simulated = cache(lambda: simulated(bank))
        self._tracks: dict[int, tuple[int, Track]] = {}  # learner -> (last attempt followed, track); only committed attempts

    def forget(self, learner: int) -> None:
        """Let go of what is kept of a learner's answers."""
        self._logs.pop(learner, None)
        self._tracks.pop(learner, None)

    # --- the interview and its plan ---

    def set_interview(self, learner: int, day: date, minutes: int, now: datetime, zone: tzinfo, days_off: Sequence[int] = ()) -> InterviewView:
        """Set the interview, or change the one set before. Days are those of `zone`, `days_off` weekdays with Monday 0.

        Errors: UnknownLearner; InvalidInterview, naming everything that cannot be.
        """
        today = now.astimezone(zone).date()
        problems = _problems(day, today, minutes, days_off)
        if problems:
            raise InvalidInterview("; ".join(problems))
        with self._database.write() as repository:
            if not repository.has_learner(learner):
                raise UnknownLearner(learner)
            found = repository.open_interview(learner)
            if found is None:
                found = Interview(learner_id=learner, day=day, minutes=minutes, days_off=sorted(set(days_off)), set_at=now.astimezone(UTC))
                repository.add(found)
            else:
                found.day, found.minutes, found.days_off, found.set_at = day, minutes, sorted(set(days_off)), now.astimezone(UTC)
            return _interview_view(found, today)

    def interview(self, learner: int, now: datetime, zone: tzinfo) -> InterviewView | None:
        """The interview prepared for; None when none is set."""
        with self._database.read() as repository:
            found = repository.open_interview(learner)
            return None if found is None else _interview_view(found, now.astimezone(zone).date())

    def close_interview(self, learner: int, went: Went | None, now: datetime) -> None:
        """Put the interview behind, with how it went (None: not told); then a new one can be set. Errors: NoInterview, InvalidInterview."""
        if went is not None and went not in get_args(Went):
            raise InvalidInterview(f"how it went must be one of {', '.join(get_args(Went))} or nothing, got {went!r}")
        with self._database.write() as repository:
            found = repository.open_interview(learner)
            if found is None:
                raise NoInterview(learner)
            found.went, found.closed_at = went, now.astimezone(UTC)

    def past_interviews(self, learner: int) -> tuple[InterviewView, ...]:
        """The interviews put behind, the latest first."""
        with self._database.read() as repository:
            return tuple(_interview_view(found, date.max) for found in repository.closed_interviews(learner))

    def plan(self, learner: int, now: datetime, zone: tzinfo) -> PlanView | None:
        """The plan from now until the interview; None when none is set."""
        with self._database.read() as repository:
            found = repository.open_interview(learner)
            if found is None:
                return None
            track, local = self._track(repository, learner), now.astimezone(zone)
            answers, seconds = repository.practised_since(learner, datetime.combine(local.date(), time(), zone).astimezone(UTC))
        done = (seconds + READING_S * answers) / 60
        plan = make_plan(self._catalogue, track.state, track.weights, _goal(found), now, zone, done)
        return PlanView(_interview_view(found, local.date()), plan, done, max((found.day - local.date()).days, 0))

    # --- what is known ---

    def readiness(self, learner: int, now: datetime, zone: tzinfo, within: Within = EVERYTHING) -> ReadinessView:
        """The chance of a good answer to every question of the groups, today and on the day of the interview; days make no difference."""
        with self._database.read() as repository:
            found, track = repository.open_interview(learner), self._track(repository, learner)
        on = None if found is None else _goal(found).at(zone)
        known = {one.question_id: one for one in readiness(self._catalogue, track.state, track.weights, now, on)}
        lines = tuple(
            ReadinessLine(question.id, question.number, question.title, question.group, one.answers, one.enough, one.today, one.on_the_day)
            for question in self._bank.questions
            if question.id in self._questions(within)
            for one in (known[question.id],)
        )
        later = [line.on_the_day.chance for line in lines if line.on_the_day is not None]
        return ReadinessView(
            lines=lines,
            score_today=100 * sum(line.today.chance for line in lines) / max(1, len(lines)),
            score_on_the_day=100 * sum(later) / len(later) if later else None,
            interview=None if found is None else _interview_view(found, now.astimezone(zone).date()),
        )

    def calibration(self, learner: int, zone: tzinfo = UTC, within: Within = EVERYTHING) -> Calibration:
        """How good the app's forecasts of this learner's answers have been, as far as they are among the latest `LATEST`."""
        with self._database.read() as repository:
            latest = self._track(repository, learner).made[-LATEST:]
        if within == EVERYTHING:
            return calibration(latest)
        chosen, (first, end) = self._questions(within), between(within.first, within.last, zone)
        return calibration([one for one in latest if one.question_id in chosen and first <= one.answered_at < end])

    def certainty(self, learner: int, zone: tzinfo = UTC, within: Within = EVERYTHING) -> Certainty:
        """Points and calibration of the learner's own certainty."""
        with self._database.read() as repository:
            journal = self._histories.journal(repository, learner)
        if within == EVERYTHING:
            return certainty_of(certainties(journal, all_rows(journal)))
        return certainty_of(certainties(journal, chosen_rows(journal, self._questions(within), *between(within.first, within.last, zone))))

    def _questions(self, within: Within) -> frozenset[str]:
        return frozenset(question.id for question in self._bank.questions if not within.groups or question.group in within.groups)

    def lesson_log(self, learner: int) -> LessonLog:
        """The answers that ways of forecasting can be compared on: the learner's, or simulated ones while those are too few."""
        with self._database.read() as repository:
            track = self._track(repository, learner)
            last = self._tracks[learner][0]
            if self._logs.get(learner, (-1,))[0] != last:
                self._logs[learner] = last, own_log(self._catalogue, repository.facts_after(learner, 0)[0], track)
        own = self._logs[learner][1]
        return own if own.enough else replace(own, history=self._simulated(), simulated=True)

    # --- the diagnostic ---

    def diagnostic(self, learner: int) -> DiagnosticView | None:
        """The latest diagnostic, as far as it is; None when there was none. It is started by `QuizService.start_diagnostic`."""
        with self._database.read() as repository:
            session = repository.last_session(learner, "diagnostic")
            if session is None:
                return None
            probes = self._probes(repository, session)
            view = session_view(repository, session)
        found = finding(self._catalogue, probes, cap=session.length)
        stopped: Literal["stopped"] | None = "stopped" if session.ended_at is not None else None
        return self._diagnostic_view(view, found, found.ending or stopped, probes)

    def diagnostic_is_over(self, repository: Repository, session: PracticeSession) -> bool:
        """Whether a diagnostic has found what it looks for. Inside a transaction of the caller's."""
        return finding(self._catalogue, self._probes(repository, session), cap=session.length).ending is not None

    def probe(self, repository: Repository, session: PracticeSession, now: datetime, rng: random.Random) -> Pick:
        """The next item of a diagnostic. Inside a transaction of the caller's."""
        seen = frozenset(name for question in self._track(repository, session.learner_id).state.questions.values() for name in question.items)
        question, item = self._bank.items[next_item(self._catalogue, self._probes(repository, session), seen)]
        return Pick(question, item, "level", arranged(item, rng))

    def _probes(self, repository: Repository, session: PracticeSession) -> list[Probe]:
        """The answers of a diagnostic. A skipped item counts as not known; one that was open when the learner stopped does not count."""
        return [
            Probe(presentation.item_version.full_id, presentation.attempt is not None and presentation.attempt.correct)
            for presentation in repository.presentations(session.id)
            if (presentation.attempt is not None or presentation.closed_at not in (None, session.ended_at))
            and presentation.item_version.full_id in self._catalogue.place
        ]

    def _diagnostic_view(self, session: SessionView, found: Finding, ending: Ending | Literal["stopped"] | None, probes: Sequence[Probe]) -> DiagnosticView:
        asked = [self._bank.items[probe.item_id][0] for probe in probes]
        by_id = self._bank.by_id
        return DiagnosticView(
            session=session,
            ending=ending,
            overall=_level("overall", "Overall", found.overall, len(probes)),
            se=found.overall.se,
            ready=found.levels.ready,
            groups=tuple(
                _level(group.value, group.label, found.levels.groups[group.value], sum(one.group is group for one in asked))
                for group, questions in self._bank.groups.items()
                if questions
            ),
            weakest=tuple(_level(name, by_id[name].title, found.levels.questions[name], sum(one.id == name for one in asked)) for name in found.weakest),
        )

    # --- practice ---

    def choose(self, repository: Repository, session: PracticeSession, names: Sequence[str], shown: Sequence[Shown], now: datetime, rng: random.Random) -> Pick:
        """The next item of a practice session over the questions `names`. Inside a transaction of the caller's."""
        track = self._track(repository, session.learner_id)
        found = repository.open_interview(session.learner_id)
        on = None if found is None else _goal(found).at(UTC)
        ahead = on is not None and on > now
        return pick(
            questions=[self._bank.by_id[name] for name in names],
            state=track.state,
            abilities={},
            shown=shown,
            remaining=session.length - sum(one.correct is not None for one in shown),
            now=now,
            rng=rng,
            worth=worth(self._catalogue, track.state, track.weights, now, on if on is not None and ahead else now + WITHOUT_DATE),
            due_first=not ahead,
        )

    def _track(self, repository: Repository, learner: int) -> Track:
        """The learner's track. Must be called before this transaction adds an attempt: only committed ones may be kept."""
        if learner not in self._tracks:
            return self._followed(repository, learner)
        last, track = self._tracks[learner]
        facts, newest = repository.facts_after(learner, last)
        if facts:
            try:
                track = followed(self._catalogue, track, facts)
            except OutOfOrder:  # a clock was set back, or attempts came in from elsewhere
                self._histories.forget(learner)
                return self._followed(repository, learner)
            self._tracks[learner] = (newest, track)
        return track

    def _followed(self, repository: Repository, learner: int) -> Track:
        """The track from its beginning."""
        begun = self._histories.beginning(repository, learner)
        self._tracks[learner] = begun.newest, followed(self._catalogue, Track(begun.state), begun.facts)
        return self._track(repository, learner)  # what was answered since the beginning was read


def diagnostic_length(bank: QuestionBank) -> int:
    """How many items a diagnostic asks at most."""
    return min(MOST_ITEMS, len(bank.items))


def _goal(found: Interview) -> Goal:
    return Goal(found.day, found.minutes, frozenset(found.days_off))


def _interview_view(found: Interview, today: date) -> InterviewView:
    return InterviewView(found.day, found.minutes, tuple(found.days_off), found.set_at, found.day < today, cast("Went | None", found.went))


def _level(key: str, label: str, ability: Ability, answers: int) -> LevelLine:
    return LevelLine(key, label, sigmoid(ability.mean), sigmoid(ability.low), sigmoid(ability.high), answers)


def _problems(day: date, today: date, minutes: int, days_off: Sequence[int]) -> list[str]:
    problems = []
    if not 0 <= (day - today).days <= LONGEST_AHEAD_DAYS:
        problems.append(f"the interview must be today or within {LONGEST_AHEAD_DAYS} days, got {day.isoformat()} (today is {today.isoformat()})")
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        problems.append(f"minutes a day must be {LEAST_MINUTES} to {MOST_MINUTES}, got {minutes}")
    if not set(days_off) <= set(range(7)):
        problems.append(f"days off are weekdays 0 (Monday) to 6 (Sunday), got {', '.join(str(one) for one in days_off)}")
    elif len(set(days_off)) == 7:
        problems.append("at least one day of the week must be left for practice")
    return problems
