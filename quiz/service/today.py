"""What the day asks for: what is due and new, the plan, a session of the right length, an experiment worth running.

Put together from other use cases' reads, so it is no single transaction: what changes in between shows at the next look.
The plan takes a fraction of a second to make, so the last one is kept until an answer, the interview or the hour changes.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, tzinfo
from statistics import fmean
from typing import TYPE_CHECKING, Literal

from quiz.engine.ability import estimate
from quiz.engine.forecast import READING_S, Catalogue
from quiz.engine.state import LearnerState
from quiz.storage.database import Database
from quiz.views import PlannedStep, PlanView, Suggestion, TodayView

if TYPE_CHECKING:
    from quiz.service.practice import QuizService

SHORTEST, USUAL, LONGEST = 5, 10, 20  # items of a session without a plan: by what is due, the usual where nothing is
MOST = 100  # items of any session
LATEST_DAYS = 14  # a fortnight: what one missed day does not spoil
RECENT_RUNS = 200  # in which an experiment counts as seen


class Today:
    """The use case behind the first page; it is `QuizService.today`."""

    def __init__(self, database: Database, service: QuizService) -> None:
        self._database = database
        self._service = service
        self._catalogue = Catalogue.of(service.bank.questions)
        self._plans: dict[int, tuple[object, PlanView | None]] = {}  # learner -> (what it was made from, plan)

    def view(self, learner: int, now: datetime, zone: tzinfo) -> TodayView:
        """The day at one look; the day is that of `zone`."""
        state, plan = self._service.state(learner), self._plan(learner, now, zone)
        midnight = datetime.combine(now.astimezone(zone).date(), time(), zone).astimezone(UTC)
        with self._database.read() as repository:
            answers, seconds = repository.practised_since(learner, midnight)
            seen = {run.experiment for run in repository.recent_runs(learner, RECENT_RUNS)}
        bank = self._service.bank
        known = {name: one for name, one in state.questions.items() if name in bank.by_id}
        due = tuple(sorted((name for name, one in known.items() if one.memory.due_at <= now), key=lambda name: known[name].memory.due_at))
        steps = self._steps(plan, state, now.astimezone(zone))
        length = self._length(plan, steps, len(due))
        practised, looked_at = self._service.hindsight.latest_days(learner, now, zone, LATEST_DAYS)
        return TodayView(
            attempts=state.attempts,
            session=self._service.open_session(learner),
            due=due,
            new=len(bank.questions) - len(known),
            answers_today=answers,
            minutes_today=(seconds + READING_S * answers) / 60,
            plan=plan,
            steps=steps,
            length=length,
            minutes=sum(step.minutes for step in steps) if steps else length * self._minutes_an_item(state),
            suggestion=self._suggestion(state, seen),
            days_practised=practised,
            days_looked_at=looked_at,
        )

    def forget(self, learner: int) -> None:
        """Let go of a learner's plan."""
        self._plans.pop(learner, None)

    def _plan(self, learner: int, now: datetime, zone: tzinfo) -> PlanView | None:
        interview = self._service.adaptive.interview(learner, now, zone)
        state, local = self._service.state(learner), now.astimezone(zone)
        made_from = (interview, state.attempts, state.last, local.date(), local.hour, str(zone))
        kept = self._plans.get(learner)
        if kept is None or kept[0] != made_from:
            kept = (made_from, None if interview is None else self._service.adaptive.plan(learner, now, zone))
            self._plans[learner] = kept
        return kept[1]

    def _steps(self, plan: PlanView | None, state: LearnerState, local: datetime) -> tuple[PlannedStep, ...]:
        """What the plan holds for today; nothing on a day off."""
        first = plan.plan.today if plan is not None else None
        if first is None or first.day != local.date():
            return ()
        by_id = self._service.bank.by_id
        return tuple(
            PlannedStep(step.question_id, by_id[step.question_id].title, step.items, step.minutes, step.question_id not in state.questions)
            for step in first.steps
        )

    def _length(self, plan: PlanView | None, steps: tuple[PlannedStep, ...], due: int) -> int:
        if plan is not None:
            return min(sum(step.items for step in steps), MOST)
        return min(max(due, SHORTEST), LONGEST) if due else USUAL

    def _minutes_an_item(self, state: LearnerState) -> float:
        return fmean(self._catalogue.seconds(state.pace)[self._catalogue.exists].tolist()) / 60

    def _suggestion(self, state: LearnerState, seen: set[str]) -> Suggestion | None:
        """The experiment of the weakest question of which an answer was missed, one that was never run before others. With nothing
        missed one that was never run: of the weakest question answered, else of the first new one. None when all were run.
        """
        by_id, abilities = self._service.bank.by_id, estimate(state.evidence, self._catalogue.groups)
        known = {name: one for name, one in state.questions.items() if name in abilities and name in by_id}
        fresh = [name for name in by_id if by_id[name].sandbox.experiment not in seen]
        why: Literal["missed", "weakest", "new"]
        if among := [name for name, one in known.items() if one.correct < one.attempts]:
            why = "missed"
        elif among := [name for name in fresh if name in known]:
            why = "weakest"
        elif fresh:
            why, among = "new", fresh[:1]
        else:
            return None
        found = by_id[min(among, key=lambda name: (by_id[name].sandbox.experiment in seen, abilities[name].mean if name in known else 0.0))]
        return Suggestion(found.id, found.title, found.sandbox, found.sandbox.experiment in seen, why)
