"""Reads a file that may be anybody's: a regular file of limited size, and nothing that blocks, runs or never ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class UnreadableFile(Exception):
    """The file cannot be used; the message says why, without its name."""


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a regular file (or of what a link leads to). Errors: UnreadableFile.

    Opened without waiting, because opening a FIFO would wait for a writer, and looked at once open, because what a name
    stands for may change in between.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise UnreadableFile("is no ordinary file")
        try:
            content = file.read(most + 1)
        except OSError as error:
            raise UnreadableFile(f"cannot be read: {error.strerror}") from None
    if len(content) > most:
        raise UnreadableFile(f"the file has more than {most} bytes; at most {most} are read")
    return content
