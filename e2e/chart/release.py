"""A release of the chart, and what helm does with it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.cluster.refusal import Refusal
from e2e.running_cluster import Namespace

CHART = Path(__file__).parents[2] / "charts" / "stoker"
NAME = "stoker"
DEPLOYMENT = "deployment/stoker-operator"
Json = dict[str, Any]


@dataclass(frozen=True)
class Release:
    """Always the same name in the same namespace, as somebody who upgrades has it."""

    helm: Path
    namespace: Namespace
    values: Path  # of every install and upgrade here: where the images are

    def install(self, values: Json | None = None, *flags: str, seconds: int = 120, chart: Path = CHART) -> None:
        """Installs, or brings what is installed to these values and no others."""
        answer = self.try_install(values, *flags, seconds=seconds, chart=chart)
        assert answer.returncode == 0, answer.stderr + self.logs()

    def try_install(
        self, values: Json | None = None, *flags: str, seconds: int = 120, chart: Path = CHART
    ) -> subprocess.CompletedProcess[str]:
        # JSON is YAML. A definition that kubectl brought before is taken over.
        given = [f"--values={self.values}", "--values=-"]
        waiting = ["--wait", f"--timeout={seconds}s", "--take-ownership", "--reset-values"]
        command = ["upgrade", "--install", NAME, str(chart), *given, *waiting, *flags]
        return self.run(*command, stdin=json.dumps(values or {}))

    def uninstall(self) -> None:
        answer = self.run("uninstall", NAME, "--wait", "--ignore-not-found")
        assert answer.returncode == 0, answer.stderr

    def rollback(self) -> None:
        answer = self.run("rollback", NAME, "--wait", "--timeout=120s")
        assert answer.returncode == 0, answer.stderr + self.logs()

    def test(self, *flags: str) -> subprocess.CompletedProcess[str]:
        return self.run("test", NAME, "--timeout=300s", *flags)

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        cluster = self.namespace.cluster
        inside = cluster.tool("env", f"KUBECONFIG={cluster.layout.kubeconfig}", str(self.helm))
        command = [*inside, *arguments, f"--namespace={self.namespace.name}"]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)

    def logs(self) -> str:
        try:
            return self.namespace.kubectl("logs", DEPLOYMENT, "--all-pods", "--tail=30", "--ignore-errors")
        except Refusal as refusal:
            return str(refusal)

    def operators(self) -> dict[str, str]:
        """Name and uid of the operator's pods that are Ready."""
        found = self.namespace.json("get", "pods", "--selector=app.kubernetes.io/component=operator")
        return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in found["items"] if _is_ready(pod)}

    def leader(self) -> str:
        lease = self.namespace.json("get", "lease/stoker-operator")
        return str(lease["spec"].get("holderIdentity") or "")

    def key(self) -> str:
        secret = self.namespace.json("get", "secret/stoker-agent-key")
        return str(secret["data"]["agent-key"])


def _is_ready(pod: Json) -> bool:
    conditions = pod["status"].get("conditions", ())
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
