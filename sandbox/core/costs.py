"""What a forward and backward pass costs, in memory and in time, and checkpointing, which trades one for the other.

Backpropagation keeps what every step computed until the gradient comes by. Checkpointing keeps only the states at the
borders of segments and reads each segment again when its turn comes (Chen et al. 2016; Gruslys et al. 2016).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from sandbox.core.cells import LSTMState, Reader

SummedLoss = Callable[[Tensor, Tensor], Tensor]  # of logits (B, T, classes) and targets (B, T): a sum, so that segments add up

# Processor time of this thread: what other programs take does not count. Windows reads it too coarsely.
_clock = time.perf_counter if sys.platform == "win32" else time.thread_time


def kept_bytes(model: nn.Module, forward: Callable[[], object]) -> int:
    """What `forward` keeps for its backward pass; the parameters of `model`, which are there anyway, not counted."""
    parameters = {one.untyped_storage().data_ptr() for one in model.parameters()}
    seen: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = forward()  # as long as it lives everything kept is alive, so no two have the same place
    size = sum(size for place, size in seen.items() if place not in parameters)
    del result
    return size


def shortest(jobs: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """The shortest of `rounds` times of each job, in seconds. They take turns, so that a busy moment hits all alike; a first round is not counted."""
    best = [float("inf")] * len(jobs)
    for number in range(rounds + 1):
        for place, job in enumerate(jobs):
            begun = _clock()
            job()
            if number:
                best[place] = min(best[place], _clock() - begun)
    return best


# --- Checkpointing ----------------------------------------------------------------------------------------------


def fill_in_segments(model: Reader, x: Tensor, target: Tensor, segments: int, summed_loss: SummedLoss, scale: float = 1.0) -> None:
    """Put the gradient of scale · summed_loss over x (B, T, D), target (B, T) into `.grad`, keeping one segment's steps at a time."""
    model.zero_grad()
    pieces = list(_segments(model, x, target, segments))
    arriving: list[Tensor] = []  # the gradient with respect to the state after the segment
    for part, wanted, state in reversed(pieces):
        begin = _leaf(state)
        logits, end = model(part, begin)
        ends = list(end)[: len(arriving)]  # of the last segment nobody wants the state
        torch.autograd.backward([scale * summed_loss(logits, wanted), *ends], [None, *arriving])
        arriving = [] if begin is None else [one.grad for one in begin if one.grad is not None]


def kept_in_segments(model: Reader, x: Tensor, target: Tensor, segments: int, summed_loss: SummedLoss) -> int:
    """The most that `fill_in_segments` keeps at a time, in bytes: the states at all borders, and one segment's steps."""
    pieces = list(_segments(model, x, target, segments))
    borders = sum(one.nbytes for _, _, state in pieces if state is not None for one in state)

    def read(part: Tensor, wanted: Tensor, begin: LSTMState | None) -> Tensor:
        return summed_loss(model(part, begin)[0], wanted)

    return borders + max(kept_bytes(model, lambda piece=piece: read(piece[0], piece[1], _leaf(piece[2]))) for piece in pieces)  # type: ignore[misc]


def _segments(model: Reader, x: Tensor, target: Tensor, segments: int) -> Iterator[tuple[Tensor, Tensor, LSTMState | None]]:
    """Each segment's inputs and targets with the state it begins from."""
    state: LSTMState | None = None
    parts = list(zip(x.chunk(segments, 1), target.chunk(segments, 1), strict=True))
    for number, (part, wanted) in enumerate(parts, 1):
        yield part, wanted, state
        if number < len(parts):
            with torch.no_grad():
                _, state = model(part, state)


def _leaf(state: LSTMState | None) -> LSTMState | None:
    """The same state as the beginning of a graph of its own."""
    if state is None:
        return None
    h, c = (one.detach().requires_grad_() for one in state)
    return h, c
