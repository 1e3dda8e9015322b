"""Who gets the devices. Everybody keeps what he holds and wants; the rest goes by the order

    serving before warm, higher priority, floor before load, late requests per hour and device, name

one replica at a time, into the first pool of the model that has room, within its namespace's quota. Where no pool has
room, a model of lower priority gives up a warm replica. Where that does not do either, the free devices of a pool that
could ever fit the replica are kept for it: small replicas never starve a large one of higher rank.

    free(pool) = devices - foreign - Σ max(seen, leased) of all models there

What is held and no longer wanted stays taken until it is gone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stoker.core.counted import counted, share, verb
from stoker.core.scaling.blast import allowed_removals
from stoker.core.scaling.demands import Demand
from stoker.core.scaling.fleet import Fleet, Grant, Holding, Lease, Member


@dataclass(frozen=True, slots=True, order=True)
class _Ask:
    """One replica more, in the order of who goes first."""

    warm: bool
    priority: int
    """Negated, so that the highest comes first."""
    load: bool
    late_per_device: float
    """Negated."""
    name: str
    replica: int


@dataclass(slots=True)
class _Given:
    """One model while devices are given out."""

    member: Member
    by_pool: dict[str, int]
    serving: int
    warm: int
    takes_from: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


class _Table:
    """What is free, while it is given out."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.owned = {name: _owned(name, fleet) for name in fleet.members}
        self.free = {name: pool.devices - pool.foreign for name, pool in fleet.pools.items()}
        self._used: dict[str, int] = {}
        self._kept: set[str] = set()
        for name, member in fleet.members.items():
            for pool, replicas in self.owned[name].items():
                idle = _idle(member.holdings.get(pool, Holding()))
                self._take(member, pool, replicas + idle)

    def _take(self, member: Member, pool: str, replicas: int) -> None:
        devices = replicas * member.devices_each
        if pool in self.free:
            self.free[pool] -= devices
        self._used[member.namespace] = self._used.get(member.namespace, 0) + devices

    def _within_quota(self, member: Member) -> bool:
        quota = self._fleet.quotas.get(member.namespace)
        return quota is None or self._used.get(member.namespace, 0) + member.devices_each <= quota

    def give(self, given: _Given) -> bool:
        """One replica from what is free."""
        member = given.member
        if not self._within_quota(member):
            given.refusals.append(f"the quota of {counted(self._fleet.quotas[member.namespace], 'device')} is used up")
            return False
        for pool in member.pools:
            if pool in self.free and pool not in self._kept and self.free[pool] >= member.devices_each:
                self._take(member, pool, 1)
                given.by_pool[pool] = given.by_pool.get(pool, 0) + 1
                return True
        given.refusals.append("no pool has a free device for it")
        return False

    def give_up_warm(self, given: _Given, others: Mapping[str, _Given]) -> bool:
        """Take as many warm replicas of lower priority in one pool as make room, the lowest priority first."""
        member = given.member
        if not self._within_quota(member):
            return False
        for pool in member.pools:
            if pool not in self.free or pool in self._kept:
                continue
            victims = self._victims(member, pool, others)
            if victims is None:
                continue
            for name in victims:
                victim = others[name]
                victim.warm -= 1
                victim.by_pool[pool] -= 1
                self._take(victim.member, pool, -1)
                given.takes_from.append(name)
            self._take(member, pool, 1)
            given.by_pool[pool] = given.by_pool.get(pool, 0) + 1
            return True
        return False

    def _victims(self, member: Member, pool: str, others: Mapping[str, _Given]) -> list[str] | None:
        missing, victims = member.devices_each - self.free[pool], []
        lower = [name for name, other in others.items() if other.member.priority < member.priority]
        for name in sorted(lower, key=lambda name: (others[name].member.priority, name)):
            other = others[name]
            held = other.member.holdings.get(pool, Holding()).warm
            for _ in range(min(held, other.warm, other.by_pool.get(pool, 0))):
                if missing <= 0:
                    break
                victims.append(name)
                missing -= other.member.devices_each
        return victims if missing <= 0 and victims else None

    def keep_for(self, member: Member) -> None:
        """Nobody of lower rank takes the free devices of the pool where it is closest to fitting."""
        if not self._within_quota(member):
            return
        fitting = [
            pool
            for pool in member.pools
            if pool in self.free
            and self._fleet.pools[pool].devices - self._fleet.pools[pool].foreign >= member.devices_each
        ]
        if fitting and not self._kept.intersection(fitting):
            self._kept.add(max(fitting, key=lambda pool: (self.free[pool], -member.pools.index(pool))))


def _idle(holding: Holding) -> int:
    return holding.asleep + holding.draining


def _owned(name: str, fleet: Fleet) -> dict[str, int]:
    """Serving and warm replicas by pool, seen or still leased."""
    member = fleet.members[name]
    lease = fleet.leases.get(name)
    valid = lease is not None and lease.generation == fleet.generation and lease.ends_seconds > fleet.now_seconds
    leased = lease.replicas if lease is not None and valid else {}
    pools = member.holdings.keys() | leased.keys()
    seen = {pool: member.holdings.get(pool, Holding()) for pool in pools}
    return {pool: max(seen[pool].serving + seen[pool].warm, leased.get(pool, 0)) for pool in sorted(pools)}


def allocate(demands: Mapping[str, Demand], fleet: Fleet) -> Mapping[str, Grant]:
    """A grant for each demand. Models without one keep what they hold."""
    strangers = sorted(demands.keys() - fleet.members.keys())
    if strangers:
        raise ValueError(f"fleet.members lacks {', '.join(strangers)}: add each model that demands replicas")
    table = _Table(fleet)
    wanted = _after_blast(demands, fleet)
    given = {name: _kept(fleet.members[name], table.owned[name], wanted[name], demands[name]) for name in demands}
    # Serving replicas are asked for first, so that none of the others comes to hold a warm one before they are through.
    holders = {name: one for name, one in given.items() if one.warm}
    for ask in sorted(_asks(demands, wanted, given)):
        asking = given[ask.name]
        if not (table.give(asking) or (not ask.warm and table.give_up_warm(asking, holders))):
            if not ask.warm:
                table.keep_for(asking.member)
            continue
        if ask.warm:
            asking.warm += 1
        else:
            asking.serving += 1
    return {name: _grant(given[name], demands[name], wanted[name], fleet) for name in demands}


def _after_blast(demands: Mapping[str, Demand], fleet: Fleet) -> dict[str, int]:
    """Serving replicas wanted, no lower than the fleet may fall now."""
    wanted = {name: demand.serving for name, demand in demands.items()}
    if fleet.blast is None:
        return wanted
    held = {name: fleet.members[name].serving for name in demands}
    falls = {name: held[name] - wanted[name] for name in demands if held[name] > wanted[name]}
    allowed = allowed_removals(falls, sum(member.serving for member in fleet.members.values()), fleet.blast)
    return {name: held[name] - allowed[name] if name in falls else wanted[name] for name in demands}


def _kept(member: Member, owned: Mapping[str, int], serving: int, demand: Demand) -> _Given:
    """What it holds goes to serving first: a warm replica is promoted before one is ordered."""
    total = sum(owned.values())
    kept_serving = min(serving, total)
    kept_warm = min(demand.warm, total - kept_serving)
    surplus, by_pool = total - kept_serving - kept_warm, dict(owned)
    for pool in sorted(by_pool, key=lambda pool: -(member.pools.index(pool) if pool in member.pools else 99)):
        leaving = min(surplus, by_pool[pool])
        by_pool[pool] -= leaving
        surplus -= leaving
    return _Given(member, by_pool, kept_serving, kept_warm)


def _asks(demands: Mapping[str, Demand], wanted: Mapping[str, int], given: Mapping[str, _Given]) -> Iterator[_Ask]:
    for name, demand in demands.items():
        has = given[name]
        # A model on the processor takes no device, whatever its turn is.
        rank, devices = -has.member.priority, max(1, has.member.devices_each)
        for replica in range(has.serving + 1, wanted[name] + 1):
            worth = demand.curve[replica - 1] if replica <= len(demand.curve) else None
            late = worth.late_per_hour / devices if worth else 0.0
            yield _Ask(False, rank, replica > demand.floor, -late, name, replica)
        for replica in range(has.warm + 1, demand.warm + 1):
            yield _Ask(True, rank, True, 0.0, name, replica)


def _grant(given: _Given, demand: Demand, wanted: int, fleet: Fleet) -> Grant:
    lease = Lease(
        {pool: replicas for pool, replicas in given.by_pool.items() if replicas},
        fleet.generation,
        fleet.now_seconds + fleet.lease_seconds,
    )
    return Grant(given.serving, given.warm, _why(given, demand, wanted), lease, tuple(given.takes_from))


def _why(given: _Given, demand: Demand, wanted: int) -> str:
    if given.serving < wanted:
        return f"{share(given.serving, wanted, 'serving replica')} granted: {given.refusals[0]}"
    if wanted > demand.serving:
        stay = counted(wanted, "serving replica", "stays", "stay")
        return (
            f"{stay}, {demand.serving} {verb(demand.serving, 'is', 'are')} wanted: the fleet gives up no more for now"
        )
    if given.warm < demand.warm:
        why = given.refusals[0] if given.refusals else "a model of higher priority needs it"
        return f"{share(given.warm, demand.warm, 'warm replica')} granted: {why}"
    return "granted in full"
