"""Replicas whose GPU or driver failed: a container that starts again meets the same device, another pod need not.

The pod is deleted by uid, so that its ReplicaSet makes another, and it drains what it still has. It has to have a
certain age: a pod that meets the next broken device as soon as it starts is left to its node's own back-off until then,
so that no more than one pod of a replica is made in that time. A LeaderWorkerSet makes all its pods anew by itself.
"""

from collections.abc import Iterator, Mapping

from stoker.core.names import SERVER_CONTAINER
from stoker.core.plan.actions import Replace
from stoker.core.plan.replicas import RevisionReplicas
from stoker.core.plan.snapshot import Container, Snapshot
from stoker.core.pool.replaced import Replaced
from stoker_runtime.agent.exit_codes import ExitCode

YOUNGEST_SECONDS = 300


def faulted(container: Container) -> bool:
    """As the agent says it by its exit code."""
    return (
        container.name == SERVER_CONTAINER
        and container.last_end is not None
        and container.last_end.exit_code == ExitCode.DEVICE_FAULT
    )


def replaced(snapshot: Snapshot, replicas: Mapping[str, RevisionReplicas]) -> Iterator[Replace]:
    """One that is ready again found its device well."""
    for held in replicas.values():
        for pod in held.pods:
            old_enough = (snapshot.now - pod.created).total_seconds() >= YOUNGEST_SECONDS
            if pod.ready or pod.group or not old_enough or not any(map(faulted, pod.containers)):
                continue
            why = f"the GPU or its driver failed on node {pod.node}; the node is worth a look"
            yield Replace(pod.identity, why, Replaced.DEVICE_FAULT)
