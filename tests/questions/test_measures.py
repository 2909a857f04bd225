"""The tells: each strategy finds what it looks for, ties count by chance, and a few items prove nothing."""

import json

import pytest

from questions.__main__ import main
from questions.checks import check_bank
from questions.loader import QuestionBank, load_bank
from questions.measures import family, overlap, tells, visible
from questions.schema import Choice, SingleItem
from tests.engine.builders import bank, multiple, number, question, single


def with_options(key: str, prompt: str, *texts: str) -> SingleItem:
    """A single choice whose first option is right."""
    choices = tuple(Choice(key=letter, text=text, correct=letter == "a", feedback="F") for letter, text in zip("abcdef", texts, strict=False))
    return single(key).model_copy(update={"prompt": prompt, "choices": choices})


def figures(*items: SingleItem) -> dict[str, float]:
    numbers = (number("n1"), number("n2"), number("n3"))  # they have no options
    return {tell.name: tell.figure for tell in tells(bank(question("q", 1, items=(*items, *numbers))))}


def test_taking_the_longest_option_is_counted_and_ties_by_chance() -> None:
    right = with_options("a", "P", "the longest of them", "short", "brief", "tiny")
    tied = with_options("b", "P", "equal", "equol", "tiny", "one")
    wrong = with_options("c", "P", "short", "the longest of them", "brief", "tiny")
    assert figures(right, tied, wrong)["longest option"] == pytest.approx((1 + 1 / 2 + 0) / 3)


def test_taking_the_option_with_the_words_of_the_question_is_counted() -> None:
    right = with_options("a", "What does the forget gate scale?", "the forget gate scales", "weights", "inputs", "losses")
    nothing = with_options("b", "What does the forget gate scale?", "nothing", "weights", "inputs", "losses")
    assert figures(right, nothing)["option most like the question"] == pytest.approx((1 + 1 / 4) / 2)


def test_absolute_words_are_compared_between_wrong_and_right_options() -> None:
    even = with_options("a", "P", "it always holds", "never", "sometimes", "often")
    assert figures(even)["absolute words in wrong options"] == pytest.approx((2 / 4) / (2 / 2))


def test_length_is_what_is_seen_and_not_what_is_typed() -> None:
    assert len(visible(r"$\alpha \odot \beta$")) == 3
    assert overlap("The gates of an LSTM", "a gate in the LSTM") == 1


def test_a_tell_fails_only_beyond_its_limit_and_on_enough_items() -> None:
    items = tuple(with_options(f"i{n}", f"P {n}", "the longest of them", f"s{n}", f"b{n}", f"t{n}") for n in range(20))
    assert tells(bank(question("q", 1, items=items)))[0].fails
    assert not tells(bank(question("q", 1, items=items[:19])))[0].fails
    assert any("shorten right options" in str(problem) for problem in check_bank(bank(question("q", 1, items=items))))


def test_options_of_three_or_six_are_left_out_of_the_strategies_over_four() -> None:
    three = with_options("a", "P", "the longest of them", "b", "c")
    assert {tell.of for tell in tells(bank(question("q", 1, items=(three, multiple("m"), number()))))} == {0}


def test_the_bank_that_ships_has_no_tell() -> None:
    measured = tells(load_bank())
    assert [tell.name for tell in measured if tell.figure > tell.limit] == []
    assert all(tell.of >= 60 for tell in measured)


def test_a_family_in_numbers() -> None:
    own = family(question("q", 1, items=(single("a", difficulty=-1), single("b", difficulty=1.2), number())))
    assert (own.items, dict(own.formats), own.easiest, own.hardest, own.easy, own.hard) == (3, {"number": 1, "single": 2}, -1, 1.2, 1, 1)
    assert own.uncovered == {"core": ("p2", "p3", "p4"), "expert": (), "wrong": ()}


def test_the_report_holds_counts_coverage_tells_and_problems(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    shipped: QuestionBank = load_bank()
    assert (report["questions"], report["items"], report["problems"]) == (24, len(shipped.items), [])
    assert (
        sum(report["formats"].values()) == sum(report["difficulty"].values()) == sum(one["items"] for one in report["families"].values()) == len(shipped.items)
    )
    assert report["coverage"]["core"]["points"] == report["coverage"]["core"]["covered"] > 24
    assert set(report["tells"]) == {"longest option", "option most like the question", "absolute words in wrong options"}
