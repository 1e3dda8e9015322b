"""What others than the models that are scaled hold: pods with devices, quotas, workloads of other tools."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from stoker.core.follow.pools import pool_name
from stoker.core.names import GPU_PRODUCT_LABEL
from stoker.core.plan.snapshot import Node


@dataclass(frozen=True, slots=True)
class DeviceHolder:
    """A pod with a node and with devices."""

    uid: str
    node: str
    devices: Mapping[str, int] = field(hash=False)  # by resource


@dataclass(frozen=True, slots=True)
class Quota:
    """A ResourceQuota: its devices by resource."""

    hard: Mapping[str, int] = field(hash=False)
    used: Mapping[str, int] = field(hash=False)


@dataclass(frozen=True)
class Selector:
    """Whose pods a workload's are, as a query says it. None: nobody's."""

    text: str | None


def foreign_devices(
    holders: Iterable[DeviceHolder], nodes: Iterable[Node] | None, counted: Collection[str]
) -> Mapping[str, int]:
    """Devices by pool that neither a model's replica holds, which are `counted` by uid, nor a cordoned node has."""
    where = {node.name: node.labels.get(GPU_PRODUCT_LABEL, "") for node in nodes or () if node.schedulable}
    found: Counter[str] = Counter()
    for holder in holders:
        if holder.node in where and holder.uid not in counted:
            for resource, amount in holder.devices.items():
                found[pool_name(resource, where[holder.node])] += amount
    return found


def quota_name(namespace: str, resource: str) -> str:
    """A quota is on one resource in one namespace."""
    return f"{namespace} {resource}"


def quotas_left(
    quotas: Iterable[tuple[str, Quota]], held: Mapping[str, int], wanted: Collection[str]
) -> Mapping[str, int]:
    """Most devices of the scaled models together, by quota: what it allows less what others use of it. `held` are those
    of the models now. Of several quotas on one resource the smallest decides."""
    found: dict[str, int] = {}
    for namespace, quota in quotas:
        for resource, hard in quota.hard.items():
            name = quota_name(namespace, resource)
            if name not in wanted:
                continue
            others = max(0, quota.used.get(resource, 0) - held.get(name, 0))
            found[name] = min(found.get(name, hard), max(0, hard - others))
    return found
