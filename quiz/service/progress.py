"""What the progress page shows, worked out from the folded state."""

from __future__ import annotations

from datetime import datetime, tzinfo

from questions.loader import QuestionBank
from questions.schema import Question
from quiz.engine.ability import Ability, estimate, sigmoid
from quiz.engine.journal import Journal, all_rows
from quiz.engine.memory import recall
from quiz.engine.state import LearnerState, QuestionState
from quiz.service.hindsight import days_of
from quiz.service.runs import run_row
from quiz.storage.repository import Repository
from quiz.views import DayStat, MasteryCell, ProgressView

RECENT_RUNS = 50


def progress_view(bank: QuestionBank, repository: Repository, learner: int, state: LearnerState, journal: Journal, now: datetime, zone: tzinfo) -> ProgressView:
    """Cells of every question of the bank, days of `zone`, totals over all attempts, and the latest runs."""
    abilities = estimate(state.evidence, {question.id: question.group.value for question in bank.questions})
    return ProgressView(
        cells=tuple(_cell(question, state.questions.get(question.id), abilities[question.id], now) for question in bank.questions),
        days=tuple(DayStat(one.period.first, one.answers, one.right) for one in days_of(journal, all_rows(journal), zone)),
        attempts=state.attempts,
        correct=state.correct,
        runs=tuple(run_row(run) for run in repository.recent_runs(learner, RECENT_RUNS)),
        run_count=repository.runs(learner).count(),
    )


def _cell(question: Question, known: QuestionState | None, ability: Ability, now: datetime) -> MasteryCell:
    return MasteryCell(
        question_id=question.id,
        number=question.number,
        title=question.title,
        group=question.group,
        attempts=known.attempts if known else 0,
        correct=known.correct if known else 0,
        mastery=sigmoid(ability.mean) if known else None,
        low=sigmoid(ability.low) if known else None,
        high=sigmoid(ability.high) if known else None,
        recall=recall(known.memory, now) if known else None,
        due_at=known.memory.due_at if known else None,
        due=known is not None and known.memory.due_at <= now,
    )
