"""What the lab page works with, handed over once by app.py."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.jobs import Laboratory

_laboratory: list[Callable[[], Laboratory]] = []


def configure(laboratory: Callable[[], Laboratory]) -> None:
    """Set what gives the laboratory to a page, with the store of whoever looks at it; replaces what was set before."""
    _laboratory[:] = [laboratory]


def laboratory() -> Laboratory:
    """The laboratory, for whoever looks at the page now. Errors: RuntimeError when app.py has not configured it."""
    if not _laboratory:
        raise RuntimeError("the lab page runs from app.py, which configures it: start it with `python -m quiz serve` or `streamlit run app.py`")
    return _laboratory[0]()
