"""One completion through a model's Service."""

import json

from e2e.operator.conftest import Models
from e2e.running_cluster import until


def completes(models: Models, name: str = "web") -> bool:
    address = models.namespace.json("get", f"service/{name}")["spec"]["clusterIP"]
    request = json.dumps({"model": name, "prompt": "Hello", "max_tokens": 4})
    command = ["curl", "--silent", "--show-error", "--fail", "--max-time", "20", "--json", request]
    answer = models.namespace.cluster.run(*command, f"http://{address}/v1/completions")
    return answer.returncode == 0 and bool(json.loads(answer.stdout)["choices"][0]["text"])


def wait_until_it_completes(models: Models, name: str = "web") -> None:
    """Routing follows readiness within a second or so."""
    until(lambda: completes(models, name), "a completion", 15)
