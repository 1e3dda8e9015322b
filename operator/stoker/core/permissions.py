"""The operator's permissions as questions to an API server."""

from collections.abc import Iterable
from dataclasses import dataclass

from stoker.api.schema.permissions import Permission, Scope


@dataclass(frozen=True)
class Access:
    """One question to the API server. The namespace is empty for all of them, and for what is in none."""

    group: str
    resource: str
    verb: str
    namespace: str


def accesses(permission: Permission, model_namespaces: Iterable[str], operator_namespace: str) -> tuple[Access, ...]:
    """The rule as questions. No namespaces of models means all of them."""
    namespaces = {
        Scope.MODELS: tuple(model_namespaces) or ("",),
        Scope.CLUSTER: ("",),
        Scope.OPERATOR: (operator_namespace,),
    }[permission.scope]
    return tuple(
        Access(permission.group, permission.resource, verb, namespace)
        for namespace in namespaces
        for verb in permission.verbs
    )
