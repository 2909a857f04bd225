r"""One colour a gate and state wherever a formula is set: $f_t$ in a text looks like the forget gate's line in a figure.

The colours are the theme's (.streamlit/config.toml), which the lab's figures read as well; the bank's files hold none. Symbols are
wrapped in KaTeX's ``\textcolor`` as the page is drawn. What is coloured is an activation with its scripts: i, f, g or the candidate
$\tilde c$, o, c, h. What only carries such a letter is not: weights ($W_f$), words (``\text{if}``), an index, the gradient $g$.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import streamlit as st

GATES = "ifgoch"  # in the order of the theme's chartCategoricalColors

_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*\}"  # braces within braces, four deep
_SCRIPT = rf"(?:\s*[_^]\s*(?:{_GROUP}|\\[a-zA-Z]+|[^\s{{}}\\])|')"
_ACCENT = r"\\(?:tilde|widetilde|hat|bar|vec|dot|overrightarrow|overleftarrow|mathbf|boldsymbol|mathit)"
_TOKEN = re.compile(
    rf"(?P<accented>(?P<accent>{_ACCENT})(?:\s*\{{\s*(?P<in_braces>[ifgoch])\s*\}}|\s+(?P<after>[ifgoch])(?![a-zA-Z])){_SCRIPT}*)"
    rf"|\\begin\s*{_GROUP}(?:\s*{_GROUP})?"  # the columns of an array are letters too
    r"|\\(?:[dt]?frac|binom|sqrt)(?=\s*[\[{])|\\(?:under|over)(?:brace|line)(?=\s*\{)"  # commands whose arguments are formulas
    r"|\\(?:[dt]?frac|binom)\s*[^\s\\{]\s*[^\s\\{]"
    rf"|\\[a-zA-Z]+\*?\s*{_GROUP}"  # of any other, words or sizes
    rf"|{_ACCENT}\s+[a-zA-Z]|\\sqrt\s*[^\s\\{{]"
    r"|\\(?:[a-zA-Z]+|.)"
    rf"|{_SCRIPT}"
    rf"|(?P<word>[a-zA-Z]{{2,}}{_SCRIPT}*)"
    rf"|(?P<symbol>(?P<letter>[ifgoch]){_SCRIPT}*)",
    re.DOTALL,
)
# Letters that stand for something else where a formula holds this: gradients have norms, a mean under attention is no cell.
_ELSEWHERE = {"g": r"\lVert g", "c": r"\alpha"}
_MATHS = re.compile(r"(?P<code>(?P<ticks>`+).*?(?<!`)(?P=ticks)(?!`))|(?<!\\)(?P<dollars>\${1,2})(?P<formula>(?:[^$\n]|\n(?!\s*\n))+)(?P=dollars)", re.DOTALL)


def gate_colours() -> tuple[str, ...]:
    """The colours of i, f, g, o, c and h in the viewer's theme."""
    return tuple(st.get_option(f"theme.{'dark' if st.context.theme.type == 'dark' else 'light'}.chartCategoricalColors"))


def coloured(markdown: str) -> str:
    """A text as the page shows it: every gate and state in its formulas has its colour."""
    return colour_text(markdown, gate_colours()) if "$" in markdown else markdown


@lru_cache(maxsize=4096)
def colour_text(markdown: str, colours: tuple[str, ...]) -> str:
    """The formulas of a Markdown text coloured; code and everything else as it is."""

    def one(found: re.Match[str]) -> str:
        dollars = found["dollars"]
        return f"{dollars}{colour_formula(found['formula'], colours)}{dollars}" if dollars else found[0]

    return _MATHS.sub(one, markdown)


@lru_cache(maxsize=4096)
def colour_formula(latex: str, colours: tuple[str, ...]) -> str:
    """A formula (without dollar signs) with its gates and states in `colours`, given in the order of `GATES`."""
    palette = dict(zip(GATES, colours, strict=True))
    for letter, sign in _ELSEWHERE.items():
        if sign in latex:
            del palette[letter]
    return _TOKEN.sub(lambda found: _wrapped(found, palette), latex)


def _wrapped(found: re.Match[str], palette: Mapping[str, str]) -> str:
    letter = found["letter"] or found["in_braces"] or found["after"]
    if letter == "c" and found["accent"] in (r"\tilde", r"\widetilde"):
        letter = "g"  # the candidate's other name
    return rf"\textcolor{{{palette[letter]}}}{{{found[0]}}}" if letter in palette else found[0]
