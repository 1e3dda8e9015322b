from collections.abc import Iterator

import pytest

from e2e.conftest import running_cluster
from e2e.running_cluster import RunningCluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[RunningCluster]:
    """One that nobody else has used: the page's names are those that other tests take as well. It ends with them."""
    yield from running_cluster("e2e-docs")
