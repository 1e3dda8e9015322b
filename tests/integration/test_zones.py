"""A volume that one node mounts is bound by the job that fills it, so the job has to stand where the GPUs are. On the
real scheduler, with local volumes in two zones."""

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from e2e.cluster.assets import kubebuilder_assets
from e2e.cluster.control_plane import control_plane
from stoker.core.plan.actions import CreateReplicaSet
from stoker.core.plan.planner import plan
from stoker.core.plan.snapshot import Node, Snapshot
from tests.integration.api_server import ApiServer
from tests.unit.plan.fetching import fetched, hub, inspected, own_claim, wanted_job, with_image

ZONE = "topology.kubernetes.io/zone"
CLAIM = "llama-weights"
CORE = "/api/v1/namespaces/default"
# With the GPU in the zone that comes second by name, so that no order of names finds it by luck.
GPU_ZONES = {"a": 0, "b": 1}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    assets = kubebuilder_assets()
    with control_plane(assets, tmp_path_factory.mktemp("zones"), controllers=True) as plane:
        context = ssl.create_default_context(cafile=str(plane.ca_file))
        context.load_cert_chain(plane.client_cert, plane.client_key)
        with contextlib.closing(ApiServer(plane.url, context, plane.kubeconfig, assets / "kubectl")) as api:
            for zone, gpus in GPU_ZONES.items():
                _add_node(api, zone, gpus)
                _add_volume(api, zone)
            _made(api, "/apis/storage.k8s.io/v1/storageclasses", STORAGE_CLASS)
            _until(lambda: api.ask("GET", f"{CORE}/serviceaccounts/default").status == 200, "the service account")
            yield api


STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "local"},
    "provisioner": "kubernetes.io/no-provisioner",
    "volumeBindingMode": "WaitForFirstConsumer",
}


def _add_node(api: ApiServer, zone: str, gpus: int) -> None:
    labels = {ZONE: zone, "kubernetes.io/hostname": f"node-{zone}"}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{zone}", "labels": labels}}
    _made(api, "/api/v1/nodes", node)
    amounts = {"cpu": "8", "memory": "64Gi", "pods": "10"} | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-11-21T00:00:00Z"}
    status = {"capacity": amounts, "allocatable": amounts, "conditions": [ready]}
    path = f"/api/v1/nodes/node-{zone}"
    api.ask("PATCH", f"{path}/status", {"status": status}, "application/merge-patch+json")
    api.ask("PATCH", path, {"spec": {"taints": None}}, "application/merge-patch+json")


def _add_volume(api: ApiServer, zone: str) -> None:
    there = {"nodeSelectorTerms": [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]}]}
    spec = {
        "capacity": {"storage": "64Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local",
        "local": {"path": "/disk"},
        "nodeAffinity": {"required": there},
    }
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"disk-{zone}"}, "spec": spec}
    _made(api, "/api/v1/persistentvolumes", volume)


def _made(api: ApiServer, path: str, body: dict[str, Any]) -> None:
    answer = api.ask("POST", path, body)
    assert answer.status == 201, answer.message


def _until(holds: Callable[[], bool], what: str, seen: dict[str, Any] | None = None) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within 30 s: {(seen or {}).get('status')}"
        time.sleep(0.1)


def _world() -> Snapshot:
    nodes = tuple(
        Node(f"node-{zone}", {ZONE: zone}, {"nvidia.com/gpu": gpus} if gpus else {}, schedulable=True)
        for zone, gpus in GPU_ZONES.items()
    )
    claim = own_claim(access_modes=("ReadWriteOnce",), bound=False, phase="Pending")
    world = hub(cluster=replace(with_image(), nodes=nodes), spec={"accelerator": {"count": 1}})
    return replace(inspected(world), claims={CLAIM: claim})


def _node_of(api: ApiServer, name: str, template: dict[str, Any]) -> str:
    metadata = {"name": name, "labels": template["metadata"]["labels"]}
    _made(api, f"{CORE}/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})

    pod: dict[str, Any] = {}

    def has_node() -> bool:
        pod.update(api.ask("GET", f"{CORE}/pods/{name}").body)
        return "nodeName" in pod["spec"]

    _until(has_node, f"a node for {name}", pod)
    return str(pod["spec"]["nodeName"])


def test_the_job_goes_where_the_gpus_are_and_the_replica_follows_its_volume(cluster: ApiServer) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "local",
            "resources": {"requests": {"storage": "35Gi"}},
        },
    }
    _made(cluster, f"{CORE}/persistentvolumeclaims", claim)
    world = _world()
    assert _node_of(cluster, "fetch", wanted_job(world)["spec"]["template"]) == "node-b"
    (replicas,) = [action for action in plan(fetched(world)).actions if isinstance(action, CreateReplicaSet)]
    assert _node_of(cluster, "replica", replicas.body["spec"]["template"]) == "node-b"
