"""The lab page, clicked through on the real app: set-up, prediction, run, verdict, repeat, and links that are wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.protocol import RunState
from sandbox.records import Snapshot
from sandbox.registry import all_experiments, find_experiment
from sandbox.requests import all_controls, preset_values
from sandbox.ui import context
from tests.app.learner import Open, carousel, has_button, says

LAB = "sandbox/ui/pages/lab.py"
SMALL = {"experiment": "forget-gate", "updates": "50", "hidden": "1", "seeds": "1"}  # a quarter of a CPU second
FORGET_GATE = find_experiment("forget-gate")


@pytest.fixture(scope="module")
def open_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Opens the lab at an address. One app and one set of workers for the whole file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", f"sqlite:///{tmp_path_factory.mktemp('lab')}/carousel.db")
        with carousel() as open_tab:
            yield lambda **address: open_tab(LAB, **address)


def run_of(tab: AppTest) -> Snapshot:
    return context.laboratory().snapshot(tab.query_params["run"])


def finish(tab: AppTest) -> AppTest:
    """Watch the run to its end, as the page's ticks do, then look again."""
    while not run_of(tab).state.final:
        context.laboratory().wait(tab.query_params["run"], 1, final=True)
    return tab.run()


def predict(tab: AppTest, key: str = "drowns") -> AppTest:
    return tab.radio(key="lab_prediction_forget-gate").set_value(key).run()


# --- Before a run -----------------------------------------------------------------------------------------------


def test_the_page_opens_on_the_first_experiment_with_its_quick_preset(open_lab: Open) -> None:
    tab = open_lab()
    first = next(iter(all_experiments().values()))
    assert not tab.exception
    assert tab.title[0].value == first.title
    assert tab.get_by_key(f"lab_preset_{first.id}").value == "quick"
    assert "The textbook says" in says(tab)


def test_a_run_needs_a_prediction_or_an_explicit_choice_to_do_without(open_lab: Open) -> None:
    tab = open_lab(**SMALL)
    assert tab.button(key="lab_run").disabled
    assert not tab.button(key="lab_run_unpredicted").disabled
    assert tab.radio(key="lab_prediction_forget-gate").options == [one.text for one in FORGET_GATE.offered]
    assert not predict(tab).button(key="lab_run").disabled


def test_a_link_sets_every_control(open_lab: Open) -> None:
    tab = open_lab(experiment="forget-gate", hidden="5", values="binary", learning_rate="0.007", seeds="4", seed="11", device="cpu", forget_bias="-1.5")
    assert tab.slider(key="lab_set_forget-gate_hidden").value == 5
    assert tab.selectbox(key="lab_set_forget-gate_values").value == "binary"
    assert tab.select_slider(key="lab_set_forget-gate_learning_rate").value == 0.007
    assert tab.slider(key="lab_set_forget-gate_seeds").value == 4
    assert tab.number_input(key="lab_set_forget-gate_seed").value == 11
    assert tab.selectbox(key="lab_set_forget-gate_device").value == "cpu"
    assert tab.number_input(key="lab_set_forget-gate_forget_bias").value == -1.5
    assert tab.get_by_key("lab_preset_forget-gate").value is None


def test_the_share_link_holds_settings_and_seed_and_opens_the_same_set_up(open_lab: Open) -> None:
    tab = open_lab(**SMALL)
    tab.slider(key="lab_set_forget-gate_hidden").set_value(3).run()
    query = tab.code[0].value.partition("?")[2]
    address = dict(pair.split("=") for pair in query.split("&"))
    assert list(address) == ["experiment", *(control.name for control in all_controls(FORGET_GATE))]
    assert {"hidden": "3", "updates": "50", "learning_rate": "0.01", "seed": "0", "seeds": "1", "device": "auto"}.items() <= address.items()
    other = open_lab(**address)
    assert other.slider(key="lab_set_forget-gate_hidden").value == 3
    assert other.number_input(key="lab_set_forget-gate_updates").value == 50


def test_a_preset_sets_the_controls_and_keeps_seed_and_device(open_lab: Open) -> None:
    tab = open_lab(experiment="forget-gate", seed="9", device="cpu")
    tab.get_by_key("lab_preset_forget-gate").set_value("thorough").run()
    thorough = preset_values(FORGET_GATE, "thorough")
    assert thorough["seeds"] != preset_values(FORGET_GATE, "quick")["seeds"]
    assert tab.number_input(key="lab_set_forget-gate_updates").value == thorough["updates"]
    assert tab.slider(key="lab_set_forget-gate_seeds").value == thorough["seeds"]
    assert tab.number_input(key="lab_set_forget-gate_seed").value == 9
    assert tab.selectbox(key="lab_set_forget-gate_device").value == "cpu"
    tab.slider(key="lab_set_forget-gate_hidden").set_value(2).run()
    assert tab.get_by_key("lab_preset_forget-gate").value is None


def test_another_experiment_is_picked_by_its_address(open_lab: Open) -> None:
    tab = open_lab(**SMALL)
    tab.selectbox(key="lab_experiment").set_value("bilstm").run()
    assert tab.query_params == {"experiment": "bilstm"}
    assert tab.title[0].value == "A label that needs the past and the future"


# --- Links that are wrong ---------------------------------------------------------------------------------------


def test_a_link_out_of_bounds_is_refused_by_name_with_what_is_allowed_and_the_defaults_are_a_click_away(open_lab: Open) -> None:
    tab = open_lab(experiment="forget-gate", hidden="500", depth="3", seeds="0")
    text = tab.error[0].value.replace("\\", "")
    assert "unknown setting 'depth'; known settings: hidden, forget_bias" in text
    assert "hidden must be a whole number from 1 to 64, got '500'" in text
    assert "seeds must be a whole number from 1 to 20, got '0'" in text
    assert not has_button(tab, "lab_run")
    tab.button(key="lab_defaults").click().run()
    assert not tab.error
    assert tab.slider(key="lab_set_forget-gate_hidden").value == preset_values(FORGET_GATE, "quick")["hidden"]


def test_a_link_cannot_smuggle_markdown_into_the_page(open_lab: Open) -> None:
    tab = open_lab(experiment="forget-gate", hidden="![x](https://elsewhere.example/a.png)")
    assert "![" not in tab.error[0].value
    assert "](" not in tab.error[0].value


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ({"experiment": "perceptron"}, "There is no experiment called “perceptron”."),
        ({"run": "12345"}, "There is no run “12345” here. It was deleted, or belongs to another profile or another Carousel. *Runs* lists all of yours."),
    ],
)
def test_an_address_that_leads_nowhere_says_so_kindly_and_offers_what_exists(open_lab: Open, address: dict[str, str], message: str) -> None:
    tab = open_lab(**address)
    assert not tab.exception
    assert tab.error[0].value == message
    assert not has_button(tab, "lab_run")
    assert len(tab.get("page_link")) >= 4  # back to practice, and the experiments


# --- A run ------------------------------------------------------------------------------------------------------


def test_a_predicted_run_locks_the_prediction_runs_to_its_verdict_and_reopens_from_its_address(open_lab: Open) -> None:
    tab = predict(open_lab(**SMALL), "copes")
    tab.button(key="lab_run").click().run()
    assert not tab.exception
    run_id = tab.query_params["run"]
    assert run_of(tab).request.prediction == "copes"
    assert not has_button(tab, "lab_run")
    finish(tab)
    verdict = run_of(tab).verdict
    assert verdict is not None
    page = says(tab)
    assert "**You predicted:** It answers well: never forgetting is what memory needs." in page
    assert "**1 of 1 seed** satisfied" in page or "**0 of 1 seed** satisfied" in page
    assert "| size of the cell state, without ÷ with |" in page
    assert "WHAT IS TRUE" in page
    assert len(tab.get("plotly_chart")) == 5  # curves, two pictures, seeds against the rule, surgery

    again = open_lab(run=run_id)
    assert "**You predicted:** It answers well: never forgetting is what memory needs." in says(again)


def test_a_run_without_a_prediction_says_so(open_lab: Open) -> None:
    tab = open_lab(**SMALL)
    tab.button(key="lab_run_unpredicted").click().run()
    assert run_of(tab).request.prediction is None
    assert "You made no prediction for this run." in says(finish(tab))


def test_a_double_click_starts_one_run(open_lab: Open) -> None:
    tab = open_lab(**SMALL)
    before = len(context.laboratory()._floor.conductors)
    button = tab.button(key="lab_run_unpredicted")
    button.click()
    tab.run()
    first = tab.query_params["run"]
    button.click()  # the second click of the two still carries the first one's token
    tab.run()
    assert tab.query_params["run"] == first
    assert len(context.laboratory()._floor.conductors) == before + 1
    finish(tab)


def test_cancelling_shows_at_once_and_leads_back_to_the_same_set_up(open_lab: Open) -> None:
    tab = open_lab(experiment="forget-gate", updates="2000", hidden="3", seeds="2")
    tab.button(key="lab_run_unpredicted").click().run()
    tab.button(key="lab_cancel").click().run()
    assert run_of(tab).state is RunState.CANCELLED
    assert tab.info[0].value == "Cancelled. *Same seed again* runs it once more, *Change the set-up* leads to another run."
    assert not has_button(tab, "lab_cancel")
    tab.button(key="lab_change").click().run()
    assert tab.slider(key="lab_set_forget-gate_hidden").value == 3
    assert tab.number_input(key="lab_set_forget-gate_updates").value == 2000


def test_the_same_seed_again_gives_the_same_numbers_and_says_so(open_lab: Open) -> None:
    tab = open_lab(**SMALL)
    tab.button(key="lab_run_unpredicted").click().run()
    first = tab.query_params["run"]
    finish(tab).button(key=f"lab_again_{first}").click().run()
    assert tab.query_params["run"] != first
    assert "Every number of 1 seed is the same, to the last bit" in says(finish(tab)).replace("\\", "")


def test_coming_back_to_the_lab_reopens_what_was_there(open_lab: Open) -> None:
    tab = open_lab(experiment="bilstm", reach="2")
    tab.switch_page("quiz/ui/pages/study.py").run()
    tab.query_params.clear()
    tab.switch_page(LAB).run()
    assert tab.title[0].value == "A label that needs the past and the future"
    assert tab.slider(key="lab_set_bilstm_reach").value == 2


def test_settings_that_contradict_the_claim_are_reported_as_such(open_lab: Open) -> None:
    tab = predict(open_lab(**SMALL, learning_rate="0.0001"))
    tab.button(key="lab_run").click().run()
    page = says(finish(tab))
    assert "Contradicted: the claim did not hold at these settings" in page
    assert "**0 of 1 seed** satisfied the whole rule." in page


# --- Two runs side by side --------------------------------------------------------------------------------------


def two_runs(open_lab: Open) -> tuple[AppTest, str, str]:
    """The page of a second run, and the ids of it and of the first, which trained longer."""
    ids = []
    for updates in ("60", "50"):
        tab = open_lab(**{**SMALL, "updates": updates})
        tab.button(key="lab_run_unpredicted").click().run()
        finish(tab)
        ids.append(tab.query_params["run"])
    return tab, ids[1], ids[0]


def test_another_run_of_the_experiment_can_be_chosen_and_stands_beside_this_one(open_lab: Open) -> None:
    tab, this, other = two_runs(open_lab)
    choice = tab.selectbox(key=f"lab_compare_{this}")
    (line,) = [option for option in choice.options if "Updates 60" in option]
    assert line.endswith("seeds 0 to 0")
    choice.select(line).run()
    assert (tab.query_params["run"], tab.query_params["compare"]) == (this, other)
    assert not tab.exception
    page = says(tab)
    assert "| Updates | 50 | 60 |" in page
    assert "| Measured, median | Needed | This run | The other run |" in page
    assert page.count("Contradicted") + page.count("Supported") >= 2
    (figure,) = tab.get("plotly_chart")
    assert "each network in both runs" in page
    assert "The other run" in figure.proto.spec
    tab.button(key="lab_compare_end").click().run()
    assert "compare" not in tab.query_params


def test_a_run_is_not_offered_to_be_compared_with_itself(open_lab: Open) -> None:
    tab, this, _ = two_runs(open_lab)
    listed = {facts["run_id"] for facts in context.laboratory().finished_runs("forget-gate", 100)}
    assert this in listed
    assert len(tab.selectbox(key=f"lab_compare_{this}").options) == len(listed) - 1


def test_a_comparison_with_nothing_says_so(open_lab: Open) -> None:
    _, this, _ = two_runs(open_lab)
    tab = open_lab(experiment="forget-gate", run=this, compare="nowhere")
    assert "The other run cannot be shown" in says(tab)
    assert has_button(tab, "lab_compare_end")
