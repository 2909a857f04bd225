"""Loading a bank: every problem named with its file and place, and the shipped bank complete."""

import json
from pathlib import Path

import pytest

from questions.__main__ import main
from questions.loader import BANK, QuestionBankError, content_hash, load_bank

GOOD = (BANK / "q07_forget_gate.toml").read_text(encoding="utf-8")


def bank_of(folder: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        (folder / f"{name}.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(QuestionBankError) as raised:
        load_bank(folder)
    return [str(problem) for problem in raised.value.problems]


def test_a_good_file_loads(tmp_path: Path) -> None:
    bank = load_bank(bank_of(tmp_path, good=GOOD))
    assert [question.id for question in bank.questions] == ["forget-gate"]
    assert "forget-gate/half-life" in bank.items


def test_the_shipped_bank_has_the_24_questions_in_order() -> None:
    bank = load_bank()
    assert [question.number for question in bank.questions] == list(range(1, 25))
    assert len(bank.items) >= 240
    assert len({item.format for _, item in bank.items.values()}) >= 7


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path) == [f"{tmp_path}: no question files (*.toml) found in this folder"]


def test_a_problem_is_named_with_file_place_and_value(tmp_path: Path) -> None:
    broken = GOOD.replace("difficulty = 0.4", "difficulty = 40").replace('key = "half-life"', 'key = "Half life"')
    assert problems_of(bank_of(tmp_path, broken=broken)) == [
        "broken.toml: items[1] (why-it-was-added).difficulty: Input should be less than or equal to 3, got '40'",
        "broken.toml: items[2] (Half life).key: String should match pattern '^[a-z0-9]+(-[a-z0-9]+)*$', got 'Half life'",
    ]


def test_a_misspelt_key_is_an_error_not_an_omission(tmp_path: Path) -> None:
    broken = GOOD.replace("explanation = '''The gate multiplies", "explanaton = '''The gate multiplies")
    assert problems_of(bank_of(tmp_path, broken=broken)) == [
        "broken.toml: items[0] (f-near-one).explanation: Field required",
        "broken.toml: items[0] (f-near-one).explanaton: Extra inputs are not permitted, got "
        + repr("The gate multiplies the old cell state, so 0.99 keeps almost all of it: over ten steps"[:79] + "…"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "correct = true, feedback = '''Right: $0.99",
            "feedback = '''Right: $0.99",
            "items[0] (f-near-one): exactly one option must have correct = true, found 0",
        ),
        ("{ key = \"b\", text = '''It is wiped", "{ key = \"a\", text = '''It is wiped", "option keys must differ from each other, but a is used twice"),
        (
            'points = ["drops-the-obsolete", "added-in-2000"]',
            'points = ["drops-it"]',
            "item stream-without-it: points drops-it are not among the question's points",
        ),
        ('reference = "jozefowicz-2015"', 'reference = "nobody-1999"', "item true-of-the-gate: reference nobody-1999 is not among"),
        ('value = "1 - left"', 'value = "left"', "mistake 0.1968744043407226 is within tolerance of the right answer 0.1968744043407226"),
        ("sandbox = { experiment", "# sandbox = { experiment", "a predict item needs [items.sandbox] with the experiment it is about"),
    ],
)
def test_a_contradiction_inside_a_question_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    (problem,) = problems_of(bank_of(tmp_path, broken=GOOD.replace(old, new)))
    assert expected in problem


def test_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    problems = problems_of(bank_of(tmp_path, a="id = ", b=b"\xff\xfe", c=GOOD.replace("number = 7", "number = 0")))
    assert [problem.split(":")[0] for problem in problems] == ["a.toml", "b.toml", "c.toml"]
    assert "not valid TOML" in problems[0]
    assert "must be UTF-8" in problems[1]


def test_two_questions_may_not_share_id_or_number(tmp_path: Path) -> None:
    assert problems_of(bank_of(tmp_path, a=GOOD, b=GOOD)) == [
        "b.toml: id: 'forget-gate' is already used by a.toml",
        "b.toml: number: 7 is already used by a.toml",
    ]


def test_a_huge_or_endlessly_nested_file_is_refused(tmp_path: Path) -> None:
    problems = problems_of(bank_of(tmp_path, huge="#" * 1_000_001, nested="a = " + "[" * 100_000))
    assert "at most 1000000 are read" in problems[0]
    assert problems[1].startswith("nested.toml: ")


def test_the_content_hash_follows_the_wording_and_nothing_else(tmp_path: Path) -> None:
    same = load_bank(bank_of(tmp_path, renamed="# a comment\n" + GOOD)).questions[0]
    changed = load_bank(bank_of(tmp_path, renamed=GOOD.replace("nine tenths remain", "nearly all remains"))).questions[0]
    original = load_bank().by_id["forget-gate"]
    assert content_hash(same) == content_hash(original)
    assert content_hash(changed) != content_hash(original)
    assert content_hash(changed.items[0]) != content_hash(original.items[0])
    assert content_hash(changed.items[1]) == content_hash(original.items[1])


def test_check_exits_non_zero_and_names_file_and_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = GOOD.replace(GOOD.split("model_answer = '''")[1].split("'''")[0], "It forgets.")
    assert main(["check", str(bank_of(tmp_path, short=short))]) == 1
    assert "short.toml: card.model_answer: takes 1 s to say; expected 45 to 90 s" in capsys.readouterr().err
    (tmp_path / "short.toml").write_text("broken", encoding="utf-8")
    assert main(["check", str(tmp_path)]) == 1
    assert "short.toml: not valid TOML" in capsys.readouterr().err


def test_check_passes_on_the_shipped_bank_and_export_prints_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--strict"]) == 0
    capsys.readouterr()
    assert main(["export"]) == 0
    exported = json.loads(capsys.readouterr().out)
    assert [question["number"] for question in exported] == list(range(1, 25))
    assert all(len(question["items"]) >= 10 for question in exported)
