"""Measuring what a network does, and turning tensors into the plain numbers a picture holds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

from sandbox.core.banks import Bank
from sandbox.core.cells import LSTMState, Reader, Trace, trace
from sandbox.core.general_cell import GeneralLSTM


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


def record_gates(model: Reader | Bank, x: Tensor, state: LSTMState | None = None, **how: Any) -> Trace:
    """Every gate and state of the model's LSTM on x (B, T, D), without gradients, on the CPU. Errors: TypeError for another cell.

    `how` (held, masks) is for a GeneralLSTM.
    """
    lstm = model.recurrent
    if not isinstance(lstm, nn.LSTM):
        raise TypeError(f"gates are recorded of an LSTM, got {type(lstm).__name__}")
    with torch.no_grad():
        traced = lstm.trace(x, state, **how) if isinstance(lstm, GeneralLSTM) else trace(lstm, x, state)
    return Trace(*(part.cpu() for part in traced))


@contextmanager
def examining(*models: nn.Module) -> Iterator[None]:
    """Within it models answer without gradients and without dropout; afterwards they are in the mode they were in."""
    modes = [model.training for model in models]
    try:
        for model in models:
            model.eval()
        with torch.no_grad():
            yield
    finally:
        for model, mode in zip(models, modes, strict=True):
            model.train(mode)


# --- Gradient against distance (Hochreiter 1991; Bengio, Simard & Frasconi 1994) --------------------------------


def gradients_by_step(recurrent: nn.LSTM | nn.RNN, x: Tensor, cotangent: Tensor) -> Tensor:
    """‖∂L/∂s_t‖ (T,) for L = cotangent · h_T: how much of the last step's gradient arrives at each step t.

    s_t is the state handed to the next step, (h_t, c_t) or an RNN's h_t; the norm is over units and sequences.
    x (B, T, D), cotangent (B, H); the layer is one layer in one direction, and its parameters' gradients stay as they are.
    """
    state = None
    states: list[tuple[Tensor, ...]] = []
    for x_t in x.unbind(1):  # (B, D)
        _, state = recurrent(x_t[:, None], state)
        states.append(state if isinstance(state, tuple) else (state,))
    flat = [one for step in states for one in step]
    loss = (states[-1][0][0] * cotangent).sum()
    gradients = torch.autograd.grad(loss, flat, allow_unused=True, materialize_grads=True)
    return torch.stack([one.square().sum() for one in gradients]).view(len(states), -1).sum(1).sqrt()


def decades_per_step(norms: Tensor) -> float:
    """The slope of log10 ‖gradient‖ against distance, by least squares over norms (T,): below 0 it vanishes, above it explodes."""
    size = norms.double().cpu().log10()
    distance = torch.arange(len(size) - 1, -1, -1, dtype=torch.float64)
    centred = distance - distance.mean()
    return float((centred * size).sum() / centred.square().sum())


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
