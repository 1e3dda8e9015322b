import pytest

from e2e.cluster.layout import NODE_NAME
from e2e.running_cluster import Namespace, RunningCluster, pod, until

pytestmark = pytest.mark.e2e

ONE_GPU = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}


def _allocatable(cluster: RunningCluster) -> int:
    return int(cluster.json("get", "node", NODE_NAME)["status"]["allocatable"]["nvidia.com/gpu"])


def test_a_pod_with_a_gpu_sees_its_device(namespace: Namespace) -> None:
    namespace.apply(pod("one", container=ONE_GPU))
    namespace.wait_ready("one")
    devices = namespace.execute("one", "sh", "-c", "echo $NVIDIA_VISIBLE_DEVICES").strip()
    assert devices.startswith("GPU-")
    assert "," not in devices


def test_a_fifth_pod_on_four_gpus_is_unschedulable(namespace: Namespace) -> None:
    first = [f"p{index}" for index in range(4)]
    namespace.apply(*(pod(name, container=ONE_GPU) for name in first))
    namespace.wait_ready(*first)
    namespace.apply(pod("fifth", container=ONE_GPU))

    def refused() -> bool:
        conditions = namespace.json("get", "pod", "fifth")["status"].get("conditions", [])
        return any(
            one["reason"] == "Unschedulable" and "Insufficient nvidia.com/gpu" in one["message"]
            for one in conditions
            if one["type"] == "PodScheduled" and "reason" in one
        )

    until(refused, "the fifth pod is Unschedulable for lack of a GPU")
    # Each has a device of its own.
    devices = {namespace.execute(name, "sh", "-c", "echo $NVIDIA_VISIBLE_DEVICES") for name in first}
    assert len(devices) == 4
    namespace.kubectl("delete", "pod", "p0")
    namespace.wait_ready("fifth")


def test_an_unhealthy_gpu_is_taken_out_of_the_allocatable_count_and_comes_back(cluster: RunningCluster) -> None:
    before = _allocatable(cluster)
    mark = cluster.layout.gpu_control / "unhealthy" / "2"
    mark.parent.mkdir(exist_ok=True)
    mark.touch()
    try:
        until(lambda: _allocatable(cluster) == before - 1, "one GPU less")
        capacity = cluster.json("get", "node", NODE_NAME)["status"]["capacity"]["nvidia.com/gpu"]
        assert int(capacity) == before
    finally:
        mark.unlink()
    until(lambda: _allocatable(cluster) == before, "all GPUs again")


def test_the_node_is_labelled_as_gpu_feature_discovery_does(cluster: RunningCluster) -> None:
    labels = cluster.json("get", "node", NODE_NAME)["metadata"]["labels"]
    assert labels["nvidia.com/gpu.present"] == "true"
    assert labels["nvidia.com/gpu.product"] == "NVIDIA-L4"
    assert labels["nvidia.com/gpu.count"] == str(_allocatable(cluster))
    assert 22_000 < int(labels["nvidia.com/gpu.memory"]) < 25_000
