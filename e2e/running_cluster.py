"""What tests do with a cluster that runs."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from e2e.cluster.busybox_image import BUSYBOX_IMAGE
from e2e.cluster.kubectl import apply, kubectl
from e2e.cluster.layout import Layout
from e2e.cluster.namespace import run_inside, tool_prefix

WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class RunningCluster:
    layout: Layout

    def kubectl(self, *arguments: str) -> str:
        return kubectl(self.layout, *arguments)

    def json(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl(*arguments, "--output=json"))
        return found

    def apply(self, *objects: dict[str, Any]) -> None:
        apply(self.layout, list(objects))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """In the cluster's network, without its DNS."""
        return run_inside(self.layout, list(command))

    def tool(self, *command: str) -> list[str]:
        """The command line that runs a tool with the cluster's network and DNS."""
        return [*tool_prefix(self.layout), *command]


@dataclass(frozen=True)
class Namespace:
    """One test's own namespace."""

    cluster: RunningCluster
    name: str

    def kubectl(self, *arguments: str) -> str:
        return self.cluster.kubectl(f"--namespace={self.name}", *arguments)

    def json(self, *arguments: str) -> dict[str, Any]:
        return self.cluster.json(f"--namespace={self.name}", *arguments)

    def apply(self, *objects: dict[str, Any]) -> None:
        for one in objects:
            one["metadata"]["namespace"] = self.name
        self.cluster.apply(*objects)

    def wait_ready(self, *names: str, seconds: float = WAIT_SECONDS) -> None:
        pods = [f"pod/{name}" for name in names]
        self.kubectl("wait", "--for=condition=Ready", f"--timeout={seconds:.0f}s", *pods)

    def execute(self, pod_name: str, *command: str) -> str:
        return self.kubectl("exec", pod_name, "--", *command)


def pod(name: str, script: str = "sleep 100000", **spec: Any) -> dict[str, Any]:
    """A pod of one busybox container; `container` changes that (None drops a key), the rest goes to the pod's spec."""
    container = {
        "name": "main",
        "image": BUSYBOX_IMAGE,
        "command": ["sh", "-c", f"trap 'exit 0' TERM; {script} & wait"],
    } | spec.pop("container", {})
    container = {key: value for key, value in container.items() if value is not None}
    labels = spec.pop("labels", {"app": name})
    annotations = spec.pop("annotations", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]} | spec,
    }


def until(holds: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.2)
