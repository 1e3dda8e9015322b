"""Whether a new replica finds no place beside the old ones.

A replica that waits for a node is what makes a node autoscaler act, so it is given longer than such a node takes. Where
a quota forbids the pod no node will come, so nothing is waited for.
"""

from datetime import datetime, timedelta

from stoker.core.plan.replicas import Replica, RevisionReplicas

# What an old replica's end would give back. Nothing else that the scheduler misses is.
_WOULD_BE_FREED = ("Insufficient ", "anti-affinity", "free ports")


def no_room(held: RevisionReplicas | None, wait_seconds: int, now: datetime) -> bool:
    if held is None:
        return False
    owner = held.replica_set
    if owner and owner.pods < owner.count and "exceeded quota" in owner.failure:
        return True
    return any(waits_for_room(replica) and seconds_left(replica, wait_seconds, now) <= 0 for replica in held.replicas)


def seconds_left(replica: Replica, wait_seconds: int, now: datetime) -> float:
    return (replica.created + timedelta(seconds=wait_seconds) - now).total_seconds()


def next_look_seconds(held: RevisionReplicas, wait_seconds: int, now: datetime) -> list[float]:
    return [seconds_left(replica, wait_seconds, now) for replica in held.replicas if waits_for_room(replica)]


def waits_for_room(replica: Replica) -> bool:
    said = " ".join(pod.unschedulable for pod in replica.pods)
    return not replica.placed and any(words in said for words in _WOULD_BE_FREED)
