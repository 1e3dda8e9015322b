"""A replica as the pool sees it."""

from dataclasses import dataclass

from stoker.core.names import Tier


@dataclass(frozen=True, slots=True)
class Seat:
    """One replica that is to stay."""

    name: str
    tier: Tier
    ready: bool
    current: bool  # of the revision that the spec describes
    placed: bool  # it has a node
    created_seconds: float
    in_flight: int | None = None  # None: nobody knows
    reachable: bool = True  # False: its agent was given orders and did not answer
    sleeps: bool = False  # its engine can, its agent takes orders, and its host has the memory
    stays: bool = True  # False: its node is about to go
    rests: bool = False  # it is one of those that serve, and takes no traffic until its queue is worked off


@dataclass(frozen=True, slots=True)
class Want:
    """How many of each tier there should be."""

    serving: int
    warm: int = 0
    asleep: int = 0

    @property
    def replicas(self) -> int:
        return self.serving + self.warm + self.asleep
