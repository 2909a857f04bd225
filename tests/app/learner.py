"""A learner at the pages: runs the real app.py on a database of its own and answers through its widgets."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest

from questions.schema import Asked, ChoiceItem, NumberItem, OrderItem, TraceItem
from quiz.engine.grading import Response
from quiz.ui import context
from quiz.views import Turn

ROOT = Path(__file__).parents[2]

Open = Callable[..., AppTest]


@contextmanager
def carousel() -> Iterator[Open]:
    """Opens the app, as often as wanted: each call is a browser tab of its own."""
    st.cache_resource.clear()

    def open_tab(page: str | None = None, **address: str) -> AppTest:
        tab = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
        if page is not None:
            tab.switch_page(page)
        for name, value in address.items():
            tab.query_params[name] = value
        return tab.run() if page or address else tab

    open_tab()  # from here on the app's own service can be asked what it has recorded
    yield open_tab
    context.close()
    st.cache_resource.clear()


PRACTICE, STUDY, PROGRESS, DIAGNOSTIC = (f"quiz/ui/pages/{name}.py" for name in ("practice", "study", "progress", "diagnostic"))


def shown_turn() -> Turn:
    """The item in front of the learner."""
    quiz = context.quiz()
    session = quiz.service.open_session(quiz.learner)
    assert session is not None
    turn = quiz.service.current(session.id, datetime.now(UTC), random.Random(0))
    assert turn is not None
    return turn


def attempts() -> tuple[int, int]:
    """How many answers are recorded, and how many of them are right."""
    quiz = context.quiz()
    view = quiz.service.progress(quiz.learner, datetime.now(UTC), UTC)
    return view.attempts, view.correct


def right_answer(item: Asked) -> Response:
    """The right answer to any item."""
    match item:
        case NumberItem():
            return Response(text=f"{item.answer:.12g}")
        case TraceItem():
            return Response(texts={part.key: f"{part.answer:.12g}" for part in item.answers})
        case OrderItem():
            return Response(keys=tuple(step.key for step in item.steps))
        case ChoiceItem():
            return Response(keys=tuple(choice.key for choice in item.choices if choice.correct))


def wrong_answer(item: Asked) -> Response:
    """A wrong answer to any item: a known slip, the first two steps swapped, one wrong option."""
    match item:
        case NumberItem():
            return Response(text=f"{item.mistakes[0].value:.12g}")
        case TraceItem():
            return Response(texts={part.key: f"{part.answer + 12345:.12g}" for part in item.answers})
        case OrderItem():
            first, second, *rest = (step.key for step in item.steps)
            return Response(keys=(second, first, *rest))
        case ChoiceItem():
            return Response(keys=(next(choice.key for choice in item.choices if not choice.correct),))


def skip_to(tab: AppTest, format_: str) -> Turn:
    """Skip items, unseen, until one of this format is shown."""
    for skipped in range(200):
        turn = shown_turn()
        if turn.item.format == format_:
            if skipped:
                tab.run()
            return turn
        context.quiz().service.skip(turn.presentation_id, datetime.now(UTC))
    raise AssertionError(f"no item of format {format_} in 200 items")


def give(tab: AppTest, turn: Turn, response: Response) -> None:
    """Put the answer in, without checking it."""
    if isinstance(turn.item, NumberItem):
        tab.text_input(key="number").set_value(response.text)
    for place, text in enumerate(response.texts.values(), start=1):
        tab.text_input(key=f"trace_{place}").set_value(text)
    for key in response.keys:
        tab.button(key=f"choice_{turn.order.index(key) + 1}").click().run()


def check(tab: AppTest) -> AppTest:
    """Press Check answer."""
    return tab.button(key="check").click().run()


def section(open_app: Open, name: str) -> AppTest:
    """A section of the progress page."""
    tab = open_app(PROGRESS)
    tab.get_by_key("section").set_value(name).run()
    assert not tab.exception
    return tab


def charts(tab: AppTest) -> list[str]:
    """The text alternatives of the page's charts."""
    return [chart.proto.alt for chart in tab.get("plotly_chart")]


def links(tab: AppTest) -> list[str]:
    """Where the page's links lead, by their labels."""
    return [link.value for link in tab.page_link]


def says(tab: AppTest) -> str:
    """All text of the page, in one string."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "success", "error", "warning", "info", "code")
    return bare("\n".join(str(element.value) for kind in kinds for element in tab.get(kind)))


def bare(text: str) -> str:
    """Text with the colours of its formulas taken off; what is coloured holds at most two levels of braces."""
    return re.sub(r"\\textcolor\{#\w{6}\}\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}", r"\1", text)


def has_button(tab: AppTest, key: str) -> bool:
    """Whether a button with this key is on the page."""
    return any(button.key == key for button in tab.button)


def answered_before(now: datetime, days: int, right_share: float = 0.6, length: int = 10) -> None:
    """Past sessions, one a day before `now`: part of the answers right, decided by a fixed generator."""
    rng, quiz = random.Random(7), context.quiz()
    for ago in range(days, 0, -1):
        at = now - timedelta(days=ago)
        session = quiz.service.start_session(quiz.learner, length, at)
        while (turn := quiz.service.current(session.id, at, rng)) is not None:
            answer = right_answer if rng.random() < right_share else wrong_answer
            quiz.service.submit(turn.presentation_id, answer(turn.item), None, at)
            quiz.service.advance(turn.presentation_id, at)
            at += timedelta(seconds=40)
