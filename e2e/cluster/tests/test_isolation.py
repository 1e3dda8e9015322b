from pathlib import Path

import pytest

from e2e.cluster.layout import NODE_IP
from e2e.running_cluster import Namespace, RunningCluster, pod

pytestmark = pytest.mark.e2e

OUTSIDE = ("1.1.1.1", "8.8.8.8", "169.254.169.254", "10.0.0.1", "192.168.1.1")


def _interfaces_to_the_outside(cluster: RunningCluster) -> list[str]:
    lines = cluster.run("ip", "-oneline", "link").stdout.splitlines()
    names = [line.split(": ")[1].split("@")[0] for line in lines]
    return [name for name in names if name not in {"lo", "node0"} and not name.startswith("veth")]


def test_there_is_no_device_and_no_route_to_the_outside(cluster: RunningCluster) -> None:
    assert _interfaces_to_the_outside(cluster) == []
    routes = cluster.run("ip", "route").stdout.splitlines()
    assert f"default via {NODE_IP} dev node0 " in routes
    # Nothing hangs on the bridge that the default route names: what goes there goes nowhere.
    assert cluster.run("ip", "-oneline", "link", "show", "master", "node0").stdout == ""


def _machine_devices() -> set[str]:
    return {line.split(":")[0].strip() for line in Path("/proc/1/net/dev").read_text().splitlines()[2:]}


def test_no_packet_of_a_pod_reaches_the_machines_network(namespace: Namespace) -> None:
    before = _machine_devices()
    namespace.apply(pod("caller"))
    namespace.wait_ready("caller")
    for address in OUTSIDE:
        for attempt in (f"timeout 1 wget -qO- http://{address}/", f"ping -c 1 -W 1 {address}"):
            answer = namespace.execute("caller", "sh", "-c", f"{attempt} > /dev/null 2>&1; echo $?")
            assert answer.strip() != "0", f"{address} answered {attempt}"
    # The machine has no device that a pod or the cluster brought, so nothing had a way to it.
    assert _machine_devices() == before
