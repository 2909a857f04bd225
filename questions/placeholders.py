"""``{{name}}`` and ``{{name:.3g}}`` in a text, and how the values look that take their place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from questions.expressions import Value

_PLACE = re.compile(r"\{\{([^{}]*)\}\}")
_INSIDE = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*(?::\s*(\S*?))?\s*")
# The part of Python's format specs that shows a number; a width could fill the memory.
_SPEC = re.compile(r"[+]?,?(?:\.[0-9]{1,2})?[defg%]?")
_DEFAULT = ".4g"


def placeholders(text: str) -> Iterator[tuple[str, str]]:
    """Name and format spec of every placeholder. Errors: ValueError for one that cannot be read."""
    for found in _PLACE.finditer(text):
        inside = _INSIDE.fullmatch(found[1])
        if inside is None or not _SPEC.fullmatch(inside[2] or ""):
            raise ValueError(f"{found[0]} is no placeholder; write {{{{name}}}} or {{{{name:.3g}}}}, and spaces between braces that LaTeX needs")
        yield inside[1], inside[2] or ""


def fill(text: str, values: Mapping[str, Value]) -> str:
    """`text` with values for its placeholders. Errors: KeyError for an unknown name, ValueError for a spec that does not fit its value."""

    def shown_at(found: re.Match[str]) -> str:
        ((name, spec),) = placeholders(found[0])
        return shown(values[name], spec)

    return _PLACE.sub(shown_at, text)


def shown(value: Value, spec: str = "") -> str:
    """A value in a text: whole numbers as they are, others with four significant digits unless the spec says otherwise."""
    if isinstance(value, str):
        if spec:
            raise ValueError(f"{value!r} is a word and takes no format {spec!r}")
        return value
    if spec:
        return f"{value:{spec}}"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:{_DEFAULT}}"
