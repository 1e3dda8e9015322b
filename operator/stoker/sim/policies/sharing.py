"""The GPUs that Stoker's models share: every grant comes of the demands of all, by the operator's own allocation."""

from collections import Counter

from stoker.core.names import Tier
from stoker.core.scaling.allocate import allocate
from stoker.core.scaling.demands import Demand
from stoker.core.scaling.fleet import Fleet, Grant, Holding, Lease, Member, Pool
from stoker.sim.policy import View

_POOL = "gpus"


class Sharing:
    """Models tick one after the other and see what the others last asked for: those of higher priority come first."""

    def __init__(self, devices: int) -> None:
        self._pools = {_POOL: Pool(devices)}
        self._members: dict[str, Member] = {}
        self._demands: dict[str, Demand] = {}
        self._leases: dict[str, Lease] = {}

    def grant(self, name: str, priority: int, demand: Demand, view: View) -> Grant:
        self._members[name] = Member(1, (_POOL,), priority, holdings={_POOL: _holding(view)})
        self._demands[name] = demand
        fleet = Fleet(view.now_seconds, 1, self._pools, self._members, leases=self._leases)
        granted = allocate(self._demands, fleet)[name]
        self._leases[name] = granted.lease
        return granted


def _holding(view: View) -> Holding:
    count = Counter(replica.tier for replica in view.replicas)
    return Holding(count[Tier.SERVING], count[Tier.WARM], count[Tier.ASLEEP], count[Tier.DRAINING])
