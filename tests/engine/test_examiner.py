"""The examiner: what is asked next, why, and in which order the options stand."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questions.schema import Group, Question
from quiz.engine.ability import estimate
from quiz.engine.examiner import GAP, MOST_REPEATS, Pick, Shown, pick
from quiz.engine.state import NOTHING_YET, LearnerState, fold
from tests.engine.builders import NOON, fact, multiple, number, order, predict, question, single

GATE_1, GATE_2, GATE_3 = (question(f"gate-{n}", n, Group.GATES) for n in (1, 2, 3))
TRAIN_4, TRAIN_5 = (question(f"train-{n}", n, Group.TRAINING) for n in (4, 5))
FIVE = (GATE_1, GATE_2, GATE_3, TRAIN_4, TRAIN_5)
LATER = NOON + timedelta(days=30)


def ask(
    questions: tuple[Question, ...] = FIVE,
    state: LearnerState = NOTHING_YET,
    shown: tuple[Shown, ...] = (),
    remaining: int = 10,
    now: datetime = NOON,
    seed: int = 0,
) -> Pick:
    abilities = estimate(state.evidence, {one.id: one.group.value for one in questions})
    return pick(questions, state, abilities, shown, remaining, now, random.Random(seed))


def seen(question_: Question, correct: bool | None, item: int = 0) -> Shown:
    return Shown(question_.id, f"{question_.id}/{question_.items[item].key}", question_.items[item].format, correct)


def test_a_newcomer_starts_with_the_first_question_and_then_changes_group():
    assert (ask().question.id, ask().reason) == ("gate-1", "new")
    assert ask(shown=(seen(GATE_1, True),)).question.id == "train-4"
    assert ask(shown=(seen(GATE_1, True), seen(TRAIN_4, True))).question.id == "gate-2"


def test_what_is_due_comes_before_what_is_new_the_most_likely_forgotten_first():
    state = fold(NOTHING_YET, [fact("gate-2", True, confidence="sure"), fact("train-5", True, confidence="guess")])
    chosen = ask(state=state, now=LATER)
    assert (chosen.question.id, chosen.reason) == ("train-5", "due")
    assert ask(state=state, now=LATER, shown=(seen(TRAIN_5, True),)).question.id == "gate-2"
    after_both = ask(state=state, now=LATER, shown=(seen(TRAIN_5, True), seen(GATE_2, True)))
    assert (after_both.question.id, after_both.reason) == ("train-4", "new")


def test_nothing_due_or_new_is_practised_ahead_of_time():
    state = fold(NOTHING_YET, [fact(one.id, True, confidence="guess" if one is GATE_3 else "sure") for one in FIVE])
    chosen = ask(state=state, now=NOON + timedelta(minutes=5))
    assert (chosen.question.id, chosen.reason) == ("gate-3", "ahead")


def test_a_miss_comes_again_in_another_form_after_two_others():
    miss = seen(GATE_1, False)
    state = fold(NOTHING_YET, [fact("gate-1", False)])
    assert ask(state=state, shown=(miss,)).reason == "new"
    assert ask(state=state, shown=(miss, seen(TRAIN_4, True))).reason == "new"
    chosen = ask(state=state, shown=(miss, seen(TRAIN_4, True), seen(GATE_2, True)))
    assert (chosen.question.id, chosen.reason) == ("gate-1", "again")
    assert chosen.item.key != "one"
    assert GAP == 2


def test_a_miss_comes_sooner_when_the_session_is_about_to_end():
    shown = (seen(GATE_1, False), seen(TRAIN_4, True))
    assert ask(shown=shown, remaining=2).reason == "new"
    assert (ask(shown=shown, remaining=1).question.id, ask(shown=shown, remaining=1).reason) == ("gate-1", "again")


def test_a_miss_on_the_last_but_one_is_not_asked_straight_after():
    assert ask(shown=(seen(GATE_1, False),), remaining=1).question.id == "train-4"


def test_a_question_missed_three_times_is_left_for_another_day():
    others = (seen(TRAIN_4, True), seen(GATE_2, True))
    shown = (seen(GATE_1, False), *others, seen(GATE_1, False, 1), *others)
    assert ask(shown=shown).question.id == "gate-1"
    assert ask(shown=(*shown, seen(GATE_1, False, 2), *others)).question.id != "gate-1"
    assert MOST_REPEATS == 2


def test_a_mended_or_skipped_question_is_not_asked_again():
    others = (seen(TRAIN_4, True), seen(GATE_2, True))
    for outcome in (True, None):
        shown = (seen(GATE_1, False), *others, seen(GATE_1, outcome, 1), *others)
        assert ask(shown=shown).question.id != "gate-1"


def test_items_not_seen_yet_come_first_then_those_answered_least():
    state = fold(NOTHING_YET, [fact("gate-1", True, item="one"), fact("gate-1", True, item="two", minutes=1)])
    assert {ask((GATE_1,), state, now=LATER, seed=seed).item.key for seed in range(9)} == {"three"}
    state = fold(state, [fact("gate-1", True, item=item, minutes=2) for item in ("three", "one", "three")])
    assert {ask((GATE_1,), state, now=LATER, seed=seed).item.key for seed in range(9)} == {"two"}


def test_among_unseen_items_the_one_nearest_to_the_ability_is_asked():
    graded = question("q", 1, items=(single("easy", -2.5), single("middle", 0.0), single("hard", 1.2)))
    assert ask((graded,)).item.key == "middle"
    able = fold(NOTHING_YET, [fact("q", True, item=f"old-{n}", minutes=n) for n in range(12)])
    assert ask((graded,), able, now=LATER).item.key == "hard"
    weak = fold(NOTHING_YET, [fact("q", False, item=f"old-{n}", minutes=n) for n in range(12)])
    assert ask((graded,), weak, now=LATER).item.key == "easy"


def test_formats_stay_mixed_within_a_session():
    two_kinds = question("q", 1, items=(number("count"), single("choose"), single("select")))
    other = question("r", 2, Group.TRAINING, items=(number("count"), number("sum"), number("total")))
    assert ask((two_kinds,)).item.format == "number"  # it cannot be guessed, so it says most
    shown = tuple(seen(other, True, n) for n in range(3))
    assert ask((two_kinds, other), shown=shown).item.format == "single"


def test_a_session_on_one_question_goes_round_its_items_and_says_again_after_a_miss():
    first = seen(GATE_1, False)
    chosen = ask((GATE_1,), shown=(first,))
    assert (chosen.question.id, chosen.reason) == ("gate-1", "again")
    assert chosen.item.key != "one"
    assert ask((GATE_1,), shown=(seen(GATE_1, True),)).reason == "ahead"


@pytest.mark.parametrize("item", [single("only"), multiple("only"), predict("only")])
def test_options_are_shuffled_by_the_given_chance_and_none_is_lost(item):
    alone = question("q", 1, items=(item, single("x", 3.0), single("y", 3.0)))
    orders = {ask((alone,), seed=seed).order for seed in range(30) if ask((alone,), seed=seed).item.key == "only"}
    assert len(orders) > 5
    assert all(sorted(one) == list("abcd") for one in orders)
    assert ask((alone,), seed=3) == ask((alone,), seed=3)


def test_steps_never_stand_in_the_right_order_and_a_number_has_none():
    steps = question("q", 1, items=(order("s", keys="abc"), single("x", 3.0), single("y", 3.0)))
    orders = {ask((steps,), seed=seed).order for seed in range(60)}
    assert len(orders) == 5
    assert ("a", "b", "c") not in orders
    assert ask((question("q", 1, items=(number("n"), single("x", 3.0), single("y", 3.0))),)).order == ()


outcomes = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=25)


@given(outcomes, st.integers(1, 5), st.integers(0, 2**32))
def test_in_any_session_no_item_follows_itself_and_no_question_either_unless_it_is_alone(answers, size, seed):
    rng = random.Random(seed)
    questions = FIVE[:size]
    state, shown = NOTHING_YET, []
    for turn, correct in enumerate(answers):
        now = NOON + timedelta(minutes=turn)
        abilities = estimate(state.evidence, {one.id: one.group.value for one in questions})
        chosen = pick(questions, state, abilities, shown, len(answers) - turn, now, rng)
        item = f"{chosen.question.id}/{chosen.item.key}"
        assert chosen.question in questions
        if shown:
            assert item != shown[-1].item_id
            assert size == 1 or chosen.question.id != shown[-1].question_id
        if chosen.reason == "new":
            assert chosen.question.id not in state.questions
        shown.append(Shown(chosen.question.id, item, chosen.item.format, correct))
        if correct is not None:
            state = fold(state, [fact(chosen.question.id, correct, now, chosen.item.key)])


@given(st.lists(st.booleans(), min_size=10, max_size=10))
def test_in_a_session_of_ten_every_early_miss_comes_again(answers):
    shown: list[Shown] = []
    for turn, correct in enumerate(answers):
        chosen = ask(shown=tuple(shown), remaining=10 - turn, now=NOON)
        shown.append(Shown(chosen.question.id, f"{chosen.question.id}/{chosen.item.key}", chosen.item.format, correct))
    first_miss = next((one for one, correct in zip(shown, answers, strict=True) if not correct), None)
    if first_miss is not None and shown.index(first_miss) <= 7:
        assert sum(one.question_id == first_miss.question_id for one in shown) >= 2


# --- what an answer is worth on a later day ---


def worths(**best: float) -> dict[str, float]:
    """Each question's items are worth its figure, the second a little more and the third less."""
    return {f"{one.id}/{key}": best.get(one.id.replace("-", "_"), 0.0) + more for one in FIVE for key, more in (("one", 0.0), ("two", 0.1), ("three", -0.1))}


def ask_worth(worth, state=NOTHING_YET, shown=(), now=NOON, due_first=True) -> Pick:
    return pick(FIVE, state, {}, shown, 10, now, random.Random(0), worth, due_first)


def test_the_question_and_item_worth_most_are_asked():
    chosen = ask_worth(worths(gate_3=2.0, train_4=1.0))
    assert (chosen.question.id, chosen.item.key, chosen.reason) == ("gate-3", "two", "new")


def test_a_question_of_another_group_is_preferred_when_it_is_worth_nearly_as_much():
    shown = (seen(GATE_1, True),)
    assert ask_worth(worths(gate_3=2.0, train_4=1.8), shown=shown).question.id == "train-4"
    assert ask_worth(worths(gate_3=2.0, train_4=1.0), shown=shown).question.id == "gate-3"


def test_what_is_due_comes_first_unless_an_interview_says_otherwise():
    state = fold(NOTHING_YET, [fact("train-5", True)])
    assert (ask_worth(worths(gate_3=2.0), state, now=LATER).question.id, ask_worth(worths(gate_3=2.0), state, now=LATER).reason) == ("train-5", "due")
    assert ask_worth(worths(gate_3=2.0), state, now=LATER, due_first=False).question.id == "gate-3"


def test_the_reason_says_what_the_chosen_question_is():
    state = fold(NOTHING_YET, [fact("train-5", True)])
    assert ask_worth(worths(train_5=2.0), state, due_first=False).reason == "ahead"
    assert ask_worth(worths(train_5=2.0), state, now=LATER, due_first=False).reason == "due"


def test_a_miss_comes_again_before_what_is_worth_more():
    shown = (seen(GATE_1, False), seen(TRAIN_4, True), seen(GATE_2, True))
    assert (ask_worth(worths(gate_3=2.0), shown=shown).question.id, ask_worth(worths(gate_3=2.0), shown=shown).reason) == ("gate-1", "again")


def test_items_of_this_session_are_not_repeated_while_others_are_left():
    shown = tuple(seen(question_, True, item) for question_ in (GATE_1, TRAIN_4) for item in range(3))
    assert ask_worth(worths(gate_1=5.0, train_4=4.0, gate_2=0.5), shown=shown).question.id == "gate-2"


def test_an_idea_missed_last_time_comes_back_in_an_item_not_seen_yet():
    ideas = {"one": "p1", "two": "p2", "three": "p3", "four": "p1"}
    several = question("gate-1", 1, Group.GATES, tuple(single(key).model_copy(update={"points": (point,)}) for key, point in ideas.items()))
    state = fold(
        NOTHING_YET, [replace(fact("gate-1", False, item="one"), points=("p1",)), replace(fact("gate-1", True, item="two", minutes=1), points=("p2",))]
    )
    assert {ask((several,), state, now=LATER, seed=seed).item.key for seed in range(5)} == {"four"}
