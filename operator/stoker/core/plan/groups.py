"""Replicas of several pods: one LeaderWorkerSet for each replica, of size pods and spec.replicas 1.

Stoker makes one and removes one by name, so no controller chooses a victim. A replica leaves in this order:

1. one write marks the chosen LeaderWorkerSet as draining, and from then on it does not count;
2. one write takes its leader off traffic; where the leader is made anew meanwhile, the new one too;
3. when the leader is drained, the LeaderWorkerSet is deleted, and its pods end by themselves, the workers after it.

Each step shows in the objects, so an operator that takes over in between goes on with the next. A new one gets the
smallest ordinal that no LeaderWorkerSet and no pod carries: so two operators that decide the same make one, and a
replica never meets pods that an earlier one of its name left behind.
"""

import itertools
from collections.abc import Iterator

from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.core.names import REVISION_LABEL, Tier, group_name, identity_labels
from stoker.core.plan.actions import Action, CreateGroup, DeleteGroup, DrainGroup, TakeOffTraffic
from stoker.core.plan.departure import departing
from stoker.core.plan.replicas import RevisionReplicas, own_groups, replica_of, victim_of
from stoker.core.plan.revision import Rendered, owner_reference
from stoker.core.plan.snapshot import Pod, Snapshot
from stoker.core.timestamp import timestamp


def growth(snapshot: Snapshot, held: RevisionReplicas | None, rendered: Rendered, goal: int) -> Iterator[Action]:
    """Everything that is missing, at once."""
    missing = goal - (len(held.replicas) if held else 0)
    if missing <= 0 or any(not group.owner_uid for group in snapshot.groups):
        return  # what nobody owns is adopted first, and counts then
    taken = {group.identity.name for group in snapshot.groups} | {pod.group for pod in snapshot.pods}
    names = (group_name(snapshot.name, rendered.name, ordinal) for ordinal in itertools.count())
    for name in itertools.islice((name for name in names if name not in taken), missing):
        yield CreateGroup(_leader_worker_set(snapshot.live.deployment, rendered, name))


def shrinking(snapshot: Snapshot, held: RevisionReplicas, goal: int, needed: int) -> Iterator[Action]:
    """One that does not serve, or else the newest; the next one at the next look."""
    if len(held.replicas) <= goal:
        return
    victim, why = victim_of(held, snapshot, needed)
    if victim.group:
        yield DrainGroup(victim.group.identity, timestamp(snapshot.now), why)
        if victim.leader:
            yield TakeOffTraffic(victim.leader.identity, timestamp(snapshot.now))


def departures(snapshot: Snapshot) -> tuple[list[Action], float | None]:
    """The next step of each LeaderWorkerSet that is on its way out; and when to look again."""
    actions: list[Action] = []
    waits: list[float] = []
    for group in own_groups(snapshot):
        if group.draining_since is None:
            continue
        leader = replica_of(group, snapshot).leader
        if leader is not None and not _off_traffic(leader):
            actions.append(TakeOffTraffic(leader.identity, timestamp(snapshot.now)))
            continue
        seconds, orders = departing(leader, snapshot) if leader else (0.0, ())
        if seconds <= 0:
            actions.append(DeleteGroup(group.identity))
        else:
            actions += orders
            waits.append(seconds)
    return actions, min(waits, default=None)


def _off_traffic(leader: Pod) -> bool:
    return leader.tier == Tier.DRAINING and leader.draining_since is not None


def _leader_worker_set(deployment: ModelDeployment, rendered: Rendered, name: str) -> dict[str, object]:
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {
            "name": name,
            "namespace": deployment.metadata.namespace,
            "labels": identity_labels(deployment.metadata.name) | {REVISION_LABEL: rendered.name},
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": 1,
            # Workers load their share of the weights at the same time as their leader.
            "startupPolicy": "LeaderCreated",
            "leaderWorkerTemplate": {
                "size": rendered.pods,
                # A rank that is lost takes the state of the others with it.
                "restartPolicy": "RecreateGroupOnPodRestart",
                "leaderTemplate": rendered.template,
                "workerTemplate": rendered.worker,
            },
        },
    }
