"""Two people on one machine: two browsers at once are two learners; renamed, deleted, backed up and restored by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser import demo
from tests.browser.conftest import PHONE, Pages
from tests.browser.server import Server
from tests.browser.steps import button, keyed, settle, sideways_px, start_practice, visit

ASKED = "Who is practising?"
NAME = "B -- :smile: b"


def choose(page: Page, name: str) -> None:
    keyed(page, "profile_choice").get_by_role("button", name=name).click()
    expect(page.get_by_role("heading", name=ASKED)).to_have_count(0)
    settle(page)


def fill(page: Page, field: str, text: str) -> None:
    box = keyed(page, field).get_by_role("textbox")
    box.fill(text)


def open_popover(page: Page, learner: int, label: str) -> None:
    keyed(page, f"profile_row_{learner}").get_by_role("button", name=label, exact=True).click()


def says(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()


def test_a_tab_stays_whose_it_was_over_a_refresh_and_asks_at_the_next_click_once_the_profile_is_gone(fresh_app: Server, open_page: Pages) -> None:
    one = open_page()
    visit(one, f"{fresh_app.url}/profiles")
    fill(one, "profile_new_name", NAME)
    button(one, "profile_do_add").click()
    expect(keyed(one, "profile_row_2").get_by_text(NAME, exact=True)).to_be_visible()  # shown as it is, to be typed like that

    # Two tabs of one browser are two people, whichever was there last.
    two = open_page(same_as=one)
    visit(two, f"{fresh_app.url}/profiles")
    keyed(two, "profile_row_2").get_by_role("button", name="Practise").click()
    expect(keyed(two, "profile_row_2")).to_contain_text("practising here now")
    expect(two.get_by_test_id("stTopNavLink").get_by_text(NAME, exact=True)).to_be_visible()
    for tab, row in ((one, 1), (two, 2), (one, 1)):
        tab.reload()
        expect(keyed(tab, f"profile_row_{row}")).to_contain_text("practising here now")

    # One is deleted in the middle of an item, here with a double click.
    start_practice(two, fresh_app.url)
    open_popover(one, 2, "Delete")
    fill(one, "profile_typed_2", NAME)
    button(one, "profile_do_delete_2").dblclick()
    says(one, f"“{NAME}” was deleted, with everything")
    button(two, "skip").click()
    says(two, "The profile that was open here has been deleted.")


def test_two_people_practise_at_once_and_one_leaves_and_comes_back_from_the_backup(fresh_app: Server, open_page: Pages, tmp_path: Path) -> None:
    demo.answers_only(fresh_app.database, datetime.now(UTC))
    ada, ben = open_page(), open_page(size=PHONE)  # two browsers: nothing is shared between them

    # Alone, nobody is asked.
    visit(ada, f"{fresh_app.url}/profiles")
    open_popover(ada, 1, "Rename")
    fill(ada, "profile_name_1", "Ada")
    button(ada, "profile_do_rename_1").click()
    expect(keyed(ada, "profile_row_1")).to_contain_text("Ada")
    fill(ada, "profile_new_name", "Ben")
    button(ada, "profile_do_add").click()
    says(ada, "“Ben” is here now")

    # Another browser is asked, also on a phone; it then goes on as somebody else, over a refresh and in a new tab.
    visit(ben, f"{fresh_app.url}/progress")
    says(ben, ASKED)
    assert sideways_px(ben) == 0
    choose(ben, "Ben")
    says(ben, "Nothing here yet")
    visit(ben, f"{fresh_app.url}/progress")
    says(ben, "Nothing here yet")
    tab = open_page(same_as=ben)
    visit(tab, f"{fresh_app.url}/profiles")
    expect(keyed(tab, "profile_row_2")).to_contain_text("practising here now")
    assert sideways_px(tab) == 0
    visit(ada, f"{fresh_app.url}/progress")
    expect(ada.get_by_text("Nothing here yet")).to_have_count(0)

    # A backup, and then somebody leaves, who is asked to type the name.
    visit(ada, f"{fresh_app.url}/profiles")
    with ada.expect_download() as started:
        button(ada, "backup").click()
    backup = tmp_path / "backup.db"
    started.value.save_as(backup)
    visit(tab, f"{fresh_app.url}/profiles")
    open_popover(tab, 1, "Delete")
    fill(tab, "profile_typed_1", "ada")
    button(tab, "profile_do_delete_1").click()
    says(tab, "The name typed is not “Ada”, so nothing was deleted")
    fill(tab, "profile_typed_1", "Ada")
    button(tab, "profile_do_delete_1").click()
    says(tab, "“Ada” was deleted, with everything")
    visit(ada, f"{fresh_app.url}/practice")
    says(ada, "The profile that was open here has been deleted.")

    # The backup brings her back; everybody is asked anew.
    broken = tmp_path / "broken.db"
    broken.write_bytes(backup.read_bytes()[:50_000])
    upload = keyed(tab, "restore_file").locator("input[type=file]")
    upload.set_input_files(broken)
    says(tab, "This file cannot be restored, and nothing was changed.")
    upload.set_input_files(backup)
    expect(keyed(tab, "restore_preview")).to_contain_text("2 profiles: Ada (")
    keyed(tab, "restore_sure").locator("label").click()
    expect(button(tab, "restore")).to_be_enabled()
    button(tab, "restore").click()
    says(tab, "Restored: 2 profiles: Ada (")
    visit(ada, f"{fresh_app.url}/progress")
    says(ada, ASKED)
    choose(ada, "Ada")
    expect(ada.get_by_text("Nothing here yet")).to_have_count(0)
    visit(ben, f"{fresh_app.url}/profiles")
    choose(ben, "Ben")
    expect(keyed(ben, "profile_row_2")).to_contain_text("nothing yet")
