"""Cells, tasks, training and probes, on torch and nothing else.

The submodules load on first use, so that declaring an experiment (its claim, controls and rule) does not import
torch: the pages that only list experiments stay light, and the quiz starts without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from . import banks, cells, costs, counting, decoding, devices, forecasting, general_cell, optimizers, probes, ranks, surgery, tasks, texts, training

__all__ = [
    "banks",
    "cells",
    "costs",
    "counting",
    "decoding",
    "devices",
    "forecasting",
    "general_cell",
    "optimizers",
    "probes",
    "ranks",
    "surgery",
    "tasks",
    "texts",
    "training",
]

if not TYPE_CHECKING:
    __getattr__, __dir__, _ = lazy_loader.attach(__name__, submodules=set(__all__))
