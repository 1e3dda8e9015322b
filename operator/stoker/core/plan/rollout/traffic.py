"""Who takes traffic while two revisions have replicas.

One by one, tiers are moved as always, whatever the revision; only where a replica that takes traffic is to leave and a
warm one could stand in, one more is wanted in traffic, and nobody leaves before it is there. A second full set is kept
off traffic until all of it is ready; then it is promoted, and once it takes traffic the old set is moved off.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from stoker.core.names import Tier
from stoker.core.plan.actions import Action, Detach, DrainGroup
from stoker.core.plan.replicas import Replica, RevisionReplicas
from stoker.core.plan.rollout.steps import Step
from stoker.core.plan.snapshot import Snapshot
from stoker.core.plan.upkeep import moved_tiers
from stoker.core.pool.seat import Want

ByRevision = Mapping[str, RevisionReplicas]


def moves(
    snapshot: Snapshot, replicas: ByRevision, want: Want, target: str, step: Step | None
) -> tuple[list[Action], float | None]:
    """And when to look again."""
    new = {name: held for name, held in replicas.items() if name == target}
    old = {name: held for name, held in replicas.items() if name != target}
    if step is Step.HOLDING:
        # One that serves already, as where an edit goes back, is not taken away from those who need it.
        short = _in_traffic(old) < want.serving
        needed = _those(new, lambda replica: short and _serves(replica))
        held_off = _those(new, lambda replica: not (short and _serves(replica)))
        return _both(
            _off_traffic(snapshot, held_off, target),
            moved_tiers(snapshot, {**old, **needed}, want, target),
        )
    if step is Step.SWITCHED and _ready(new) >= want.serving:
        switched = moved_tiers(snapshot, new, want, target)
        if _in_traffic(new) < want.serving:
            return switched
        return _both(switched, _off_traffic(snapshot, old, target))
    return moved_tiers(snapshot, replicas, want, target)


def _those(replicas: ByRevision, which: Callable[[Replica], bool]) -> ByRevision:
    return {name: replace(held, replicas=tuple(filter(which, held.replicas))) for name, held in replicas.items()}


def _serves(replica: Replica) -> bool:
    return replica.ready and replica.tier == Tier.SERVING


def _off_traffic(snapshot: Snapshot, replicas: ByRevision, target: str) -> tuple[list[Action], float | None]:
    return moved_tiers(snapshot, replicas, Want(0, sum(1 for _ in _each(replicas))), target)


def _both(
    one: tuple[list[Action], float | None], other: tuple[list[Action], float | None]
) -> tuple[list[Action], float | None]:
    waits = [seconds for _, seconds in (one, other) if seconds is not None]
    return [*one[0], *other[0]], min(waits, default=None)


def _each(replicas: ByRevision) -> Iterator[Replica]:
    return (replica for held in replicas.values() for replica in held.replicas)


def _ready(replicas: ByRevision) -> int:
    return sum(replica.ready for replica in _each(replicas))


def _in_traffic(replicas: ByRevision) -> int:
    return sum(map(_serves, _each(replicas)))


@dataclass(frozen=True)
class Cover:
    """Who may leave traffic now, and how many are wanted in it so that the others may."""

    want: Want
    takers: frozenset[str]  # uids of what takes traffic
    spare: int  # of those, how many nobody needs
    covered: bool  # whether a warm one could stand in

    def allowed(self, actions: Iterable[Action], *, tiers_move: bool) -> Iterator[Action]:
        """While tiers move nobody can tell who is needed, so whoever takes traffic stays until the next look."""
        spare = self.spare
        for action in actions:
            if _leaver(action) not in self.takers:
                yield action
            elif not tiers_move and (spare > 0 or not self.covered):
                spare -= 1
                yield action


def cover_of(actions: Iterable[Action], replicas: ByRevision, want: Want, target: str, step: Step | None) -> Cover:
    """A second set that is held off traffic stands in for nobody, and one that takes over is promoted whole."""
    takers = frozenset(
        uid
        for replica in _each(replicas)
        if replica.leader and _serves(replica)
        for uid in (replica.leader.identity.uid, replica.group.identity.uid if replica.group else "")
        if uid
    )
    spare = _in_traffic(replicas) - want.serving
    if step is Step.SWITCHED:
        return Cover(want, takers, spare, covered=False)
    stand_ins = sum(
        replica.ready and replica.tier == Tier.WARM
        for name, held in replicas.items()
        if step is not Step.HOLDING or name != target
        for replica in held.replicas
    )
    leavers = sum(_leaver(action) in takers for action in actions)
    more = min(leavers, stand_ins + max(0, spare))
    asked = Want(want.serving + more, max(0, want.warm - more), want.asleep)
    return Cover(asked, takers, spare, covered=stand_ins > 0)


def _leaver(action: Action) -> str:
    """A group whose leader is taken off traffic was marked before, and covered then."""
    match action:
        case Detach(pod, _, _, _, _):
            return pod.uid
        case DrainGroup(group, _, _):
            return group.uid
        case _:
            return ""
