"""Streams through a model's Service, and what became of each of them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from e2e.cluster.layout import DNS_DOMAIN
from e2e.operator.conftest import ROOT, Models
from e2e.running_cluster import until

# Of the streams that last: half a minute where nothing is said, and what is promised in `make test-soak`.
SOAK_MINUTES = float(os.environ.get("STOKER_SOAK_MINUTES", "0.5"))


def with_agent(image: str) -> list[dict[str, str]]:
    """The operator's configuration for simulated engines behind their agents, whose weights nobody looks at."""
    return [{"name": "simulated", "image": image, "agent": "Inside"}]


def wait_until_routed(models: Models, service: str = "web") -> float:
    """Seconds. A Service that leads to nobody refuses, and kube-proxy looks at most once a second: where another
    Service changed just before, a client comes a second too early to the first replica."""
    asked = time.monotonic()
    connection = f": </dev/tcp/{service}.{models.namespace.name}.svc.{DNS_DOMAIN}/80"
    command = models.namespace.cluster.tool("bash", "-c", connection)
    until(lambda: not subprocess.run(command, check=False, capture_output=True).returncode, "a route", 30)
    return time.monotonic() - asked


class Load:
    """Runs until it is stopped, or for ten minutes."""

    def __init__(
        self,
        models: Models,
        rate: float,
        output_tokens: int,
        *flags: str,
        users: int = 0,
        name: str = "web",
        service: str = "",
    ) -> None:
        """An open loop, or a closed one of some users. Without a service, the one of the model's name is called."""
        self._models, self._service = models, service or name
        url = f"http://{self._service}.{models.namespace.name}.svc.{DNS_DOMAIN}/v1"
        bounds = ["--rate", str(rate), "--seconds", "600", "--output-tokens", str(output_tokens), "--users", str(users)]
        self._command = models.namespace.cluster.tool(
            sys.executable, "-m", "e2e.load", url, "--model", name, *bounds, *flags
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """What was sent before the end has its answer after it."""
        wait_until_routed(self._models, self._service)
        with subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            time.sleep(5)
            try:
                yield
                time.sleep(2)
            finally:
                process.terminate()
                self.result: dict[str, Any] = json.loads(process.communicate(timeout=180)[0] or "{}")

    def assert_that_nobody_noticed(self) -> None:
        assert self.result["sent"] > 20, self.result
        assert self.result["outcomes"] == {"finished": self.result["sent"]}, self.result
