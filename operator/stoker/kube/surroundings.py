"""What lies around the models and bounds them: ResourceQuotas, and the devices that other pods hold.

Nothing waits for this picture. What of it is not known, because it was not read yet or may not be, bounds nothing: the
scheduler and the quota itself still do, and the pods say so.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from stoker.api.values.quantity import Quantity
from stoker.core.follow.others import DeviceHolder, Quota
from stoker.kube import resources
from stoker.kube.connection import Connection
from stoker.kube.devices import devices
from stoker.kube.observed import ObservedWorkloads
from stoker.kube.reflector import Reflector, Scope

_REQUESTS = "requests."
# Pods that hold something: they have a node, and have not ended.
_ON_A_NODE = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"


class Surroundings:
    """Runs until it is cancelled. Holders of devices are read only `with_holders`, as that is every pod of the
    cluster, of which nothing is kept that holds none."""

    def __init__(self, connection: Connection, namespaces: tuple[str, ...], *, with_holders: bool) -> None:
        self.observed = ObservedWorkloads(connection)
        self._quotas = [
            Reflector(connection, Scope(resources.RESOURCE_QUOTAS, place), quota, lambda *_: None)
            for place in namespaces or ("",)
        ]
        # Where only some namespaces may be read, the pods of the others stay unknown.
        self._holders = [
            Reflector(connection, Scope(resources.PODS, field_selector=_ON_A_NODE), device_holder, lambda *_: None)
            for _ in range(with_holders and not namespaces)
        ]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.observed.run())
            for quotas in self._quotas:
                group.create_task(quotas.run())
            for holders in self._holders:
                group.create_task(holders.run())

    def quotas(self) -> Iterator[tuple[str, Quota]]:
        """With the namespace of each."""
        for reflector in self._quotas:
            for key, found in reflector.items():
                yield key.namespace, found

    def holders(self) -> Iterator[DeviceHolder]:
        for reflector in self._holders:
            yield from (holder for _key, holder in reflector.items())


def quota(item: Mapping[str, Any]) -> Quota | None:
    """None where it is on other things, or on some pods only."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    if spec.get("scopes") or spec.get("scopeSelector"):
        return None
    hard = _of_requests(status.get("hard") or spec.get("hard") or {})
    return Quota(hard, _of_requests(status.get("used") or {})) if hard else None


def _of_requests(amounts: Mapping[str, str]) -> dict[str, int]:
    """Extended resources alone, which quotas know by their requests."""
    return {
        name.removeprefix(_REQUESTS): int(Quantity.parse(amount).amount)
        for name, amount in amounts.items()
        if name.startswith(_REQUESTS) and "/" in name
    }


def device_holder(item: Mapping[str, Any]) -> DeviceHolder | None:
    """None of a pod that holds none."""
    spec = item["spec"]
    held = devices(spec)
    return DeviceHolder(item["metadata"]["uid"], spec.get("nodeName", ""), held) if held else None
