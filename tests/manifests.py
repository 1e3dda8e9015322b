"""Builders of manifests for tests: a small good one, and changes to it by path."""

import copy
from collections.abc import Mapping
from typing import Any

SMALLEST: Mapping[str, Any] = {
    "apiVersion": "stoker.dev/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "llama-8b", "namespace": "default"},
    "spec": {"model": {"source": "hf://meta-llama/Llama-3.1-8B-Instruct"}, "scaling": {"maxReplicas": 4}},
}

ABSENT = object()  # as a value: the field is removed


def manifest(changes: Mapping[str, Any] | None = None, base: Mapping[str, Any] = SMALLEST) -> dict[str, Any]:
    """The base with values put at dotted paths: {"spec.replicas": 2}."""
    made: dict[str, Any] = copy.deepcopy(dict(base))
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        inner = made
        for name in parents:
            inner = inner.setdefault(name, {})
        if value is ABSENT:
            inner.pop(last, None)
        else:
            inner[last] = copy.deepcopy(value)
    return made


def is_stored(written: Any, stored: Any, path: str = "spec") -> None:
    """Everything that was written is stored as it was written; defaults may stand beside it."""
    if isinstance(written, dict):
        for key, value in written.items():
            assert key in stored, f"{path}.{key} is missing"
            is_stored(value, stored[key], f"{path}.{key}")
    elif isinstance(written, list):
        assert len(stored) == len(written), path
        for index, value in enumerate(written):
            is_stored(value, stored[index], f"{path}[{index}]")
    else:
        assert stored == written, path
