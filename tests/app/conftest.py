"""Carousel as page tests open it."""

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner

from tests.app.learner import Open, carousel


@pytest.fixture(scope="session", autouse=True)
def _packages_are_looked_through_once() -> Iterator[None]:
    """For each tab that a test opens Streamlit reads what every installed package says of itself: most of the time that these tests took."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture
def open_app() -> Iterator[Open]:
    """Opens pages of one Carousel, on a database of its own."""
    with carousel() as open_tab:
        yield open_tab
