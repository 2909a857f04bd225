"""Small questions, items and facts for tests: one line each, so that a test shows only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from questions.loader import QuestionBank
from questions.schema import (
    Choice,
    Equation,
    Group,
    Item,
    KeyPoint,
    MultipleItem,
    NumberItem,
    NumberMistake,
    OrderItem,
    OrderStep,
    PredictItem,
    Question,
    Reference,
    SandboxLink,
    SingleItem,
    StudyCard,
    Trap,
)
from quiz.engine.facts import AttemptFact, Confidence

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINK = SandboxLink(experiment="forget-gate", look_for="Look at the cell state.")


def choices(right: str, keys: str = "abcd") -> tuple[Choice, ...]:
    return tuple(Choice(key=key, text=f"Option {key}", correct=key in right, feedback=f"On {key}.") for key in keys)


def single(key: str = "one", difficulty: float = 0.0, right: str = "a") -> SingleItem:
    return SingleItem(format="single", key=key, prompt=f"Prompt {key}", points=("p1",), difficulty=difficulty, explanation="So.", choices=choices(right))


def multiple(key: str = "many", difficulty: float = 0.0, right: str = "ab") -> MultipleItem:
    return MultipleItem(format="multiple", key=key, prompt=f"Prompt {key}", points=("p1",), difficulty=difficulty, explanation="So.", choices=choices(right))


def predict(key: str = "foresee", difficulty: float = 0.0) -> PredictItem:
    return PredictItem(
        format="predict", key=key, prompt=f"Prompt {key}", points=("p1",), difficulty=difficulty, explanation="So.", choices=choices("a"), sandbox=LINK
    )


def order(key: str = "steps", difficulty: float = 0.0, keys: str = "abc") -> OrderItem:
    steps = tuple(OrderStep(key=one, text=f"Step {one}", feedback=f"On {one}.") for one in keys)
    return OrderItem(format="order", key=key, prompt=f"Prompt {key}", points=("p1",), difficulty=difficulty, explanation="So.", steps=steps)


def number(key: str = "count", answer: float = 0.05, unit: str = "", rel: float = 0.0, tolerance: float = 0.0, mistake: float = -7.0) -> NumberItem:
    return NumberItem(
        format="number",
        key=key,
        prompt=f"Prompt {key}",
        points=("p1",),
        difficulty=0.0,
        explanation="So.",
        answer=answer,
        tolerance_rel=rel,
        tolerance_abs=tolerance,
        unit=unit,
        solution="Worked.",
        mistakes=(NumberMistake(value=mistake, feedback="A known slip."),),
        otherwise="Another number.",
    )


def question(id_: str, number_: int, group: Group = Group.GATES, items: tuple[Item, ...] = ()) -> Question:
    card = StudyCard(
        testing="T",
        build=("a", "b", "c"),
        model_answer=f"The model answer of {id_}.",
        expert_adds=("a", "b"),
        traps=(Trap(belief="b", truth="t"), Trap(belief="c", truth="u")),
        equations=(Equation(latex="x", says="x"),),
    )
    return Question(
        id=id_,
        number=number_,
        group=group,
        title=f"Title {id_}",
        asks="What?",
        card=card,
        points=tuple(KeyPoint(key=f"p{place}", level="core", text="A fact.") for place in range(1, 5)),
        references=(Reference(key="r", authors="A", year=2000, title="T", venue="V"),),
        sandbox=LINK,
        items=items or (single("one"), single("two"), single("three")),
    )


def bank(*questions: Question) -> QuestionBank:
    return QuestionBank(questions)


def fact(question_id: str, correct: bool, at: datetime = NOON, item: str = "one", confidence: Confidence | None = None, minutes: float = 0) -> AttemptFact:
    return AttemptFact(question_id, f"{question_id}/{item}", 0.0, 0.25, correct, confidence, at + timedelta(minutes=minutes))
