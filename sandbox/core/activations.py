"""The activations a general LSTM cell may have, written in place, and their derivatives from their own output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

Activation = Literal["tanh", "relu", "softsign", "identity"]
Squash = Literal["sigmoid", "hard-sigmoid"]  # hard-sigmoid is clip(x/6 + 1/2, 0, 1), as torch's


def _softsign(x: Tensor, out: Tensor) -> None:
    torch.div(x, x.abs().add_(1), out=out)


def _hard_sigmoid(x: Tensor, out: Tensor) -> None:
    torch.clamp(x.div(6).add_(0.5), 0, 1, out=out)


# APPLY[name](x, out) writes the activation of x into out, which may be x itself.
APPLY: Mapping[str, Callable[[Tensor, Tensor], object]] = {
    "tanh": lambda x, out: torch.tanh(x, out=out),
    "relu": lambda x, out: torch.clamp_min(x, 0, out=out),
    "softsign": _softsign,
    "identity": lambda x, out: out.copy_(x),
    "sigmoid": lambda x, out: torch.sigmoid(x, out=out),
    "hard-sigmoid": _hard_sigmoid,
}
# SLOPE[name](y) is the derivative where the activation's output is y.
SLOPE: Mapping[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda y: 1 - y * y,
    "relu": lambda y: (y > 0).to(y.dtype),
    "softsign": lambda y: (1 - y.abs()).square_(),
    "identity": torch.ones_like,
    "sigmoid": lambda y: y - y * y,
    "hard-sigmoid": lambda y: ((y > 0) & (y < 1)).to(y.dtype) / 6,
}
