"""What is recorded and not done: scaling.mode Observe, on the model's own replicas or on another tool's workload."""

from collections.abc import Iterator

from stoker.api.v1alpha1.scaling import ScalingMode
from stoker.core.plan.actions import Note, Plan
from stoker.core.plan.conditions import notes_on
from stoker.core.plan.rollout.course import Course
from stoker.core.plan.snapshot import Snapshot
from stoker.core.plan.status import Picture, status_of
from stoker.core.plan.target import Target
from stoker.core.plan.wanted import Wanted
from stoker.core.pool.seat import Want


def only_observes(snapshot: Snapshot) -> bool:
    """One that had replicas before it came to observe another's takes them away first."""
    if snapshot.live.deployment.spec.scaling.target_ref is None:
        return False
    filled = any(replica_set.count or replica_set.pods for replica_set in snapshot.replica_sets)
    return not (filled or snapshot.groups or any(pod.tier for pod in snapshot.pods))


def observing(snapshot: Snapshot) -> Plan:
    """No object is made, no weights are fetched: a status, and Events."""
    deployment = snapshot.live.deployment
    picture = Picture(snapshot, Target(None, kept=True, refusal=None), {}, Wanted(Want(0), 0), (), None, Course({}))
    status, statements = status_of(picture)
    scaled, before = snapshot.scaled, deployment.status
    desired = scaled.serving if scaled else before.desired_replicas
    status = status.model_copy(update={"desired_replicas": desired, "url": None, "selector": None})
    known = {condition.type: condition for condition in before.conditions}
    return Plan((), status, (*notes_on(statements, known), *would_scale(snapshot)), None)


def would_scale(snapshot: Snapshot) -> Iterator[Note]:
    """One Event for each decision that nobody carries out."""
    deployment, scaled = snapshot.live.deployment, snapshot.scaled
    memory = scaled.memory if scaled else None
    if deployment.spec.scaling.mode is not ScalingMode.OBSERVE or memory is None or not memory.decision_time:
        return
    before = deployment.status.scaling
    if before is None or before.decision_time != memory.decision_time:
        yield Note(f"Would{memory.decision}", f"Would scale {memory.explanation}"[:1024])
