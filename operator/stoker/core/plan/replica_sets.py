"""From how many replicas there should be to single writes: make, grow, take one away, clean up.

A ReplicaSet would choose the victim of a smaller count itself. So a replica leaves in this order:

1. one write takes the chosen pod off traffic and out of its ReplicaSet;
2. the ReplicaSet's controller shows that it has seen that, by what it counts, and makes a replacement;
3. a second write lowers the count by one, and the controller takes the replacement back, since it ranks what has only
   just begun before everything else;
4. when routing has forgotten the pod, it is deleted and drains by itself.

Without the second step the controller may see the new count before it sees that the pod has left, for it watches the
two apart, and then it deletes a pod of its own choice: the one that happens not to be ready. The pod carries what it
left and when, so that a new operator knows that a count is still to be lowered.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.core.names import Tier, identity_labels, replica_set_name
from stoker.core.plan.actions import (
    Action,
    AdoptRevision,
    CreateReplicaSet,
    DeletePod,
    DeleteReplicaSet,
    Detach,
    Json,
    Mend,
    Retier,
    Scale,
)
from stoker.core.plan.pod_template import OFF_TRAFFIC_SECONDS
from stoker.core.plan.revision import Rendered, owner_reference
from stoker.core.plan.rollout import Held
from stoker.core.plan.snapshot import Pod, ReplicaSet, Snapshot

FINISHED_PHASES = ("Succeeded", "Failed")


@dataclass(frozen=True)
class RevisionReplicas:
    """A revision's ReplicaSet and the pods that it counts."""

    revision: str
    replica_set: ReplicaSet | None
    pods: tuple[Pod, ...]

    @property
    def held(self) -> Held:
        count = self.replica_set.count if self.replica_set else 0
        return Held(self.revision, count, sum(pod.ready for pod in self.pods))


def by_revision(snapshot: Snapshot) -> dict[str, RevisionReplicas]:
    """Stoker's own ReplicaSets of the model, and below each its pods that live."""
    found = {}
    for replica_set in snapshot.replica_sets:
        if replica_set.owner_uid == snapshot.uid and not replica_set.deleting:
            pods = tuple(pod for pod in snapshot.pods if _counts(pod) and pod.owner_uid == replica_set.identity.uid)
            found[replica_set.revision] = RevisionReplicas(replica_set.revision, replica_set, pods)
    return found


def _counts(pod: Pod) -> bool:
    """As the ReplicaSet controller sees it."""
    return not pod.deleting and pod.phase not in FINISHED_PHASES


def draining(snapshot: Snapshot) -> tuple[Pod, ...]:
    """Pods that were taken out of their ReplicaSet and are on their way out, also where their owner was deleted
    without them."""
    orphan = ("", Tier.DRAINING.value)
    return tuple(pod for pod in snapshot.pods if pod.owner_uid == snapshot.uid or (pod.owner_uid, pod.tier) == orphan)


def moves(
    snapshot: Snapshot, replicas: Mapping[str, RevisionReplicas], goals: Mapping[str, int], contested: frozenset[str]
) -> Iterator[Action]:
    """Growth at once, shrinking by one."""
    for revision, goal in goals.items():
        held = replicas.get(revision)
        if held is None or held.replica_set is None or held.replica_set.identity.name in contested:
            continue
        replica_set = held.replica_set
        if replica_set.count < goal:
            yield _scale(replica_set, goal)
        elif replica_set.count > goal:
            yield from _shrink(snapshot, held, replica_set, goal)


def _shrink(snapshot: Snapshot, held: RevisionReplicas, replica_set: ReplicaSet, goal: int) -> Iterator[Action]:
    live = len(held.pods)
    if not replica_set.observed or replica_set.pods != live:
        return  # its controller, or our picture of its pods, has not caught up with the last step
    if any(pod.left_from == replica_set.place for pod in snapshot.pods):
        yield _scale(replica_set, replica_set.count - 1)
    elif live < replica_set.count:
        # What was never made needs no farewell.
        yield _scale(replica_set, max(goal, live))
    elif live == replica_set.count:
        victim = min(held.pods, key=leaves_first)
        why = "not ready" if not victim.ready else "newest"
        owner = owner_reference(snapshot.live.deployment)
        yield Detach(victim.identity, owner, timestamp(snapshot.now), replica_set.place, why)


def _scale(replica_set: ReplicaSet, count: int) -> Scale:
    return Scale(replica_set.identity, replica_set.count, count, replica_set.count_writer)


def leaves_first(pod: Pod) -> tuple[bool, bool, float, str]:
    """What does not serve goes before what serves, what has no node before what has one, the newest first."""
    return pod.ready, bool(pod.node), -pod.created.timestamp(), pod.identity.name


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
    for pod in draining(snapshot):
        if pod.deleting or pod.left_from in owing:
            continue
        seconds = (_due(pod) - snapshot.now).total_seconds()
        if seconds <= 0:
            actions.append(DeletePod(pod.identity))
        else:
            waits.append(seconds)
    ours = {replica_set.identity.uid for replica_set in snapshot.replica_sets if replica_set.owner_uid == snapshot.uid}
    finished = [
        pod for pod in snapshot.pods if pod.phase in FINISHED_PHASES and not pod.deleting and pod.owner_uid in ours
    ]
    # The last one says what happened.
    finished.sort(key=lambda pod: pod.created)
    actions += [DeletePod(pod.identity) for pod in finished[:-1]]
    return actions, min(waits, default=None)


def _due(pod: Pod) -> datetime:
    """What takes no traffic has nobody to wait for."""
    if pod.draining_since is None or not pod.ready:
        return pod.draining_since or pod.created
    return pod.draining_since + timedelta(seconds=OFF_TRAFFIC_SECONDS)


def mended_tiers(replicas: Mapping[str, RevisionReplicas]) -> Iterator[Action]:
    """A pod that its ReplicaSet counts but no tier holds would be paid for and serve nobody."""
    tiers = {tier.value for tier in Tier} - {Tier.DRAINING.value}
    for held in replicas.values():
        for pod in held.pods:
            if pod.tier not in tiers:
                yield Retier(pod.identity, Tier.SERVING)


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


def adoptions(snapshot: Snapshot) -> Iterator[Action]:
    """A ModelDeployment that was deleted without its children and made anew finds them by label and goes on."""
    owner = {"metadata": {"ownerReferences": [owner_reference(snapshot.live.deployment)]}}
    for replica_set in snapshot.replica_sets:
        if not replica_set.owner_uid and not replica_set.deleting:
            yield Mend(replica_set.identity, owner)
    for revision in snapshot.revisions:
        if not revision.owner_uid:
            yield AdoptRevision(revision.identity, owner)


def emptied(replicas: Mapping[str, RevisionReplicas], target: str | None) -> Iterator[Action]:
    """ReplicaSets of other revisions that hold nothing; their template is kept elsewhere."""
    for revision, held in replicas.items():
        replica_set = held.replica_set
        if replica_set is None or revision == target or target is None:
            continue
        if replica_set.count == 0 and replica_set.observed and replica_set.pods == 0 and not held.pods:
            yield DeleteReplicaSet(replica_set.identity)


def timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def newest_first(replicas: Sequence[RevisionReplicas], numbers: Mapping[str, int]) -> list[RevisionReplicas]:
    return sorted(replicas, key=lambda held: -numbers.get(held.revision, 0))
