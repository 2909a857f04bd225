"""The snippets of question 17 do what their items say."""

from __future__ import annotations

import torch

from tests.questions.proofs import run


def forgets_while_writing(faulty: str, fixed: str) -> None:
    assert not _writes_what_one_reading_says(faulty)
    assert _writes_what_one_reading_says(fixed)


def _writes_what_one_reading_says(source: str) -> bool:
    """Whether the words written one by one are those that the LSTM names when it reads the same text in one call."""
    torch.manual_seed(0)
    parts = run(source)
    parts["embed"].weight.data.mul_(3)
    first = torch.arange(12)[:, None]
    with torch.no_grad():
        written = parts["write"](first, 8)
        read = parts["lstm"](parts["embed"](torch.cat([first, written[:, :-1]], 1)))[0]
        named = parts["readout"](read).argmax(-1)
    return torch.equal(written, named)
