"""The Anki package, opened by Anki itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from anki.collection import Collection
from anki.import_export_pb2 import ImportAnkiPackageOptions, ImportAnkiPackageRequest

from questions.loader import QuestionBank, load_bank
from quiz.service.anki import markdown, package, weak_spots
from tests.engine.builders import NOON, bank, choices, question, single
from tests.storage.histories import BANK


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    collection = Collection(str(tmp_path / "collection.anki2"))
    yield collection
    collection.close()


def take_in(collection: Collection, folder: Path, of: QuestionBank, now: datetime = NOON, only: list[str] | None = None) -> None:
    path = folder / "carousel.apkg"
    path.write_bytes(package(of, now, only))
    collection.import_anki_package(ImportAnkiPackageRequest(package_path=str(path), options=ImportAnkiPackageOptions(merge_notetypes=True)))


def items(collection: Collection) -> dict[str, dict[str, str]]:
    """The notes' fields by item id."""
    notes = (dict(collection.get_note(one).items()) for one in collection.find_notes(""))
    return {note["Item"]: note for note in notes}


def test_every_item_of_the_bank_is_a_note_with_one_card(collection: Collection, tmp_path: Path) -> None:
    bank = load_bank()
    take_in(collection, tmp_path, bank)
    notes = items(collection)
    assert set(notes) == set(bank.items)
    assert collection.card_count() == len(bank.items)
    assert {deck.name for deck in collection.decks.all_names_and_ids()} >= {f"Carousel: LSTM interview::{group.label}" for group in bank.groups}
    for name, note in notes.items():
        shown = "".join(note.values())
        assert not re.search(r"\{\{|<script|<img|\[sound:|\[latex", shown), name
        assert re.sub(r"<code>.*?</code>", "", shown, flags=re.DOTALL).count("$") == 0, name
        assert shown.count(r"\(") == shown.count(r"\)"), name
        for field in note.values():
            assert balanced(field), (name, field)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fine = True

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.fine &= bool(self.open) and self.open.pop() == tag


def balanced(text: str) -> bool:
    """Whether every tag is closed where it should be."""
    tags = _Tags()
    tags.feed(text)
    tags.close()
    return tags.fine and not tags.open


def test_importing_again_updates_and_duplicates_nothing(collection: Collection, tmp_path: Path) -> None:
    take_in(collection, tmp_path, BANK)
    (card,) = collection.find_cards("Item:third/one")
    before = len(items(collection))
    reworded = single("one").model_copy(update={"prompt": "Asked in other words"})
    newer = bank(*BANK.questions[:2], BANK.by_id["third"].model_copy(update={"items": (reworded, *BANK.by_id["third"].items[1:])}))
    take_in(collection, tmp_path, newer, NOON + timedelta(days=1))
    notes = items(collection)
    assert len(notes) == before
    assert notes["third/one"]["Prompt"].startswith("<p>Asked in other words</p>")
    assert list(collection.find_cards("Item:third/one")) == [card]
    assert len([model for model in collection.models.all_names_and_ids() if model.name.startswith("Carousel")]) == 1


def test_weak_spots_are_a_part_of_the_same_notes(collection: Collection, tmp_path: Path) -> None:
    take_in(collection, tmp_path, BANK, only=["third"])
    assert {name.partition("/")[0] for name in items(collection)} == {"third"}
    take_in(collection, tmp_path, BANK, NOON + timedelta(days=1))
    assert len(items(collection)) == len(BANK.items)


def test_weak_spots_are_what_was_tried_and_is_mastered_least() -> None:
    assert weak_spots({"a": 0.5, "b": None, "c": 0.2, "d": 0.6, "e": 0.9}) == ["c", "a"]


def test_options_stand_in_the_same_order_on_both_sides_and_what_is_right_is_told(collection: Collection, tmp_path: Path) -> None:
    take_in(collection, tmp_path, BANK)
    note = items(collection)["third/one"]
    letters = dict(zip(re.findall(r"<li>Option (\w)</li>", note["Prompt"]), "ABCD", strict=True))
    assert re.findall(r'"right">(\w), right', note["Answer"]) == [letters["a"]]
    assert re.findall(r"On (\w)\.", note["Answer"]) == list(letters)


def test_drawn_numbers_are_the_same_in_every_package_and_worked_out(collection: Collection, tmp_path: Path) -> None:
    take_in(collection, tmp_path, BANK)
    note = items(collection)["drawn-numbers/drawn"]
    found = re.search(r"What is (\d+) times (\d+)\?", note["Prompt"])
    assert found
    assert f'<p class="right">{int(found[1]) * int(found[2])}</p>' in note["Answer"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$c_t < f$ and *so*", r"<p>\(c_t &lt; f\) and <em>so</em></p>"),
        ("$a*b*c$ `$x$`", r"<p>\(a*b*c\) <code>$x$</code></p>"),
        ("$$x^{ {2} }$$", r"\[x^{ {2} }\]"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("![a](http://x/y.png)", "<p>a</p>"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
    ],
)
def test_markdown_becomes_html_and_formulas_what_mathjax_reads(text: str, expected: str) -> None:
    assert markdown(text) == expected


def test_text_that_anki_would_act_on_stays_text(collection: Collection, tmp_path: Path) -> None:
    trap = single("one").model_copy(update={"prompt": "[sound:x.mp3] [latex]x[/latex] {{c1::y}}", "choices": choices("a")})
    take_in(collection, tmp_path, bank(question("third", 3, items=(trap, single("two"), single("three")))))
    (card,) = (collection.get_card(one) for one in collection.find_cards("Item:third/one"))
    assert card.question_av_tags() == []
    assert "{{c1::y}}" in card.question()
    assert "[latex]" not in card.question()
