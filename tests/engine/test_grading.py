"""Grading: a right answer in any sensible form, never a wrong one, and a kind refusal of what is no answer."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questions.schema import NumberMistake
from questions.templates import drawn
from quiz.engine.grading import InvalidResponse, Response, grade, parse_number
from tests.engine.builders import code, diagnose, multiple, number, number_template, order, predict, single, trace, trace_template


def keys(*chosen: str) -> Response:
    return Response(keys=chosen)


def text(written: str) -> Response:
    return Response(text=written)


@pytest.mark.parametrize("item", [single(), predict()])
def test_one_right_option_is_right_and_the_others_are_marked(item):
    graded = grade(item, keys("a"))
    assert (graded.correct, graded.score) == (True, 1.0)
    assert [(line.key, line.mark) for line in graded.lines] == [("a", "right"), ("b", "rejected"), ("c", "rejected"), ("d", "rejected")]


def test_a_wrong_option_is_marked_wrong_and_the_right_one_missed():
    graded = grade(single(), keys("c"))
    assert (graded.correct, graded.score) == (False, 0.0)
    assert [(line.key, line.mark) for line in graded.lines] == [("a", "missed"), ("b", "rejected"), ("c", "wrong"), ("d", "rejected")]
    assert [line.feedback for line in graded.lines] == ["On a.", "On b.", "On c.", "On d."]


@pytest.mark.parametrize(("chosen", "correct", "score"), [("ab", True, 1.0), ("ba", True, 1.0), ("a", False, 0.75), ("abc", False, 0.75), ("cd", False, 0.0)])
def test_several_right_is_all_or_nothing_with_a_partial_score(chosen, correct, score):
    graded = grade(multiple(), keys(*chosen))
    assert (graded.correct, graded.score) == (correct, score)


@pytest.mark.parametrize(("given_", "correct", "score"), [("abc", True, 1.0), ("acb", False, 2 / 3), ("cba", False, 0.0)])
def test_an_order_is_right_only_as_a_whole_and_scored_by_pairs(given_, correct, score):
    graded = grade(order(), keys(*given_))
    assert (graded.correct, graded.score) == (correct, score)
    assert [line.key for line in graded.lines] == ["a", "b", "c"]
    assert [line.mark == "right" for line in graded.lines] == [a == b for a, b in zip(given_, "abc", strict=True)]


@pytest.mark.parametrize(
    ("item", "response"),
    [
        (single(), keys()),
        (single(), keys("a", "b")),
        (single(), keys("z")),
        (single(), text("a")),
        (predict(), keys("a", "a")),
        (multiple(), keys()),
        (multiple(), keys("a", "a")),
        (multiple(), keys("a", "z")),
        (order(), keys()),
        (order(), keys("a", "b")),
        (order(), keys("a", "b", "b")),
        (order(), keys("a", "b", "c", "c")),
        (number(), keys("a")),
    ],
)
def test_a_response_that_does_not_fit_its_format_is_refused(item, response):
    with pytest.raises(InvalidResponse):
        grade(item, response)


RIGHT_FORMS = "0.05 .05 5e-2 5E-2 0.5e-1 +0.05 5% 1/20 0,05 5×10^-2 5·10⁻² 5\\cdot10^{-2} $0.05$ 0.050".split()  # noqa: SIM905


@pytest.mark.parametrize("form", [*RIGHT_FORMS, " 0.05 ", "5 %", "1 / 20", "5 e-2", "5 x 10 ^ -2", "5 × 10**-2", "≈ 0.05", "= 0.05", "~0.05", "50e-3 "])
def test_a_right_answer_is_accepted_in_any_sensible_form(form):
    graded = grade(number(answer=0.05), text(form))
    assert graded.correct
    assert graded.lines[0].feedback == "Worked."


@pytest.mark.parametrize(
    "form", ["4640", "4,640", "4 640", "4\u00a0640", "4\u202f640", "4'640", "4_640", "4640.0", "4.64e3", "4,640 parameters", "4640parameters", "4640 Parameter"]
)
def test_thousands_and_the_unit_may_be_written(form):
    assert grade(number(answer=4640, unit="parameters"), text(form)).correct


def test_a_percentage_answers_in_percent_only_where_percent_is_the_unit():
    assert parse_number("5 %", "%") == 5
    assert parse_number("5", "%") == 5
    assert parse_number("5 %", "") == 0.05


@pytest.mark.parametrize("form", ["−3", "- 3", "–3", "-3.0", "-30e-1"])
def test_minus_signs_of_every_kind_are_read(form):
    assert parse_number(form) == -3


@pytest.mark.parametrize("form", ["10^3", "10**3", "10³", "1e3", "1 000", "2000/2"])
def test_powers_of_ten_stand_alone_too(form):
    assert parse_number(form) == 1000


NONSENSE = ["", " ", "-", "%", "/", "e5", "1e", "nan", "NaN", "inf", "-inf", "infinity", "1/0", "1/0.0", "0/0", "1/1e-400", "1e400", "1e999999999"]
NONSENSE += ["1/1e999999999", "-1e999999999", "1e308/1e-308", "٣", "１２", "५", "²", "0x10", "1_0", "1 2", "1 1/2", "1/2/3", "1,2,3", "1.2.3", "5%%"]
NONSENSE += ["5 apples", "five", "1;DROP", "<b>1</b>", "1\x00", "9" * 61, "1e" + "9" * 58, "()", "2^10", "210^3", "--1", "+-1", "1-1", "1+1", "1e5e5", "1 e"]


@pytest.mark.parametrize("form", NONSENSE)
def test_what_is_no_number_is_refused_with_what_is_expected(form):
    with pytest.raises(InvalidResponse, match="expected a number such as"):
        grade(number(), text(form))


def test_a_comma_that_could_be_either_is_asked_about_only_when_it_decides():
    with pytest.raises(InvalidResponse, match="read in two ways"):
        grade(number(answer=1.875), text("1,875"))
    assert grade(number(answer=1875), text("1,875")).correct
    assert not grade(number(answer=7), text("1,875")).correct
    assert grade(number(answer=1.87), text("1,87")).correct


def test_a_known_slip_gets_its_own_feedback_and_any_other_number_the_general_one():
    item = number(answer=64, mistake=32)
    assert [line.feedback for line in grade(item, text("32")).lines] == ["A known slip."]
    assert [line.feedback for line in grade(item, text("33")).lines] == ["Another number."]


@pytest.mark.parametrize(("written", "correct"), [("104", True), ("96", True), ("104.1", False), ("95.9", False), ("-100", False)])
def test_the_tolerance_is_a_closed_interval_on_both_sides(written, correct):
    assert grade(number(answer=100, rel=0.04), text(written)).correct is correct


def test_a_whole_number_without_tolerance_is_exact():
    assert grade(number(answer=4640), text("4640")).correct
    assert not grade(number(answer=4640), text("4641")).correct
    assert not grade(number(answer=4640), text("4640.01")).correct


finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12).filter(lambda x: x == 0 or abs(x) > 1e-12)


@given(finite)
def test_every_way_to_print_a_float_reads_back(x):
    for form in (repr(x), f"{x:.17g}", f"{x:.16e}", f"{x:E}", f"{Decimal(x):f}"[:60]):
        assert math.isclose(parse_number(form), x, rel_tol=1e-6, abs_tol=1e-12)


@given(st.integers(-(10**12), 10**12))
def test_grouped_thousands_read_back(n):
    for mark in ", _'’\u00a0\u202f":
        assert parse_number(f"{n:,}".replace(",", mark)) == n


@given(st.integers(-1000, 1000), st.integers(1, 1000))
def test_fractions_and_percentages_are_worked_out(top, bottom):
    assert parse_number(f"{top}/{bottom}") == pytest.approx(float(Fraction(top, bottom)))
    assert parse_number(f"{top} %") == pytest.approx(top / 100)
    assert parse_number(f"{top} %", "%") == top


@given(finite, finite)
def test_a_number_outside_the_tolerance_is_never_accepted(answer, given_):
    item = number(answer=answer, rel=0.01, mistake=answer + abs(answer) + 1)
    assert grade(item, text(repr(given_))).correct is (abs(given_ - answer) <= 0.01 * abs(answer))


@given(st.text(max_size=80))
def test_any_text_is_a_finite_number_or_an_invalid_response(written):
    try:
        value = parse_number(written, "steps")
    except InvalidResponse:
        return
    assert math.isfinite(value)


@given(st.text(alphabet="0123456789eE.,+-/% _'×*^{}10⁻²$≈", max_size=60))
def test_any_text_of_number_characters_is_read_the_same_with_its_unit_or_refused_with_it(written):
    def read(form: str) -> float | str:
        try:
            return parse_number(form, "ms")
        except InvalidResponse:
            return "refused"

    if len(written) <= 57 and written.strip():
        assert read(written) == read(written + " ms")


@given(st.lists(st.sampled_from("abcdez"), max_size=7))
def test_a_choice_is_graded_or_refused_whatever_keys_come(given_):
    for item in (single(), multiple(), predict(), order()):
        try:
            graded = grade(item, Response(keys=tuple(given_)))
        except InvalidResponse:
            continue
        assert 0 <= graded.score <= 1
        assert graded.correct == (graded.score == 1)


@given(st.lists(st.text(max_size=5), max_size=5), st.text(max_size=20))
def test_a_response_survives_json(chosen, written):
    response = Response(tuple(chosen), written)
    assert Response.from_json(response.to_json()) == response


# --- Traces, code and curves ---


def texts(**written: str) -> Response:
    return Response(texts=written)


@pytest.mark.parametrize("item", [code(), diagnose()], ids=["code", "diagnose"])
def test_code_and_curves_are_graded_like_a_single_choice(item):
    assert grade(item, keys("a")).correct
    graded = grade(item, keys("b"))
    assert (graded.correct, [line.mark for line in graded.lines]) == (False, ["missed", "wrong", "rejected", "rejected"])
    with pytest.raises(InvalidResponse):
        grade(item, keys("a", "b"))


def test_a_trace_is_right_when_all_its_numbers_are_in_any_sensible_form():
    graded = grade(trace(), texts(c="1/2", h="25 %"))
    assert (graded.correct, graded.score) == (True, 1.0)
    assert [(line.key, line.text, line.mark, line.feedback) for line in graded.lines] == [("c", "1/2", "right", ""), ("h", "25 %", "right", "")]


def test_each_number_of_a_trace_gets_its_own_feedback():
    graded = grade(trace(), texts(c="1.5", h="9"))
    assert (graded.correct, graded.score) == (False, 0.0)
    assert [line.feedback for line in graded.lines] == ["A slip in c.", "Another number."]
    half = grade(trace(), texts(c="0.5", h="9"))
    assert (half.correct, half.score, [line.mark for line in half.lines]) == (False, 0.5, ["right", "wrong"])


@pytest.mark.parametrize("response", [texts(), texts(c="0.5"), texts(c="0.5", h="soon"), texts(c="", h="0.25"), keys("a"), text("0.5")])
def test_a_trace_with_a_number_missing_is_refused_with_the_label_of_its_field(response):
    with pytest.raises(InvalidResponse, match=r"New (cell|hidden) state: expected a number such as"):
        grade(trace(), response)


def test_of_two_slips_nearby_the_nearer_one_is_named():
    slips = (NumberMistake(value=4608, feedback="No biases."), NumberMistake(value=4672, feedback="Two biases."))
    item = number(answer=4640).model_copy(update={"mistakes": slips})
    assert [grade(item, text(written)).lines[0].feedback for written in ("4608", "4672", "4600", "4680")] == ["No biases.", "Two biases."] * 2


@given(st.integers(0, 2**31 - 1), st.floats(-1e6, 1e6))
def test_a_drawn_number_accepts_its_answer_in_every_form_and_no_other_number(seed, other):
    item = drawn(number_template(), seed)
    answer = int(item.answer)
    forms = (f"{answer}", f"{answer:,}", f"{answer}.0", f"{answer:e}", f"{answer * 100} %", f"{answer * 3}/3", f" {answer} ")
    assert all(grade(item, text(form)).correct for form in forms)
    assert grade(item, text(repr(other))).correct is (abs(other - answer) <= 1e-9 * answer)


@given(st.integers(0, 2**31 - 1), st.floats(-3, 3), st.floats(-3, 3))
def test_a_drawn_trace_is_right_within_its_tolerances_and_nowhere_else(seed, c, h):
    item = drawn(trace_template(), seed)
    right = [part.answer for part in item.answers]
    assert grade(item, texts(c=repr(right[0]), h=repr(right[1]).replace(".", ","))).correct
    within = abs(c - right[0]) <= 0.01 and abs(h - right[1]) <= 0.01
    assert grade(item, texts(c=repr(c), h=repr(h))).correct is within


@given(st.dictionaries(st.sampled_from(["c", "h", "z"]), st.text(max_size=20)))
def test_whatever_comes_for_a_trace_is_graded_or_refused_and_survives_json(written):
    response = Response(texts=written)
    assert Response.from_json(response.to_json()) == response
    try:
        graded = grade(trace(), response)
    except InvalidResponse:
        return
    assert graded.correct == (graded.score == 1)
