"""The operator's own account, which may do what docs/reference/permissions.md lists and nothing else."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from e2e.running_cluster import RunningCluster
from stoker.api.schema.permissions import PERMISSIONS, Permission, Scope

NAME = "stoker-operator"
Json = dict[str, Any]


def objects(namespace: str) -> list[Json]:
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": NAME, "namespace": namespace},
    }
    everywhere = [permission for permission in PERMISSIONS if permission.scope != Scope.OPERATOR]
    own = [permission for permission in PERMISSIONS if permission.scope == Scope.OPERATOR]
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": namespace}
    return [
        account,
        _role("ClusterRole", {"name": NAME}, everywhere),
        _binding("ClusterRole", {"name": NAME}, subject),
        _role("Role", {"name": NAME, "namespace": namespace}, own),
        _binding("Role", {"name": NAME, "namespace": namespace}, subject),
    ]


def _role(kind: str, metadata: Json, permissions: Iterable[Permission]) -> Json:
    rules = [
        {"apiGroups": [permission.group], "resources": [permission.resource], "verbs": list(permission.verbs)}
        for permission in permissions
    ]
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "rules": rules}


def _binding(kind: str, metadata: Json, subject: Json) -> Json:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": NAME}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": reference,
        "subjects": [subject],
    }


def kubeconfig_of(cluster: RunningCluster, namespace: str, path: Path) -> Path:
    """The administrator's, with the account's token in place of the certificate."""
    token = cluster.kubectl("create", "token", NAME, f"--namespace={namespace}", "--duration=24h").strip()
    content = json.loads(cluster.layout.kubeconfig.read_text())
    content["users"][0]["user"] = {"token": token}
    path.touch(mode=0o600)
    path.write_text(json.dumps(content))
    return path
