r"""Whether a formula can be typeset, found without a browser by two parsers that look at different things.

`pylatexenc`, strict, sees braces and arguments that are missing; `latex2mathml` sees two superscripts on one base, ``\left`` without
``\right``, and commands nobody knows. (A browser test renders every formula of the bank that ships with KaTeX, as the pages do.)
"""

from __future__ import annotations

import re
from functools import lru_cache

from latex2mathml.converter import convert
from pylatexenc.latexwalker import LatexWalker, LatexWalkerParseError

MAX_LENGTH = 1000
MAX_DEPTH = 20  # of braces: the parsers recurse


@lru_cache(maxsize=4096)
def formula_problem(latex: str) -> str:
    """What is wrong with a formula (without dollar signs), as the end of a sentence; empty when nothing is."""
    if len(latex) > MAX_LENGTH or _depth(latex) > MAX_DEPTH:
        return f"is too long or too deeply nested; at most {MAX_LENGTH} characters and {MAX_DEPTH} levels are typeset"
    if not latex.strip():
        return "is empty"
    try:
        LatexWalker(f"${latex}$", tolerant_parsing=False).get_latex_nodes()
    except LatexWalkerParseError as error:
        return f"does not parse: {' '.join(str(error.msg).split())[:120]}"
    try:
        mathml = convert(latex)
    except Exception as error:  # its errors have no common class
        return f"does not parse: {_words(type(error).__name__)}"
    unknown = re.search(r">(\\[a-zA-Z]+)<", mathml)
    return f"uses {unknown[1]}, which is not known" if unknown else ""


def _depth(latex: str) -> int:
    depth = deepest = 0
    for character in latex:
        depth += (character in "{[(") - (character in "}])")
        deepest = max(deepest, depth)
    return deepest


def _words(name: str) -> str:
    """`DoubleSuperscriptsError` as "double superscripts"."""
    return " ".join(re.findall(r"[A-Z][a-z]+", name.removesuffix("Error"))).lower()
