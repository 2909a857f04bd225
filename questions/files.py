"""Reads a file that may be anybody's: a regular file of limited size, and nothing that blocks, runs or never ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_FILES = 200  # in one folder


class UnreadableFile(Exception):
    """The file cannot be used; the message says why, without its name."""


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a regular file (or of what a link leads to). Errors: UnreadableFile.

    Opened without waiting, because opening a FIFO would wait for a writer, and looked at once open, because what a name
    stands for may change in between.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnreadableFile("is no ordinary file")
    try:
        with os.fdopen(handle, "rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from None
    if len(content) > most:
        raise UnreadableFile(f"the file has more than {most} bytes; at most {most} are read")
    return content


def question_files(place: Path) -> list[Path]:
    """The ``*.toml`` files of a folder by name, or `place` itself when it is a file. Errors: UnreadableFile."""
    try:
        if not place.is_dir():
            if place.exists():
                return [place]
            raise UnreadableFile("there is no such folder or file")
        with os.scandir(place) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".toml") and not entry.name.startswith("."))
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not names:
        raise UnreadableFile("no question files (*.toml) found in this folder")
    if len(names) > MAX_FILES:
        raise UnreadableFile(f"the folder has {len(names)} question files; at most {MAX_FILES} are read")
    return [place / name for name in names]


def printable(value: object, most: int = 80) -> str:
    """`value` in at most `most` characters that can be shown anywhere: a file's content may hold control sequences or endless numbers."""
    try:
        text = str(value)
    except ValueError:  # a whole number with thousands of digits
        text = "a very large number"
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return text if text.isprintable() else ascii(text)[1:-1]


def printable_path(path: Path, most: int = 300) -> str:
    """Where a file is, its name in any case: of a path that is too long the beginning goes."""
    text = str(path)
    return printable(text if len(text) <= most else f"…{text[1 - most :]}", most)
