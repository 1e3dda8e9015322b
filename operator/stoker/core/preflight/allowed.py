"""Whether the current user may do what the operator does."""

from collections.abc import Sequence

from stoker.api.schema.permissions import PERMISSIONS, Permission
from stoker.core.permissions import Access, accesses
from stoker.core.preflight.check import Check, Level
from stoker.core.preflight.facts import Facts, Unread

_REMEDY = "grant it to the ServiceAccount of the operator: docs/reference/permissions.md has every rule and its reason"


def permissions(facts: Facts, model_namespaces: Sequence[str], operator_namespace: str) -> list[Check]:
    """One check per rule."""
    return [
        _permission(facts, permission, accesses(permission, model_namespaces, operator_namespace))
        for permission in PERMISSIONS
    ]


def _permission(facts: Facts, permission: Permission, asked: Sequence[Access]) -> Check:
    name = f"may-use-{permission.resource.replace('/', '-')}"
    answers = {access: facts.allowed[access] for access in asked}
    denied = [access for access, answer in answers.items() if answer is False]
    if denied:
        return Check(name, Level.FAIL, f"this user may not {_said(permission, denied)}. {permission.why}", _REMEDY)
    for answer in answers.values():
        if isinstance(answer, Unread):
            return answer.check(name)
    return Check(name, Level.OK, f"this user may {_said(permission, asked)}")


def _said(permission: Permission, accesses_: Sequence[Access]) -> str:
    verbs = ", ".join(dict.fromkeys(access.verb for access in accesses_))
    namespaces = [namespace for namespace in dict.fromkeys(access.namespace for access in accesses_) if namespace]
    kind = f"{permission.resource}.{permission.group}" if permission.group else permission.resource
    return f"{verbs} {kind}" + (f" in {', '.join(namespaces)}" if namespaces else "")
