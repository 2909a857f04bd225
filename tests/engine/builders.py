"""Small questions, items and facts for tests: one line each, so that a test shows only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from questions.loader import QuestionBank
from questions.schema import (
    Choice,
    CodeItem,
    DiagnoseItem,
    Equation,
    Group,
    Item,
    KeyPoint,
    MultipleItem,
    NumberItem,
    NumberMistake,
    NumberTemplate,
    OrderItem,
    OrderStep,
    PredictItem,
    Question,
    Recording,
    Reference,
    SandboxLink,
    SingleItem,
    StudyCard,
    TraceItem,
    TracePart,
    TraceTemplate,
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


def trace(key: str = "by-hand", c: float = 0.5, h: float = 0.25, tolerance: float = 0.01) -> TraceItem:
    slip = NumberMistake(value=c + 1, feedback="A slip in c.")
    return TraceItem(
        format="trace",
        key=key,
        prompt=f"Prompt {key}",
        points=("p1",),
        difficulty=0.0,
        explanation="So.",
        answers=(
            TracePart(key="c", label="New cell state", answer=c, tolerance_abs=tolerance, mistakes=(slip,)),
            TracePart(key="h", label="New hidden state", answer=h, tolerance_abs=tolerance),
        ),
        solution="Worked.",
        otherwise="Another number.",
    )


def code(key: str = "snippet") -> CodeItem:
    faulty, mended = "a = 1\nb = 2\nc = 3\nprint(a + b)", "a = 1\nb = 2\nc = 3\nprint(a + c)"
    return CodeItem(
        format="code", key=key, prompt=f"Prompt {key}", points=("p1",), difficulty=0.0, explanation="So.", choices=choices("a"), code=faulty, fixed=mended
    )


RECORDING = {
    "title": "A run",
    "x": {"label": "Update", "log": False},
    "panels": [{"y": {"label": "Training loss", "log": False}, "series": [{"name": "train", "x": [0, 1, 2], "y": [1.0, 0.5, None]}]}],
    "text": "The training loss falls from 1 to 0.5 and is not a number after that.",
    "made_by": {"recipe": "made-up", "settings": {"learning_rate": 0.1}, "seed": 0, "torch": "2.13.0"},
}


def diagnose(key: str = "curves") -> DiagnoseItem:
    return DiagnoseItem(
        format="diagnose",
        key=key,
        prompt=f"Prompt {key}",
        points=("p1",),
        difficulty=0.0,
        explanation="So.",
        choices=choices("a"),
        recording="a-run",
        curves=Recording.model_validate(RECORDING),
    )


def number_template(key: str = "drawn", **more: object) -> NumberTemplate:
    fields = {
        "format": "number",
        "key": key,
        "prompt": "What is {{D}} times {{H}}?",
        "points": ("p1",),
        "difficulty": 0.0,
        "explanation": "So.",
        "variables": {"D": [2, 3, 5], "H": [7, 11]},
        "answer": "D*H",
        "solution": "{{D}} times {{H}} is {{product}}.",
        "derive": {"product": "D*H"},
        "otherwise": "Multiply.",
        "mistakes": [{"value": "D+H", "feedback": "That is the sum, {{D}} + {{H}}."}],
    }
    return NumberTemplate.model_validate({**fields, **more})


def trace_template(key: str = "drawn-trace", **more: object) -> TraceTemplate:
    fields = {
        "format": "trace",
        "key": key,
        "prompt": "$c = {{c0}}$, $f = {{f}}$, $o = {{o}}$.",
        "points": ("p1",),
        "difficulty": 0.0,
        "explanation": "So.",
        "variables": {"c0": [0.5, 0.8, -0.4], "f": [0.9, 0.5], "o": [0.5, 0.8]},
        "derive": {"c": "f*c0", "h": "o*tanh(c)"},
        "answers": [
            {"key": "c", "label": "Cell state", "answer": "c", "tolerance_abs": 0.01, "mistakes": [{"value": "f + c0", "feedback": "The gate multiplies."}]},
            {"key": "h", "label": "Hidden state", "answer": "h", "tolerance_abs": 0.01},
        ],
        "solution": "$c = {{c:.3f}}$, $h = {{h:.3f}}$.",
        "otherwise": "Step by step.",
    }
    return TraceTemplate.model_validate({**fields, **more})


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
