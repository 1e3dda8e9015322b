"""kubectl, inside a cluster's network."""

import json
from typing import Any

from e2e.cluster.binaries import KUBE
from e2e.cluster.build import built
from e2e.cluster.layout import Layout
from e2e.cluster.namespace import run_inside
from e2e.cluster.refusal import Refusal


def command(layout: Layout, *arguments: str) -> list[str]:
    return [str(built([KUBE])["kube"] / "kubectl"), f"--kubeconfig={layout.kubeconfig}", *arguments]


def kubectl(layout: Layout, *arguments: str, stdin: str = "") -> str:
    answer = run_inside(layout, command(layout, *arguments), stdin)
    if answer.returncode != 0:
        raise Refusal(f"kubectl {' '.join(arguments)}: {answer.stderr.strip()}")
    return answer.stdout


def kubectl_ok(layout: Layout, *arguments: str) -> bool:
    try:
        kubectl(layout, *arguments)
    except Refusal:
        return False
    return True


def apply(layout: Layout, objects: list[dict[str, Any]]) -> None:
    kubectl(layout, "apply", "--server-side", "--force-conflicts", "--filename=-", stdin=_list(objects))


def create(layout: Layout, objects: list[dict[str, Any]]) -> None:
    kubectl(layout, "create", "--filename=-", stdin=_list(objects))


def _list(objects: list[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
