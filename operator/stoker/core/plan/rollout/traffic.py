"""Who takes traffic while two revisions have replicas.

One by one, tiers are moved as always, whatever the revision; only where a replica that takes traffic is to leave and a
warm one could stand in, the warm one is promoted first. A second full set is kept off traffic until all of it is ready,
then it is promoted, and the old set is moved off traffic in the same plan.
"""

from collections.abc import Iterable, Iterator, Mapping

from stoker.core.names import Tier
from stoker.core.plan.actions import Action, Detach, DrainGroup, Retier, TakeOffTraffic
from stoker.core.plan.replicas import Replica, RevisionReplicas
from stoker.core.plan.rollout.steps import Step
from stoker.core.plan.snapshot import Snapshot
from stoker.core.plan.upkeep import moved_tiers
from stoker.core.pool.seat import Want

ByRevision = Mapping[str, RevisionReplicas]


def moves(snapshot: Snapshot, replicas: ByRevision, want: Want, target: str, step: Step | None) -> Iterator[Action]:
    """Promotions before demotions."""
    new = {name: held for name, held in replicas.items() if name == target}
    old = {name: held for name, held in replicas.items() if name != target}
    if step is Step.HOLDING:
        yield from _all_to(Tier.WARM, new)
        yield from moved_tiers(snapshot, old, want, target)
    elif step is Step.SWITCHED and _ready(new) >= want.serving:
        yield from moved_tiers(snapshot, new, want, target)
        yield from _all_to(Tier.WARM, old)
    else:
        yield from moved_tiers(snapshot, replicas, want, target)


def _all_to(tier: Tier, replicas: ByRevision) -> Iterator[Retier]:
    for replica in _each(replicas):
        if replica.leader and replica.tier != tier:
            yield Retier(replica.leader.identity, tier)


def _each(replicas: ByRevision) -> Iterator[Replica]:
    return (replica for held in replicas.values() for replica in held.replicas)


def _ready(replicas: ByRevision) -> int:
    return sum(replica.ready for replica in _each(replicas))


def covered(
    actions: Iterable[Action], replicas: ByRevision, want: Want, *, tiers_move: bool, held_off: str | None
) -> Iterator[Action]:
    """The same actions, where none takes a serving replica away that a warm one could stand in for. While tiers move
    nobody can tell which one that is, so what serves stays until the next look. `held_off` names a revision whose warm
    replicas are not to take traffic yet."""
    in_traffic = {
        uid
        for replica in _each(replicas)
        if replica.leader and replica.ready and replica.tier == Tier.SERVING
        for uid in (replica.leader.identity.uid, replica.group.identity.uid if replica.group else "")
        if uid
    }
    spare = sum(replica.ready and replica.tier == Tier.SERVING for replica in _each(replicas)) - want.serving
    stand_ins = [
        replica.leader.identity
        for name, held in replicas.items()
        for replica in held.replicas
        if replica.leader and replica.ready and replica.tier == Tier.WARM and name != held_off
    ]
    for action in actions:
        leaver = _leaver(action)
        if leaver not in in_traffic:
            yield action
        elif tiers_move:
            continue
        elif isinstance(action, TakeOffTraffic):
            yield action  # its group was marked just now, and that was covered
        else:
            if spare <= 0 and stand_ins:
                yield Retier(stand_ins.pop(), Tier.SERVING)
            else:
                spare -= 1
            yield action


def _leaver(action: Action) -> str:
    match action:
        case Detach(pod, _, _, _, _):
            return pod.uid
        case DrainGroup(group, _, _):
            return group.uid
        case TakeOffTraffic(leader, _):
            return leader.uid
        case _:
            return ""
