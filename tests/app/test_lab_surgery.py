"""Surgery on the lab page: controls that operate at once, and what the page says when it cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.ui import context
from tests.app.learner import Open, carousel, has_button, says

LAB = "sandbox/ui/pages/lab.py"
RUN = {"experiment": "cell-state", "updates": "50", "hidden": "8", "bits": "1", "steps": "8", "noise": "0", "seeds": "2", "learning_rate": "0.05"}


@pytest.fixture(scope="module")
def open_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", f"sqlite:///{tmp_path_factory.mktemp('lab')}/carousel.db")
        with carousel() as open_tab:
            yield lambda **address: open_tab(LAB, **address)


@pytest.fixture(scope="module")
def run_id(open_lab: Open) -> str:
    """A finished run of a network that remembers one bit over 8 steps."""
    tab = open_lab(**RUN)
    tab.button(key="lab_run_unpredicted").click().run()
    started: str = tab.query_params["run"]
    while not context.laboratory().snapshot(started).state.final:
        context.laboratory().wait(started, 1, final=True)
    return started


def control(tab: AppTest, name: str) -> object:
    return tab.get_by_key(f"surgery_{name}_{tab.query_params['run']}")


def choose(tab: AppTest, name: str, value: str) -> AppTest:
    chosen: AppTest = control(tab, name).set_value(value).run()  # type: ignore[attr-defined]
    assert not chosen.exception
    return chosen


def scores(tab: AppTest) -> list[str]:
    return [one.value for one in tab.markdown if one.value.startswith(("Accuracy:", "Judged by"))]


def test_a_finished_run_shows_its_network_as_learnt(open_lab: Open, run_id: str) -> None:
    tab = open_lab(run=run_id)
    assert scores(tab) == ["Accuracy: **100\u00a0%**"]
    assert "**As learnt: accuracy 100\u00a0%**" in says(tab)
    assert [control(tab, name).value for name in ("seed", "gate", "hold", "exchange")] == ["0", "f", "learnt", "none"]  # type: ignore[attr-defined]
    assert tab.button(key=f"surgery_back_{run_id}").disabled


def test_holding_a_gate_and_exchanging_states_change_the_scores_at_once_and_can_be_put_back(open_lab: Open, run_id: str) -> None:
    tab = choose(open_lab(run=run_id), "gate", "o")
    tab = choose(tab, "hold", "0")
    (told,) = scores(tab)
    assert told.startswith("Accuracy: **100\u00a0% → :red[")
    assert "**Output gate held at 0: accuracy 100\u00a0% → " in says(tab)

    tab = choose(choose(tab, "hold", "learnt"), "exchange", "both")
    own, donor = scores(tab)
    assert own == "Accuracy: **100\u00a0% → :red[0\u00a0%]**"  # nothing but the bit is read, and the donor's is the other one
    assert donor == "Judged by the donor's answers: **0\u00a0% → :green[100\u00a0%]**"
    assert tab.slider[0].value == 3

    tab.button(key=f"surgery_back_{run_id}").click().run()
    assert scores(tab) == ["Accuracy: **100\u00a0%**"]


def test_a_coupling_is_offered_where_there_is_one_and_forgotten_where_there_is_none(open_lab: Open, run_id: str) -> None:
    tab = choose(open_lab(run=run_id), "hold", "coupled")
    assert "Forget gate set to 1 − i" in says(tab)
    tab = choose(tab, "gate", "i")
    assert "Input gate set to 1 − f" in says(tab)
    tab = choose(tab, "gate", "g")
    assert control(tab, "hold").value == "learnt"  # type: ignore[attr-defined]
    assert "As learnt" in says(tab)


def test_a_held_gate_stays_held_when_another_gate_or_seed_is_chosen(open_lab: Open, run_id: str) -> None:
    tab = choose(choose(open_lab(run=run_id), "hold", "1"), "gate", "i")
    assert "Input gate held at 1" in says(tab)
    tab = choose(tab, "seed", "1")
    assert "Input gate held at 1" in says(tab)


def test_an_experiment_without_networks_to_operate_on_says_why_in_the_place_of_surgery(open_lab: Open) -> None:
    tab = open_lab(experiment="seq2seq", updates="50", seeds="1")
    tab.button(key="lab_run_unpredicted").click().run()
    context.laboratory().cancel(tab.query_params["run"])
    tab = open_lab(run=tab.query_params["run"])
    assert "Operate on the trained network" not in "".join(one.value for one in tab.subheader)
    assert "No network of this run can be operated on. An encoder hands its state to a decoder here" in says(tab)


def test_a_run_whose_networks_are_gone_says_so_kindly_and_offers_to_run_again(open_lab: Open, run_id: str) -> None:
    laboratory = context.laboratory()
    forgotten = laboratory._floor.conductors.pop(run_id)  # as after a restart: only the store knows the run
    try:
        tab = open_lab(run=run_id)
        assert not tab.exception
        assert "The networks of this run are no longer there" in tab.info[0].value
        assert scores(tab) == []
        assert has_button(tab, "surgery_again")
        tab.button(key="surgery_again").click().run()
        again = tab.query_params["run"]
        assert again != run_id
        laboratory.wait(again, 60, final=True)
        assert scores(tab.run()) == ["Accuracy: **100\u00a0%**"]
    finally:
        laboratory._floor.conductors[run_id] = forgotten
