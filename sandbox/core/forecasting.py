r"""Forecasting right and wrong: an LSTM that reads a learner's answers, and the two forecasts it has to beat.

A question's answers are one sequence. Before its k-th answer the network reads what is known by then,

    x_k = (log(1 + days since its last answer), +1 or -1 as that was right or wrong, logit of the moving average),

zeros for what is not there yet, and says p_k = sigmoid(w h_k + b): its state is the memory of that one question, as the two
numbers of FSRS are (Piech and others 2015, "Deep Knowledge Tracing", read one sequence of all answers instead). It learns
by maximum likelihood from the past alone. Of that past the latest fifth is held out, and the weights with the least
loss there are kept (early stopping): some hundred answers are soon learnt by heart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sandbox.core.devices import Randomness
from sandbox.core.optimizers import Adam
from sandbox.core.training import Best

WINDOW = 20  # answers of the moving average; two more, one right and one wrong, keep it from 0 and 1
HELD_OUT = 0.2
CLIP = 1.0
SURE = 0.99  # a forecast of FSRS is held between this and its opposite: one miss at 100% would cost more than all the rest
_NEWTON_STEPS = 12


@dataclass(frozen=True)
class Training:
    """How the network is trained: `updates` steps of Adam on the whole past, looked at every `look` of them."""

    hidden: int = 8
    updates: int = 80
    look: int = 5
    learning_rate: float = 0.02
    weight_decay: float = 0.01


@dataclass(frozen=True)
class Chains:
    """The log as one row a question: inputs (Q, K, 3), outcomes (Q, K), and each answer's place in the log (Q, K; -1 pads)."""

    x: Tensor
    right: Tensor
    place: Tensor


class Forecaster(nn.Module):
    """Reads rows (Q, K, 3) and gives the logit (Q, K) that each answer is right."""

    def __init__(self, hidden: int, share_right: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)
        with torch.no_grad():
            self.head.bias.fill_(math.log(share_right / (1 - share_right)))

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102  # the class says it
        states, _ = self.lstm(x)  # (Q, K, H)
        logits: Tensor = self.head(states)[..., 0]  # (Q, K)
        return logits


def weights(training: Training) -> int:
    """How many numbers the network learns."""
    return sum(one.numel() for one in Forecaster(training.hidden, 0.5).parameters())


def moving_average(right: Tensor) -> Tensor:
    """For each answer (N,) the share right among the `WINDOW` before it, one right and one wrong added."""
    total = torch.cat([torch.zeros(1, dtype=torch.float64), right.double().cumsum(0)])  # (N + 1,)
    now = torch.arange(len(right))
    start = (now - WINDOW).clamp(min=0)
    return (total[now] - total[start] + 1) / (now - start + 2)


def chains(question: Sequence[int], day: Sequence[float], right: Tensor) -> Chains:
    """The rows of a log in order of time; `right` is (N,) of 0 and 1."""
    rows: dict[int, list[int]] = {}
    for place, name in enumerate(question):
        rows.setdefault(name, []).append(place)
    size = len(rows), max(map(len, rows.values()))
    x, known, at = torch.zeros(*size, 3), torch.zeros(size), torch.full(size, -1, dtype=torch.long)
    recent = torch.logit(moving_average(right)).float()
    days = torch.tensor(day, dtype=torch.float64)
    for row, listed in enumerate(rows.values()):
        places = torch.tensor(listed)
        count = len(listed)
        x[row, :count, 2] = recent[places]
        x[row, 1:count, 0] = torch.log1p((days[places[1:]] - days[places[:-1]]).clamp(min=0)).float()
        x[row, 1:count, 1] = 2 * right[places[:-1]].float() - 1
        known[row, :count], at[row, :count] = right[places].float(), places
    return Chains(x, known, at)


def lstm_forecasts(rows: Chains, start: int, stop: int, seed: int, training: Training) -> Tensor:
    """The chances (stop - start,) that the answers from place `start` to `stop` are right, by a network trained on those
    before `start`. While it forecasts, it reads every answer as it comes; it learns no more.
    """
    past = (rows.place >= 0) & (rows.place < start)
    held_out = past & (rows.place >= round((1 - HELD_OUT) * start))
    width = int((rows.place < stop).logical_and(rows.place >= 0).sum(1).max())
    with Randomness(seed):
        model = Forecaster(training.hidden, _share(rows.right[past]))
    best = _train(model, Chains(rows.x[:, :width], rows.right[:, :width], rows.place[:, :width]), past & ~held_out, held_out, training)
    best.restore()
    with torch.no_grad():
        logits = model(rows.x[:, :width])
    asked = (rows.place[:, :width] >= start) & (rows.place[:, :width] < stop)
    found = torch.empty(stop - start)
    found[rows.place[:, :width][asked] - start] = torch.sigmoid(logits[asked])
    return found


def _train(model: Forecaster, rows: Chains, learn: Tensor, held_out: Tensor, training: Training) -> Best:
    width = int((learn | held_out).sum(1).max())  # the past is the left part of every row
    x, right, learn, held_out = rows.x[:, :width], rows.right[:, :width], learn[:, :width], held_out[:, :width]
    loss_of = nn.functional.binary_cross_entropy_with_logits
    optimizer = Adam(model.parameters(), training.learning_rate, weight_decay=training.weight_decay)
    best = Best(model)
    for update in range(training.updates + 1):
        logits = model(x)
        if update % training.look == 0:
            best.offer(float(loss_of(logits[held_out], right[held_out]).detach()), update)
        if update == training.updates:
            break
        optimizer.zero_grad()
        torch.autograd.backward(loss_of(logits[learn], right[learn]))
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
    return best


def rescaled(recall: Tensor, right: Tensor, later: Tensor) -> Tensor:
    """Chances (M,) of a right answer from recalls `later`: sigmoid(a + b logit R), with a and b fitted to the recalls and
    outcomes (N,) that came before. They start at 0 and 1 and are held near there by a normal prior of deviation 1. What
    FSRS foretells is remembering; an answer can also be guessed, and a remembered question can have a hard item.
    """
    design = torch.stack([torch.ones_like(recall), _bounded_logit(recall)], 1)  # (N, 2)
    start = torch.tensor([0.0, 1.0], dtype=recall.dtype)
    weights = start.clone()
    for _ in range(_NEWTON_STEPS):
        chance = torch.sigmoid(design @ weights)
        slope = (design * (chance * (1 - chance))[:, None]).T @ design + torch.eye(2, dtype=recall.dtype)
        weights = weights + torch.linalg.solve(slope, design.T @ (right - chance) - (weights - start))
    return torch.sigmoid(weights[0] + weights[1] * _bounded_logit(later))


def bounded(recall: Tensor) -> Tensor:
    """Recalls as forecasts: never surer than `SURE`."""
    return recall.clamp(1 - SURE, SURE)


def _bounded_logit(recall: Tensor) -> Tensor:
    return torch.logit(bounded(recall))


def log_loss(chance: Tensor, right: Tensor) -> Tensor:
    """Of each forecast (N,): minus the log of the chance that was given to what came."""
    return -torch.log(torch.where(right > 0.5, chance, 1 - chance).double().clamp(min=1e-12))


def _share(right: Tensor) -> float:
    """The share right, one right and one wrong added."""
    return (float(right.sum()) + 1) / (len(right) + 2)
