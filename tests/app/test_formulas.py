"""The colours of gates and states in formulas: what gets one, what does not, and that nothing else changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from questions.checks import texts_of
from questions.formulas import formula_problem
from questions.loader import load_bank
from quiz.ui.formulas import GATES, colour_formula, colour_text, gate_colours
from sandbox.ui.figures import GATES as LAB_GATES
from sandbox.ui.figures import Look
from tests.app.learner import STUDY, Open, bare

NAMES = tuple(f"#00000{place}" for place in range(6))  # i f g o c h


def marked(latex: str) -> str:
    """Coloured, with `<f f_t>` for what has the forget gate's colour."""
    return re.sub(
        r"\\textcolor\{#00000(\d)\}\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}",
        lambda found: f"<{GATES[int(found[1])]} {found[2]}>",
        colour_formula(latex, NAMES),
    )


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"c_t = f_t \odot c_{t-1} + i_t \odot g_t", r"<c c_t> = <f f_t> \odot <c c_{t-1}> + <i i_t> \odot <g g_t>"),
        (r"f_t = \sigma(W_f x_t + U_f h_{t-1} + b_f)", r"<f f_t> = \sigma(W_f x_t + U_f <h h_{t-1}> + b_f)"),
        (r"f^{(2)}_t + f_{t+1}^{(2)}", r"<f f^{(2)}_t> + <f f_{t+1}^{(2)}>"),
        (r"\tilde{c}_t + \tilde c_t", r"<g \tilde{c}_t> + <g \tilde c_t>"),
        (r"\tilde h_{t-1} = m \odot h", r"<h \tilde h_{t-1}> = m \odot <h h>"),
        (r"\overleftarrow{h}_{t+1}", r"<h \overleftarrow{h}_{t+1}>"),
        (r"\frac{i g}{1 - f} \frac ig \sqrt f", r"\frac{<i i> <g g>}{1 - <f f>} \frac ig \sqrt f"),
        (r"\frac{\partial c_t}{\partial c_{t-1}} = \text{diag of f}(f_t)", r"\frac{\partial <c c_t>}{\partial <c c_{t-1}>} = \text{diag of f}(<f f_t>)"),
        (r"\sum_{i=1}^{h} x_i", r"\sum_{i=1}^{h} x_i"),
        (r"\begin{array}{c} o_t \end{array}", r"\begin{array}{c} <o o_t> \end{array}"),
        (r"\min(1, \theta / \lVert g \rVert) \lVert g_j \rVert h", r"\min(1, \theta / \lVert g \rVert) \lVert g_j \rVert <h h>"),  # the gradient
        (r"c_t = \sum_j \alpha_{tj} h_j", r"c_t = \sum_j \alpha_{tj} <h h_j>"),  # attention's mean, of encoder states
        (r"\hat{y}_t + \mathrm{if} + hits", r"\hat{y}_t + \mathrm{if} + hits"),
    ],
)
def test_activations_have_their_colour_and_what_only_carries_the_letter_has_none(latex: str, expected: str) -> None:
    assert marked(latex) == expected


def formulas_of_the_bank() -> set[str]:
    found = set()
    for question in load_bank().questions:
        for place, text in texts_of(question):
            found |= {text} if place.endswith(".latex") else set(re.findall(r"\$([^$]+)\$", re.sub(r"`[^`]*`", "", text)))
    return found


def test_every_formula_of_the_bank_is_whole_when_coloured_and_itself_when_the_colours_are_taken_off() -> None:
    bank = formulas_of_the_bank()
    painted = {formula: colour_formula(formula, NAMES) for formula in bank}
    assert {formula: bare(one) for formula, one in painted.items()} == {formula: formula for formula in bank}
    assert [one for one in painted.values() if formula_problem(one)] == []
    assert sum("textcolor" in one for one in painted.values()) > 200


@given(some.lists(some.sampled_from([*"ifgochWx_^{} '+(", "\\tilde", "\\frac", "\\text", "\\sum", "\\ ", "_{t-1}", "^{(2)}", "{f}", " "])).map("".join))
def test_whatever_is_written_only_colours_are_added(latex: str) -> None:
    assert re.sub(r"\\textcolor\{#\w{6}\}", "", colour_formula(latex, NAMES)).replace("{", "").replace("}", "") == latex.replace("{", "").replace("}", "")


def test_only_formulas_are_coloured_and_code_and_prices_are_not() -> None:
    text = "The gate $f_t$ in `$f_t$`, for \\$5 and f:\n\n```python\nf = '$f$'\n```\n\n$$h_t$$"
    painted = "The gate $\\textcolor{#000001}{f_t}$ in `$f_t$`, for \\$5 and f:\n\n```python\nf = '$f$'\n```\n\n$$\\textcolor{#000005}{h_t}$$"
    assert colour_text(text, NAMES) == painted


def test_a_card_shows_the_forget_gate_in_the_colour_of_its_line_in_the_lab(open_app: Open) -> None:
    tab = open_app(STUDY, question="forget-gate")
    assert rf"\textcolor{{{Look().colour('f')}}}{{f_t}}" in tab.latex[0].value
    assert dict(zip(GATES, gate_colours(), strict=True)) == {gate: Look().colour(gate) for gate in LAB_GATES}
