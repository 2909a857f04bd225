"""The link between quiz and sandbox is data: every experiment and setting a question names exists."""

import pytest

from questions.loader import load_bank
from questions.schema import SandboxLink
from sandbox.protocol import parse_settings
from sandbox.registry import find_experiment

BANK = load_bank()
LINKS = [(question.id, question.sandbox) for question in BANK.questions] + [(name, item.sandbox) for name, (_, item) in BANK.items.items() if item.sandbox]


@pytest.mark.parametrize(("place", "link"), LINKS, ids=[place for place, _ in LINKS])
def test_every_sandbox_link_opens(place: str, link: SandboxLink) -> None:
    experiment = find_experiment(link.experiment)
    settings = parse_settings(experiment.controls, link.settings)
    assert set(link.settings) <= set(settings)
