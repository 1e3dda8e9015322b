"""What a scaling policy sees and what it answers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

from stoker.core.names import Tier
from stoker.core.scaling.observation import Load, Reading, Replica, Stage


@dataclass(frozen=True)
class View:
    """One model at one tick, with what has reached an observer by then."""

    now_seconds: float
    replicas: tuple[Replica, ...]
    current: int  # serving replicas as last ordered
    floor: int
    maximum: int
    warm: int
    asleep: int
    held: int  # requests that wait at the gateway while no replica takes traffic
    arrived: int  # at the gateway, ever
    prompt_tokens: int  # of those
    output_tokens: int  # of those, as if each were known when it comes

    @property
    def serving(self) -> Iterator[Replica]:
        return (replica for replica in self.replicas if replica.tier == Tier.SERVING)

    @property
    def ready(self) -> int:
        return sum(replica.stage is Stage.READY for replica in self.serving)

    @property
    def loads(self) -> list[Load]:
        """Of ready serving replicas, those that are known."""
        return [
            replica.load
            for replica in self.serving
            if replica.stage is Stage.READY and replica.reading is Reading.KNOWN and replica.load is not None
        ]


@dataclass(frozen=True)
class Order:
    serving: int
    warm: int
    resting: tuple[str, ...] = ()
    """Of those that serve, the uids that take no traffic until they have worked off what they have."""


class Policy(Protocol):
    name: ClassVar[str]

    @property
    def tick_seconds(self) -> float: ...

    @property
    def sample_seconds(self) -> float:
        """How often replicas are looked at."""
        ...

    def decide(self, view: View) -> Order: ...


def in_flight(loads: Iterable[Load]) -> int:
    return sum(load.in_flight for load in loads)
