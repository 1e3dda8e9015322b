import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from e2e.cluster import cgroups
from e2e.cluster.kubectl import apply, kubectl
from e2e.cluster.layout import RUNTIME_ROOT, Layout, layout_of
from e2e.cluster.namespace import processes_of
from e2e.running_cluster import pod, until

pytestmark = pytest.mark.e2e

UP_SECONDS = 30


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "e2e.cluster", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def succeed(*arguments: str) -> str:
    answer = run(*arguments)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def _network_namespaces() -> set[str]:
    links = (Path("/proc") / entry / "ns" / "net" for entry in os.listdir("/proc") if entry.isdecimal())  # noqa: PTH208
    found = set()
    for link in links:
        try:
            found.add(str(link.readlink()))
        except OSError:
            continue
    return found


def _traces(layout: Layout) -> dict[str, object]:
    """All that a cluster could leave on the machine."""
    return {
        "processes": sorted(cgroups.members(layout.cgroup)),
        "cgroups": [str(root) for root in cgroups.hierarchies() if (root / layout.cgroup).exists()],
        "mounts": [line for line in Path("/proc/1/mountinfo").read_text().splitlines() if str(layout.state) in line],
        "folders": [str(path) for path in (layout.state, layout.runtime) if path.exists()],
    }


NO_TRACES: dict[str, object] = {"processes": [], "cgroups": [], "mounts": [], "folders": []}


@pytest.fixture
def layout() -> Iterator[Layout]:
    layout = layout_of("e2e-lifecycle")
    succeed("down", "--name", layout.name)
    yield layout
    succeed("down", "--name", layout.name)


def _devices_and_rules() -> tuple[str, str]:
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    devices = subprocess.run(["ip", "-oneline", "link"], capture_output=True, text=True, check=True).stdout
    return devices, "\n".join(line for line in rules.splitlines() if not line.startswith("#"))


def _pids(layout: Layout) -> dict[str, int]:
    processes = processes_of(layout)
    return {name: record.pid for name in processes.names() if (record := processes.alive(name))}


def test_a_cluster_starts_in_time_and_a_second_up_changes_nothing(
    layout: Layout, figure: Callable[[str, float], None]
) -> None:
    succeed("build")
    started = time.monotonic()
    succeed("up", "--name", layout.name)
    took_seconds = time.monotonic() - started
    figure("a one-node cluster with 4 GPUs, from `up` to usable", took_seconds)
    assert took_seconds < UP_SECONDS
    before = _pids(layout)
    assert before.keys() >= {"etcd", "kube-apiserver", "kubelet", "containerd", "coredns", "prometheus", "fake-gpu"}
    succeed("up", "--name", layout.name)
    assert _pids(layout) == before
    succeed("status", "--name", layout.name)


def test_down_leaves_nothing_and_a_second_down_is_fine(layout: Layout) -> None:
    namespaces, machine = _network_namespaces(), _devices_and_rules()
    succeed("up", "--name", layout.name)
    apply(layout, [pod("left-behind") | {"metadata": {"name": "left-behind", "namespace": "default"}}])
    kubectl(layout, "wait", "--for=condition=Ready", "pod/left-behind", "--timeout=30s")
    assert _traces(layout) != NO_TRACES
    assert _network_namespaces() > namespaces
    succeed("down", "--name", layout.name)
    assert _traces(layout) == NO_TRACES
    assert _network_namespaces() <= namespaces
    assert _devices_and_rules() == machine
    assert "nothing to do" in succeed("down", "--name", layout.name)


def test_a_cluster_whose_every_process_was_killed_comes_back_with_its_objects(layout: Layout) -> None:
    succeed("up", "--name", layout.name)
    apply(layout, [pod("survivor") | {"metadata": {"name": "survivor", "namespace": "default"}}])
    kubectl(layout, "wait", "--for=condition=Ready", "pod/survivor", "--timeout=30s")
    for pid in cgroups.members(layout.cgroup):
        with suppress(ProcessLookupError):  # a shim ends with its container
            os.kill(pid, signal.SIGKILL)
    until(lambda: not _pids(layout), "all processes are gone")
    assert run("status", "--name", layout.name).returncode == 1
    succeed("up", "--name", layout.name)

    def runs_again() -> bool:
        path = "jsonpath={.status.containerStatuses[0].ready} {.status.containerStatuses[0].restartCount}"
        return kubectl(layout, "get", "pod", "survivor", "--output", path).split() == ["true", "1"]

    until(runs_again, "the pod was restarted")


def test_up_restarts_the_one_component_that_died(layout: Layout) -> None:
    succeed("up", "--name", layout.name)
    before = _pids(layout)
    os.kill(before["kube-scheduler"], signal.SIGKILL)
    until(lambda: "kube-scheduler" not in _pids(layout), "the scheduler is gone")
    succeed("up", "--name", layout.name)
    after = _pids(layout)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {"kube-scheduler"}


def test_up_gets_over_a_start_that_was_interrupted(layout: Layout) -> None:
    command = [sys.executable, "-m", "e2e.cluster", "up", "--name", layout.name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as interrupted:
        until((layout.runtime / "processes" / "etcd.json").exists, "it got as far as etcd")
        interrupted.kill()
    succeed("up", "--name", layout.name)
    succeed("status", "--name", layout.name)


def test_two_clusters_side_by_side_share_nothing(layout: Layout) -> None:
    other = layout_of("e2e-second")
    succeed("up", "--name", other.name)
    try:
        succeed("up", "--name", layout.name)
        kubectl(layout, "create", "configmap", "only-here")
        assert kubectl(other, "get", "configmap", "only-here", "--ignore-not-found") == ""
        succeed("down", "--name", layout.name)
        assert _traces(layout) == NO_TRACES
        succeed("status", "--name", other.name)
        apply(other, [pod("still-works") | {"metadata": {"name": "still-works", "namespace": "default"}}])
        kubectl(other, "wait", "--for=condition=Ready", "pod/still-works", "--timeout=30s")
    finally:
        succeed("down", "--name", other.name)
    assert _traces(other) == NO_TRACES


def test_the_last_cluster_takes_the_mount_points_along(layout: Layout) -> None:
    succeed("up", "--name", layout.name)
    succeed("down", "--name", layout.name)
    others = RUNTIME_ROOT.exists() and any(path.is_dir() for path in RUNTIME_ROOT.iterdir())
    assert Path("/var/lib/kubelet").exists() == others


def test_kwok_nodes_take_pods_that_tolerate_them(layout: Layout) -> None:
    succeed("up", "--name", layout.name, "--kwok-nodes", "3")
    tolerations = [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}]
    gpus = {"resources": {"limits": {"nvidia.com/gpu": "8"}}}
    names = [f"fleet-{index}" for index in range(3)]
    for name in names:
        fleet = pod(name, container=gpus, tolerations=tolerations, nodeSelector={"type": "kwok"})
        fleet["metadata"]["namespace"] = "default"
        apply(layout, [fleet])
    kubectl(layout, "wait", "--for=condition=Ready", "--timeout=30s", *(f"pod/{name}" for name in names))
    nodes = kubectl(layout, "get", "pods", "--output=jsonpath={.items[*].spec.nodeName}").split()
    assert sorted(nodes) == ["kwok-0", "kwok-1", "kwok-2"]


def test_another_up_changes_the_number_of_gpus_and_of_kwok_nodes(layout: Layout) -> None:
    succeed("up", "--name", layout.name, "--gpus", "2", "--kwok-nodes", "3")
    succeed("up", "--name", layout.name, "--gpus", "3", "--kwok-nodes", "1")
    path = r"jsonpath={range .items[*]}{.metadata.name} {.status.allocatable.nvidia\.com/gpu}{'\n'}{end}"
    assert kubectl(layout, "get", "nodes", "--output", path).split() == ["kwok-0", "8", "node-1", "3"]
    # Without flags nothing changes.
    succeed("up", "--name", layout.name)
    assert kubectl(layout, "get", "nodes", "--output", path).split() == ["kwok-0", "8", "node-1", "3"]


def test_a_gpu_product_that_nobody_makes_is_said_at_once(layout: Layout) -> None:
    answer = run("up", "--name", layout.name, "--gpu-product", "NVIDIA-Z9000")
    assert answer.returncode == 2
    assert "fake-gpu ended" in answer.stderr
    assert "NVIDIA-Z9000" in answer.stderr
