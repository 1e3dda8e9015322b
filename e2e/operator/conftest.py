from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster.busybox_image import BUSYBOX_IMAGE
from e2e.cluster.kubectl import kubectl_ok
from e2e.operator.service_account import kubeconfig_of, objects
from e2e.operator_process import OperatorProcess
from e2e.running_cluster import Namespace, RunningCluster, until

ROOT = Path(__file__).parents[2]
LEASE_NAMESPACE = "stoker-system"
INSTALLED = "app.kubernetes.io/name=stoker,app.kubernetes.io/component=operator"
# Answers with its own name, and goes on answering for a moment after it was told to end.
ANSWER = "mkdir -p /tmp/www/v1; hostname > /tmp/www/health; cp /tmp/www/health /tmp/www/v1/who;"
SERVE = f"{ANSWER} trap 'sleep 1; exit 0' TERM; httpd -f -p 8000 -h /tmp/www & wait"


@dataclass
class Operators:
    """Starts operators of this working tree in the cluster's network."""

    cluster: RunningCluster
    folder: Path
    started: int = 0

    def operator(self, **configuration: Any) -> OperatorProcess:
        installed = self.cluster.kubectl("get", "pods", "--all-namespaces", f"--selector={INSTALLED}", "--output=name")
        assert not installed.strip(), f"another Stoker runs here, and would move the same models: {installed}"
        self.started += 1
        file = self.folder / f"configuration-{self.started}.yaml"
        file.write_text(yaml.safe_dump({"probes": {"port": 0}} | configuration))
        log = self.folder / f"operator-{self.started}.log"
        return OperatorProcess(file, log, self._as_itself())

    def _as_itself(self) -> list[str]:
        """Enters the cluster's network with the operator's own permissions and no others."""
        kubeconfig = kubeconfig_of(self.cluster, LEASE_NAMESPACE, self.folder / "operator.kubeconfig")
        return self.cluster.tool("env", f"KUBECONFIG={kubeconfig}", f"POD_NAMESPACE={LEASE_NAMESPACE}")

    def command(self, *variables: str) -> list[str]:
        """What enters the cluster's network as its administrator."""
        return self.cluster.tool("env", f"KUBECONFIG={self.cluster.layout.kubeconfig}", *variables)


@pytest.fixture(scope="session")
def operators(cluster: RunningCluster, tmp_path_factory: pytest.TempPathFactory) -> Operators:
    cluster.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
    # A fresh definition has no conditions yet that kubectl could wait for, and is listed and explained only later.
    questions = (("get", "modeldeployments"), ("explain", "modeldeployments"))
    until(lambda: all(kubectl_ok(cluster.layout, *asked) for asked in questions), "kubectl to know ModelDeployments")
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": LEASE_NAMESPACE}})
    cluster.apply(*objects(LEASE_NAMESPACE))
    return Operators(cluster, tmp_path_factory.mktemp("operators"))


@pytest.fixture(scope="module")
def running_operator(operators: Operators) -> Iterator[OperatorProcess]:
    with operators.operator() as process:
        yield process


@dataclass(frozen=True)
class Models:
    """ModelDeployments in one test's namespace, with a claim that stands for their weights."""

    namespace: Namespace

    def create(self, name: str = "web", replicas: int = 1, script: str = SERVE, **spec: Any) -> None:
        custom = {"command": ["sh", "-c", script], "port": 8000}
        chosen = {"name": "custom", "image": BUSYBOX_IMAGE, "custom": custom} | spec.pop("engine", {})
        engine = {key: value for key, value in chosen.items() if value is not None}
        whole = {
            "model": {"source": "pvc://weights/tiny"},
            "engine": engine,
            "replicas": replicas,
            "drain": {"graceSeconds": 2},
            "scaling": {"maxReplicas": 4, "mode": "Off"},
        } | spec
        self.namespace.apply(
            {"apiVersion": "stoker.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": name}, "spec": whole}
        )

    def wait_ready(self, name: str = "web", seconds: float = 60) -> None:
        self.namespace.kubectl("wait", f"mdep/{name}", "--for=condition=Ready", f"--timeout={seconds:.0f}s")

    def wait_settled(self, name: str = "web", seconds: float = 60) -> None:
        self.namespace.kubectl("wait", f"mdep/{name}", "--for=condition=Reconciling=False", f"--timeout={seconds:.0f}s")

    def condition(self, kind: str, name: str = "web") -> dict[str, str]:
        conditions = self.namespace.json("get", f"mdep/{name}").get("status", {}).get("conditions", ())
        return next((one for one in conditions if one["type"] == kind), {"status": "", "reason": "", "message": ""})

    def wait_for_reason(self, kind: str, reason: str, name: str = "web", seconds: float = 60) -> str:
        """The condition's message."""
        until(lambda: self.condition(kind, name)["reason"] == reason, f"{kind} for {reason}", seconds)
        return self.condition(kind, name)["message"]

    def pods(self, name: str = "web", *, tiers: Sequence[str] = ("serving",)) -> dict[str, str]:
        """Name and uid of those that are there to stay."""
        selector = f"stoker.dev/model={name},stoker.dev/tier in ({','.join(tiers)})"
        found = self.namespace.json("get", "pods", f"--selector={selector}")
        return {
            pod["metadata"]["name"]: pod["metadata"]["uid"]
            for pod in found["items"]
            if "deletionTimestamp" not in pod["metadata"]
        }

    def wait_routed(self, name: str = "web", seconds: float = 10) -> None:
        """Routing follows readiness within a second or so."""

        def every_pod_answers() -> bool:
            with suppress(AssertionError):
                return {self.ask(name) for _ in range(20)} == set(self.pods(name))
            return False

        until(every_pod_answers, "routing to every pod", seconds)

    def ask(self, name: str = "web", path: str = "/v1/who") -> str:
        """One answer through the Service."""
        address = self.namespace.json("get", f"service/{name}")["spec"]["clusterIP"]
        answer = self.namespace.cluster.run("curl", "--silent", "--show-error", "--fail", f"http://{address}{path}")
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()


@pytest.fixture
def models(namespace: Namespace, operators: Operators) -> Models:  # noqa: ARG001 - installs the CRD
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}}
    namespace.apply(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "weights"}, "spec": claim}
    )
    return Models(namespace)


def claim_of(models: Models, folder: str) -> None:
    """A volume with a folder of this machine, and its claim `tiny-llama`."""
    name = f"tiny-llama-{models.namespace.name}"
    size = {"storage": "64Mi"}
    volume = {
        "capacity": size,
        "accessModes": ["ReadOnlyMany"],
        "hostPath": {"path": folder},
        "claimRef": {"namespace": models.namespace.name, "name": "tiny-llama"},
    }
    models.namespace.cluster.apply(
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": volume}
    )
    claim = {
        "accessModes": ["ReadOnlyMany"],
        "resources": {"requests": size},
        "storageClassName": "",
        "volumeName": name,
    }
    models.namespace.apply(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "tiny-llama"}, "spec": claim}
    )
