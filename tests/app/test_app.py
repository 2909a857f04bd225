"""The wiring: pages, what cannot be used, the server's socket and headers, and texts the pages share."""

from __future__ import annotations

import ast
import asyncio
import socket
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit.testing.v1 import AppTest

from questions.schema import SandboxLink
from quiz.ui import asgi, context
from quiz.ui.text import as_text, changes, counted, fenced, lab_address, plain_number, spoken_seconds, when
from tests.app.learner import DIAGNOSTIC, PRACTICE, PROGRESS, ROOT, STUDY, Open, carousel, says

LAB = "sandbox/ui/pages/lab.py"


@pytest.fixture
def nothing_started() -> Iterator[None]:
    """No services from an earlier test; what a test starts is closed."""
    st.cache_resource.clear()
    yield
    context.close()
    st.cache_resource.clear()


def first_page() -> AppTest:
    """The app on settings that may be broken."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()


@pytest.mark.parametrize("page", [None, PRACTICE, STUDY, LAB, PROGRESS, DIAGNOSTIC])
def test_every_page_opens(open_app: Open, page: str | None) -> None:
    tab = open_app(page)
    assert not tab.exception
    assert tab.title


@pytest.mark.parametrize(
    ("environment", "platform", "terminal", "expected"),
    [
        ({"DISPLAY": ":0"}, "linux", True, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True, True),
        ({}, "darwin", True, True),
        ({}, "linux", True, False),  # no screen: a text browser would take the terminal
        ({"DISPLAY": ":0"}, "linux", False, False),  # a service, a test
        ({"DISPLAY": ":10", "SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}, "linux", True, False),
    ],
)
def test_a_browser_is_opened_only_where_somebody_sits(environment: dict[str, str], platform: str, terminal: bool, expected: bool) -> None:
    assert asgi.at_a_desktop(environment, platform, terminal) is expected


# --- What cannot be used ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_started")
def test_a_file_that_is_no_database_is_named_and_left_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("dear diary, this is no database at all")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    tab = first_page()
    assert not tab.exception
    assert tab.title[0].value == "Carousel cannot start yet"
    assert str(path) in tab.code[0].value
    assert "What to do" in says(tab)
    assert path.read_text() == "dear diary, this is no database at all"


@pytest.mark.usefixtures("nothing_started")
def test_a_database_of_a_newer_version_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    connection.close()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    tab = first_page()
    assert tab.title[0].value == "Carousel cannot start yet"
    assert str(path) in tab.code[0].value


@pytest.mark.usefixtures("nothing_started")
def test_a_bad_port_is_named_with_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAROUSEL_PORT", "eighty")
    tab = first_page()
    assert "CAROUSEL_PORT must be a whole number from 1 to 65535, got 'eighty'" in tab.code[0].value


@pytest.mark.usefixtures("nothing_started")
def test_a_mended_setting_starts_the_app_on_the_next_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAROUSEL_PORT", "eighty")
    tab = first_page()
    monkeypatch.delenv("CAROUSEL_PORT")
    tab.run()
    assert "Ready for the LSTM interview?" in says(tab)


def test_every_problem_of_a_bank_is_listed_by_file_and_place() -> None:
    def page() -> None:
        from questions.loader import Problem, QuestionBankError
        from quiz.ui import unusable

        unusable.show(QuestionBankError([Problem("q07.toml", "items[2]", "is <b>bad</b>"), Problem("q08.toml", "", "not valid TOML")]))

    tab = AppTest.from_function(page).run()
    assert tab.code[0].value == "q07.toml: items[2]: is <b>bad</b>\nq08.toml: not valid TOML"


# --- Worker processes import app.py again -----------------------------------------------------------------------


def test_a_broken_question_file_of_ones_own_is_named_and_the_rest_can_be_practised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    good = (ROOT / "questions" / "bank" / "q07_forget_gate.toml").read_text()
    (tmp_path / "mine.toml").write_text(good.replace('id = "forget-gate"', 'id = "mine"', 1).replace("number = 7", "number = 100", 1))
    (tmp_path / "broken.toml").write_text("<script>alert(1)</script>")
    monkeypatch.setenv("QUESTIONS_PATH", str(tmp_path))
    with carousel() as open_tab:
        for page in (None, STUDY):
            tab = open_tab(page)
            assert not tab.exception
            assert tab.code[0].value.startswith(f"{tmp_path}/broken.toml: not valid TOML")
        assert context.quiz().bank.by_id["mine"].number == 100
        tab = open_tab(PRACTICE).button(key="start").click().run()
        assert not tab.warning


def test_importing_the_app_under_another_name_does_nothing() -> None:
    module = ast.parse((ROOT / "app.py").read_text())
    docstring, guard = module.body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(guard, ast.If)
    assert ast.unparse(guard.test) == "__name__ == '__main__'"


# --- The server -------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    with asgi.listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(asgi.CannotListen, match=rf"Port {port} on 127.0.0.1 is already in use.*CAROUSEL_PORT"):
            asgi.listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(asgi.CannotListen, match="CAROUSEL_HOST"):
        asgi.listen("192.0.2.1", 0)


def test_the_listening_socket_says_it_is_tcp_so_that_asyncio_turns_delays_off() -> None:
    with asgi.listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


async def _hello(request: object) -> PlainTextResponse:
    return PlainTextResponse("hello")


def get(path: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer that went through the middleware."""
    routes = [Route(known, _hello) for known in ("/", "/_stcore/metrics", "/_stcore/health")]
    app = asgi.SecurityHeaders(asgi.KnownPages(Starlette(routes=routes)))
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, sent[1]["body"]


@pytest.mark.parametrize("path", ["/", "/nowhere", "/_stcore/metrics"])
def test_every_answer_carries_the_security_headers(path: str) -> None:
    _, headers, _ = get(path)
    assert headers.items() >= asgi.security_headers().items()


def test_scripts_come_from_here_only_and_none_is_evaluated() -> None:
    policy = dict(part.split(" ", 1) for part in asgi.security_headers()["content-security-policy"].split("; "))
    assert policy["script-src"].startswith("'self' 'sha256-")
    assert "unsafe" not in policy["script-src"]
    assert policy["frame-ancestors"] == "'none'"


def test_an_address_without_a_page_gets_a_way_back_and_every_page_and_file_is_left_alone() -> None:
    for path in ("/nothing", "/study/nothing", "/studying"):
        status, headers, body = get(path)
        assert (status, headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert b"There is no such page" in body
        assert b'href="/"' in body
    for path in ("/study", "/study/", "/favicon.png", "/media/1f", "/study/_stcore/health", "/app/static/x"):
        assert b"no such page" not in get(path)[2]  # for Streamlit to answer


def test_every_page_of_the_app_has_a_known_address(open_app: Open) -> None:
    assert {page["url_pathname"] for page in open_app()._registered_pages.values()} == asgi.PAGES


def test_the_servers_figures_are_closed_and_its_health_is_open() -> None:
    assert get("/_stcore/metrics")[0] == 404
    assert get("/_stcore/health")[2] == b"hello"


# --- Waiting ----------------------------------------------------------------------------------------------------


def test_a_click_while_something_is_done_under_a_bar_is_heard_after_it_and_cuts_nothing_off() -> None:
    def page() -> None:
        import streamlit as st
        from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

        from quiz.ui.waiting import do_under_bar

        def work(told):
            get_script_run_ctx().script_requests.request_rerun(RerunData())  # what a click does
            told(0.5, "Half of it")
            st.session_state.done = [*st.session_state.get("done", ()), "all"]

        if "done" not in st.session_state:
            do_under_bar(work, "Beginning")
        st.text(st.session_state.done)

    tab = AppTest.from_function(page).run()
    assert [text.value for text in tab.text] == ["['all']"]
    assert not tab.get("progress")


# --- Shared texts -----------------------------------------------------------------------------------------------

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (timedelta(seconds=-5), "now"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(minutes=59), "in 59 minutes"),
        (timedelta(minutes=59, seconds=50), "in 1 hour"),
        (timedelta(hours=5), "in 5 hours"),
        (timedelta(hours=24), "tomorrow"),
        (timedelta(days=3), "in 3 days"),
        (timedelta(days=21), "in 3 weeks"),
        (timedelta(days=91), "in 3 months"),
    ],
)
def test_times_ahead_are_told_as_a_person_would(ahead: timedelta, expected: str) -> None:
    assert when(NOW + ahead, NOW) == expected


def test_the_lab_address_holds_the_experiment_and_every_setting_as_text() -> None:
    link = SandboxLink(experiment="gradient-clipping", settings={"steps": 20, "clip": 0.5, "rule": "xor", "deep": True}, look_for="x")
    assert lab_address(link) == {"experiment": "gradient-clipping", "clip": "0.5", "deep": "true", "rule": "xor", "steps": "20"}


def test_speaking_time_counts_words_and_the_symbols_of_formulas() -> None:
    assert spoken_seconds(" ".join(["word"] * 150)) == 60
    assert spoken_seconds(" ".join(["word"] * 140) + r" $c_t = f_t \odot c$") > spoken_seconds(" ".join(["word"] * 140))


@pytest.mark.parametrize(("value", "expected"), [(4640.0, "4,640"), (0.1343, "0.1343"), (4.66e-10, "4.66e-10"), (-3.0, "-3"), (12345678.0, "1.235e+07")])
def test_numbers_are_written_plainly(value: float, expected: str) -> None:
    assert plain_number(value) == expected


def test_what_somebody_typed_is_shown_as_it_is() -> None:
    assert as_text(" 1e5 *b* $x$ ") == r"1e5 \*b\* \$x\$"
    # Kept apart, because Streamlit draws -- as one dash and makes links of addresses whatever stands before them.
    assert as_text("B -- b") == r"B \-:small[]\- b"
    assert as_text("https://www.x.y a@b.c :material/home:") == r"https\::small[]//www:small[]\.x\.y a:small[]@b\.c \::small[]material/home\:"
    assert as_text("&amp;") == r"\&amp;"


def test_code_is_fenced_whatever_backticks_it_holds() -> None:
    assert fenced("a = 1", "text") == "```text\na = 1\n```"
    assert fenced("a = '````'", "text").startswith("`````text\n")


def test_mended_code_shows_what_went_and_what_came() -> None:
    assert changes("a\nb\nc", "a\nd\nc") == "  a\n- b\n+ d\n  c"


def test_counts_agree_with_their_noun() -> None:
    assert (counted(1, "question"), counted(2, "question"), counted(1, "is", "are"), counted(0, "is", "are")) == ("1 question", "2 questions", "1 is", "0 are")
