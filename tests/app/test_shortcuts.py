"""The list of shortcuts says what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from quiz.ui.shortcuts import SHORTCUTS

ROOT = Path(__file__).parents[2]
SHORTCUT = re.compile(r'\bshortcut=(?:"([^"]+)"|(str\(place\)))')
WRITTEN = {"s": "S", "Right": "→", "Alt+L": "Alt + L", "": "1 to 9"}  # otherwise as in the code


def test_every_shortcut_in_the_code_is_on_the_list() -> None:
    listed = {key for keys in SHORTCUTS.values() for key in keys}
    pages = [file for half in ("quiz", "sandbox") for file in (ROOT / half / "ui").rglob("*.py")]
    used = {name for file in pages for name, _ in SHORTCUT.findall(file.read_text(encoding="utf-8"))}
    assert {"", "Enter", "Alt+L"} <= used
    assert {WRITTEN.get(name, name) for name in used} - listed == set()
