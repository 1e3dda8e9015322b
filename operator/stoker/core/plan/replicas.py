"""The replicas that there are, whatever holds them: a ReplicaSet where a replica is one pod, a LeaderWorkerSet each
where it spans several. What counts replicas, or says how they are, need not know which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stoker.core.names import Tier, leader_name
from stoker.core.plan.commands import report_of
from stoker.core.plan.snapshot import Group, Pod, ReplicaSet, Snapshot
from stoker.core.pool.seat import Seat
from stoker.core.pool.steps import SILENT_TRIES
from stoker.core.pool.victims import victim, why

FINISHED_PHASES = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Replica:
    """One leader, which serves, and the pods that work with it."""

    leader: Pod | None  # None: it is not made yet, or not anew
    workers: tuple[Pod, ...] = ()
    group: Group | None = None  # None: a ReplicaSet counts its one pod

    @property
    def pods(self) -> tuple[Pod, ...]:
        return (self.leader, *self.workers) if self.leader else self.workers

    @property
    def size(self) -> int:
        """The pods that it should have."""
        return self.group.size if self.group else 1

    @property
    def tier(self) -> str:
        return self.leader.tier if self.leader else ""

    @property
    def ready(self) -> bool:
        return self.leader is not None and self.leader.ready

    @property
    def placed(self) -> bool:
        return len(self.pods) >= self.size and all(pod.node for pod in self.pods)

    @property
    def name(self) -> str:
        return self.group.identity.name if self.group else self.pods[0].identity.name

    @property
    def created(self) -> datetime:
        return self.group.created if self.group else self.pods[0].created


@dataclass(frozen=True)
class RevisionReplicas:
    """A revision's replicas that are to stay: those that its ReplicaSet counts, or its LeaderWorkerSets."""

    revision: str
    replica_set: ReplicaSet | None
    replicas: tuple[Replica, ...]

    @property
    def pods(self) -> tuple[Pod, ...]:
        return tuple(pod for replica in self.replicas for pod in replica.pods)

    @property
    def count(self) -> int:
        return self.replica_set.count if self.replica_set else len(self.replicas)

    @property
    def holds_something(self) -> bool:
        return bool(self.replicas) or self.count > 0

    @property
    def ready(self) -> int:
        return sum(replica.ready for replica in self.replicas)


def by_revision(snapshot: Snapshot) -> dict[str, RevisionReplicas]:
    """Stoker's own ReplicaSets and LeaderWorkerSets of the model, and below each its pods that live."""
    found = {}
    for replica_set in snapshot.replica_sets:
        if replica_set.owner_uid == snapshot.uid and not replica_set.deleting:
            pods = (pod for pod in snapshot.pods if lives(pod) and pod.owner_uid == replica_set.identity.uid)
            replicas = tuple(Replica(pod) for pod in pods)
            found[replica_set.revision] = RevisionReplicas(replica_set.revision, replica_set, replicas)
    for group in own_groups(snapshot):
        if group.draining_since is None:
            held = found.get(group.revision) or RevisionReplicas(group.revision, None, ())
            replicas = (*held.replicas, replica_of(group, snapshot))
            found[group.revision] = RevisionReplicas(group.revision, held.replica_set, replicas)
    return found


def own_groups(snapshot: Snapshot) -> tuple[Group, ...]:
    return tuple(group for group in snapshot.groups if group.owner_uid == snapshot.uid and not group.deleting)


def replica_of(group: Group, snapshot: Snapshot) -> Replica:
    pods = [pod for pod in snapshot.pods if pod.group == group.identity.name and lives(pod)]
    first = leader_name(group.identity.name)
    leader = next((pod for pod in pods if pod.identity.name == first), None)
    return Replica(leader, tuple(pod for pod in pods if pod is not leader), group)


def lives(pod: Pod) -> bool:
    """As the controller that made it sees it."""
    return not pod.deleting and pod.phase not in FINISHED_PHASES


def detached(snapshot: Snapshot) -> tuple[Pod, ...]:
    """Pods that were taken out of their ReplicaSet and are on their way out, also where their owner was deleted
    without them."""
    orphan = ("", Tier.DRAINING.value)
    return tuple(pod for pod in snapshot.pods if pod.owner_uid == snapshot.uid or (pod.owner_uid, pod.tier) == orphan)


def leaving(snapshot: Snapshot) -> int:
    """How many replicas are on their way out. The pods of a LeaderWorkerSet drain when it is gone."""
    staying = {group.identity.name for group in own_groups(snapshot) if group.draining_since is None}
    names = {group.identity.name for group in snapshot.groups} | {pod.group for pod in snapshot.pods if pod.group}
    return len(detached(snapshot)) + len(names - staying)


def seat_of(replica: Replica, snapshot: Snapshot, *, current: bool) -> Seat:
    """A tier that nobody knows is mended elsewhere, and counts as serving until then."""
    known = replica.tier in {Tier.SERVING.value, Tier.WARM.value, Tier.ASLEEP.value}
    report = report_of(replica.leader, snapshot) if replica.leader else None
    return Seat(
        name=replica.name,
        tier=Tier(replica.tier) if known else Tier.SERVING,
        ready=replica.ready,
        current=current,
        placed=replica.placed,
        created_seconds=replica.created.timestamp(),
        in_flight=snapshot.in_flight.get(replica.leader.identity.uid) if replica.leader else None,
        reachable=report is None or report.failures < SILENT_TRIES,
        stays=not any(pod.node in snapshot.cluster.leaving_nodes for pod in replica.pods),
        rests=bool(replica.leader and snapshot.scaled and replica.leader.identity.uid in snapshot.scaled.resting),
        sleeps=report is not None and not report.sleepless,
    )


def victim_of(held: RevisionReplicas, snapshot: Snapshot, needed: int) -> tuple[Replica, str]:
    """Who leaves first, and why that one; `needed` is how many have to be ready."""
    seats = {replica.name: seat_of(replica, snapshot, current=True) for replica in held.replicas}
    chosen = victim(seats.values(), needed)
    return next(replica for replica in held.replicas if replica.name == chosen.name), why(chosen)


def newest_first(replicas: Sequence[RevisionReplicas], numbers: Mapping[str, int]) -> list[RevisionReplicas]:
    return sorted(replicas, key=lambda held: -numbers.get(held.revision, 0))
