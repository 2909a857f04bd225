"""The content checks find what they are meant to find."""

from pathlib import Path

import pytest

from questions.checks import check_bank, spoken_seconds
from questions.loader import BANK, load_bank

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
