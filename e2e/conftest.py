import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from e2e.cluster import cluster as lifecycle
from e2e.cluster.components import Settings
from e2e.cluster.layout import layout_of
from e2e.cluster.namespace import require_anchor
from e2e.running_cluster import Namespace, RunningCluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[RunningCluster]:
    """One cluster for the whole run; STOKER_E2E_CLUSTER names one that runs already, and is left running."""
    chosen = os.environ.get("STOKER_E2E_CLUSTER")
    if chosen:
        require_anchor(layout_of(chosen))
        yield RunningCluster(layout_of(chosen))
        return
    layout = layout_of("e2e")
    lifecycle.down(layout)
    lifecycle.up(layout, Settings(), install=False)
    yield RunningCluster(layout)
    lifecycle.down(layout)


@pytest.fixture
def namespace(cluster: RunningCluster) -> Iterator[Namespace]:
    name = f"test-{uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    yield Namespace(cluster, name)
    cluster.kubectl("delete", "namespace", name, "--wait=false")
