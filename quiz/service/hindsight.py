"""Looking back: how mastery grew, what was practised when, what is being forgotten, misconceptions met, predictions of the lab.

Everything over all answers comes from the learner's journal, which is kept in memory; runs are counted in SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from questions.loader import QuestionBank
from questions.schema import FORMAT_LABELS, Question
from quiz.engine.ability import sigmoid
from quiz.engine.forecast import READING_S
from quiz.engine.journal import Ints, Journal, Misconception, Tally, abilities_at, chosen_rows, tallies_between, tallies_by
from quiz.engine.memory import Memory, recall
from quiz.engine.periods import Period, periods
from quiz.engine.planner import Goal
from quiz.engine.state import LearnerState
from quiz.progress_views import EVERYTHING, Accuracy, Belief, Curve, Foretold, ForgettingView, Growth, GrowthRow, PeriodStat, Within
from quiz.service.histories import Histories
from quiz.service.wordings import Wordings
from quiz.storage.database import Database
from quiz.storage.repository import Repository

CALENDAR_DAYS = 364  # 52 weeks
CURVE_POINTS = 60
CURVE_DAYS = 14  # that a curve goes on for, at least
LONGEST_CURVE_DAYS = 120
_DAY = timedelta(days=1)
_EVER = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


class Hindsight:
    """The use cases of the progress page that look back; it is `QuizService.hindsight`."""

    def __init__(self, database: Database, bank: QuestionBank, histories: Histories, wordings: Wordings) -> None:
        self._database = database
        self._bank = bank
        self._histories = histories
        self._wordings = wordings

    def growth(self, learner: int, now: datetime, zone: tzinfo, within: Within = EVERYTHING) -> Growth:
        """How the learner's answers and mastery grew, from `within.first` (else the first answer) to `within.last` (else today).

        Errors: ValueError when `within.last` is before `within.first`.
        """
        with self._database.read() as repository:
            journal = self._histories.journal(repository, learner)
        chosen = self._questions(within)
        today = now.astimezone(zone).date()
        earliest = datetime.fromtimestamp(journal.at[0], zone).date() if journal.count else today
        first, last = within.first or min(earliest, within.last or today), within.last or max(today, within.first or today)
        step, spans = periods(first, last)
        rows = chosen_rows(journal, chosen, *between(first, last, zone))
        calendar = chosen_rows(journal, chosen, *between(max(first, last - CALENDAR_DAYS * _DAY + _DAY), last, zone))
        return Growth(
            step=step,
            periods=_stats(journal, rows, spans, zone),
            rows=self._mastery(journal, chosen, spans, zone),
            groups=self._by_group(journal, rows),
            formats=tuple(
                _accuracy(name, FORMAT_LABELS.get(name, name), one) for name, one in _sorted(tallies_by(journal, rows, journal.format, journal.formats))
            ),
            days=days_of(journal, calendar, zone),
            days_active=len(days_of(journal, rows, zone)),
        )

    def first_day(self, learner: int, now: datetime, zone: tzinfo) -> date:
        """The day of the learner's first answer; today when there is none."""
        with self._database.read() as repository:
            journal = self._histories.journal(repository, learner)
        return datetime.fromtimestamp(journal.at[0], zone).date() if journal.count else now.astimezone(zone).date()

    def days(self, learner: int, zone: tzinfo, within: Within = EVERYTHING) -> tuple[PeriodStat, ...]:
        """Every day with answers."""
        with self._database.read() as repository:
            journal = self._histories.journal(repository, learner)
        return days_of(journal, chosen_rows(journal, self._questions(within), *between(within.first, within.last, zone)), zone)

    def latest_days(self, learner: int, now: datetime, zone: tzinfo, most: int) -> tuple[int, int]:
        """On how many of the latest days the learner practised, and how many these are: `most`, fewer since the first answer, 0 before."""
        with self._database.read() as repository:
            journal = self._histories.journal(repository, learner)
        if not journal.count:
            return 0, 0
        today = now.astimezone(zone).date()
        since = max(today - (most - 1) * _DAY, min(datetime.fromtimestamp(journal.at[0], zone).date(), today))
        rows = chosen_rows(journal, journal.questions, *between(since, today, zone))
        return len(days_of(journal, rows, zone)), (today - since).days + 1

    def forgetting(self, learner: int, state: LearnerState, now: datetime, zone: tzinfo, within: Within = EVERYTHING) -> ForgettingView:
        """How the questions answered so far are being forgotten from here on, with nothing practised."""
        with self._database.read() as repository:
            interview = repository.open_interview(learner)
        at = None if interview is None else Goal(interview.day, interview.minutes, frozenset(interview.days_off)).at(zone)
        ahead = at if at is not None and at >= now else None
        until = min(max(now + CURVE_DAYS * _DAY, (ahead or now) + 2 * _DAY), now + LONGEST_CURVE_DAYS * _DAY)
        curves = tuple(
            _curve(question, known.memory, now, ahead, until)
            for question in self._questions(within).values()
            if (known := state.questions.get(question.id)) is not None
        )
        return ForgettingView(curves, now, interview.day if interview is not None and ahead else None, ahead)

    def misconceptions(self, learner: int, zone: tzinfo, within: Within = EVERYTHING) -> tuple[Belief, ...]:
        """Wrong options that were chosen, last within the days looked at: those not overcome first, and of each the latest first."""
        with self._database.read() as repository:
            journal = self._histories.journal(repository, learner)
            first, end = between(within.first, within.last, zone)
            questions = self._questions(within) if within.groups else None
            found = [
                one
                for options in journal.misconceptions.values()
                for one in options.values()
                if first <= one.last_at < end and (questions is None or one.question_id in questions)
            ]
            found.sort(key=lambda one: (one.overcome_at is not None, -one.last_at.timestamp(), one.item_id, one.option))
            return tuple(belief for one in found if (belief := self._belief(repository, one)) is not None)

    def foretold(self, learner: int, zone: tzinfo, within: Within = EVERYTHING) -> tuple[Foretold, ...]:
        """How the learner's predictions of experiments came out, the experiments in the order of their questions."""
        with self._database.read() as repository:
            rows = repository.foretold(learner, *between(within.first, within.last, zone))
        order = list(dict.fromkeys(question.sandbox.experiment for question in self._questions(within).values()))
        place = {experiment: number for number, experiment in enumerate(order)}
        found = [Foretold(*row) for row in rows if row[0] in place or not within.groups]
        return tuple(sorted(found, key=lambda one: (place.get(one.experiment, len(place)), one.experiment)))

    # --- inside ---

    def _questions(self, within: Within) -> dict[str, Question]:
        return {question.id: question for question in self._bank.questions if not within.groups or question.group in within.groups}

    def _mastery(self, journal: Journal, chosen: Mapping[str, Question], spans: tuple[Period, ...], zone: tzinfo) -> tuple[GrowthRow, ...]:
        groups = {question.id: question.group.value for question in self._bank.questions}
        found = abilities_at(journal, groups, [midnight(span.last + _DAY, zone) for span in spans])
        return tuple(
            GrowthRow(
                question.id,
                question.number,
                question.title,
                question.group,
                tuple(sigmoid(known[question.id].mean) if question.id in known else None for known in found),
            )
            for question in chosen.values()
        )

    def _by_group(self, journal: Journal, rows: Ints) -> tuple[Accuracy, ...]:
        by_question = tallies_by(journal, rows, journal.question, journal.questions)
        together = {group: [by_question[question.id] for question in questions if question.id in by_question] for group, questions in self._bank.groups.items()}
        return tuple(_accuracy(group.value, group.label, _sum(tallies)) for group, tallies in together.items() if tallies)

    def _belief(self, repository: Repository, one: Misconception) -> Belief | None:
        """In words, as the option was worded when it was last chosen."""
        item = self._wordings.item(repository, one.version)
        choice = next((choice for choice in self._wordings.choices(repository, one.version) if choice.key == one.option), None)
        if choice is None:
            return None
        question = self._bank.by_id.get(one.question_id)
        link = question.link_for(item) if question else None
        title = question.title if question else one.question_id
        return Belief(one.question_id, title, item.prompt, choice.text, choice.feedback, one.times, one.last_at, one.overcome_at, link)


def days_of(journal: Journal, rows: Ints, zone: tzinfo) -> tuple[PeriodStat, ...]:
    """The answers of each day that has some; `rows` in order of time."""
    if not len(rows):
        return ()
    first, last = (datetime.fromtimestamp(journal.at[rows[place]], zone).date() for place in (0, -1))
    days, bounds = _days(first, last, zone)
    return tuple(
        PeriodStat(day, one.answers, one.right, _minutes(one)) for day, one in zip(days, tallies_between(journal, rows, bounds), strict=True) if one.answers
    )


@lru_cache(maxsize=64)
def _days(first: date, last: date, zone: tzinfo) -> tuple[tuple[Period, ...], tuple[datetime, ...]]:
    """Every day as a period of its own, and the midnights around them. Kept: years of them take longer than counting the answers."""
    days = [first + ahead * _DAY for ahead in range((last - first).days + 2)]
    return tuple(Period(day, day) for day in days[:-1]), tuple(midnight(day, zone) for day in days)


def midnight(day: date, zone: tzinfo) -> datetime:
    """When a day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def between(first: date | None, last: date | None, zone: tzinfo) -> tuple[datetime, datetime]:
    """From the beginning of the one day to the end of the other; all of time where there is none."""
    return midnight(first, zone) if first else _EVER[0], midnight(last + _DAY, zone) if last else _EVER[1]


def _stats(journal: Journal, rows: Ints, spans: tuple[Period, ...], zone: tzinfo) -> tuple[PeriodStat, ...]:
    bounds = [midnight(span.first, zone) for span in spans] + [midnight(spans[-1].last + _DAY, zone)]
    tallies = tallies_between(journal, rows, bounds)
    return tuple(PeriodStat(span, one.answers, one.right, _minutes(one)) for span, one in zip(spans, tallies, strict=True))


def _minutes(one: Tally) -> float:
    return (one.seconds + READING_S * one.answers) / 60


def _accuracy(key: str, label: str, one: Tally) -> Accuracy:
    return Accuracy(key, label, one.answers, one.right, _minutes(one))


def _sum(tallies: list[Tally]) -> Tally:
    return Tally(sum(one.answers for one in tallies), sum(one.right for one in tallies), sum(one.seconds for one in tallies))


def _sorted(tallies: Mapping[str, Tally]) -> list[tuple[str, Tally]]:
    """Formats in the order in which the page names them everywhere."""
    order = list(FORMAT_LABELS)
    return sorted(tallies.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))


def _curve(question: Question, memory: Memory, now: datetime, ahead: datetime | None, until: datetime) -> Curve:
    start = memory.reviewed_at
    times = [start + (place / (CURVE_POINTS - 1)) ** 2 * (until - start) for place in range(CURVE_POINTS)]  # close together where it falls fast
    return Curve(
        question_id=question.id,
        number=question.number,
        title=question.title,
        group=question.group,
        reviewed_at=start,
        due_at=memory.due_at,
        today=recall(memory, now),
        on_the_day=None if ahead is None else recall(memory, ahead),
        points=tuple((at, recall(memory, at)) for at in times),
    )
