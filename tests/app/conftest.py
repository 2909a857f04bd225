"""Carousel as page tests open it."""

from collections.abc import Iterator

import pytest

from tests.app.learner import Open, carousel


@pytest.fixture
def open_app() -> Iterator[Open]:
    """Opens pages of one Carousel, on a database of its own."""
    with carousel() as open_tab:
        yield open_tab
