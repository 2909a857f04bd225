"""Settings, read from the environment once at start.

| variable       | meaning                        | default                                    |
|----------------|--------------------------------|--------------------------------------------|
| DATABASE_URL   | where everything is kept       | sqlite, data/carousel.db under the project |
| QUESTIONS_PATH | folders of questions to add    | none                                       |
| CAROUSEL_HOST  | address the server listens on  | 127.0.0.1 (this machine only)              |
| CAROUSEL_PORT  | port the server listens on     | 8501                                       |
| CAROUSEL_OPEN  | open a browser at start        | yes, when started on a desktop's terminal  |
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parent.parent
DEFAULT_DATABASE = ROOT / "data" / "carousel.db"
DEFAULT_DATABASE_URL = f"sqlite:///{quote(DEFAULT_DATABASE.as_posix())}"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8501


class InvalidSettings(ValueError):
    """One or more environment variables cannot be used; `problems` names each, what is expected and what came."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True)
class Settings:
    """Everything that can be set from outside."""

    database_url: str = DEFAULT_DATABASE_URL
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    open_browser: bool | None = None  # None: when there is somebody at a desktop
    questions: tuple[Path, ...] = ()  # folders of private question files, added to the bank that ships

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
        """Settings from `environment` (default: the process's). An empty variable counts as not set. Errors: InvalidSettings."""
        given = {name: value.strip() for name, value in (os.environ if environment is None else environment).items()}
        problems: list[str] = []
        host = given.get("CAROUSEL_HOST") or DEFAULT_HOST
        if any(character.isspace() or character in "/@" for character in host):
            problems.append(f"CAROUSEL_HOST must be a host name or an IP address, got {host!r}")
        port = given.get("CAROUSEL_PORT") or str(DEFAULT_PORT)
        if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
            problems.append(f"CAROUSEL_PORT must be a whole number from 1 to 65535, got {port[:40]!r}")
        opened = given.get("CAROUSEL_OPEN", "").lower()
        if opened not in ("", "yes", "no"):
            problems.append(f"CAROUSEL_OPEN must be yes or no, got {opened[:40]!r}")
        if problems:
            raise InvalidSettings(problems)
        folders = dict.fromkeys(part.strip() for part in given.get("QUESTIONS_PATH", "").split(os.pathsep) if part.strip())
        return Settings(
            database_url=given.get("DATABASE_URL") or DEFAULT_DATABASE_URL,
            host=host,
            port=int(port),
            open_browser=opened == "yes" if opened else None,
            questions=tuple(_folder(name) for name in folders),
        )


def _folder(name: str) -> Path:
    """A folder's path; a leading ~ is the home folder, where there is one."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)
