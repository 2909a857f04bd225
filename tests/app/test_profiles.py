"""Profiles at the pages: who is asked and when, that nobody sees anything of the others, and backup and restore by clicks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from streamlit.testing.v1 import AppTest

from quiz.service import RunBook
from quiz.ui import context
from tests.app.learner import PRACTICE, PROGRESS, Open, answered_before, attempts, charts, check, give, has_button, right_answer, says

DATA, PROFILES, LAB = "quiz/ui/pages/data.py", "quiz/ui/pages/profiles.py", "sandbox/ui/pages/lab.py"
NOW = datetime.now(UTC)


def choose(tab: AppTest, name: str) -> AppTest:
    (learner,) = [learner for learner, known in context.profiles().names.items() if known == name]
    return tab.button(key=f"profile_{learner}").click().run()


def shown(tab: AppTest) -> str:
    return says(tab).replace("\\", "")


def asks_who(tab: AppTest) -> bool:
    return tab.title[0].value == "Who is practising?"


def typed(tab: AppTest, field: str, text: str, button: str) -> AppTest:
    tab.text_input(key=field).set_value(text)
    return tab.button(key=button).click().run()


def test_with_one_profile_nobody_is_asked_and_its_name_stands_on_your_data(open_app: Open) -> None:
    tab = open_app(DATA)
    assert tab.title[0].value == "Your data"
    assert "What follows belongs to the profile **learner**." in [text.value for text in tab.markdown]
    assert "Profiles, and a backup of all" in [link.proto.label for link in tab.get("page_link")]


def test_with_two_the_question_comes_first_on_every_page_and_then_the_page(open_app: Open) -> None:
    ada = context.profiles().add("Ada *x*")
    for page in (None, PRACTICE, LAB):
        tab = open_app(page)
        assert asks_who(tab)
        assert not tab.exception
    assert tab.button(key=f"profile_{ada}").label == r"**Ada \*x\*** · nothing yet"
    choose(tab, "Ada *x*")
    assert not asks_who(tab)
    assert not tab.exception


def test_two_sessions_at_once_are_two_learners_and_share_nothing(open_app: Open) -> None:
    answered_before(NOW, days=2)
    (learner,) = context.profiles().names
    before = attempts()
    ben = context.profiles().add("Ben")
    book = RunBook(context.profiles()._database, learner)
    book.begin("mine", {"experiment": "forget-gate", "settings": {}, "first_seed": 0, "seeds": 3, "device": "cpu", "prediction": None})
    book.end("mine", {"state": "cancelled", "error": None, "verdict": None, "record": {}})
    one, two = choose(open_app(PRACTICE), "learner"), choose(open_app(PRACTICE), "Ben")
    for tab in (one, two):
        tab.button(key="start").click().run()
        assert not tab.exception
    service = context.profiles()._service
    sessions = [service.open_session(who) for who in (learner, ben)]
    assert sessions[0].id != sessions[1].id
    turn = service.current(sessions[1].id, NOW, context._quiz[0].rng)
    give(two, turn, right_answer(turn.item))
    check(two)
    views = [service.progress(who, NOW, UTC) for who in (learner, ben)]
    assert [view.attempts for view in views] == [before[0], 1]
    assert "forget-gate" not in says(choose(open_app(PROGRESS), "Ben"))
    address = {"experiment": "forget-gate", "run": "mine"}
    assert "There is no run “mine” here" in shown(choose(open_app(LAB, **address), "Ben"))
    assert "There is no run" not in shown(choose(open_app(LAB, **address), "learner"))


def test_no_section_of_progress_shows_anything_of_another_profile(open_app: Open) -> None:
    answered_before(NOW, days=4)
    (learner,) = context.profiles().names
    ben = context.profiles().add("Ben")
    judge(learner, "mine")
    service = context.profiles()._service
    session = service.start_session(ben, 1, NOW)
    turn = service.current(session.id, NOW, context._quiz[0].rng)
    service.submit(turn.presentation_id, right_answer(turn.item), None, NOW)
    tab = choose(open_app(PROGRESS), "Ben")
    for section, told in {
        "growth": "1 answer on 1 day",  # and so on its calendar, where a day has a square
        "readiness": "Too little data for any single question yet",
        "misconceptions": "None in this choice of groups and days.",
        "forecasts": "1 answer with a forecast so far",
        "predictions": "No prediction",
        "overview": f"**{service.bank.by_id[turn.question_id].title}**",
    }.items():
        tab.get_by_key("section").set_value(section).run()
        assert not tab.exception
        assert told in says(tab), section
        assert "forget-gate" not in says(tab)
    tab.get_by_key("section").set_value("forgetting").run()
    assert [box.options for box in tab.selectbox] == [[f"{turn.question_number} {turn.question_title}"]]
    tab.get_by_key("section").set_value("growth").run()
    assert [alt for alt in charts(tab) if alt.startswith("A calendar. You practised on 1 day of")]
    tab = choose(open_app(PROGRESS, section="Predictions"), "learner")
    assert "No prediction" not in says(tab)


def test_a_link_to_a_run_of_a_deleted_profile_asks_who_is_practising_and_shows_nothing_of_it(open_app: Open) -> None:
    (learner,) = context.profiles().names
    context.profiles().add("Ben")
    judge(learner, "mine")
    address = {"experiment": "forget-gate", "run": "mine"}
    before = choose(open_app(LAB, **address), "learner")
    assert "There is no run" not in shown(before)
    context.profiles().delete(learner, "learner")
    for tab in (before.run(), open_app(LAB, **address)):
        assert not tab.exception
    assert asks_who(before)
    assert "There is no run “mine” here" in shown(choose(before, "Ben"))
    assert "There is no run “mine” here" in shown(open_app(LAB, **address))  # with one profile left nobody is asked


def judge(learner: int, run: str) -> None:
    """A finished run of the learner's, that came out as predicted."""
    book = RunBook(context.profiles()._database, learner)
    book.begin(run, {"experiment": "forget-gate", "settings": {}, "first_seed": 0, "seeds": 3, "device": "cpu", "prediction": "remembers"})
    book.end(run, {"state": "cancelled", "error": None, "verdict": {"status": "supported", "outcome": "remembers"}, "record": {}})


def test_profiles_are_added_renamed_and_told_why_not(open_app: Open) -> None:
    tab = typed(open_app(PROFILES), "profile_new_name", "Ada", "profile_do_add")
    assert "“Ada” is here now, with nothing yet." in shown(tab)
    assert tab.title[0].value == "Profiles and backup"  # still the one who was here
    assert "There is a profile called “Ada” already" in shown(typed(tab, "profile_new_name", " ada", "profile_do_add"))
    typed(tab, "profile_name_1", "Grace", "profile_do_rename_1")
    assert list(context.profiles().names.values()) == ["Grace", "Ada"]
    choose(tab, "Ada")
    assert not has_button(tab, "profile_2")  # one does not change to oneself
    asked = typed(open_app(), "profile_new_name", "Ben", "profile_do_add")
    assert not asks_who(asked)  # who says that they are new goes on at once
    assert list(context.profiles().names.values()) == ["Grace", "Ada", "Ben"]


def test_a_profile_goes_with_its_typed_name_and_who_was_in_it_is_asked_again(open_app: Open) -> None:
    answered_before(NOW, days=1)
    context.profiles().add("Ben")
    practising = choose(open_app(PRACTICE), "learner")
    practising.button(key="start").click().run()
    tab = choose(open_app(PROFILES), "Ben")
    assert "The name typed is not “learner”, so nothing was deleted" in shown(typed(tab, "profile_typed_1", "Learner", "profile_do_delete_1"))
    assert 1 in context.profiles().names
    assert "“learner” was deleted, with everything" in shown(typed(tab, "profile_typed_1", "learner", "profile_do_delete_1"))
    assert dict(context.profiles().names) == {2: "Ben"}
    practising.button(key="skip").click().run()
    assert asks_who(practising)
    assert "The profile that was open here has been deleted." in shown(practising)
    assert not practising.exception
    assert context.profiles()._service.progress(2, NOW, UTC).attempts == 0


def test_a_click_that_finds_the_profile_deleted_already_says_so_as_the_second_of_a_double_click(open_app: Open) -> None:
    ben = context.profiles().add("Ben")
    tab = choose(open_app(PROFILES), "learner")
    context.profiles().delete(ben, "Ben")
    typed(tab, f"profile_typed_{ben}", "Ben", f"profile_do_delete_{ben}")
    assert [told.value for told in tab.success] == [r"“Ben” was deleted, with everything\."]
    assert not tab.error


def test_the_last_profile_makes_room_for_an_empty_one(open_app: Open) -> None:
    answered_before(NOW, days=1)
    tab = typed(open_app(PROFILES), "profile_typed_1", "learner", "profile_do_delete_1")
    assert "was deleted, with everything" in shown(tab)
    assert dict(context.profiles().names) == {2: "learner"}
    assert attempts() == (0, 0)


# --- Backup and restore -----------------------------------------------------------------------------------------


def upload(tab: AppTest, file: bytes) -> AppTest:
    (uploader,) = tab.file_uploader
    uploader.set_value(("backup.db", file, "application/vnd.sqlite3"))
    return tab.run()


def test_a_backup_is_looked_into_confirmed_and_restored_and_everybody_is_asked_anew(open_app: Open) -> None:
    answered_before(NOW, days=2)
    before = attempts()
    context.profiles().add("Ada")
    backup = context._quiz[0].backups.make()
    context.profiles().delete(1, "learner")
    meanwhile, tab = open_app(PRACTICE), open_app(PROFILES)
    upload(tab, backup)
    assert f"The backup holds 2 profiles: learner ({before[0]} answers), Ada (no answers)." in says(tab)
    assert "Here now: 1 profile: Ada (no answers)." in says(tab)
    assert tab.button(key="restore").disabled
    tab.checkbox(key="restore_sure").check().run()
    tab.button(key="restore").click().run()
    assert not tab.exception
    assert asks_who(tab)
    assert "Restored: 2 profiles" in shown(tab)
    choose(tab, "learner")
    assert context.profiles()._service.progress(1, NOW, UTC).attempts == before[0]
    assert asks_who(meanwhile.run())
    assert "A backup has taken the place of everything here" in says(meanwhile)
    kept = list(Path(context.profiles()._database.place).parent.glob("carousel.before-restore-*.db"))
    assert len(kept) == 1


def test_a_damaged_backup_is_refused_and_changes_nothing(open_app: Open) -> None:
    answered_before(NOW, days=1)
    before, backup = attempts(), context._quiz[0].backups.make()
    tab = upload(open_app(PROFILES), backup[: len(backup) // 2])
    assert "This file cannot be restored, and nothing was changed. It is damaged" in shown(tab)
    assert not has_button(tab, "restore")
    assert attempts() == before
