"""The file to copy and the page that explains it: the file passes the check, the page leaves nothing out."""

import re
from pathlib import Path

import pytest
import torch

from questions.__main__ import main
from questions.loader import load_bank
from questions.measures import ABSOLUTE_LIMIT, LONGEST_LIMIT, SIMILAR_LIMIT
from questions.schema import FORMAT_LABELS, CodeItem, Question
from questions.templates import drawn
from tests.questions.proofs import run

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "docs" / "question-template.toml"
GUIDE = (ROOT / "docs" / "writing-questions.md").read_text(encoding="utf-8")
QUESTION = load_bank(TEMPLATE).questions[0]


def test_the_file_to_copy_passes_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TEMPLATE)]) == 0
    assert "1 question, 8 items" in capsys.readouterr().out


def test_it_has_one_item_of_each_format() -> None:
    assert [item.format for item in QUESTION.items].count("number") == 1
    assert {item.format for item in QUESTION.items} == set(FORMAT_LABELS)


def names_in(schema: object) -> set[str]:
    """Every property of a JSON schema, at any depth."""
    if isinstance(schema, dict):
        return set(schema.get("properties", ())) | set().union(*(names_in(value) for value in schema.values()), set())
    return set().union(*(names_in(value) for value in schema), set()) if isinstance(schema, list) else set()


def test_the_page_names_every_key_and_every_format_of_a_file() -> None:
    keys = names_in(Question.model_json_schema()) - {"curves"}  # filled in by the loader
    assert [key for key in sorted(keys) if not re.search(rf"`[^`\n]*\b{key}\b[^`\n]*`", GUIDE) and f"{key} = " not in GUIDE] == []
    assert [name for name in FORMAT_LABELS if f"| `{name}` |" not in GUIDE] == []


def test_the_limits_on_the_page_are_those_of_the_check() -> None:
    assert f"right in at most {LONGEST_LIMIT:.0%}".replace("%", " %") in GUIDE
    assert f"right in at most {SIMILAR_LIMIT:.0%}".replace("%", " %") in GUIDE
    assert f"at most {ABSOLUTE_LIMIT} times" in GUIDE


def test_what_the_file_says_about_pytorch_holds() -> None:
    items = {item.key: item for item in QUESTION.items}
    snippet = items["fifty-final-states"]
    assert isinstance(snippet, CodeItem)
    assert run(snippet.code)["h"].shape == (1, 50, 16)
    assert run(snippet.fixed)["h"].shape == (1, 32, 16)
    for seed in range(5):
        count = drawn(items["count-a-gru"], seed)
        width, hidden = map(int, re.findall(r"=(\d+)", count.prompt))
        assert count.answer == sum(weights.numel() for weights in torch.nn.GRU(width, hidden).parameters())
    cell = torch.nn.GRUCell(1, 1)
    with torch.no_grad():
        cell.bias_ih[1] = 100.0  # the update gate, second of r, z, n
        assert torch.equal(cell(torch.ones(1, 1), torch.full((1, 1), 0.3)), torch.full((1, 1), 0.3))
