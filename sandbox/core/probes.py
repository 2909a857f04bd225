"""Measuring what a network does, and turning tensors into the plain numbers a picture holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor, nn

from sandbox.core.cells import LSTMState, Reader, Trace, trace


def error_or_inf(value: float) -> float:
    """An error for a verdict: what diverged into NaN has infinite error."""
    return math.inf if math.isnan(value) else value


def accuracy(logits: Tensor, target: Tensor) -> float:
    """The share of labelled steps answered right; logits (..., classes), target (...) with −100 where there is no label.

    A network that answers NaN answers nothing: it is counted as wrong, not as the class argmax happens to return.
    """
    labelled = target >= 0
    right = (logits.argmax(-1) == target) & logits.isfinite().all(-1) & labelled
    return float(right.sum()) / float(labelled.sum())


def record_gates(model: Reader, x: Tensor, state: LSTMState | None = None) -> Trace:
    """Every gate and state of the model's LSTM on x (B, T, D), without gradients, on the CPU. Errors: TypeError for another cell."""
    if not isinstance(model.recurrent, nn.LSTM):
        raise TypeError(f"gates are recorded of an LSTM, got {type(model.recurrent).__name__}")
    with torch.no_grad():
        return Trace(*(part.cpu() for part in trace(model.recurrent, x, state)))


def plain(values: Tensor, digits: int = 4) -> list[float]:
    """A tensor (N,) as floats of `digits` significant digits, for a picture."""
    return rounded(values.detach().double().cpu().tolist(), digits)


def rounded(values: Sequence[float], digits: int = 4) -> list[float]:
    """Floats of `digits` significant digits; NaN and infinities stay."""
    return [float(f"{value:.{digits}g}") for value in values]


def thin(values: Sequence[float], at_most: int = 250) -> tuple[list[float], list[float]]:
    """At most `at_most` of a series' values with their positions, counted from 1: the largest of each stretch, so no peak is lost.

    What is not finite is left out, as no axis has a place for it: say it in words.
    """
    size = max(1, math.ceil(len(values) / at_most))
    finite = [(position, value) for position, value in enumerate(values, 1) if math.isfinite(value)]
    stretches = groupby(finite, key=lambda pair: (pair[0] - 1) // size)
    peaks = [max(stretch, key=lambda pair: pair[1]) for _, stretch in stretches]
    return [float(position) for position, _ in peaks], rounded([value for _, value in peaks])
