"""A plan in words, for `stoker plan`."""

from collections.abc import Iterator

from stoker.core.plan.actions import (
    Action,
    AdoptRevision,
    Apply,
    CreateClaim,
    CreateJob,
    CreateReplicaSet,
    CreateRevision,
    DeleteJob,
    DeleteOwned,
    DeletePod,
    DeleteReplicaSet,
    DeleteRevision,
    Detach,
    KeepResult,
    Mend,
    MendClaim,
    Plan,
    Retier,
    Scale,
)


def sentences(plan: Plan) -> Iterator[str]:
    for action in plan.actions:
        yield sentence(action)


def sentence(action: Action) -> str:  # noqa: C901, PLR0911, PLR0912 - one line for each kind of action
    match action:
        case CreateRevision(body):
            return f"keep the revision as ControllerRevision {body['metadata']['name']}"
        case CreateReplicaSet(body):
            return f"create ReplicaSet {body['metadata']['name']} with {body['spec']['replicas']} replicas"
        case CreateJob(body):
            return f"create Job {body['metadata']['name']}"
        case KeepResult(job, _):
            return f"keep what Job {job.name} found"
        case DeleteJob(job):
            return f"delete Job {job.name}"
        case CreateClaim(body):
            size = body["spec"]["resources"]["requests"]["storage"]
            return f"create PersistentVolumeClaim {body['metadata']['name']} of {size}"
        case MendClaim(claim, _, why):
            return f"change PersistentVolumeClaim {claim.name}: {why}"
        case Apply(kind, seen, body, _):
            return f"{'update' if seen else 'create'} {kind} {body['metadata']['name']}"
        case Scale(replica_set, before, count, _):
            return f"scale ReplicaSet {replica_set.name} from {before} to {count}"
        case Mend(replica_set, _):
            return f"mend ReplicaSet {replica_set.name}"
        case AdoptRevision(revision, _):
            return f"adopt ControllerRevision {revision.name}"
        case Detach(pod, _, _, _, why):
            return f"take pod {pod.name} off traffic and out of its ReplicaSet ({why})"
        case Retier(pod, tier):
            return f"move pod {pod.name} to tier {tier}"
        case DeletePod(pod):
            return f"delete pod {pod.name}"
        case DeleteReplicaSet(replica_set):
            return f"delete ReplicaSet {replica_set.name}, which is empty"
        case DeleteRevision(revision):
            return f"forget ControllerRevision {revision.name}"
        case DeleteOwned(kind, seen):
            return f"delete {kind} {seen.name}, which the configuration no longer wants"
