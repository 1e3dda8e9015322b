"""The web as every source's tests see it."""

from collections.abc import Iterator

import pytest

from tests.unit.sources.directed import Directed


@pytest.fixture
def web() -> Iterator[Directed]:
    with Directed() as web:
        yield web
