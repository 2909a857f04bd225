"""The bank as an Anki package: a note an item, with ids that stay, so that importing again updates and duplicates nothing.

Bank text is Markdown with LaTeX between dollar signs. It becomes HTML through markdown-it-py with HTML off, formulas
between the delimiters that Anki's MathJax knows. Items whose numbers are drawn come with one fixed draw.
"""

from __future__ import annotations

import hashlib
import html
import re
import tempfile
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import genanki
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from questions.loader import QuestionBank, item_id
from questions.schema import FORMAT_LABELS, Asked, ChoiceItem, CodeItem, DiagnoseItem, Group, MultipleItem, NumberItem, OrderItem, Question, TraceItem
from questions.templates import drawn

SEED = 1  # of every template's numbers and of the order of options: a note keeps its numbers
DECK = "Carousel: LSTM interview"
WEAK_BELOW = 0.6  # mastery
_LETTERS = "ABCDEFGHIJ"
FIELDS = ("Question", "Prompt", "Answer", "Why", "Source", "Item")

_FRONT = '<div class="topic">{{Question}}</div>\n{{Prompt}}'
_BACK = '{{FrontSide}}\n<hr id="answer">\n{{Answer}}\n<div class="why">{{Why}}</div>\n<div class="source">{{Source}}</div>'
_CSS = """
.card { font-family: system-ui, sans-serif; font-size: 18px; line-height: 1.5; text-align: left; max-width: 42em; margin: 0 auto; padding: 0.5em; }
.topic, .source { color: #667074; font-size: 0.8em; }
.nightMode .topic, .nightMode .source { color: #9aa6aa; }
pre { white-space: pre-wrap; font-size: 0.8em; padding: 0.6em; border: 1px solid rgba(125, 125, 110, 0.4); border-radius: 0.4em; }
.right { color: #1b7a4b; font-weight: 600; }
.wrong { color: #b3372b; font-weight: 600; }
.nightMode .right { color: #6ccb95; }
.nightMode .wrong { color: #f0907f; }
li { margin: 0.4em 0; }
"""


def package(bank: QuestionBank, now: datetime, only: Collection[str] | None = None) -> bytes:
    """An .apkg of every item, or of the items of the questions `only`. `now` tells Anki which of two packages is newer."""
    decks = {group: genanki.Deck(_stable("deck", group.value), f"{DECK}::{group.label}") for group in Group}
    for question in bank.questions:
        if only is None or question.id in only:
            for item in question.items:
                decks[question.group].add_note(_note(question, drawn(item, SEED)))
    filled = genanki.Package([deck for deck in decks.values() if deck.notes])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "carousel.apkg"
        filled.write_to_file(str(path), timestamp=now.timestamp())
        return path.read_bytes()


def weak_spots(mastery: Mapping[str, float | None]) -> list[str]:
    """Questions that were tried and are mastered below WEAK_BELOW, the weakest first."""
    tried = {name: value for name, value in mastery.items() if value is not None and value < WEAK_BELOW}
    return sorted(tried, key=tried.__getitem__)


def _stable(kind: str, name: str) -> int:
    """An id that is the same for all time; Anki wants a whole number of this size."""
    digest = hashlib.sha256(f"carousel/{kind}/{name}".encode()).digest()
    return 2**30 + int.from_bytes(digest[:4], "big") % 2**30


@cache
def _model() -> Any:
    templates = [{"name": "Card", "qfmt": _FRONT, "afmt": _BACK}]
    return genanki.Model(
        _stable("model", "item"), "Carousel item", fields=[{"name": name} for name in FIELDS], templates=templates, css=_CSS, sort_field_index=5
    )


def _note(question: Question, item: Asked) -> Any:
    full_id = item_id(question, item)
    source = next((one for one in question.references if one.key == item.reference), None)
    fields = (
        html.escape(f"{question.number} · {question.title} · {FORMAT_LABELS[item.format]}"),
        _prompt(item, full_id),
        _answer(item, full_id),
        markdown(item.explanation),
        html.escape(f"{source.authors} ({source.year}). {source.title}. {source.venue}.") if source else "",
        html.escape(full_id),
    )
    tags = ["carousel", f"carousel::{question.group.value}", f"carousel::{question.id}", f"carousel::format::{item.format}"]
    return genanki.Note(model=_model(), fields=[_harmless(field) for field in fields], guid=genanki.guid_for("carousel", full_id), tags=tags)


# --- The two sides ----------------------------------------------------------------------------------------------


def _prompt(item: Asked, full_id: str) -> str:
    parts = [markdown(item.prompt)]
    if isinstance(item, CodeItem):
        parts.append(_code(item.code))
    if isinstance(item, DiagnoseItem) and item.curves is not None:
        parts.append(f"<p><i>{html.escape(item.curves.title)}.</i> {html.escape(item.curves.text)}</p>")
    if isinstance(item, ChoiceItem):
        hint = "<p><i>More than one is right.</i></p>" if isinstance(item, MultipleItem) else ""
        texts = {choice.key: choice.text for choice in item.choices}
        parts.append(hint + _listed([texts[key] for key in _order(list(texts), full_id)]))
    elif isinstance(item, OrderItem):
        texts = {step.key: step.text for step in item.steps}
        parts.append(_listed([texts[key] for key in _order(list(texts), full_id)]))
    elif isinstance(item, TraceItem):
        parts.append(_listed([f"{part.label}{f', in {part.unit}' if part.unit else ''}" for part in item.answers]))
    elif item.unit:
        parts.append(f"<p><i>In {html.escape(item.unit)}.</i></p>")
    return "\n".join(parts)


def _answer(item: Asked, full_id: str) -> str:
    if isinstance(item, ChoiceItem):
        choices = {choice.key: choice for choice in item.choices}
        lines = []
        for letter, key in zip(_LETTERS, _order(list(choices), full_id), strict=False):
            word = "right" if choices[key].correct else "wrong"
            lines.append(f'<p><span class="{word}">{letter}, {word}.</span> {_inline(choices[key].feedback)}</p>')
        return "\n".join(lines) + (f"<p>The code, mended:</p>{_code(item.fixed)}" if isinstance(item, CodeItem) else "")
    if isinstance(item, OrderItem):
        letters = dict(zip(_order([step.key for step in item.steps], full_id), _LETTERS, strict=False))
        steps = "".join(f"<li><b>{letters[step.key]}</b> {_inline(step.text)}<br>{_inline(step.feedback)}</li>" for step in item.steps)
        return f"<ol>{steps}</ol>"
    if isinstance(item, NumberItem):
        return f'<p class="right">{_number(item.answer, item.unit)}</p>\n{markdown(item.solution)}'
    values = "".join(f'<li>{_inline(part.label)}: <span class="right">{_number(part.answer, part.unit)}</span></li>' for part in item.answers)
    return f"<ul>{values}</ul>\n{markdown(item.solution)}"


def _order(keys: list[str], full_id: str) -> list[str]:
    """The options as they stand on the card, for good: what is right is not always first."""
    return sorted(keys, key=lambda key: hashlib.sha256(f"{SEED}/{full_id}/{key}".encode()).digest())


def _listed(texts: list[str]) -> str:
    return f'<ol type="A">{"".join(f"<li>{_inline(text)}</li>" for text in texts)}</ol>'


def _number(value: float, unit: str) -> str:
    shown = f"{int(value):,}" if value == int(value) and abs(value) < 1e7 else f"{value:.4g}"
    return html.escape(f"{shown} {unit}".strip())


def _code(code: str) -> str:
    return f"<pre><code>{html.escape(code)}</code></pre>"


# --- Markdown ---------------------------------------------------------------------------------------------------


@cache
def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, allow_labels=False, allow_space=True, allow_digits=True, double_inline=True)
    for kind, (left, right) in {"math_inline": (r"\(", r"\)"), "math_inline_double": (r"\[", r"\]"), "math_block": (r"\[", r"\]")}.items():
        parser.add_render_rule(
            kind, lambda _self, tokens, index, _options, _env, left=left, right=right: f"{left}{html.escape(tokens[index].content.strip())}{right}"
        )
    parser.add_render_rule("image", lambda _self, tokens, index, _options, _env: html.escape(tokens[index].content))  # nothing is fetched
    return parser


def markdown(text: str) -> str:
    """Markdown as HTML, whatever it holds shown as text."""
    return str(_markdown().render(text)).strip()


def _inline(text: str) -> str:
    """Markdown of one paragraph, without its paragraph."""
    return str(_markdown().renderInline(text)).strip()


_SPECIAL = re.compile(r"\[(?=sound:|anki:|latex\]|\$|/)")


def _harmless(field: str) -> str:
    """A field without what Anki itself would act on: sounds and its old LaTeX marks."""
    return _SPECIAL.sub("&#91;", field)
