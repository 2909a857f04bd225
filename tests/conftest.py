"""What every test gets: no way to the learner's own database, no remote scheduler, one thread a process."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Before anything imports torch or starts a process: workers and servers started by tests inherit it.
os.environ["OMP_NUM_THREADS"] = "1"

# Examples are the same in every run, and a busy machine does not fail a test.
settings.register_profile("carousel", derandomize=True, deadline=None)
settings.load_profile("carousel")


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A database of its own for each test that opens the default one, and settings of the machine left out."""
    for name in ("CAROUSEL_HOST", "CAROUSEL_PORT", "DASK_SCHEDULER_ADDRESS", "QUESTIONS_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path_factory.mktemp('database')}/carousel.db")
