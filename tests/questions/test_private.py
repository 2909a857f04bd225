"""Private question files: added to the bank that ships; what is broken or hostile gets a message and harms nothing."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from questions.checks import check_bank
from questions.files import printable_path
from questions.loader import BANK, QuestionBankError, load_bank, load_banks

GOOD = (BANK / "q07_forget_gate.toml").read_text(encoding="utf-8")
MINE = GOOD.replace('id = "forget-gate"', 'id = "mine"', 1).replace("number = 7", "number = 100", 1)
SHIPPED = len(load_bank().questions)


def left_out(folder: Path) -> list[str]:
    """Why files of `folder` were left out; the bank that ships is whole in any case."""
    both = load_banks([folder])
    assert len(both.questions) >= SHIPPED
    return [str(problem) for problem in both.left_out]


def test_a_private_question_is_added_at_its_number(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    both = load_banks([tmp_path])
    assert [question.number for question in both.questions] == [*range(1, 25), 100]
    assert (both.left_out, both.files["mine"]) == ((), str(tmp_path / "mine.toml"))


def test_a_broken_file_is_left_out_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    (tmp_path / "broken.toml").write_text("id = ")
    both = load_banks([tmp_path])
    assert "mine" in both.by_id
    assert [str(problem) for problem in both.left_out] == [f"{tmp_path}/broken.toml: not valid TOML: Invalid value (at end of document)"]


def test_an_id_or_number_that_is_taken_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD)
    assert left_out(tmp_path) == [
        f"{tmp_path}/a.toml: id: 'forget-gate' is already used by q07_forget_gate.toml",
        f"{tmp_path}/a.toml: number: 7 is already used by q07_forget_gate.toml",
    ]


def test_several_folders_are_read_and_a_missing_or_empty_one_is_named(tmp_path: Path) -> None:
    for name in ("one", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "mine.toml").write_text(MINE)
    both = load_banks([tmp_path / "empty", tmp_path / "none", tmp_path / "one"])
    assert "mine" in both.by_id
    assert [str(problem) for problem in both.left_out] == [
        f"{tmp_path}/empty: no question files (*.toml) found in this folder",
        f"{tmp_path}/none: there is no such folder or file",
    ]


# --- Hostile files ----------------------------------------------------------------------------------------------


def test_a_pipe_a_device_and_a_folder_that_call_themselves_questions_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")  # opening it to read would wait for ever
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round.toml").symlink_to(tmp_path / "round.toml")
    found = left_out(tmp_path)
    assert [problem.removeprefix(f"{tmp_path}/").split(": ", 1)[0] for problem in found] == ["folder.toml", "gone.toml", "pipe.toml", "round.toml", "zero.toml"]
    assert sum("is no ordinary file" in problem for problem in found) == 3
    assert sum("cannot be read" in problem for problem in found) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"#" * 1_000_001, "at most 1000000 are read"),
        (MINE.encode("utf-16"), "the file must be UTF-8"),
        (MINE.encode("latin-1", "replace").replace(b"forget", b"\xe9"), "the file must be UTF-8"),
        (b"\x00" * 100, "not valid TOML"),
        (b"", "Field required"),
        (b"a = " + b"[" * 100_000, "nested too deeply|not valid TOML"),
        (b"a = " + b"{a=" * 50_000, "nested too deeply|not valid TOML"),
        (b".".join([b"a"] * 100_000) + b" = 1", "Field required|nested too deeply"),
        (b"number = " + b"9" * 10_000, "not valid TOML: Exceeds the limit|Field required"),
        (b"number = 0x" + b"f" * 10_000, "a very large number|less than or equal to 999"),
        (b'"\\u001b[31mred" = 1', r"\\x1b\[31mred: Extra inputs"),
        (b"\n".join(b"a%d = 1" % n for n in range(20_000)), "and [0-9]+ more problems"),
    ],
    ids=["huge", "utf-16", "latin-1", "zeros", "empty", "lists", "tables", "dots", "long number", "long hex number", "escape sequence", "many keys"],
)
def test_whatever_a_file_holds_it_gets_a_message(tmp_path: Path, content: bytes, message: str) -> None:
    import re

    (tmp_path / "hostile.toml").write_bytes(content)
    found = left_out(tmp_path)
    assert any(re.search(message, problem) for problem in found), found
    assert all(problem.isprintable() and len(problem) < 1000 for problem in found)
    assert len(found) <= 51


@pytest.mark.parametrize("bomb", ["9**9**9", "9**999999*9**999999", "round(1, -10**9)", "__import__('os').system('true')", "(" * 150 + "1" + ")" * 150])
def test_a_bomb_in_an_expression_is_refused_and_not_lit(tmp_path: Path, bomb: str) -> None:
    place = MINE.index("\nanswer = ") + 1
    (tmp_path / "bomb.toml").write_text(MINE[:place] + f'answer = "{bomb}"\n' + MINE[MINE.index("\n", place) + 1 :])
    assert any("items[" in problem for problem in left_out(tmp_path))


def test_a_template_with_endless_combinations_and_endless_text_is_tried_in_a_second(tmp_path: Path) -> None:
    variables = ", ".join(f"v{n} = [{', '.join(map(str, range(40)))}]" for n in range(12))
    derive = ", ".join(f'd{n} = "{"+".join(["v1"] * 60)}"' for n in range(24))
    text = "{{v0}} " * 500
    item = f"""
[[items]]
key = "endless"
format = "number"
prompt = '''{text}'''
difficulty = 0
points = ["scales-the-old-cell"]
explanation = '''{text}'''
variables = {{ {variables} }}
derive = {{ {derive} }}
answer = "d1"
solution = '''{text}'''
otherwise = '''{text}'''
mistakes = [ {{ value = "d1 + 1", feedback = '''{text}''' }} ]
"""
    many = "".join(item.replace('"endless"', f'"endless-{n}"') for n in range(20))
    (tmp_path / "endless.toml").write_text(MINE + many)
    assert left_out(tmp_path) == []
    assert "mine/endless-19" in load_banks([tmp_path]).items


def test_scripts_and_tags_are_text_and_the_checks_name_them(tmp_path: Path) -> None:
    wicked = MINE.replace("nine tenths remain", "<script>alert(1)</script><img src=x onerror=alert(1)>")
    (tmp_path / "wicked.toml").write_text(wicked)
    assert left_out(tmp_path) == []
    assert any("has an HTML tag '<script>'" in str(problem) for problem in check_bank(load_bank(tmp_path)))


def test_a_recording_may_not_come_from_another_folder(tmp_path: Path) -> None:
    item = """
[[items]]
key = "curves"
format = "diagnose"
recording = "NAME"
prompt = "P"
difficulty = 0
points = ["scales-the-old-cell"]
explanation = "E"
choices = [ { key = "a", text = "A", correct = true, feedback = "F" }, { key = "b", text = "B", feedback = "F" }, { key = "c", text = "C", feedback = "F" } ]
"""
    for name, message in (("../../secret", "should match pattern"), ("none-such", "no recording none-such.json in"), ("/etc/passwd", "should match pattern")):
        (tmp_path / "mine.toml").write_text(MINE + item.replace("NAME", name))
        assert any(message in problem for problem in left_out(tmp_path)), name
    (tmp_path / "mine.toml").write_text(MINE + item.replace('recording = "NAME"', 'recording = "a"\ncurves = { title = "by hand" }'))
    assert left_out(tmp_path)


def test_a_folder_with_thousands_of_files_is_refused(tmp_path: Path) -> None:
    for number in range(201):
        (tmp_path / f"{number}.toml").touch()
    assert left_out(tmp_path) == [f"{tmp_path}: the folder has 201 question files; at most 200 are read"]


LINES = GOOD.splitlines(keepends=True)
fuzzing = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@fuzzing
@given(st.data())
def test_a_file_with_anything_changed_loads_or_is_named(tmp_path: Path, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(LINES) - 1))
    end = data.draw(st.integers(start, min(len(LINES), start + 5)))
    junk = data.draw(
        st.one_of(
            st.text(max_size=60), st.sampled_from(["answer = nan\n", "choices = [ {} ]\n", "variables = { a = 1 }\n", "derive = { a = 'a' }\n", "[[items]]\n"])
        )
    )
    (tmp_path / "q.toml").write_text("".join([*LINES[:start], junk, *LINES[end:]]), encoding="utf-8", errors="surrogatepass")
    try:
        check_bank(load_bank(tmp_path), strict=True)
    except QuestionBankError as error:
        problems = error.problems
        assert problems and all(str(problem).isprintable() for problem in problems)  # noqa: PT018


@fuzzing
@given(st.binary(max_size=400))
def test_any_bytes_load_or_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "q.toml").write_bytes(content)
    with pytest.raises(QuestionBankError):
        load_bank(tmp_path)


def test_a_long_path_keeps_the_name_of_the_file() -> None:
    path = Path("/", *["deep"] * 200, "mine.toml")
    assert printable_path(path).startswith("…")
    assert printable_path(path).endswith("/deep/mine.toml")
    assert len(printable_path(path)) == 300
    assert printable_path(Path("/a/mine.toml")) == "/a/mine.toml"
