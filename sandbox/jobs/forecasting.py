"""What runs in a training process when forecasts of a learner's answers are compared: train block by block, judge, draw."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from sandbox import core
from sandbox.forecasting import LEAST, LSTM, AnswerLog, Comparison, Contender, Effort, contenders
from sandbox.protocol import Bars, Lines, Panel, Series

if TYPE_CHECKING:
    from torch import Tensor

OnProgress = Callable[[float, str], None]

LEARN_FIRST = 1 / 3  # of the log, before the first block
LABELS = {
    "average": "the moving average",
    "fsrs": "FSRS as it is",
    "rescaled": "FSRS, rescaled",
    "app": "this app's own forecast",
    LSTM: "the LSTM",
}
ROLES = {"average": "oracle", "fsrs": "rnn", "rescaled": "ablated", "app": "remedy", LSTM: "lstm"}
COIN = math.log(2)


def compare(log: AnswerLog, effort: Effort, on_progress: OnProgress | None = None) -> Comparison:
    """Train and judge on the latest answers of the log; a few CPU seconds. Errors: ValueError for a log with too little in it.

    `on_progress` is told how much is done, from 0 to 1, and what that is in words.
    """
    log = log.latest
    if log.judgeable < LEAST:
        raise ValueError(f"a comparison needs {LEAST} answers that FSRS has a forecast for, got {log.judgeable}")
    import torch

    core.devices.use_one_thread()
    begun = time.process_time()
    bounds = _bounds(len(log), effort.blocks)
    judged = [place for place in range(bounds[0], len(log)) if log.fsrs[place] is not None and log.app[place] is not None]
    chances = _chances(log, bounds, effort, on_progress)
    right = torch.tensor(log.right).double()
    losses = {key: [core.forecasting.log_loss(row, right)[judged] for row in rows] for key, rows in chances.items()}  # key -> seed -> (M,)
    mean = {key: sum(rows[1:], rows[0]) / len(rows) for key, rows in losses.items()}
    days = [math.floor(log.days[place]) for place in judged]
    found = contenders(LABELS, {key: one.tolist() for key, one in mean.items()}, days)
    return Comparison(
        answers=len(log),
        learnt_from=bounds[0],
        learnt_to=bounds[-2],
        judged=len(judged),
        days=len(set(days)),
        contenders=found,
        seeds=tuple(float(one.mean()) for one in losses[LSTM]),
        weights=core.forecasting.weights(core.forecasting.Training()),
        pictures=(_bars(found), _blocks(mean, judged, bounds)),
        seconds=time.process_time() - begun,
    )


def _bounds(answers: int, blocks: int) -> list[int]:
    """Where blocks begin, and the end: `blocks` of equal size after the first third."""
    start = round(LEARN_FIRST * answers)
    return [start + round(block * (answers - start) / blocks) for block in range(blocks + 1)]


def _chances(log: AnswerLog, bounds: Sequence[int], effort: Effort, on_progress: OnProgress | None) -> dict[str, list[Tensor]]:
    """Every contender's chance of each answer (N,), NaN where there is none; the LSTM has one row a seed."""
    import torch

    tools = core.forecasting
    right = torch.tensor(log.right).double()
    fsrs, app = (torch.tensor([math.nan if one is None else one for one in column], dtype=torch.float64) for column in (log.fsrs, log.app))
    rows = tools.chains(log.questions, log.days, right)
    training = replace(tools.Training(), updates=effort.updates)
    rescaled, networks = torch.full_like(fsrs, math.nan), [torch.full_like(fsrs, math.nan) for _ in range(effort.seeds)]
    for block, (start, stop) in enumerate(pairwise(bounds)):
        known = ~fsrs[:start].isnan()
        rescaled[start:stop] = tools.rescaled(fsrs[:start][known], right[:start][known], fsrs[start:stop])
        for seed, row in enumerate(networks):
            if on_progress is not None:
                done, all_of_them = block * effort.seeds + seed, effort.blocks * effort.seeds
                on_progress(done / all_of_them, f"{done} of {all_of_them} LSTMs trained, on the first {start:,} answers now")
            row[start:stop] = tools.lstm_forecasts(rows, start, stop, core.devices.derive_seed(seed, str(start)), training).double()
    return {"average": [tools.moving_average(right)], "fsrs": [tools.bounded(fsrs)], "rescaled": [rescaled], "app": [app], LSTM: networks}


# --- Pictures ---------------------------------------------------------------------------------------------------


def _bars(found: Sequence[Contender]) -> Bars:
    best = min(found, key=lambda one: one.log_loss)
    told = ", ".join(f"{one.label} {one.log_loss:.3f}" for one in found)
    title = f"{_capital(best.label)} comes closest: log loss {best.log_loss:.3f}"
    series = [Series(one.label, ROLES[one.key], [], [one.log_loss]) for one in found]
    alt = f"{title}. All of them, less is better: {told}; a coin has {COIN:.3f}."
    return Bars("forecast_losses", title, alt, "log loss", [""], series, ((COIN, "a coin"),))


def _blocks(mean: Mapping[str, Tensor], judged: Sequence[int], bounds: Sequence[int]) -> Lines:
    """Loss by block, over how many answers had come before it."""
    lines: list[Series] = []
    for key, losses in mean.items():
        x, y = [], []
        for start, stop in pairwise(bounds):
            own = [index for index, place in enumerate(judged) if start <= place < stop]
            if own:
                x.append(float(start))
                y.append(float(losses[own].mean()))
        lines.append(Series(LABELS[key], ROLES[key], x, y))
    lstm = lines[-1]
    title = f"With {lstm.x[0]:.0f} answers to learn from the LSTM's log loss is {lstm.y[0]:.3f}, with {lstm.x[-1]:.0f} it is {lstm.y[-1]:.3f}"
    ends = ", ".join(f"{line.label} {line.y[0]:.3f} to {line.y[-1]:.3f}" for line in lines)
    alt = f"{title}. From the first block to the last: {ends}."
    return Lines("forecast_blocks", title, alt, "answers before the block", [Panel("Log loss in each block", "log loss", lines)])


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
