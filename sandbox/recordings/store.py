"""Making recordings, keeping them as files, and comparing a new one with the file."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path

import torch

from sandbox.core import devices
from sandbox.recordings import UnknownRecipe
from sandbox.recordings.chart import Recipe, document

FOLDER = Path(__file__).parents[2] / "questions" / "recordings"
MODULES = ("descending", "remembering", "generalising", "splitting")


def all_recipes() -> dict[str, Recipe]:
    """Every recipe by name, in the order of the modules."""
    modules = [import_module(f"sandbox.recordings.{name}") for name in MODULES]
    return {recipe.name: recipe for module in modules for recipe in module.RECIPES}


def find_recipe(name: str) -> Recipe:
    """The recipe of this name. Errors: UnknownRecipe."""
    recipes = all_recipes()
    if name not in recipes:
        raise UnknownRecipe(f"there is no recording {name!r}; there are {', '.join(recipes)}")
    return recipes[name]


def record(recipe: Recipe) -> dict[str, object]:
    """Train as the recipe says, on one CPU thread; the same torch on the same kind of processor gives the same numbers."""
    devices.use_one_thread()
    with devices.Randomness(recipe.seed):
        chart = recipe.make(recipe.settings, recipe.seed)
    return document(recipe, chart, str(torch.__version__).partition("+")[0])


def text_of(recording: dict[str, object]) -> str:
    """A recording as the text of its file, each list of numbers on one line."""
    spread = json.dumps(recording, ensure_ascii=False, indent=1)
    return re.sub(r"\[[-+.,\s\deEnul]+\]", lambda numbers: " ".join(numbers[0].split()), spread) + "\n"


def difference(new: dict[str, object], path: Path) -> str | None:
    """What tells a new recording from the file, in words; None when nothing does.

    Numbers are compared as they stand. Another torch, or another kind of processor, may round differently.
    """
    if not path.exists():
        return f"{path.name} does not exist: python -m sandbox record {path.stem}"
    old = json.loads(path.read_text("utf-8"))
    if old == new:
        return None
    changed = [key for key in new if old.get(key) != new[key]]
    made = f": {old.get('made_by')} in the file, {new['made_by']} now" if "made_by" in changed else ""
    return f"differs in {', '.join(changed)}{made}"
