"""The faults in the snippets of question 14."""

import math

import torch

from tests.questions.proofs import run

WORDS, START, END = 8, 0, 1


def a_loss_near_zero(faulty: str, fixed: str) -> None:
    """Targets of random words cannot be predicted from a source that has nothing to do with them, yet the faulty loss goes to 0."""
    random, closing = math.log(WORDS - 2), 0.0
    best = (4 * random + closing) / 5  # the end token is certain, as all targets are equally long
    assert _loss_after_training(faulty) < 0.3
    assert _loss_after_training(fixed) > 0.9 * best


def _loss_after_training(source: str) -> float:
    torch.manual_seed(0)
    model = run(source)["Translator"](WORDS, 8, 16)
    optimizer = torch.optim.Adam(model.parameters(), 0.03)
    for _ in range(60):
        optimizer.zero_grad()
        loss = model.loss(*_pairs())
        loss.backward()
        optimizer.step()
    return float(model.loss(*_pairs()).item())


def _pairs() -> tuple[torch.Tensor, torch.Tensor]:
    words = torch.randint(2, WORDS, (64, 4))
    start, end = torch.full((64, 1), START), torch.full((64, 1), END)
    return torch.randint(2, WORDS, (64, 4)), torch.cat([start, words, end], dim=1)
