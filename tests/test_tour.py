"""docs/tour.md shows every picture there is, in every look that its page has."""

from sandbox.registry import all_experiments
from tests.browser.take_pictures import FRESH, LOOKS, PICTURES, PREPARING, VERDICTS, WITH_HISTORY, Scene
from tests.browser.tour import OTHERS, PAGES, TOUR, pictures_of, tour

SCENES: dict[str, Scene] = {scene.name: scene for scene in (*FRESH, *WITH_HISTORY, *PREPARING, *VERDICTS)}


def test_the_tour_is_in_step_with_the_pictures() -> None:
    assert TOUR.read_text(encoding="utf-8") == tour(), "run python -m tests.browser.tour"


def test_every_scene_is_in_the_tour_with_all_its_looks() -> None:
    shown = {name for scenes in PAGES.values() for name in scenes} | {f"verdict-{name}" for name in all_experiments()}
    assert shown == set(SCENES)
    assert {name: len(pictures_of(name)) for name in shown} == {name: len(scene.looks) for name, scene in SCENES.items()}


def test_every_picture_belongs_to_a_scene() -> None:
    known = {path for name in SCENES for path in pictures_of(name)} | {PICTURES / f"{name}.png" for name in OTHERS}
    assert set(PICTURES.iterdir()) == known


def test_every_page_is_taken_in_both_themes_and_both_widths() -> None:
    assert [name for scenes in PAGES.values() for name in scenes if name != "surgery" and SCENES[name].looks != LOOKS] == []
