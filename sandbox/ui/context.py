"""What the lab page works with, handed over once by app.py."""

from __future__ import annotations

from sandbox.jobs import Laboratory

_laboratory: list[Laboratory] = []


def configure(laboratory: Laboratory) -> None:
    """Set the laboratory the page runs its experiments in, replacing what was set before."""
    _laboratory[:] = [laboratory]


def laboratory() -> Laboratory:
    """What app.py configured. Errors: RuntimeError when it has not."""
    if not _laboratory:
        raise RuntimeError("the lab page runs from app.py, which configures it: start it with `python -m quiz serve` or `streamlit run app.py`")
    return _laboratory[0]
