"""Prometheus itself, for as long as a test needs it."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from e2e.cluster.free_ports import free_ports


@contextmanager
def prometheus_with(configuration: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Its address, where it listens a moment later. Its data and its log go to the folder."""
    (port,) = free_ports(1)
    (folder / "prometheus.json").write_text(json.dumps(configuration))
    command = ["prometheus", f"--config.file={folder}/prometheus.json", f"--storage.tsdb.path={folder}/data"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
