"""A hub of models in the cluster's network, which fails where a test wants it to."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.cluster.layout import NODE_IP
from e2e.operator.conftest import ROOT
from e2e.running_cluster import RunningCluster


@dataclass(frozen=True)
class Hub:
    """A hub in the cluster's network."""

    cluster: RunningCluster
    url: str

    def spoil(self, **fault: Any) -> None:
        self._control("POST", json.dumps(fault))

    def mend(self) -> None:
        """All goes well from now on, and what was served is forgotten."""
        self._control("DELETE")

    def weight_bytes_served(self) -> int:
        return sum(one["sent_bytes"] for one in self._control("GET") if one["path"].endswith(".safetensors"))

    def _control(self, method: str, body: str = "") -> list[dict[str, Any]]:
        answer = self.cluster.run("curl", "--silent", "--fail", "-X", method, "--data", body, f"{self.url}/_faults")
        assert answer.returncode == 0, answer.stderr
        served: list[dict[str, Any]] = json.loads(answer.stdout)
        return served


@contextmanager
def running_hub(cluster: RunningCluster, folder: Path) -> Iterator[Hub]:
    """Of the models in a folder, by organisation and name."""
    command = cluster.tool(
        sys.executable, "-m", "tests.servers", "hub", "--folder", str(folder), "--host", NODE_IP, "--port", "0"
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        yield Hub(cluster, process.stdout.readline().split(" at ")[1].strip())
        process.terminate()
