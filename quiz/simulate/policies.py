"""Ways of choosing the next item: ours and those it is measured against."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from questions.loader import item_id
from questions.schema import Question
from quiz.engine.ability import estimate, information
from quiz.engine.examiner import pick
from quiz.engine.memory import recall
from quiz.engine.planner import WITHOUT_DATE, worth
from quiz.simulate.learner import FEEDBACK_S
from quiz.simulate.play import Policy, Situation

RECENT = 5
ENDLESS = 1000  # answers still to come: a session ends by its minutes


def fixed_order(situation: Situation) -> str:
    """Questions 1 to 24 in a loop; each time round, the question's next item."""
    questions = situation.subject.bank.questions
    lap, place = divmod(situation.answered, len(questions))
    question = questions[place]
    return item_id(question, question.items[lap % len(question.items)])


def at_random(situation: Situation) -> str:
    """Any item, each as likely."""
    return situation.rng.choice(situation.subject.world.item_ids)


def fixed_one_card(situation: Situation) -> str:
    """Questions 1 to 24 in a loop, always by the same item."""
    questions = situation.subject.bank.questions
    question = questions[situation.answered % len(questions)]
    return item_id(question, question.items[0])


def anki(situation: Situation) -> str:
    """One card a question, FSRS at 0.9: what is due first, then new cards, then ahead of time. The card shows its question's items in turn."""
    state, now = situation.track.state, situation.now
    known = [question for question in situation.subject.bank.questions if question.id in state.questions]
    due = [question for question in known if state.questions[question.id].memory.due_at <= now]
    if due:
        return _in_turn(situation, min(due, key=lambda q: state.questions[q.id].memory.due_at))
    fresh = [question for question in situation.subject.bank.questions if question.id not in state.questions]
    if fresh:
        return _in_turn(situation, fresh[0])
    return _in_turn(situation, min(known, key=lambda q: (recall(state.questions[q.id].memory, now), q.number)))


def anki_one_card(situation: Situation) -> str:
    """As `anki`, and the card always shows the same item."""
    chosen = anki(situation)
    question = situation.subject.bank.items[chosen][0]
    return item_id(question, question.items[0])


def anki_until_done(situation: Situation) -> str | None:
    """As `anki`, but the session ends when nothing is due or new."""
    state = situation.track.state
    memories = [state.questions[q.id].memory for q in situation.subject.bank.questions if q.id in state.questions]
    if len(memories) == len(situation.subject.bank.questions) and all(memory.due_at > situation.now for memory in memories):
        return None
    return anki(situation)


def ability_only(situation: Situation) -> str:
    """The question of least ability that was not among the last few; its unseen item with the most information. No memory."""
    questions, state = situation.subject.bank.questions, situation.track.state
    abilities = estimate(state.evidence, situation.subject.catalogue.groups)
    recent = {one.question_id for one in situation.shown[-RECENT:]}
    weakest = min((q for q in questions if q.id not in recent), key=lambda q: (abilities[q.id].mean, q.number))
    known = state.questions[weakest.id].items if weakest.id in state.questions else {}

    def preference(name: str) -> tuple[int, float]:
        item = situation.subject.bank.items[name][1]
        return known[name].attempts if name in known else 0, -information(abilities[weakest.id].mean, item.difficulty, item.guessing)

    return min((item_id(weakest, item) for item in weakest.items), key=preference)


def ours(situation: Situation) -> str:
    """What the app asks when it knows the date of the interview."""
    return _picked(situation, situation.interview, due_first=False)


def ours_without_date(situation: Situation) -> str:
    """What the app asks when it knows no date: due first, then what is worth most in two weeks."""
    return _picked(situation, situation.now + WITHOUT_DATE, due_first=True)


def _picked(situation: Situation, on: datetime, due_first: bool) -> str:
    subject, track = situation.subject, situation.track
    values = worth(subject.catalogue, track.state, track.weights, situation.now, on)
    chosen = pick(subject.bank.questions, track.state, {}, situation.shown, ENDLESS, situation.now, situation.rng, values, due_first)
    return item_id(chosen.question, chosen.item)


def ceiling(situation: Situation) -> str:
    """Greedy like ours, but with the true learner in view: what no app can do. An upper mark, not a competitor."""
    learner, world = situation.learner, situation.subject.world
    worth_most = learner.true_gains(situation.interview_s) / (world.answer_s + FEEDBACK_S[True])
    for one in situation.shown[-3:]:
        worth_most[situation.subject.index[one.item_id]] = -1.0
    return world.item_ids[int(worth_most.argmax())]


def _in_turn(situation: Situation, question: Question) -> str:
    known = situation.track.state.questions[question.id].items if question.id in situation.track.state.questions else {}
    times = Counter({name: happened.attempts for name, happened in known.items()})
    return min((item_id(question, item) for item in question.items), key=lambda name: times[name])


POLICIES: dict[str, Policy] = {
    "ours": ours,
    "ours, no date given": ours_without_date,
    "fixed order, items in turn": fixed_order,
    "fixed order, one item each": fixed_one_card,
    "random": at_random,
    "Anki's way, items in turn": anki,
    "Anki's way, one item each": anki_one_card,
    "Anki's way, until done": anki_until_done,
    "ability only": ability_only,
    "all-knowing": ceiling,
}
FORECASTING = {"ours", "ours, no date given"}  # need the forecasts that the others do without
