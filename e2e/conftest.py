import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from e2e.cluster import cluster as lifecycle
from e2e.cluster.components import Settings
from e2e.cluster.layout import layout_of
from e2e.cluster.namespace import require_anchor
from e2e.running_cluster import Namespace, RunningCluster

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """Notes seconds that a test measured; they are printed at the end of the run, with the machine beside them."""
    figures = request.config.stash.setdefault(FIGURES, [])
    return lambda what, seconds: figures.append(f"{seconds:7.1f} s  {what}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if figures := config.stash.get(FIGURES, []):
        memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
        machine = f"{os.cpu_count()} cores, {memory_kib / 2**20:.0f} GiB, Linux {platform.release()}"
        terminalreporter.section(f"measured on {machine}")
        terminalreporter.write_line("\n".join(figures))


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
    cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
