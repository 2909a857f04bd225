"""The answer in the making: what is chosen so far, and one widget a format to choose with.

The draft belongs to one presentation and is thrown away with it, so nothing leaks from one item to the next although
every item uses the same widget keys (a new key a question would cost memory for as long as a session lasts).
Choices are buttons rather than radio inputs: Streamlit's shortcuts are silent while an input has the focus, and a
learner who chose with the mouse should still be able to check with Enter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from questions.schema import ChoiceItem, MultipleItem, NumberItem, OrderItem, TraceItem
from quiz.engine.grading import Response
from quiz.ui import context
from quiz.views import Confidence, Turn

FIELDS = ("number", *(f"trace_{place}" for place in range(1, 7)))
CONFIDENCE_LABELS: dict[Confidence, str] = {"guess": "Guess", "unsure": "Unsure", "sure": "Sure"}


@dataclass(frozen=True)
class Draft:
    """Option or step keys chosen so far for a presentation, in the order chosen, and why a check was refused.

    `face` alternates between 0 and 1 from one presentation to the next: the page scrolls to the top when it changes.
    """

    presentation_id: str
    keys: tuple[str, ...] = ()
    problem: str = ""
    face: int = 0

    def toggled(self, key: str, *, many: bool) -> Draft:
        """With `key` chosen; where several may be chosen, a chosen key is let go again."""
        if not many:
            return replace(self, keys=(key,), problem="")
        keys = tuple(k for k in self.keys if k != key) if key in self.keys else (*self.keys, key)
        return replace(self, keys=keys, problem="")

    def refused(self, problem: str) -> Draft:
        """Unchanged, with the reason why it could not be checked."""
        return replace(self, problem=problem)

    def emptied(self) -> Draft:
        """With nothing chosen."""
        return replace(self, keys=(), problem="")

    def without_last(self) -> Draft:
        """With the last choice taken back."""
        return replace(self, keys=self.keys[:-1], problem="")


def draft_for(turn: Turn) -> Draft:
    """The draft of this presentation. A new presentation starts empty, its widgets too."""
    draft = st.session_state.get("draft")
    if not isinstance(draft, Draft) or draft.presentation_id != turn.presentation_id:
        draft = Draft(turn.presentation_id, face=1 - draft.face if isinstance(draft, Draft) else 0)
        st.session_state.draft = draft
        st.session_state.drawn_at = context.quiz().clock()
        for field in FIELDS:
            st.session_state[field] = ""
        st.session_state.confidence = None
    return draft


def response_from(turn: Turn) -> Response:
    """The response as it stands."""
    if isinstance(turn.item, NumberItem):
        return Response(text=st.session_state.get("number", "") or "")
    if isinstance(turn.item, TraceItem):
        return Response(texts={part.key: st.session_state.get(f"trace_{place}", "") or "" for place, part in enumerate(turn.item.answers, start=1)})
    return Response(keys=draft_for(turn).keys)


def is_complete(turn: Turn) -> bool:
    """Whether there is something to check: an option, or every step placed. Numbers are read when they are checked."""
    keys = draft_for(turn).keys
    if isinstance(turn.item, OrderItem):
        return len(keys) == len(turn.item.steps)
    return bool(keys) or is_typed(turn)


def is_typed(turn: Turn) -> bool:
    """Whether the answer is typed into fields rather than chosen."""
    return isinstance(turn.item, (NumberItem, TraceItem))


def answer_widget(turn: Turn) -> None:
    """Options, number fields or steps for the item of `turn`."""
    item = turn.item
    if isinstance(item, OrderItem):
        _steps(turn, {step.key: step.text for step in item.steps})
    elif isinstance(item, ChoiceItem):
        _options(turn, item)
    elif isinstance(item, TraceItem):
        for place, part in enumerate(item.answers, start=1):
            _number_field(f"trace_{place}", part.label, part.unit)
    else:
        _number_field("number", "Your answer", item.unit)


def key_hint(turn: Turn) -> str:
    """What the keyboard can do here."""
    enter = "Enter answers." if turn.session.kind == "diagnostic" else "Enter checks."
    if is_typed(turn):
        return f"Fractions, percentages and powers of ten are fine: 1/20, 5%, 5e-2. {enter}"
    last = len(turn.order)
    many = isinstance(turn.item, (MultipleItem, OrderItem))
    undo = ", Backspace takes the last step back" if isinstance(turn.item, OrderItem) else ""
    return f"Keys 1 to {last} {'choose' if many else 'choose one'}{undo}, {enter}"


def _choose(turn: Turn, key: str) -> None:
    st.session_state.draft = draft_for(turn).toggled(key, many=not _picks_one(turn))


def _picks_one(turn: Turn) -> bool:
    return isinstance(turn.item, ChoiceItem) and not isinstance(turn.item, MultipleItem)


def _options(turn: Turn, item: ChoiceItem) -> None:
    texts = {choice.key: choice.text for choice in item.choices}
    chosen = draft_for(turn).keys
    on, off = (
        (":material/radio_button_checked:", ":material/radio_button_unchecked:")
        if _picks_one(turn)
        else (":material/check_box:", ":material/check_box_outline_blank:")
    )
    with st.container(gap="xsmall"):
        for place, key in enumerate(turn.order, start=1):
            st.button(
                texts[key],
                key=f"choice_{place}",
                type="primary" if key in chosen else "secondary",
                icon=on if key in chosen else off,
                shortcut=str(place),
                on_click=_choose,
                args=(turn, key),
                width="stretch",
                wrap=True,
            )


def _steps(turn: Turn, texts: dict[str, str]) -> None:
    """Steps to tap in order. A step keeps its place on the screen; its number in the learner's order stands before it."""
    chosen = draft_for(turn).keys
    with st.container(gap="xsmall"):
        for place, key in enumerate(turn.order, start=1):
            position = chosen.index(key) + 1 if key in chosen else 0
            st.button(
                texts[key],
                key=f"choice_{place}",
                type="primary" if position else "secondary",
                icon=f":material/counter_{position}:" if position else ":material/radio_button_unchecked:",
                shortcut=str(place),
                on_click=_choose,
                args=(turn, key),
                width="stretch",
                wrap=True,
            )
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Take back the last",
            key="undo",
            type="tertiary",
            icon=":material/undo:",
            shortcut="Backspace",
            disabled=not chosen,
            on_click=_take_back,
            args=(turn,),
        )
        st.button("Start over", key="clear", type="tertiary", icon=":material/restart_alt:", disabled=not chosen, on_click=_start_over, args=(turn,))


def _take_back(turn: Turn) -> None:
    st.session_state.draft = draft_for(turn).without_last()


def _start_over(turn: Turn) -> None:
    st.session_state.draft = draft_for(turn).emptied()


def _number_field(key: str, label: str, unit: str) -> None:
    st.text_input(f"{label}, in {unit}" if unit else label, key=key, placeholder="A number", autocomplete="off")


def confidence_widget() -> None:
    """How sure the learner is; may be left open. It is read with the answer, so choosing costs no rerun."""
    st.segmented_control(
        "How sure are you? (optional)",
        list(CONFIDENCE_LABELS),
        key="confidence",
        format_func=lambda level: CONFIDENCE_LABELS[level],
        on_change="ignore",
    )
