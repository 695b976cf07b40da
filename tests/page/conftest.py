"""One browser for all pages that a process of the tests opens."""

from collections.abc import Iterator

import pytest
from making.browser import Browser
from making.browser import browser as started


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser, which a test is to leave as it found it."""
    with started() as found:
        yield found
