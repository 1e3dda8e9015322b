"""What a pod's devices do, and what an hour of them costs.

serving   ready, in the tier serving, and with requests, or nobody knows whether it has any
idle      the same, and known to have none
warm, asleep
loading   on a node and not ready
draining  off traffic, or being deleted
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stoker.core.names import Tier
from stoker.core.plan.replicas import FINISHED_PHASES
from stoker.core.plan.snapshot import Pod


class State(StrEnum):
    SERVING = "serving"
    IDLE = "idle"
    WARM = "warm"
    ASLEEP = "asleep"
    LOADING = "loading"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Held:
    """Devices of one product in one state."""

    state: State
    product: str
    devices: int


@dataclass(frozen=True)
class Prices:
    """Of a device for an hour, by product; `other` for the rest. None: nobody knows."""

    by_product: Mapping[str, float] = field(default_factory=dict)
    other: float | None = None

    def of(self, product: str) -> float | None:
        return self.by_product.get(product, self.other)


def held_by(
    pods: Iterable[Pod], resource: str, products: Mapping[str, str], in_flight: Callable[[str], int | None]
) -> Iterator[Held]:
    """`products` names the product of a node; `in_flight` tells requests by a pod's uid, None where it is unknown."""
    all_of_them = tuple(pods)
    leaders = {pod.group: pod for pod in all_of_them if pod.group and pod.tier}
    for pod in all_of_them:
        devices = dict(pod.devices).get(resource, 0)
        if devices and pod.node and pod.phase not in FINISHED_PHASES:
            leader = pod if pod.tier else leaders.get(pod.group)
            yield Held(_state(pod, leader, in_flight), products.get(pod.node, ""), devices)


def _state(pod: Pod, leader: Pod | None, in_flight: Callable[[str], int | None]) -> State:
    """A worker does what its leader does."""
    if pod.deleting or (leader is not None and (leader.deleting or leader.tier == Tier.DRAINING)):
        return State.DRAINING
    if leader is None or not leader.ready:
        return State.LOADING
    if leader.tier in (Tier.WARM, Tier.ASLEEP):
        return State(leader.tier)
    return State.IDLE if in_flight(leader.identity.uid) == 0 else State.SERVING
