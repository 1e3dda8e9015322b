"""What the state of nodes asks of a model: replacements first, evictions then, and no disturbance of what loads."""

from collections.abc import Collection, Iterator, Mapping

from stoker.core.plan.actions import Action, Protect
from stoker.core.plan.replicas import RevisionReplicas, seat_of
from stoker.core.plan.snapshot import Pod, Snapshot
from stoker.core.plan.wanted import is_frozen
from stoker.core.pool.evacuation import replacements


def evacuates(snapshot: Snapshot, replicas: Mapping[str, RevisionReplicas]) -> bool:
    """A rollout moves everything anyway, and a freeze nothing."""
    return not is_frozen(snapshot) and sum(bool(held.replicas) for held in replicas.values()) == 1


def extra_replicas(snapshot: Snapshot, replicas: Mapping[str, RevisionReplicas], wanted: int) -> int:
    if not evacuates(snapshot, replicas):
        return 0
    live = (replica for held in replicas.values() for replica in held.replicas)
    return replacements((seat_of(replica, snapshot, current=True) for replica in live), wanted)


def least_available(snapshot: Snapshot, replicas: Mapping[str, RevisionReplicas], serving: int) -> int:
    """Nothing is evicted before its replacement is ready. Where there is none to wait for, or no node can take it, one
    at a time may go; so it is as well where nodes cannot be seen."""
    live = [replica for held in replicas.values() for replica in held.replicas]
    leaving = snapshot.cluster.leaving_nodes
    stuck = any(pod.unschedulable for replica in live for pod in replica.pods)
    on_leaving = any(pod.node in leaving for replica in live for pod in replica.pods)
    released = snapshot.cluster.nodes is None or (on_leaving and (stuck or not evacuates(snapshot, replicas)))
    return max(0, serving - 1) if released else serving


def protections(
    snapshot: Snapshot, replicas: Mapping[str, RevisionReplicas], touched: Collection[str]
) -> Iterator[Action]:
    """`touched` are the uids of pods that the plan changes otherwise: their next version is not known yet."""
    for held in replicas.values():
        for replica in held.replicas:
            for pod in replica.pods:
                loads = _loads(pod, snapshot)
                if pod.protected != loads and pod.identity.uid not in touched:
                    yield Protect(pod.identity, loads)


def _loads(pod: Pod, snapshot: Snapshot) -> bool:
    """What never gets ready keeps no node for ever."""
    age_seconds = (snapshot.now - pod.created).total_seconds()
    longest_seconds = snapshot.cluster.configuration.pods.startup_seconds
    return bool(pod.node) and not pod.ready and age_seconds < longest_seconds and pod.restarts == 0
