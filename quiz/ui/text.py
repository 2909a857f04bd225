"""Small texts the pages share, worked out without Streamlit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import date, datetime

from questions.schema import SandboxLink, SettingValue

WORDS_A_MINUTE = 150  # an unhurried speaking pace in conversation
_FORMULA = re.compile(r"\$[^$]+\$")
# What Streamlit makes into something else after Markdown has been read, where no backslash is left to hold it back:
# -- -> <= are drawn as symbols, :material/…: as icons, addresses become links. An empty piece of small text in between does.
_MADE_INTO_MORE = re.compile(r"(?<=[-<>~=])(?=[-<>~=])|(?<=:)(?=/|material/)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
_APART = ":small[]"


def spoken_seconds(text: str) -> int:
    """About how long `text` takes to say, to the nearest 5 seconds; a formula counts as one word per symbol."""
    symbols = sum(len(re.findall(r"\\[a-zA-Z]+|[a-zA-Z0-9=+\-]", formula)) for formula in _FORMULA.findall(text))
    words = len(_FORMULA.sub(" ", text).split()) + symbols
    return max(5, round(words / WORDS_A_MINUTE * 60 / 5) * 5)


def lab_address(link: SandboxLink) -> dict[str, str]:
    """The query parameters that open the lab on `link`'s experiment with its settings."""
    return {"experiment": link.experiment, **{name: _setting(value) for name, value in _ordered(link.settings)}}


def _ordered(settings: Mapping[str, SettingValue]) -> list[tuple[str, SettingValue]]:
    return sorted(settings.items())


def _setting(value: SettingValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def quoted(*paragraphs: str) -> str:
    """Paragraphs of Markdown as one block quote."""
    lines = "\n\n".join(paragraph.strip() for paragraph in paragraphs).splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines)


def fenced(code: str, language: str) -> str:
    """Code as a Markdown block, whatever backticks it holds."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"


def changes(before: str, after: str) -> str:
    """`after` line by line, with what went (-) and what came (+)."""
    return "\n".join(line.rstrip() for line in difflib.ndiff(before.splitlines(), after.splitlines()) if not line.startswith("?"))


def as_text(written: str) -> str:
    """What somebody typed, to be read in Markdown as it is."""
    pieces = _MADE_INTO_MORE.split(" ".join(written.split()))
    return _APART.join(re.sub(r"([\\`*_{}\[\]()<>#+\-.!|$:~^&])", r"\\\1", piece) for piece in pieces)


def counted(number: int, one: str, many: str = "") -> str:
    """`1 question`, `3 questions`, `12,000 questions`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def when(due: datetime, now: datetime) -> str:
    """How far away `due` is, in words a person would use: "now", "in 20 minutes", "tomorrow", "in 3 weeks".

    Both are aware datetimes; "tomorrow" means in 18 to 36 hours.
    """
    minutes = (due - now).total_seconds() / 60
    if minutes < 1:
        return "now"
    if round(minutes) < 60:
        return f"in {counted(round(minutes), 'minute')}"
    hours = minutes / 60
    if hours < 18:
        return f"in {counted(round(hours), 'hour')}"
    days = hours / 24
    if days < 1.5:
        return "tomorrow"
    if days < 14:
        return f"in {counted(round(days), 'day')}"
    return f"in {counted(round(days / 7), 'week')}" if days < 60 else f"in {counted(round(days / 30.4), 'month')}"


def plain_number(value: float) -> str:
    """A number as a person writes it: 1280, 0.122, 4.66e-10."""
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}"
    return f"{value:.4g}"


def duration(minutes: float) -> str:
    """Minutes as a person says them: `12 minutes`, `1 h 20 min`; never `0 minutes`."""
    whole = max(1, round(minutes))
    if whole < 60:
        return counted(whole, "minute")
    return f"{whole // 60:,} h" + (f" {whole % 60} min" if whole % 60 else "")


def long_day(day: date, today: date) -> str:
    """`Friday 4 December`, with the year when it is another one."""
    return f"{day:%A} {day.day} {day:%B}" + (f" {day.year}" if day.year != today.year else "")
