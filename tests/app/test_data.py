"""The page "Your data": what it offers to take out, and a file brought in after a preview."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from streamlit.testing.v1 import AppTest

from quiz.service import RunBook
from quiz.ui import context
from tests.app.learner import Open, answered_before, attempts, has_button, says

DATA = "quiz/ui/pages/data.py"
NOW = datetime.now(UTC)


def own_file() -> bytes:
    return context.quiz().data.json(NOW + timedelta(minutes=1))


def history(open_app: Open) -> tuple[bytes, tuple[int, int]]:
    """The file of a learner with a history, who is somebody else than the one who reads it: their ids are others."""
    answered_before(NOW - timedelta(days=2), days=3)
    known = attempts()
    content = json.loads(own_file())
    text = json.dumps(content)
    for row in content["sessions"] + content["presentations"]:
        text = text.replace(row["id"], row["id"][::-1])
    return text.encode(), known


def upload(tab: AppTest, file: bytes) -> AppTest:
    (uploader,) = tab.file_uploader
    uploader.set_value(("learner.json", file, "application/json"))
    return tab.run()


def shown(tab: AppTest) -> str:
    return "\n".join([says(tab), *(code.value for code in tab.code), *(box.value for box in (*tab.error, *tab.success))])


def test_a_new_learner_finds_every_form_and_is_told_that_the_files_are_empty(open_app: Open) -> None:
    tab = open_app(DATA)
    assert not tab.exception
    assert "Nothing has been answered here yet" in says(tab)
    labels = {button.label: button.disabled for button in tab.download_button}
    items = len(context.quiz().bank.items)
    assert labels == {
        "Download everything": False,
        "Download tables": False,
        f"All {items} items": False,
        "Weak spots (0)": True,
        "Download the report": False,
    }


def test_every_run_is_counted_however_many_there_are(open_app: Open) -> None:
    quiz = context.quiz()
    book = RunBook(quiz.profiles._database, quiz.learner)
    for number in range(51):
        book.begin(f"run-{number}", {"experiment": "forget-gate", "settings": {}, "first_seed": 0, "seeds": 1, "device": "cpu", "prediction": None})
        book.end(f"run-{number}", {"state": "cancelled", "error": None, "verdict": None, "record": {}})
    assert "It holds 51 runs." in says(open_app(DATA))


def test_a_file_is_previewed_first_and_added_by_a_click(open_app: Open) -> None:
    file, (answers, right) = history(open_app)
    tab = upload(open_app(DATA), file)
    assert f"**{answers} new answers**" in says(tab)
    assert attempts() == (answers, right)
    tab.button(key="data_merge").click().run()
    assert not tab.exception
    assert f"{answers} new answers. They count as if they had been given here." in shown(tab)
    assert attempts() == (2 * answers, 2 * right)
    assert not has_button(tab, "data_merge")
    # The same once more adds nothing, and there is nothing to click.
    upload(tab, file)
    assert "Nothing new: all of it is here already." in says(tab)
    assert not has_button(tab, "data_merge")


def test_a_file_that_is_half_known_says_how_much_is_here(open_app: Open) -> None:
    answered_before(NOW - timedelta(days=2), days=3)
    content = json.loads(own_file())
    added = {"presentation": "f" * 32, "session": "e" * 32}
    answer = {**content["attempts"][0], "presentation": added["presentation"]}
    place = next(row for row in content["presentations"] if row["id"] == content["attempts"][0]["presentation"])
    content["attempts"].append(answer)
    content["sessions"].append({**content["sessions"][0], "id": added["session"]})
    content["presentations"].append({**place, "id": added["presentation"], "session": added["session"]})
    tab = upload(open_app(DATA), json.dumps(content).encode())
    assert "**1 new answer**" in says(tab)
    assert f"{attempts()[0]} answers of the file are here already." in says(tab)


def test_a_broken_file_is_refused_with_its_place_and_nothing_changes(open_app: Open) -> None:
    file, before = history(open_app)
    tab = upload(open_app(DATA), file[: len(file) // 2])
    assert "This file was not taken in, and nothing was changed:" in shown(tab)
    assert "not valid JSON, or cut short: " in shown(tab)
    assert not has_button(tab, "data_merge")
    assert attempts() == before


def test_a_file_that_can_no_longer_be_merged_at_the_click_says_so(open_app: Open) -> None:
    file, before = history(open_app)
    tab = upload(open_app(DATA), file)
    other = json.loads(file)
    other["attempts"][0]["correct"] = not other["attempts"][0]["correct"]
    context.quiz().data.merge(json.dumps(other).encode(), NOW)  # in another tab, meanwhile
    tab.button(key="data_merge").click().run()
    assert "attempts[0].correct: this answer is here already and says otherwise" in shown(tab)
    assert attempts()[0] == 2 * before[0]


def test_the_report_is_one_file_without_scripts_that_tells_mastery_and_predictions(open_app: Open) -> None:
    answered_before(NOW - timedelta(days=2), days=3)
    quiz = context.quiz()
    book = RunBook(quiz.service._database, quiz.learner)
    for run_id, predicted, status in (("a", "hit", "supported"), ("b", "miss", "contradicted")):
        book.begin(run_id, {"experiment": "<b>odd", "settings": {}, "first_seed": 0, "seeds": 3, "device": "cpu", "prediction": predicted})
        book.end(run_id, {"state": "finished", "verdict": {"status": status, "outcome": "hit"}, "record": {}})
    page = quiz.data.report(NOW, UTC, quiz.experiment_title, quiz.outcome_text).decode()
    assert "<script" not in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert "&lt;b&gt;odd" in page
    assert "<b>1 of 2</b>predictions of experiments came true" in page
    answers, right = attempts()
    assert f"<b>{answers}</b>answers" in page
    assert f"<b>{right / answers:.0%}</b>right" in page
    for question in quiz.bank.questions:
        assert f"{question.number} {question.title}".replace("&", "&amp;") in page


def test_the_report_of_a_new_learner_is_a_page_too(open_app: Open) -> None:
    quiz = context.quiz()
    page = quiz.data.report(NOW, UTC, quiz.experiment_title, quiz.outcome_text).decode()
    assert "Too little is known yet" in page
    assert "No experiment has run yet." in page
