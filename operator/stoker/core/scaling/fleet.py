"""What there is to give, who holds what, and what was promised and is not seen yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stoker.core.scaling.blast import Blast


@dataclass(frozen=True, slots=True)
class Pool:
    """Devices of one kind. An elastic pool has as many as its ceiling: a pending replica makes them come."""

    devices: int
    foreign: int = 0
    """Held by others than the models of this fleet."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Replicas of one model in one pool, ready or not."""

    serving: int = 0
    warm: int = 0
    asleep: int = 0
    draining: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """One model of the fleet."""

    devices_each: int
    pools: tuple[str, ...]
    """Where its replicas may run, the preferred one first."""
    priority: int = 0
    namespace: str = ""
    holdings: Mapping[str, Holding] = field(default_factory=dict)

    @property
    def serving(self) -> int:
        return sum(holding.serving for holding in self.holdings.values())

    @property
    def warm(self) -> int:
        return sum(holding.warm for holding in self.holdings.values())


@dataclass(frozen=True, slots=True)
class Lease:
    """Replicas that were granted in a pool and may not be seen yet: nobody else gets their devices until it ends."""

    replicas: Mapping[str, int]
    """Serving and warm ones together, by pool."""
    generation: int
    ends_seconds: float


@dataclass(frozen=True, slots=True)
class Grant:
    serving: int
    warm: int
    reason: str
    lease: Lease
    takes_from: tuple[str, ...] = ()
    """Models of lower priority that give up a warm replica for it, one entry each."""

    @property
    def by_pool(self) -> Mapping[str, int]:
        return self.lease.replicas


@dataclass(frozen=True, slots=True)
class Fleet:
    now_seconds: float
    generation: int
    pools: Mapping[str, Pool]
    members: Mapping[str, Member]
    quotas: Mapping[str, int] = field(default_factory=dict)
    """Most devices of a namespace."""
    leases: Mapping[str, Lease] = field(default_factory=dict)
    """Of earlier grants; those of another generation are void."""
    blast: Blast | None = None
    lease_seconds: float = 60.0
