import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from e2e.cluster import cluster as lifecycle
from e2e.cluster.components import Settings
from e2e.cluster.layout import layout_of
from e2e.cluster.namespace import require_anchor
from e2e.running_cluster import Namespace, RunningCluster
from tests.longest_first import begin_with

FIGURE = "figure"
LONGEST = (
    "test_rollouts",
    "test_scaling_follows_the_load",
    "test_scaling_by_prometheus",
    "test_every_engine",
    "test_quickstart",
    "test_other_scalers",
    "test_zero_and_back",
    "test_warm_replicas",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    begin_with(LONGEST, items)


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str, float], None]:
    """Notes seconds that a test measured; they are printed at the end of the run, with the machine beside them."""
    return lambda what, seconds: record_property(FIGURE, f"{seconds:7.2f} s  {what}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, ())]
    figures = [str(text) for report in reports for name, text in report.user_properties if name == FIGURE]
    if figures:
        memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
        machine = f"{os.cpu_count()} cores, {memory_kib / 2**20:.0f} GiB, Linux {platform.release()}"
        terminalreporter.section(f"measured on {machine}")
        terminalreporter.write_line("\n".join(figures))


@pytest.fixture(scope="session")
def cluster() -> Iterator[RunningCluster]:
    """One cluster for the whole run, and for each worker where tests run side by side."""
    yield from running_cluster("-".join(("e2e", os.environ.get("PYTEST_XDIST_WORKER", "0"))))


def running_cluster(name: str) -> Iterator[RunningCluster]:
    """A fresh one of this name; STOKER_E2E_CLUSTER names one that runs already, and is left running."""
    chosen = os.environ.get("STOKER_E2E_CLUSTER")
    if chosen:
        require_anchor(layout_of(chosen))
        yield RunningCluster(layout_of(chosen))
        return
    layout = layout_of(name)
    lifecycle.down(layout)
    lifecycle.up(layout, Settings(), install=False)
    yield RunningCluster(layout)
    lifecycle.down(layout)


@pytest.fixture
def namespace(cluster: RunningCluster) -> Iterator[Namespace]:
    with own_namespace(cluster) as made:
        yield made


@contextmanager
def own_namespace(cluster: RunningCluster) -> Iterator[Namespace]:
    name = f"test-{uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    yield Namespace(cluster, name)
    cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
