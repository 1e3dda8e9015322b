"""The devices that a pod holds, as the scheduler counts them.

    devices = max(containers + sidecars, for each container that runs before: it + the sidecars that started before it)

A sidecar is a container that starts before the others and stays.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from stoker.api.values.quantity import Quantity

Json = Mapping[str, Any]


def devices(spec: Json) -> dict[str, int]:
    """By resource, of a pod's spec."""
    staying, most = Counter[str](), Counter[str]()
    for container in spec.get("initContainers") or ():
        asked = dict(_asked(container))
        if container.get("restartPolicy") == "Always":
            staying.update(asked)
        else:
            most |= staying + Counter(asked)
    for container in spec.get("containers") or ():
        staying.update(dict(_asked(container)))
    return {resource: amount for resource, amount in (most | staying).items() if amount}


def _asked(container: Json) -> Iterator[tuple[str, int]]:
    """Extended resources, whose names are the ones with a slash. A limit stands for the request that is absent."""
    resources = container.get("resources") or {}
    for resource, amount in {**(resources.get("limits") or {}), **(resources.get("requests") or {})}.items():
        if "/" in resource:
            yield resource, _whole(str(amount))


@lru_cache(maxsize=64)
def _whole(amount: str) -> int:
    """The same few amounts stand in thousands of pods."""
    return int(Quantity.parse(amount).amount)
