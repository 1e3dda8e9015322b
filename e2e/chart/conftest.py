import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from e2e.chart.release import Release
from e2e.cluster.binaries import HELM
from e2e.cluster.build import built
from e2e.models.build import build as build_model
from e2e.operator.conftest import Models
from e2e.running_cluster import Namespace, RunningCluster
from e2e.up.stage import bring_image, image_values

NAMESPACE = "stoker-chart"
# An image of the test's, which has the simulated engine and nothing of vLLM.
ENGINE_IMAGE = "simulated"


@dataclass(frozen=True)
class SimulatedModels(Models):
    """ModelDeployments of the simulated engine."""

    def create(self, name: str = "web", replicas: int = 1, script: str = "", **spec: Any) -> None:
        engine = {"name": "simulated", "image": None, "custom": None}
        super().create(name, replicas, script, engine=engine, drain={"graceSeconds": 10}, **spec)


@pytest.fixture(scope="module")
def release(cluster: RunningCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """Nothing is installed yet, and nothing is afterwards but the definition: the tests of other files start operators
    of their own in this cluster."""
    # Built once: an edit of the code in between would name an image that is not there.
    operator, runtime = (bring_image(cluster.layout, name)[0] for name in ("operator", ENGINE_IMAGE))
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": restricted}})
    file = tmp_path_factory.mktemp("chart") / "values.yaml"
    file.write_text(json.dumps(image_values(operator, runtime)))
    found = Release(built([HELM])[HELM.name] / HELM.name, Namespace(cluster, NAMESPACE), file)
    yield found
    found.uninstall()
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")


@pytest.fixture
def models(namespace: Namespace) -> Iterator[SimulatedModels]:
    """With a claim that has a model in it, as a platform team shares one."""
    cluster = namespace.cluster
    folder = cluster.layout.state.resolve() / "chart-models"
    shutil.rmtree(folder, ignore_errors=True)
    build_model("tiny-llama", folder / "tiny")
    volume = f"weights-{namespace.name}"
    shape = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    size = {"storage": "64Mi"}
    place = {
        "capacity": size,
        "hostPath": {"path": str(folder)},
        "claimRef": {"namespace": namespace.name, "name": "weights"},
    }
    cluster.apply({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume}, "spec": shape | place})
    claim = shape | {"resources": {"requests": size}, "volumeName": volume}
    namespace.apply(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "weights"}, "spec": claim}
    )
    yield SimulatedModels(namespace)
    cluster.kubectl("delete", f"persistentvolume/{volume}", "--wait=false")
