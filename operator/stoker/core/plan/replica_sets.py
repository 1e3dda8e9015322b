"""Replicas of one pod: one ReplicaSet for each revision, from the count that it should have to single writes.

A ReplicaSet would choose the victim of a smaller count itself. So a replica leaves in this order:

1. one write takes the chosen pod off traffic and out of its ReplicaSet;
2. the ReplicaSet's controller shows that it has seen that, by what it counts, and makes a replacement;
3. a second write lowers the count by one, and the controller takes the replacement back, since it ranks what has only
   just begun before everything else;
4. its agent drains it: routing and pools forget it, then it refuses what comes, then nothing is in flight;
5. it is deleted. Where no agent takes orders, step 4 is a pause, and it drains by itself at its end.

Without the second step the controller may see the new count before it sees that the pod has left, for it watches the
two apart, and then it deletes a pod of its own choice: the one that happens not to be ready. The pod carries what it
left and when, so that a new operator knows that a count is still to be lowered.
"""

from collections.abc import Iterator, Mapping

from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.core.names import identity_labels, replica_set_name
from stoker.core.plan.actions import (
    Action,
    CreateReplicaSet,
    DeletePod,
    DeleteReplicaSet,
    Detach,
    Json,
    Scale,
)
from stoker.core.plan.departure import departing
from stoker.core.plan.replicas import FINISHED_PHASES, RevisionReplicas, detached, victim_of
from stoker.core.plan.revision import Rendered, owner_reference
from stoker.core.plan.snapshot import ReplicaSet, Snapshot
from stoker.core.timestamp import timestamp


def moves(snapshot: Snapshot, held: RevisionReplicas, goal: int, needed: int) -> Iterator[Action]:
    """Growth at once, shrinking by one. The goal counts what starts to replace others as well as what is needed."""
    replica_set = held.replica_set
    contested = {contest.name for contest in snapshot.contests if contest.kind == "ReplicaSet"}
    if replica_set is None or replica_set.identity.name in contested:
        return
    if replica_set.count < goal:
        yield _scale(replica_set, goal)
    elif replica_set.count > goal:
        yield from _shrink(snapshot, held, replica_set, goal, needed)


def _shrink(
    snapshot: Snapshot, held: RevisionReplicas, replica_set: ReplicaSet, goal: int, needed: int
) -> Iterator[Action]:
    live = len(held.pods)
    if not replica_set.observed or replica_set.pods != live:
        return  # its controller, or our picture of its pods, has not caught up with the last step
    if any(pod.left_from == replica_set.place for pod in snapshot.pods):
        yield _scale(replica_set, replica_set.count - 1)
    elif live < replica_set.count:
        # What was never made needs no farewell.
        yield _scale(replica_set, max(goal, live))
    elif live == replica_set.count:
        victim, why = victim_of(held, snapshot, needed)
        (pod,) = victim.pods
        owner = owner_reference(snapshot.live.deployment)
        yield Detach(pod.identity, owner, timestamp(snapshot.now), replica_set.place, why)


def _scale(replica_set: ReplicaSet, count: int) -> Scale:
    return Scale(replica_set.identity, replica_set.count, count, replica_set.count_writer)


def departures(
    snapshot: Snapshot, replicas: Mapping[str, RevisionReplicas], goals: Mapping[str, int]
) -> tuple[list[Action], float | None]:
    """Deletes what has been off traffic for long enough, and finished pods but the last; and when to look again."""
    actions: list[Action] = []
    waits: list[float] = []
    # Where a count is still to be lowered for a pod, the pod stays to say so.
    owing = {
        held.replica_set.place
        for revision, held in replicas.items()
        if held.replica_set and held.replica_set.count > goals.get(revision, held.replica_set.count)
    }
    for pod in detached(snapshot):
        if pod.deleting or pod.left_from in owing:
            continue
        seconds, orders = departing(pod, snapshot)
        if seconds <= 0:
            actions.append(DeletePod(pod.identity))
        else:
            actions += orders
            waits.append(seconds)
    ours = {replica_set.identity.uid for replica_set in snapshot.replica_sets if replica_set.owner_uid == snapshot.uid}
    finished = [
        pod for pod in snapshot.pods if pod.phase in FINISHED_PHASES and not pod.deleting and pod.owner_uid in ours
    ]
    # The last one says what happened.
    finished.sort(key=lambda pod: pod.created)
    actions += [DeletePod(pod.identity) for pod in finished[:-1]]
    return actions, min(waits, default=None)


def new_replica_set(deployment: ModelDeployment, rendered: Rendered, count: int) -> CreateReplicaSet:
    name = deployment.metadata.name
    labels = identity_labels(name) | {"stoker.dev/revision": rendered.name}
    body: Json = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": replica_set_name(name, rendered.name),
            "namespace": deployment.metadata.namespace,
            "labels": labels,
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": count,
            # Without the tier, so that a replica can change it and stay counted.
            "selector": {"matchLabels": {"stoker.dev/model": name, "stoker.dev/revision": rendered.name}},
            "template": rendered.template,
        },
    }
    return CreateReplicaSet(body)


def emptied(replicas: Mapping[str, RevisionReplicas], target: str | None) -> Iterator[Action]:
    """ReplicaSets of other revisions that hold nothing; their template is kept elsewhere."""
    for revision, held in replicas.items():
        replica_set = held.replica_set
        if replica_set is None or revision == target or target is None:
            continue
        if replica_set.count == 0 and replica_set.observed and replica_set.pods == 0 and not held.replicas:
            yield DeleteReplicaSet(replica_set.identity)
