"""The page of runs: search, notes, deletion with undo, comparing, the link, repeating; on stored runs and on one real one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from quiz.service import RunBook
from quiz.ui import context as quiz_context
from sandbox.protocol import Setting
from sandbox.records import Snapshot
from sandbox.registry import find_experiment
from sandbox.requests import make_request, preset_values, read_values
from sandbox.ui import context, run_lines
from tests.app.learner import Open, carousel, has_button, links, says

RUNS, LAB = (f"sandbox/ui/pages/{name}.py" for name in ("runs", "lab"))
SMALL = {"experiment": "forget-gate", "updates": "50", "hidden": "1", "seeds": "1", "seed": "4"}  # a quarter of a CPU second
FORGET = find_experiment("forget-gate")


def book() -> RunBook:
    quiz = quiz_context.quiz()
    return RunBook(quiz.service._database, quiz.learner)


def verdict(status: str = "supported", outcome: str = "drowns", median: float = 0.0123) -> dict[str, Any]:
    check = {"label": "error with a forget gate", "measure": "with", "relation": "<", "threshold": 0.1, "values": [median] * 3, "passed": 3, "median": median}
    return {"status": status, "passed": 3, "seeds": 3, "low": 0.4, "high": 1.0, "outcome": outcome, "checks": [check]}


def store(
    run_id: str, experiment: str = "forget-gate", *, prediction: str | None = None, state: str = "finished", judged: Any = None, **settings: Setting
) -> None:
    """A stored run; `state` "running" leaves it going on."""
    values = {**preset_values(find_experiment(experiment), "quick"), **settings}
    own = {control.name: values[control.name] for control in find_experiment(experiment).controls}
    facts = {"experiment": experiment, "settings": own, "first_seed": 3, "seeds": 3, "device": "auto", "prediction": prediction, "state": state}
    book().begin(run_id, facts)
    if state != "running":
        book().end(run_id, {"state": state, "verdict": judged, "device_used": "cpu", "error": None, "record": {}})


def shown(tab: AppTest) -> list[str]:
    """The titles of the runs on the page, in order."""
    return [str(element.value) for element in tab.markdown if "] · **" in str(element.value)]


def test_before_the_first_run_the_page_says_what_will_be_here(open_app: Open) -> None:
    tab = open_app(RUNS)
    assert not tab.exception
    assert "No experiment has run yet." in says(tab)
    assert links(tab) == ["Open the lab"]


def test_a_run_tells_verdict_measured_value_prediction_and_what_differs_from_the_preset(open_app: Open) -> None:
    other = next(one.key for one in FORGET.predictions if one.key != "drowns")
    store("a", prediction="drowns", judged=verdict(), hidden=9)
    store("b", prediction=other, judged=verdict("contradicted"))
    store("c", state="failed")
    tab = open_app(RUNS)
    assert not tab.exception
    page, texts = says(tab), {one.key: one.text for one in FORGET.predictions}
    assert "**3 of 3 seeds** satisfied the rule: error with a forget gate **0.0123** (needed below 0.1)." in page
    assert f"As you predicted: {texts['drowns']}." in page
    assert f"You predicted: {texts[other]}.  \nIt showed: {texts['drowns']}." in page
    assert "No prediction." in page
    label = next(control.label for control in FORGET.controls if control.name == "hidden")
    assert f"Quick preset, but {label} 9 · seeds 3 to 5 · CPU" in page
    assert "Quick preset · seeds 3 to 5 · CPU" in page
    assert [title.split("**")[1] for title in shown(tab)] == ["Failed", "Contradicted", "Supported"]


def test_a_run_that_the_app_was_stopped_under_says_so_and_what_to_do(open_app: Open) -> None:
    store("a", state="running")
    book().fail_interrupted(datetime.now(UTC))
    why = "The app stopped while this run was going on"
    assert f"{why}. *Same seeds again* runs it once more." in says(open_app(RUNS)).replace("\\", "")
    told = open_app(LAB, experiment="forget-gate", run="a").error[0].value
    assert told == f"The run failed. {why}\\. *Same seed again* runs it once more, *Change the set-up* leads to another run."


def test_search_finds_titles_question_numbers_verdicts_and_notes_and_filters_narrow(open_app: Open) -> None:
    store("a", prediction="drowns", judged=verdict())
    store("b", "bilstm", judged=verdict("contradicted", outcome="x"))
    store("c", "gradient-clipping", state="cancelled")
    book().note("c", "Über die Schwelle: 100% sicher_")
    tab = open_app(RUNS)
    for text, expected in {
        "past and the FUTURE": ["bilstm"],
        "forget": ["forget-gate"],  # by its id: the title has no such word
        "q15": ["bilstm"],
        "question 7": ["forget-gate"],
        "contradicted": ["bilstm"],
        "cancelled": ["gradient-clipping"],
        "schwelle ÜBER": ["gradient-clipping"],
        "100%": ["gradient-clipping"],
        "r_": ["gradient-clipping"],
        "bad step contradicted": [],
    }.items():
        tab.text_input(key="runs_search").set_value(text).run()
        assert [title.split("**")[3] for title in shown(tab)] == [find_experiment(one).title for one in expected], text
    assert "None of your 3 runs fits." in says(tab)
    tab.button(key="runs_all").click().run()
    assert len(shown(tab)) == 3
    for key, value in (("runs_experiment", "forget-gate"), ("runs_ending", "Supported"), ("runs_predicted", "Predicted rightly")):
        tab.selectbox(key=key).set_value(value).run()
        assert "1 of 3 runs" in says(tab)
        assert "Supported" in shown(tab)[0]
        tab.selectbox(key=key).set_value(None).run()


def test_many_runs_come_page_by_page_and_a_search_starts_at_the_first(open_app: Open) -> None:
    for number in range(23):
        store(f"r{number}", "bilstm" if number < 11 else "forget-gate", state="cancelled")
    tab = open_app(RUNS)
    assert len(shown(tab)) == 10
    tab.get_by_key("runs_page").set_value(3).run()
    assert len(shown(tab)) == 3
    tab.text_input(key="runs_search").set_value("bilstm").run()
    assert "11 of 23 runs" in says(tab)
    assert (len(shown(tab)), tab.get_by_key("runs_page").value) == (10, 1)
    tab.get_by_key("runs_page").set_value(2).run()
    tab.button(key="runs_delete_0").click().run()
    assert len(shown(tab)) == 10  # the second page is gone with its only run
    tab.button(key="runs_undo").click().run()
    assert "11 of 23 runs" in says(tab)


def test_a_note_is_kept_as_typed_and_can_be_changed(open_app: Open) -> None:
    store("a", judged=verdict())
    tab = open_app(RUNS)
    tab.button(key="runs_note_0").click().run()
    tab.text_area(key="runs_text_a").set_value("**no** bold, $no$ formula\nsecond line ").run()
    tab.button(key="runs_save").click().run()
    assert [text.value for text in tab.text] == ["**no** bold, $no$ formula\nsecond line"]
    assert not has_button(tab, "runs_save")
    again = open_app(RUNS)
    again.button(key="runs_note_0").click().run()
    again.text_area(key="runs_text_a").set_value("other").run()
    again.button(key="runs_leave").click().run()
    assert [text.value for text in again.text] == ["**no** bold, $no$ formula\nsecond line"]


def test_a_note_that_is_too_long_is_refused_with_its_length_and_stays_in_the_field(open_app: Open) -> None:
    store("a", judged=verdict())
    tab = open_app(RUNS)
    tab.button(key="runs_note_0").click().run()
    assert tab.text_area(key="runs_text_a").proto.max_chars == 0  # with a limit the browser drops what is longer, without a word
    tab.text_area(key="runs_text_a").set_value("é" * 2001)
    tab.button(key="runs_save").click().run()
    told = "Not saved yet: a note has at most 2,000 characters, and this one has 2,001. Shorten it and save it again."
    assert [warning.value for warning in tab.warning] == [told]
    assert tab.text_area(key="runs_text_a").value == "é" * 2001
    tab.text_area(key="runs_text_a").set_value("é" * 2000)
    tab.button(key="runs_save").click().run()
    assert [text.value for text in tab.text] == ["é" * 2000]


def test_a_deleted_run_is_gone_everywhere_until_it_is_undone(open_app: Open) -> None:
    store("a", judged=verdict())
    store("b", "bilstm", state="cancelled")
    book().note("a", "keep me")
    tab = open_app(RUNS)
    tab.button(key="runs_delete_1").click().run()
    assert len(shown(tab)) == 1
    assert "There is no run" in open_app(LAB, run="a").error[0].value
    tab.button(key="runs_undo").click().run()
    assert len(shown(tab)) == 2
    assert [text.value for text in tab.text] == ["keep me"]


def test_a_run_that_goes_on_cannot_be_deleted(open_app: Open) -> None:
    store("a", state="running")
    tab = open_app(RUNS)
    assert not has_button(tab, "runs_delete_0")
    assert "cancel it first" in says(tab)
    assert not book().delete("a")


def test_two_runs_of_one_experiment_are_chosen_to_compare(open_app: Open) -> None:
    for run_id, experiment in (("a", "forget-gate"), ("b", "forget-gate"), ("c", "bilstm")):
        store(run_id, experiment, judged=verdict())
    tab = open_app(RUNS)
    tab.button(key="runs_compare_2").click().run()
    assert len(shown(tab)) == 2
    assert not has_button(tab, "runs_with_1")  # the run itself
    tab.button(key="runs_compare_end").click().run()
    assert len(shown(tab)) == 3
    tab.button(key="runs_compare_2").click().run()
    tab.button(key="runs_with_0").click().run()
    assert tab.query_params == {"experiment": "forget-gate", "run": "a", "compare": "b"}
    assert len(shown(open_app(RUNS))) == 3


def test_a_run_of_an_experiment_that_has_gone_can_still_be_read_annotated_and_deleted(open_app: Open) -> None:
    book().begin("old", {"experiment": "gone-since", "settings": {"a": 1}, "first_seed": 0, "seeds": 1})
    book().end("old", {"state": "finished", "verdict": {"status": "supported"}, "record": {}})
    tab = open_app(RUNS)
    assert not tab.exception
    assert "Its experiment no longer exists." in says(tab)
    assert has_button(tab, "runs_note_0")
    tab.button(key="runs_delete_0").click().run()
    assert not shown(tab)


# --- A real run -------------------------------------------------------------------------------------------------


def played(address: dict[str, str]) -> Snapshot:
    """The run that this address sets up, to its end."""
    laboratory = context.laboratory()
    values = read_values(FORGET, {name: value for name, value in address.items() if name != "experiment"})
    return finished(laboratory.start(make_request(FORGET, values, "drowns")))


def finished(run_id: str) -> Snapshot:
    laboratory = context.laboratory()
    while not laboratory.snapshot(run_id).state.final:
        laboratory.wait(run_id, 1, final=True)
    return laboratory.snapshot(run_id)


def test_the_link_makes_the_same_run_with_the_same_numbers_in_another_carousel_and_a_repeat_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with carousel() as open_app:
        first = played(SMALL)
        tab = open_app(RUNS)
        tab.button(key="runs_link_0").click().run()
        link = tab.code[0].value
        tab.button(key="runs_again_0").click().run()
        repeat = finished(tab.query_params["run"])
        assert repeat.run_id != first.run_id
        assert (repeat.repeat.run_id, repeat.repeat.identical, repeat.request.prediction) == (first.run_id, True, None)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path_factory.mktemp('other')}/carousel.db")
    with carousel() as open_app:
        page, _, query = link.partition("?")
        assert page.endswith("/lab")
        assert "drowns" not in query
        tab = open_app(LAB, **dict(parse_qsl(query)))
        assert tab.number_input(key="lab_set_forget-gate_seed").value == 4
        assert tab.radio(key="lab_prediction_forget-gate").value is None
        tab.button(key="lab_run_unpredicted").click().run()
        other = finished(tab.query_params["run"])
        assert (other.request.settings, other.request.first_seed, other.request.seeds) == (first.request.settings, 4, 1)
        assert other.measured == first.measured
        assert other.seeds[0].points == first.seeds[0].points


def test_a_link_stands_beside_the_page_it_was_made_on() -> None:
    facts = {"settings": preset_values(FORGET, "quick"), "first_seed": 0, "seeds": 1, "device": "auto"}
    assert run_lines.lab_link("https://host/lstm/runs?x=1", FORGET, facts).startswith("https://host/lstm/lab?experiment=forget-gate&")
