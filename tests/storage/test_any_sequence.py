"""Whatever a learner does in whatever order, over restarts too, nothing is lost and nothing counts twice."""

import random
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from quiz.engine.grading import InvalidResponse, Response
from quiz.engine.state import NOTHING_YET, fold
from quiz.service import NotAnswered, PresentationClosed, QuizService
from tests.engine.builders import NOON
from tests.storage.builders import BANK, opened, right, wrong


class Learner(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now = NOON
        self.session: str | None = None
        self.shown: list[str] = []  # every presentation ever seen
        self.recorded: dict[str, bool] = {}  # what the service acknowledged
        self.start_app()

    def start_app(self) -> None:
        self.database = opened(Path(self.folder.name))
        self.service = QuizService(self.database, BANK)

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    @rule(length=st.integers(1, 4), only=st.sampled_from([(), ("clipping",), ("forget-gate", "overfitting")]))
    def start(self, length, only):
        before = self.service.open_session(1)
        session = self.service.start_session(1, length, self.now, only)
        assert before is None or session == before
        self.session = session.id

    @rule(seed=st.integers(0, 9))
    def look(self, seed):
        if self.session is None:
            return
        turn = self.service.current(self.session, self.now, random.Random(seed))
        assert turn == self.service.current(self.session, self.now, random.Random(seed + 1))
        if turn is not None and turn.presentation_id not in self.shown:
            self.shown.append(turn.presentation_id)

    @rule(data=st.data(), correct=st.booleans(), confidence=st.sampled_from([None, "guess", "sure"]))
    def answer(self, data, correct, confidence):
        if not self.shown:
            return
        presentation = data.draw(st.sampled_from(self.shown))
        for item in [item for _, item in BANK.items.values()]:  # the page knows the item; here, the first answer that fits
            try:
                turn = self.service.submit(presentation, right(item) if correct else wrong(item), confidence, self.now)
            except InvalidResponse:
                continue
            except PresentationClosed:
                assert presentation not in self.recorded
                return
            assert turn.feedback is not None
            assert turn.feedback.repeated is (presentation in self.recorded)
            assert self.recorded.setdefault(presentation, turn.feedback.grade.correct) is turn.feedback.grade.correct
            return

    @rule(data=st.data())
    def answer_nonsense(self, data):
        open_ones = [one for one in self.shown if one not in self.recorded]
        if open_ones:
            presentation = data.draw(st.sampled_from(open_ones))
            try:
                self.service.submit(presentation, Response(("z",), "z"), None, self.now)
            except (InvalidResponse, PresentationClosed):
                return
            raise AssertionError("nonsense was recorded")

    @rule(data=st.data())
    def leave(self, data):
        if self.shown:
            presentation = data.draw(st.sampled_from(self.shown))
            try:
                self.service.advance(presentation, self.now)
            except NotAnswered:
                assert presentation not in self.recorded

    @rule(data=st.data())
    def skip(self, data):
        if self.shown:
            self.service.skip(data.draw(st.sampled_from(self.shown)), self.now)

    @rule()
    def finish(self):
        if self.session is not None:
            assert self.service.end_session(self.session, self.now) == self.service.end_session(self.session, self.now)

    @rule(minutes=st.integers(1, 60 * 24 * 5))
    def wait(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule()
    def restart(self):
        self.database.close()
        self.start_app()

    @invariant()
    def every_acknowledged_answer_is_there_exactly_once(self):
        progress = self.service.progress(1, self.now, self.now.tzinfo)
        assert (progress.attempts, progress.correct) == (len(self.recorded), sum(self.recorded.values()))
        assert sum(day.attempts for day in progress.days) == sum(cell.attempts for cell in progress.cells) == len(self.recorded)

    @invariant()
    def the_state_is_the_fold_of_the_attempts(self):
        with self.database.read() as repository:
            facts, _ = repository.facts_after(1, 0)
        assert self.service.state(1) == fold(NOTHING_YET, facts)

    @invariant()
    def no_session_holds_more_answers_than_planned(self):
        if self.session is not None:
            session = self.service.summary(self.session).session
            assert 0 <= session.answered <= session.length


Learner.TestCase.settings = settings(max_examples=10, stateful_step_count=30, deadline=None, derandomize=True)
TestAnySequence = Learner.TestCase
