"""Whether a new revision is to be given up: its replicas end again and again, or do not load in time.

    failed = ends of its engines >= 2, of which the GPU's own faults are none
          or one of its replicas has had its nodes for longer than spec.rollout.deadlineSeconds and is not ready

Nothing of that is held against a revision that waits: for a node, or for a pod that a quota or a policy forbids.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from stoker.api.v1alpha1.reason import Reason
from stoker.core.counted import counted
from stoker.core.plan.device_faults import faulted
from stoker.core.plan.diagnosis import diagnosis
from stoker.core.plan.replicas import Replica, RevisionReplicas
from stoker.core.plan.snapshot import Container, Pod, Snapshot

# The first end of an engine may be an accident, and its node starts it again at once.
ENDS = 2
_OF_ENDS = (Reason.OUT_OF_GPU_MEMORY, Reason.OUT_OF_HOST_MEMORY, Reason.NEVER_HEALTHY, Reason.CRASH_LOOP)


@dataclass(frozen=True)
class Failure:
    """Why a revision is given up."""

    reason: Reason
    message: str


def failure_of(snapshot: Snapshot, held: RevisionReplicas) -> Failure | None:
    ended = [(pod, server) for pod in held.pods if (server := pod.server) and ends(server) and not faulted(server)]
    if sum(ends(server) for _, server in ended) >= ENDS:
        found = next((finding for finding in diagnosis(snapshot, held) if finding.reason in _OF_ENDS), None)
        return Failure(found.reason, found.message) if found else Failure(Reason.CRASH_LOOP, _ends(ended))
    deadline_seconds = snapshot.live.deployment.spec.rollout.deadline_seconds
    for replica in held.replicas:
        since = loading_since(replica)
        if since and (snapshot.now - since).total_seconds() >= deadline_seconds:
            found = next(iter(diagnosis(snapshot, held)), None)
            because = f" {found.reason}: {found.message}" if found else ""
            return Failure(
                Reason.LOAD_DEADLINE_EXCEEDED,
                f"Replica {replica.name} had a node for {deadline_seconds} s (spec.rollout.deadlineSeconds) and is not"
                f" ready.{because}",
            )
    return None


def next_look_seconds(snapshot: Snapshot, held: RevisionReplicas) -> list[float]:
    deadline = timedelta(seconds=snapshot.live.deployment.spec.rollout.deadline_seconds)
    since = [moment for replica in held.replicas if (moment := loading_since(replica))]
    return [(moment + deadline - snapshot.now).total_seconds() for moment in since]


def loading_since(replica: Replica) -> datetime | None:
    """Since when all of its pods have had nodes, or since it was ready last; None: it is ready, or waits for a node."""
    if replica.ready or replica.leader is None or not replica.placed:
        return None
    moments = (*(pod.placed_since for pod in replica.pods), replica.leader.unready_since)
    return max((moment for moment in moments if moment), default=None)


def ends(server: Container) -> int:
    """One that waits for its next start has ended once more than it was started again."""
    return server.restarts + (server.waiting_reason == "CrashLoopBackOff")


def _ends(ended: Iterable[tuple[Pod, Container]]) -> str:
    return " ".join(
        f"Pod {pod.identity.name} ended {counted(ends(server), 'time')}, last with exit code"
        f" {server.last_end.exit_code if server.last_end else 'unknown'}."
        for pod, server in ended
    )
