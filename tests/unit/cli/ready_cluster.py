"""Facts of a cluster that is ready, and ways in which one is not."""

import copy
from dataclasses import replace
from typing import Any

from stoker.api.configuration import Configuration
from stoker.api.schema.crd import custom_resource_definition
from stoker.api.schema.permissions import PERMISSIONS
from stoker.core.permissions import accesses
from stoker.core.preflight.check import Check
from stoker.core.preflight.checks import checks
from stoker.core.preflight.facts import Facts, Node, Quota, Silence, StorageClass, Unread

REFUSED = Unread(Silence.REFUSED, "403 Forbidden: not for you")
FAST = StorageClass("fast", "ebs.csi.aws.com", waits_for_consumer=True, default=True)
LABELS = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559"}
GPUS = {"nvidia.com/gpu": 8}
GPU_NODE = Node("gpu-1", ready=True, cordoned=False, labels=LABELS, capacity=GPUS, allocatable=GPUS)
CPU_NODE = Node("cpu-1", ready=True, cordoned=False, labels={}, capacity={}, allocatable={})

READY = Facts(
    address="https://cluster.example",
    namespace="models",
    version="v1.33.1",
    definition=custom_resource_definition(),
    storage_classes=(FAST,),
    drivers=frozenset({"ebs.csi.aws.com"}),
    nodes=(GPU_NODE, CPU_NODE),
    namespace_exists=True,
    quotas=(),
    priority_class_exists=False,
    runtime_class_exists=False,
    leader_worker_sets=False,
    allowed={access: True for permission in PERMISSIONS for access in accesses(permission, (), "stoker-system")},
)


def configured(**sections: Any) -> Configuration:
    return Configuration.model_validate(sections, strict=False)


def checked(facts: Facts, configuration: Configuration | None = None) -> list[Check]:
    return checks(facts, configuration or Configuration(), "stoker-system")


def the(name: str, facts: Facts, configuration: Configuration | None = None) -> Check:
    (found,) = [check for check in checked(facts, configuration) if check.name == name]
    return found


SPEC = ("spec", "versions", 0, "schema", "openAPIV3Schema", "properties", "spec", "properties")


def changed(*path: str | int, value: Any = None) -> Facts:
    """READY with one part of the CRD set, or removed where no value is given."""
    definition = copy.deepcopy(custom_resource_definition())
    part: Any = definition
    for step in path[:-1]:
        part = part[step]
    if value is None:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return replace(READY, definition=definition)


def quota(hard: dict[str, str], used: dict[str, str], *, scoped: bool = False) -> Facts:
    return replace(READY, quotas=(Quota("team", hard, used, scoped),))


def storage(*classes: StorageClass, drivers: frozenset[str] = frozenset({"ebs.csi.aws.com"})) -> Facts:
    return replace(READY, storage_classes=classes, drivers=drivers)


def nodes(*found: Node) -> Facts:
    return replace(READY, nodes=found)
