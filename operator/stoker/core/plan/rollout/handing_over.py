"""Whether new replicas that wait for a node only wait for the places that old ones give up.

That is how an exchange goes: nothing is wrong, and nobody has to act. It ends by itself, so it is expected for as long
as old replicas may take to leave, and no longer:

    expected until    created + drain.graceSeconds + SPARE
                      + surgeWaitSeconds, while an old one leaves: the first has waited since before the exchange
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stoker.core.plan.replicas import Replica, RevisionReplicas, detached, own_groups
from stoker.core.plan.rollout.course import Course
from stoker.core.plan.rollout.room import seconds_left, waits_for_room
from stoker.core.plan.rollout.steps import Step
from stoker.core.plan.snapshot import Snapshot

# A pod's end, the return of its devices, and the scheduler's next try.
SPARE_SECONDS = 60


@dataclass(frozen=True)
class HandingOver:
    """Replicas that wait for places which come free."""

    replicas: int
    said: str  # by the scheduler
    look_again_seconds: float  # when it is expected no longer


def handing_over(
    snapshot: Snapshot, replicas: Mapping[str, RevisionReplicas], course: Course, target: str | None
) -> HandingOver | None:
    """None: nobody waits, or for something else, or for too long."""
    own = replicas.get(target or "")
    waiting = [replica for replica in own.replicas if not replica.placed and _said(replica)] if own else []
    if own is None or not waiting or not all(waits_for_room(replica) for replica in waiting):
        return None
    leaves = any(_leaving(snapshot, replicas, course, own))
    if not (leaves or _takes_over(snapshot, course, own)):
        return None
    deployment, settings = snapshot.live.deployment, snapshot.cluster.configuration.rollouts
    seconds = deployment.spec.drain.grace_seconds + SPARE_SECONDS
    if leaves and course.step is Step.EXCHANGING:
        seconds += settings.surge_wait_seconds
    left = min(seconds_left(replica, seconds, snapshot.now) for replica in waiting)
    return HandingOver(len(waiting), _said(waiting[0]), left) if left > 0 else None


def goes_anyway(held: RevisionReplicas, course: Course) -> bool:
    """Whether a revision has more than it is to keep: such as a replica that its ReplicaSet made, before its count was
    lowered, in place of one that was taken out."""
    return len(held.replicas) > course.counts.get(held.revision, len(held.replicas))


def _takes_over(snapshot: Snapshot, course: Course, own: RevisionReplicas) -> bool:
    """Whether old replicas leave for those of this revision, one after the other."""
    if course.step is Step.EXCHANGING:
        return True
    good = snapshot.live.deployment.status.good_revision
    return bool(course.proven) and good not in (None, own.revision) and course.step is not Step.HOLDING


def _leaving(
    snapshot: Snapshot, replicas: Mapping[str, RevisionReplicas], course: Course, own: RevisionReplicas
) -> Iterator[bool]:
    """Old replicas that are on their way out, or are told to go by this very look."""
    place = own.replica_set.place if own.replica_set else ""
    yield from (bool(pod.left_from) and pod.left_from != place for pod in detached(snapshot))
    yield from (group.draining_since is not None and group.revision != own.revision for group in own_groups(snapshot))
    others = (held for held in replicas.values() if held.revision != own.revision)
    yield from (course.counts.get(held.revision, held.count) < held.count for held in others)


def _said(replica: Replica) -> str:
    return next((pod.unschedulable for pod in replica.pods if pod.unschedulable), "")
