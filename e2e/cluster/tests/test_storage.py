import pytest

from e2e.running_cluster import Namespace, RunningCluster, pod, until

pytestmark = pytest.mark.e2e


def test_a_claim_gets_a_volume_that_survives_its_pod_and_goes_with_the_claim(namespace: Namespace) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "weights"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    volumes = [{"name": "weights", "persistentVolumeClaim": {"claimName": "weights"}}]
    mounts = {"volumeMounts": [{"name": "weights", "mountPath": "/weights"}]}
    not_root = {"runAsNonRoot": True, "runAsUser": 65532}

    namespace.apply(claim, pod("writer", volumes=volumes, container=mounts, securityContext=not_root))
    namespace.wait_ready("writer")
    namespace.execute("writer", "sh", "-c", "echo kept > /weights/file")
    namespace.kubectl("delete", "pod", "writer")
    namespace.apply(pod("reader", volumes=volumes, container=mounts))
    namespace.wait_ready("reader")
    assert namespace.execute("reader", "cat", "/weights/file") == "kept\n"

    volume = namespace.json("get", "pvc", "weights")["spec"]["volumeName"]
    folder = namespace.cluster.layout.volumes / volume
    assert (folder / "file").read_text() == "kept\n"
    namespace.kubectl("delete", "pod/reader", "pvc/weights")
    until(lambda: not folder.exists(), "the folder goes with the claim")
    until(lambda: not _volume_exists(namespace.cluster, volume), "the volume goes with the claim")


def _volume_exists(cluster: RunningCluster, name: str) -> bool:
    return bool(cluster.kubectl("get", "pv", name, "--ignore-not-found"))
