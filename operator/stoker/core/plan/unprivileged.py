"""What every pod of Stoker is run without: root, privileges, and a file system that it could change."""

from typing import Any

Json = dict[str, Any]

NOBODY = 65_532


def pod_security() -> Json:
    return {
        "runAsNonRoot": True,
        "runAsUser": NOBODY,
        "runAsGroup": NOBODY,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> Json:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
