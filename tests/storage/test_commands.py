"""Settings, the command line, and what the quiz must not import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quiz.settings import DEFAULT_DATABASE, InvalidSettings, Settings
from tests.storage.builders import url
from tests.storage.test_database import used

ROOT = Path(__file__).parents[2]


def command(*arguments: str, cwd: Path = ROOT, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    python_path = {"PYTHONPATH": str(ROOT)} if cwd != ROOT else {}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **python_path, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_settings_have_defaults_and_an_empty_variable_counts_as_not_set():
    defaults = Settings.from_environment({})
    assert (defaults.host, defaults.port) == ("127.0.0.1", 8501)
    assert defaults.database_url.endswith("/data/carousel.db")
    assert DEFAULT_DATABASE == ROOT / "data" / "carousel.db"
    assert Settings.from_environment({"DATABASE_URL": "", "CAROUSEL_HOST": " ", "CAROUSEL_PORT": ""}) == defaults == Settings()


def test_settings_are_read_from_the_environment():
    given = {"DATABASE_URL": "sqlite:////x/y.db", "CAROUSEL_HOST": "0.0.0.0", "CAROUSEL_PORT": "9000"}
    assert Settings.from_environment(given) == Settings("sqlite:////x/y.db", "0.0.0.0", 9000)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8501.0", "８５０１", "9" * 5000])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(InvalidSettings, match="CAROUSEL_PORT must be a whole number from 1 to 65535, got '"):
        Settings.from_environment({"CAROUSEL_PORT": port})


@pytest.mark.parametrize(("given", "expected"), [("yes", True), ("No", False), ("", None)])
def test_opening_a_browser_can_be_asked_for_and_forbidden(given: str, expected: bool | None) -> None:
    assert Settings.from_environment({"CAROUSEL_OPEN": given}).open_browser is expected


def test_another_word_for_opening_a_browser_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="CAROUSEL_OPEN must be yes or no, got 'maybe'"):
        Settings.from_environment({"CAROUSEL_OPEN": "maybe"})


def test_every_bad_setting_is_named_at_once():
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_environment({"CAROUSEL_PORT": "x", "CAROUSEL_HOST": "http://me"})
    assert [problem.split()[0] for problem in caught.value.problems] == ["CAROUSEL_HOST", "CAROUSEL_PORT"]


def test_migrate_creates_the_database_and_can_be_repeated(tmp_path):
    for _ in range(2):
        done = command("-m", "quiz", "migrate", DATABASE_URL=url(tmp_path))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{tmp_path / 'carousel.db'} is up to date\n"


def test_rebuild_reports_that_folding_anew_is_identical(tmp_path):
    used(tmp_path)
    done = command("-m", "quiz", "rebuild", DATABASE_URL=url(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 attempts folded anew: identical\n", "")


@pytest.mark.parametrize("name", ["serve", "migrate", "rebuild"])
def test_an_unusable_database_ends_every_command_with_a_message_and_no_traceback(tmp_path, name):
    (tmp_path / "carousel.db").write_text("not a database")
    done = command("-m", "quiz", name, DATABASE_URL=url(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path / 'carousel.db'}: this file is not an SQLite database. What to do:")
    assert "Traceback" not in done.stderr
    assert (tmp_path / "carousel.db").read_text() == "not a database"


def test_a_broken_question_file_stops_serve_before_anything_starts(tmp_path):
    """A copy of the program with one file of the bank broken, as an author would break it."""
    for name in ("quiz", "questions"):
        (tmp_path / name).mkdir()
        for path in (ROOT / name).rglob("*"):
            if path.suffix in {".py", ".toml", ".mako"}:
                target = tmp_path / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    broken = tmp_path / "questions" / "bank" / "q07_forget_gate.toml"
    broken.write_text(broken.read_text(encoding="utf-8").replace('level = "core"', 'level = "coer"', 1), encoding="utf-8")
    done = command("-m", "quiz", "serve", cwd=tmp_path, PYTHONPATH=str(tmp_path), DATABASE_URL=url(tmp_path))
    assert done.returncode == 1
    assert "q07_forget_gate.toml: points[0] (scales-the-old-cell).level" in done.stderr
    assert "'coer'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "carousel.db").exists()


def test_a_bad_setting_is_named(tmp_path):
    done = command("-m", "quiz", "serve", CAROUSEL_PORT="eighty", DATABASE_URL=url(tmp_path))
    assert (done.returncode, done.stderr) == (1, "CAROUSEL_PORT must be a whole number from 1 to 65535, got 'eighty'\n")


IMPORTS = """
import sys, random, datetime
from quiz.service import QuizService, RunBook
from quiz.storage.database import open_database
from questions.loader import load_bank
from quiz.engine.grading import InvalidResponse, Response
import quiz.settings, quiz.views

service = QuizService(open_database(sys.argv[1]), load_bank())
now = datetime.datetime.now(datetime.UTC)
session = service.start_session(service.default_learner(), 5, now)
turn = service.current(session.id, now, random.Random(0))
try:
    service.submit(turn.presentation_id, Response(turn.order[:1], "1"), None, now)
except InvalidResponse:
    pass
service.progress(1, now, datetime.UTC)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "pandas", "plotly", "streamlit", "distributed", "pyarrow", "sklearn"}))
"""


def test_the_quiz_path_imports_neither_torch_nor_pandas_nor_a_page(tmp_path):
    done = command("-c", IMPORTS, url(tmp_path))
    assert (done.stderr, done.stdout) == ("", "[]\n")


PAGES = """
import importlib, pkgutil, sys
import quiz.ui

names = [module.name for module in pkgutil.walk_packages(quiz.ui.__path__, "quiz.ui.") if not module.name.startswith("quiz.ui.pages")]
for name in names:
    importlib.import_module(name)
print(len(names) > 0, sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "pandas", "distributed", "pyarrow", "sklearn"}))
"""


def test_the_quizs_pages_import_neither_torch_nor_pandas():
    done = command("-W", "error", "-c", PAGES)
    assert (done.returncode, done.stdout) == (0, "True []\n"), done.stderr


def test_folders_of_questions_are_read_in_order_each_once_with_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    given = os.pathsep.join(["/a", " ", "~/mine", "/a", "relative"])
    assert Settings.from_environment({"QUESTIONS_PATH": given}).questions == (Path("/a"), tmp_path / "mine", Path("relative"))
    assert Settings.from_environment({}).questions == ()


def test_a_backup_is_written_and_restored_from_the_command_line_after_a_typed_word(tmp_path: Path) -> None:
    here, file = used(tmp_path), tmp_path / "kept.db"
    done = command("-m", "quiz", "backup", str(file), DATABASE_URL=url(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{file} holds 1 profile: learner (2 answers, 0 runs)\n", "")
    again = command("-m", "quiz", "backup", str(file), DATABASE_URL=url(tmp_path))
    assert (again.returncode, again.stderr) == (1, f"{file} is there already; name another file\n")
    here.unlink()
    refused = command("-m", "quiz", "restore", str(file), DATABASE_URL=url(tmp_path), stdin="no\n")
    assert (refused.returncode, refused.stdout.endswith("Nothing was changed\n")) == (1, True)
    restored = command("-m", "quiz", "restore", str(file), DATABASE_URL=url(tmp_path), stdin="restore\n")
    assert restored.returncode == 0
    assert f"{here} holds 1 profile: learner (0 answers, 0 runs), all of which it replaces" in restored.stdout
    assert len(list(tmp_path.glob("carousel.before-restore-*.db"))) == 1
    assert command("-m", "quiz", "rebuild", DATABASE_URL=url(tmp_path)).stdout == "2 attempts folded anew: identical\n"
    broken = command("-m", "quiz", "restore", str(tmp_path / "nowhere.db"), "--yes", DATABASE_URL=url(tmp_path))
    assert (broken.returncode, broken.stderr) == (1, f"{tmp_path / 'nowhere.db'} cannot be read: No such file or directory.\n")
