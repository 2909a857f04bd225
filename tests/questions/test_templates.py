"""Items with drawn numbers: the same for all time from the same seed, consistent for every combination, refused when one is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from questions.loader import content_hash, load_bank
from questions.placeholders import fill, shown
from questions.schema import Item, NumberItem, NumberTemplate, Template, TraceItem, TraceTemplate
from questions.templates import CannotDraw, check_template, drawn
from tests.engine.builders import number, number_template, single, trace_template

TEMPLATES = {name: item for name, (_, item) in load_bank().items.items() if isinstance(item, Template)}
ITEM: TypeAdapter[Item] = TypeAdapter(Item)
SEEDS = st.integers(0, 2**31 - 1)


def test_drawing_fills_every_text_and_works_out_every_number():
    item = drawn(number_template(), 2)
    assert isinstance(item, NumberItem)
    assert item.prompt == "What is 5 times 11?"
    assert item.solution == "5 times 11 is 55."
    assert item.answer == 55
    assert [(mistake.value, mistake.feedback) for mistake in item.mistakes] == [(16, "That is the sum, 5 + 11.")]
    assert (item.key, item.points, item.difficulty, item.explanation) == ("drawn", ("p1",), 0.0, "So.")


def test_the_same_seed_draws_the_same_numbers_for_all_time():
    prompts = [drawn(number_template(), seed).prompt for seed in range(6)]
    assert prompts == [f"What is {both}?" for both in ("2 times 11", "5 times 7", "5 times 11", "5 times 7", "3 times 11", "2 times 11")]
    traces = [drawn(trace_template(), seed).prompt for seed in (0, 7, 2**31 - 1)]
    assert traces == ["$c = -0.4$, $f = 0.5$, $o = 0.5$.", "$c = 0.8$, $f = 0.5$, $o = 0.5$.", "$c = 0.5$, $f = 0.9$, $o = 0.8$."]


def test_a_further_variable_leaves_what_the_others_draw():
    more = number_template(variables={"D": [2, 3, 5], "H": [7, 11], "K": [1, 2, 3]})
    assert [drawn(more, seed).prompt for seed in range(20)] == [drawn(number_template(), seed).prompt for seed in range(20)]


def test_every_combination_comes_up():
    assert len({drawn(number_template(), seed).prompt for seed in range(100)}) == 6


def test_where_is_kept_also_on_what_is_derived():
    item = number_template(where=["D != 5", "product > 14"])
    assert {drawn(item, seed).prompt for seed in range(100)} == {f"What is {d} times {h}?" for d, h in ((2, 11), (3, 7), (3, 11))}


def test_a_condition_on_variables_spares_the_rest_a_division_by_zero():
    item = number_template(variables={"D": [0, 2, 3, 5, 7], "H": [7, 11]}, where=["D > 0"], derive={"product": "D*H", "part": "H/D"})
    check_template(item)


def test_an_item_without_variables_is_asked_as_it_is():
    assert drawn(single(), 3) == single()
    assert drawn(number(), 3) == number()


def test_expressions_may_stand_without_variables():
    item = number_template(
        variables={}, derive={"product": "6*7"}, prompt="P", answer="product", solution="{{product}}", mistakes=[{"value": 13, "feedback": "F"}]
    )
    check_template(item)
    assert drawn(item, 0) == drawn(item, 1)
    assert drawn(item, 0).answer == 42


def test_a_trace_is_drawn_with_all_its_numbers():
    item = drawn(trace_template(), 0)
    assert isinstance(item, TraceItem)
    assert [part.key for part in item.answers] == ["c", "h"]
    assert item.answers[0].mistakes[0].value != item.answers[0].answer


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (8, "", "8"),
        (3.0, "", "3"),
        (0.123456, "", "0.1235"),
        (0.123456, ".2f", "0.12"),
        (4640, ",", "4,640"),
        (0.05, ".0%", "5%"),
        ("tanh", "", "tanh"),
        (-0.0, "", "0"),
    ],
)
def test_values_are_shown_plainly(value, spec, text):
    assert shown(value, spec) == text


def test_latex_braces_around_a_placeholder_stay():
    assert fill(r"$\frac{{{a}}}{b}$ and $x^{ {{a}} }$", {"a": 3}) == r"$\frac{3}{b}$ and $x^{ 3 }$"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt": "What is {{D}} times {{K}}?"}, "{{K}} stands in a text, but is neither in variables nor in derive (D, H, product)"),
        ({"prompt": "{{D:99999999d}} {{H}}"}, "{{D:99999999d}} is no placeholder"),
        ({"prompt": "{{D.real}} {{H}}"}, "{{D.real}} is no placeholder"),
        ({"answer": "D*K"}, "an answer or mistake: 'D*K' uses K, but only D, H, product is known there"),
        ({"answer": "D*"}, "'D*' is not an expression"),
        ({"derive": {"product": "later", "later": "D"}}, "derive.product: 'later' uses later, but only D, H is known there"),
        ({"derive": {"D": "1", "product": "1"}}, "D stands in variables and in derive"),
        ({"derive": {"min": "1", "product": "1"}}, "min is a function; choose another name"),
        ({"where": ["D !="]}, "where[0]: 'D !=' is not an expression"),
        ({"variables": {"D": [2, 3], "H": [7]}}, "variables have 2 combinations; at least 4 are expected"),
        ({"variables": {"D": [2, float("nan")], "H": [7, 8]}}, "finite number"),
        ({"variables": {"D": [2] * 41, "H": [7, 8]}}, "at most 40 items"),
        ({"variables": {"D": [], "H": [7, 8]}}, "at least 1 item"),
        ({"variables": {"_D": [1, 2], "H": [7, 8]}}, "String should match pattern"),
    ],
)
def test_a_template_that_does_not_hold_together_is_refused(changes, message):
    with pytest.raises(ValidationError) as raised:
        number_template(**changes)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"mistakes": [{"value": "D + H + 1*(D-2)*(H-7)", "feedback": "F"}], "answer": "D + H"},
            "with D = 2, H = 7, product = 14: mistake 9.0 is within tolerance",
        ),
        ({"derive": {"product": "D*H/(D-3)"}}, "with D = 3, H = 7: 'D*H/(D-3)' cannot be worked out: division by zero"),
        ({"derive": {"product": "exp(D*H*100)"}}, "cannot be worked out: math range error"),
        ({"where": ["D > 99"]}, "where allows 0 of 6 combinations tried; at least 4 and 10% of them are expected"),
        ({"where": ["D == 2"]}, "where allows 2 of 6 combinations tried"),
        ({"prompt": "{{D}} {{H}} {{product:d}}", "derive": {"product": "D*H/1"}}, "Unknown format code 'd'"),
        ({"prompt": "{{D}} {{H:.2f}}", "variables": {"D": [1, 2], "H": ["a", "b"]}, "answer": "D", "derive": {"product": "D"}}, "'a' is a word"),
    ],
)
def test_a_template_is_refused_when_a_single_combination_fails(changes, message):
    with pytest.raises(CannotDraw) as raised:
        check_template(number_template(**changes))
    assert message in str(raised.value)


def test_a_billion_combinations_are_tried_by_drawing_a_few_hundred():
    letters = "ABCDEFGHIJKL"
    item = number_template(variables={"D": [2, 3, 5], "H": [7, 11], **{letter + "1": list(range(40)) for letter in letters[:10]}})
    check_template(item)
    with pytest.raises(CannotDraw):
        check_template(item.model_copy(update={"where": ("A1 + B1 == 78",)}))


@pytest.mark.parametrize("item", [number_template(), trace_template()], ids=["number", "trace"])
def test_a_stored_template_reads_back_as_it_was(item):
    again = ITEM.validate_json(item.model_dump_json())
    assert again == item
    assert content_hash(again) == content_hash(item)
    assert isinstance(again, (NumberTemplate, TraceTemplate))


@given(SEEDS)
def test_every_drawn_item_is_consistent(seed):
    item = drawn(number_template(), seed)
    d, h = (int(word) for word in item.prompt.strip("?").split() if word.isdigit())
    assert item.answer == d * h
    assert not item.accepts(item.mistakes[0].value)
    assert "{{" not in item.model_dump_json()


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_banks_templates_draw_different_items_and_leave_no_placeholder(name):
    template = TEMPLATES[name]
    items = [drawn(template, seed) for seed in range(40)]
    assert all("{{" not in item.model_dump_json() for item in items)
    if template.variables:
        assert len({item.prompt for item in items}) >= 4


def test_a_look_at_a_few_combinations_does_not_judge_how_many_where_allows() -> None:
    item = number_template(variables={"H": list(range(1, 21)), "D": [1, 2]}, where=["H > 10"])
    check_template(item, 4)
    check_template(item)
    with pytest.raises(CannotDraw, match="where allows 2 of 40"):
        check_template(number_template(variables={"H": list(range(1, 21)), "D": [1, 2]}, where=["H > 19"]))
