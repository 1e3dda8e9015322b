"""A plan in words, for `stoker plan`."""

from collections.abc import Iterator

from stoker.core.counted import counted
from stoker.core.plan.actions import (
    Action,
    Adopt,
    Apply,
    CreateClaim,
    CreateGroup,
    CreateJob,
    CreateReplicaSet,
    CreateRevision,
    DeleteGroup,
    DeleteJob,
    DeleteOwned,
    DeletePod,
    DeleteReplicaSet,
    DeleteRevision,
    Detach,
    DrainGroup,
    KeepResult,
    MendClaim,
    Plan,
    Protect,
    Replace,
    Retier,
    Scale,
    TakeOffTraffic,
    Tell,
)


def sentences(plan: Plan) -> Iterator[str]:
    for action in plan.actions:
        yield sentence(action)


def sentence(action: Action) -> str:  # noqa: C901, PLR0911, PLR0912 - one line for each kind of action
    match action:
        case CreateRevision(body):
            return f"keep the revision as ControllerRevision {body['metadata']['name']}"
        case CreateReplicaSet(body):
            return f"create ReplicaSet {body['metadata']['name']} with {counted(body['spec']['replicas'], 'replica')}"
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
        case CreateGroup(body):
            size = body["spec"]["leaderWorkerTemplate"]["size"]
            return f"create LeaderWorkerSet {body['metadata']['name']} with {counted(size, 'pod')}"
        case Apply(kind, seen, body, _):
            return f"{'update' if seen else 'create'} {kind} {body['metadata']['name']}"
        case Scale(replica_set, before, count, _):
            return f"scale ReplicaSet {replica_set.name} from {before} to {count}"
        case Adopt(kind, child, _):
            return f"adopt {kind} {child.name}"
        case Detach(pod, _, _, _, why):
            return f"take pod {pod.name} off traffic and out of its ReplicaSet ({why})"
        case DrainGroup(group, _, why):
            return f"mark LeaderWorkerSet {group.name} as draining ({why})"
        case TakeOffTraffic(leader, _):
            return f"take pod {leader.name} off traffic"
        case Retier(pod, tier):
            return f"move pod {pod.name} to tier {tier}"
        case Protect(pod, loads):
            return f"ask node autoscalers {'to leave' if loads else 'no longer to leave'} pod {pod.name} alone"
        case Tell(pod, verb=verb):
            return f"tell the agent of pod {pod.name} to {verb}"
        case Replace(pod, why):
            return f"delete pod {pod.name} for another one ({why})"
        case DeletePod(pod):
            return f"delete pod {pod.name}"
        case DeleteReplicaSet(replica_set):
            return f"delete ReplicaSet {replica_set.name}, which is empty"
        case DeleteGroup(group):
            return f"delete LeaderWorkerSet {group.name}, which takes no traffic"
        case DeleteRevision(revision):
            return f"forget ControllerRevision {revision.name}"
        case DeleteOwned(kind, seen):
            return f"delete {kind} {seen.name}, which the configuration no longer wants"
