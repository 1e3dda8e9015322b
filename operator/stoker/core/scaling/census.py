"""Who is there: each replica in one group only, so that none counts twice."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from stoker.core.names import Tier
from stoker.core.scaling.down import Sight
from stoker.core.scaling.observation import PENDING_STAGES, Load, Reading, Replica, Stage
from stoker.core.scaling.windows import Seen


@dataclass(frozen=True, slots=True)
class Census:
    ready: tuple[Replica, ...]
    """Serving and ready."""
    starting: tuple[Replica, ...]
    """To serve, ordered and not ready."""
    pending: int
    """Of the starting ones, those without a node."""
    warm_ready: int
    resting: int
    """Off traffic until their queue is worked off, and then serving again."""
    draining: int
    loads: tuple[Load, ...]
    """Of the ready ones that are known and not stuck."""
    stuck: int
    sight: Sight

    @property
    def counted(self) -> int:
        return len(self.ready) + len(self.starting) + self.resting

    @property
    def in_flight(self) -> int:
        return sum(load.in_flight for load in self.loads)


def census_of(
    replicas: Sequence[Replica],
    seen: Mapping[str, Seen],
    now_seconds: float,
    stuck_seconds: float,
    aside: Collection[str],
) -> Census:
    ready, starting, loads = [], [], []
    pending = warm_ready = resting = draining = known = saturated = stuck = 0
    for replica in replicas:
        if replica.tier == Tier.SERVING and replica.stage is Stage.READY:
            ready.append(replica)
            known += replica.reading is Reading.KNOWN
            saturated += replica.reading is Reading.SATURATED
            if replica.reading is Reading.KNOWN and replica.load is not None:
                if _is_stuck(replica.load, seen[replica.uid], now_seconds, stuck_seconds):
                    stuck += 1
                else:
                    loads.append(replica.load)
        elif replica.tier == Tier.SERVING:
            starting.append(replica)
            pending += replica.stage in PENDING_STAGES
        elif replica.tier == Tier.WARM and replica.uid in aside and replica.stage is Stage.READY:
            resting += 1
        elif replica.tier == Tier.WARM:
            warm_ready += replica.stage is Stage.READY
        else:
            draining += replica.tier == Tier.DRAINING
    sight = Sight(len(ready), known, saturated)
    return Census(tuple(ready), tuple(starting), pending, warm_ready, resting, draining, tuple(loads), stuck, sight)


def _is_stuck(load: Load, seen: Seen, now_seconds: float, stuck_seconds: float) -> bool:
    """Requests, and no counter that moves: the gauge lies, or the engine hangs. Neither is a need for more."""
    return load.in_flight > 0 and now_seconds - seen.moved_seconds >= stuck_seconds
