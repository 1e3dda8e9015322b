"""From the demands of all models to what each of them gets.

Models that are only observed are shared out after the others and keep nothing: what would be done never takes a device
from what is done.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from stoker.api.configuration import Capacity, ScalingDefaults
from stoker.core.follow.others import foreign_devices, quota_name, quotas_left
from stoker.core.follow.pools import member_of, pools_of
from stoker.core.follow.subject import Subject
from stoker.core.plan.snapshot import Node
from stoker.core.scaling.allocate import allocate
from stoker.core.scaling.blast import Blast
from stoker.core.scaling.demands import Demand
from stoker.core.scaling.fleet import Fleet, Grant, Lease, Member, Pool
from stoker.core.scaling.observation import Replica
from stoker.kube.resources import Key
from stoker.kube.surroundings import Surroundings


@dataclass(frozen=True)
class Party:
    """One model among those that share."""

    subject: Subject
    demand: Demand
    replicas: tuple[Replica, ...]
    granted: int | None  # serving replicas that were decided last; None: nobody acts on it
    lease: Lease | None
    acts: bool  # whether what it is granted is carried out


@dataclass(frozen=True)
class Share:
    """What is the same for all of them at one tick."""

    now_seconds: float
    nodes: tuple[Node, ...] | None
    held: AbstractSet[str]  # uids of pods that the parties count themselves
    removed: int  # serving replicas that were taken away lately


def shared(
    parties: Mapping[Key, Party], share: Share, surroundings: Surroundings | None, scaling: ScalingDefaults
) -> Mapping[Key, Grant]:
    pools = _pools(share, surroundings, scaling)
    members = {key: _member(key, party, pools) for key, party in parties.items()}
    quotas = _quotas(members, surroundings)
    leases = {str(key): party.lease for key, party in parties.items() if party.lease and party.acts}
    grants: dict[Key, Grant] = {}
    for acts in (True, False):
        asking = {key: party for key, party in parties.items() if party.acts is acts}
        leases |= {str(key): grant.lease for key, grant in grants.items()}
        taking = {str(key): members[key] for key, party in parties.items() if acts <= party.acts}
        fleet = Fleet(
            now_seconds=share.now_seconds,
            generation=1,
            pools=pools,
            members=taking,
            quotas=quotas,
            leases=leases,
            blast=Blast(share.removed, scaling.removal_percent / 100, scaling.removals),
        )
        found = allocate({str(key): party.demand for key, party in asking.items()}, fleet) if asking else {}
        grants |= {key: found[str(key)] for key in asking}
    return grants


def _pools(share: Share, surroundings: Surroundings | None, scaling: ScalingDefaults) -> Mapping[str, Pool]:
    by_nodes = scaling.capacity == Capacity.NODES
    holders = surroundings.holders() if surroundings and by_nodes else ()
    return pools_of(share.nodes, by_nodes=by_nodes, foreign=foreign_devices(holders, share.nodes, share.held))


def _member(key: Key, party: Party, pools: Mapping[str, Pool]) -> Member:
    place = quota_name(key.namespace, party.subject.resource_name)
    return member_of(party.subject, place, party.replicas, pools, party.granted)


def _quotas(members: Mapping[Key, Member], surroundings: Surroundings | None) -> Mapping[str, int]:
    if surroundings is None:
        return {}
    held: Counter[str] = Counter()
    for member in members.values():
        held[member.namespace] += member.devices_each * sum(_all(member))
    return quotas_left(surroundings.quotas(), held, held.keys())


def _all(member: Member) -> Iterator[int]:
    for holding in member.holdings.values():
        yield holding.serving + holding.warm + holding.asleep + holding.draining
