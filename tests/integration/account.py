"""A ServiceAccount that may do what the table of permissions says, but for what a test withholds."""

import copy
from collections.abc import Sequence

from kubernetes.aio.client import Configuration as Credentials

from stoker.api.schema.permissions import Permission, Scope
from stoker.kube.connection import Connection, Json

NAME = "operator"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


async def account_with(
    connection: Connection, admin: Credentials, namespace: str, permissions: Sequence[Permission]
) -> Credentials:
    """Of the namespace, and for it alone, as the chart's roles are where namespaces are named."""
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    await connection.post(accounts, {"metadata": {"name": NAME}})
    await _grant(connection, namespace, [one for one in permissions if one.scope is not Scope.CLUSTER], "Role")
    await _grant(connection, namespace, [one for one in permissions if one.scope is Scope.CLUSTER], "ClusterRole")
    answer = await connection.post(f"{accounts}/{NAME}/token", {"spec": {"expirationSeconds": 3600}})
    credentials = copy.copy(admin)
    credentials.cert_file = credentials.key_file = None
    credentials.api_key = {"BearerToken": answer["status"]["token"]}
    credentials.api_key_prefix = {"BearerToken": "Bearer"}
    return credentials


async def _grant(connection: Connection, namespace: str, permissions: Sequence[Permission], kind: str) -> None:
    root = f"{_RBAC}/namespaces/{namespace}" if kind == "Role" else _RBAC
    name = f"stoker-{namespace}"
    await connection.post(
        f"{root}/{kind.lower()}s", {"metadata": {"name": name}, "rules": list(map(_rule, permissions))}
    )
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
    }
    await connection.post(f"{root}/{kind.lower()}bindings", binding)


def _rule(permission: Permission) -> Json:
    return {"apiGroups": [permission.group], "resources": [permission.resource], "verbs": list(permission.verbs)}
