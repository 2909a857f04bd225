"""The study page: browsing, searching, one card by its address, and the way from a card into practice."""

from __future__ import annotations

from quiz.ui import context
from quiz.ui.study import matches, next_question
from tests.app.learner import PRACTICE, STUDY, Open, bare, has_button, links, says, shown_turn


def test_every_question_has_a_tile_under_its_group(open_app: Open) -> None:
    tab = open_app(STUDY)
    bank = context.quiz().bank
    assert not tab.exception
    assert len(links(tab)) == len(bank.questions)
    assert [heading.value for heading in tab.subheader] == [group.label for group, questions in bank.groups.items() if questions]


def test_the_search_narrows_the_tiles_to_cards_with_every_word(open_app: Open) -> None:
    tab = open_app(STUDY)
    tab.text_input(key="search").set_value("Forget GATE reset").run()
    shown = set(links(tab))
    assert "**7 · Forget gate**" in shown
    assert shown == {f"**{q.number} · {q.title}**" for q in context.quiz().bank.questions if matches(q, "forget gate reset")}
    assert len(shown) < len(context.quiz().bank.questions)


def test_a_search_that_finds_nothing_says_so(open_app: Open) -> None:
    tab = open_app(STUDY)
    tab.text_input(key="search").set_value("blockchain").run()
    assert "No card mentions “blockchain”" in tab.info[0].value
    assert links(tab) == []


def test_an_address_opens_its_card_with_everything_on_it(open_app: Open) -> None:
    tab = open_app(STUDY, question="forget-gate")
    question = context.quiz().bank.by_id["forget-gate"]
    page = says(tab)
    assert tab.title[0].value == question.title
    card = question.card
    for text in (question.asks, card.testing, card.model_answer, *card.build, *card.expert_adds, *(trap.truth for trap in card.traps)):
        assert text.strip() in page
    assert [bare(one.value.strip("$\n ")) for one in tab.latex] == [equation.latex for equation in card.equations]
    assert "seconds, spoken without hurry" in page
    assert question.references[0].title in page


def test_every_card_renders(open_app: Open) -> None:
    for question in context.quiz().bank.questions:
        tab = open_app(STUDY, question=question.id)
        assert not tab.exception
        assert tab.title[0].value == question.title


def test_an_unknown_card_is_told_kindly_with_a_way_back(open_app: Open) -> None:
    tab = open_app(STUDY, question="forget-gatte")
    assert not tab.exception
    assert tab.title[0].value == "No such card"
    assert links(tab) == ["All study cards"]


def test_cards_lead_on_in_number_order_and_the_last_leads_nowhere(open_app: Open) -> None:
    bank = context.quiz().bank
    assert [next_question(bank, question) for question in bank.questions] == [*bank.questions[1:], None]


def test_practising_a_card_starts_a_session_of_its_own_items(open_app: Open) -> None:
    tab = open_app(STUDY, question="forget-gate")
    tab.button(key="practise").click().run()
    question = context.quiz().bank.by_id["forget-gate"]
    turn = shown_turn()
    assert turn.question_id == "forget-gate"
    assert turn.session.only == ("forget-gate",)
    assert turn.session.length == len(question.items)
    assert f"Question 1 of {len(question.items)}" in tab.progress[0].text  # the page is the practice page now


def test_an_open_session_is_named_before_another_is_started(open_app: Open) -> None:
    open_app(PRACTICE).button(key="start").click().run()
    tab = open_app(STUDY, question="forget-gate")
    assert "A practice session is open: 0 of 10 questions answered." in says(tab)
    assert "Go on with it" in links(tab)
    assert not has_button(tab, "practise")


def test_the_open_session_can_be_finished_for_this_question(open_app: Open) -> None:
    open_app(PRACTICE).button(key="start").click().run()
    before = shown_turn().session.id
    tab = open_app(STUDY, question="forget-gate")
    tab.button(key="switch").click().run()
    assert shown_turn().session.id != before
    assert shown_turn().question_id == "forget-gate"


def test_a_session_on_this_question_is_gone_on_with(open_app: Open) -> None:
    tab = open_app(STUDY, question="forget-gate")
    tab.button(key="practise").click().run()
    before = shown_turn().presentation_id
    again = open_app(STUDY, question="forget-gate")
    assert again.button(key="practise").label == "Go on practising this question"
    again.button(key="practise").click().run()
    assert shown_turn().presentation_id == before
