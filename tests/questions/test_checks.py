"""The content checks find what they are meant to find."""

from pathlib import Path

import pytest

from questions.checks import check_bank, sentences, spoken_seconds
from questions.formulas import formula_problem
from questions.loader import BANK, QuestionBank, load_bank
from tests.engine.builders import bank, code, number, number_template, question, single

GOOD = (BANK / "q07_forget_gate.toml").read_text(encoding="utf-8")


def test_a_formula_counts_as_a_few_spoken_words() -> None:
    assert spoken_seconds("five words and a formula") == pytest.approx(2.0)
    assert spoken_seconds(r"we write $c_t = f_t \odot c_{t-1}$") == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("It is wiped out, since a forget gate near 1 forgets", "None of the above", "is a catch-all option"),
        ("It moves halfway to zero at each step", "It moves $1/2 of the way", "odd number of $"),
        ("It moves halfway to zero at each step", "It moves <b>halfway</b>", "HTML tag '<b>'"),
        ('points = ["scales-the-old-cell"', 'points = ["one-keeps"', "no item covers this core point"),
    ],
)
def test_a_content_problem_is_named(tmp_path: Path, old: str, new: str, expected: str) -> None:
    (tmp_path / "q.toml").write_text(GOOD.replace(old, new), encoding="utf-8")
    assert any(expected in str(problem) for problem in check_bank(load_bank(tmp_path)))


def test_comparisons_in_text_are_not_mistaken_for_html(tmp_path: Path) -> None:
    (tmp_path / "q.toml").write_text(GOOD.replace("It moves halfway to zero at each step", "It moves while $a<b$ and `x <y>`, or 1 < 2"), encoding="utf-8")
    assert check_bank(load_bank(tmp_path)) == []


def said(of: QuestionBank, *, strict: bool = False, beside: QuestionBank | None = None) -> list[str]:
    """What the checks say, without the study card of the builders, which is no card to learn from."""
    return [str(problem) for problem in check_bank(of, strict=strict, beside=beside) if "card." not in str(problem) and "points (" not in str(problem)]


# --- Formulas ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "latex",
    [
        r"c_t = f_t \odot c_{t-1} + i_t \odot g_t",
        r"\frac{\partial L}{\partial h}",
        r"\left( x \right)",
        r"\text{if } x < 1",
        r"x^{ 3 }",
        r"\lVert g \rVert",
        r"\bar{x}_i^2",
        "10^{-3}",
    ],
)
def test_a_formula_that_can_be_typeset_is_fine(latex: str) -> None:
    assert formula_problem(latex) == ""


@pytest.mark.parametrize(
    "latex",
    [r"\frac{1", r"\frac{1}", r"\odott x", r"x^2^3", r"a_", r"\left( x", r"}{", r"\sqrt", r"\begin{matrix} 1", "", "{" * 21 + "}" * 21, "x" * 1001, "{" * 999],
)
def test_a_formula_that_cannot_be_typeset_is_named(latex: str) -> None:
    assert formula_problem(latex)


def test_every_formula_of_an_item_is_looked_at_with_its_numbers_drawn() -> None:
    item = number_template(prompt=r"{{D}} {{H}}", solution=r"$\frac{ {{product}} }{1$")
    assert [problem.partition(": ")[2] for problem in said(bank(question("q", 1, items=(single("a"), code(), item)))) if "formula" in problem] == [
        r"items (drawn).solution: the formula $\frac{ 22 }{1$ does not parse: Unexpected end of stream, was expecting '$'"
    ]


# --- Words ------------------------------------------------------------------------------------------------------


def test_sentences_end_at_a_stop_or_a_colon_and_formulas_count_as_a_word() -> None:
    assert sentences("One: two `a. b` $x. y$. Three 0.5 four! Five") == ["One:", "two x x.", "Three 0.5 four!", "Five"]


def test_a_sentence_too_long_and_a_heavy_word_are_named_with_what_to_write() -> None:
    item = single("a").model_copy(update={"explanation": "We utilize " + "very " * 40 + "much."})
    found = said(bank(question("q", 1, items=(item, single("b"), single("c")))))
    assert [problem.split(": ", 2)[1:] for problem in found if "items (a)" in problem] == [
        ["items (a).explanation", "a sentence has 43 words; at most 40 are read in one go: 'We utilize very very very very very very very very very very' …"],
        ["items (a).explanation", "'utilize' is hard on readers whose first language is another: write 'use'"],
    ]


@pytest.mark.parametrize(
    "text", ["All of the above", "none of these", "Both a and b", "Neither of them", "None.", "Not enough information to tell", "Any of the options"]
)
def test_a_catch_all_option_is_refused_in_every_wording(text: str) -> None:
    item = single("a")
    item = item.model_copy(update={"choices": (*item.choices[:3], item.choices[3].model_copy(update={"text": text}))})
    assert any("catch-all" in problem for problem in said(bank(question("q", 1, items=(item, single("b"), single("c"))))))


def test_an_option_about_all_of_something_is_no_catch_all() -> None:
    item = single("a")
    item = item.model_copy(
        update={"choices": (*item.choices[:3], item.choices[3].model_copy(update={"text": "All of the gates close, and none of the weights changes"}))}
    )
    assert not any("catch-all" in problem for problem in said(bank(question("q", 1, items=(item, single("b"), single("c"))))))


# --- Snippets and templates -------------------------------------------------------------------------------------


def test_a_snippet_that_is_no_python_is_named_and_none_is_run(tmp_path: Path) -> None:
    trace = tmp_path / "run"
    source = f"from pathlib import Path\nPath('{trace.name}')\nraise SystemExit\n"
    item = code().model_copy(update={"code": source, "fixed": "for in:\n1\n2\n3"})
    found = said(bank(question("q", 1, items=(item, single("b"), single("c")))))
    assert [problem for problem in found if "snippet" in problem] == [
        "q: items (snippet).fixed: is no Python, see line 1: the fault must be one that shows when it runs"
    ]


def test_a_template_is_tried_with_every_combination_and_shows_every_variable() -> None:
    hidden = number_template("hidden", prompt="{{D}}?", solution="S", mistakes=[{"value": -1, "feedback": "F"}])
    broken = number_template("broken", answer="D*H/(D-5)", mistakes=[{"value": -1, "feedback": "F"}])
    found = said(bank(question("q", 1, items=(hidden, broken, single("c")))))
    assert any("items (hidden).variables.H: the learner never sees it: write {{H}} in the prompt" in problem for problem in found)
    assert any("items (broken): with D = 5, H = 7" in problem and "division by zero" in problem for problem in found)


# --- The bank as a whole ----------------------------------------------------------------------------------------


def test_an_item_that_asks_nearly_the_same_as_another_is_named_once() -> None:
    first, again = single("a"), single("b").model_copy(update={"prompt": "Prompt a"})
    found = [problem for problem in said(bank(question("q", 1, items=(first, again, number())))) if "nearly the same" in problem]
    assert found == ["q: items (b): asks nearly the same as q/a (100 of 100 alike, at most 85): change one or leave one out"]


def test_a_file_is_held_against_the_bank_it_will_be_added_to() -> None:
    own, shipped = bank(question("mine", 100, items=(single("a"), number(), code()))), bank(question("q", 1))
    assert any("asks nearly the same as q/one" in problem for problem in said(own, beside=shipped))
    assert not any("nearly" in problem for problem in said(bank(question("q", 1, items=(single("a"), number(), code()))), beside=shipped))


def test_only_strict_asks_for_what_measures_people() -> None:
    small = load_bank(BANK / "q07_forget_gate.toml")
    assert check_bank(small) == []
    few = QuestionBank(tuple(one.model_copy(update={"items": one.items[:3]}) for one in small.questions))
    assert not any("at least 10" in problem for problem in said(few))
    strict = [str(problem) for problem in check_bank(few, strict=True)]
    for expected in ("3 items; at least 10", "at least 4 are expected", "no item covers this expert point", "the bank: formats"):
        assert any(expected in problem for problem in strict), expected
