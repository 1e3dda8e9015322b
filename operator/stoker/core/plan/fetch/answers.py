"""What a job says: nothing yet, what it found, or why it cannot go on.

A job's pod leaves its answer as the termination message. Pods go away, so the answer is copied to the job as soon as
it is seen; a job that ended long ago and has no answer is made anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stoker.api.v1alpha1.reason import Reason
from stoker.core.engine import Refusal
from stoker.core.names import TASK_CONTAINER
from stoker.core.plan.actions import Action, DeleteJob, KeepResult
from stoker.core.plan.diagnosis import diagnosis_of
from stoker.core.plan.replicas import FINISHED_PHASES
from stoker.core.plan.snapshot import Job, Pod, Snapshot

# Whoever mends a token, a licence or a bucket changes nothing that Stoker could see.
FAILED_AGAIN = timedelta(seconds=300)
# The pod's last words and the job's end come by two watches.
ANSWER_LATE = timedelta(seconds=30)
# A node that lives lets a pod go when its time is over.
POD_OVERDUE = timedelta(seconds=30)


@dataclass(frozen=True)
class Answer:
    """One of `found`, `failed` and `waits` is there."""

    found: Mapping[str, Any] | None = None
    failed: Refusal | None = None
    waits: Refusal | None = None  # on what; None and nothing else: the job goes on as it should
    actions: tuple[Action, ...] = ()
    look_again_seconds: float | None = None


def answer_of(snapshot: Snapshot, job: Job) -> Answer:
    if job.deleting:
        return Answer(look_again_seconds=1.0)
    pods = [pod for pod in snapshot.pods if pod.owner_uid == job.identity.uid]
    if not (job.succeeded or job.failure):
        if lost_at := _lost_at(pods):
            return _made_anew(snapshot, job, lost_at, Answer())
        trouble = diagnosis_of(snapshot, pods)
        return Answer(waits=Refusal(trouble[0].reason, trouble[0].message) if trouble else None)
    said = job.result or _last_message(pods)
    keep: tuple[Action, ...] = (KeepResult(job.identity, said),) if said and not job.result else ()
    value = _parsed(said)
    if job.succeeded:
        if value is not None and value.get("ok"):
            return Answer(found=value, actions=keep)
        return _made_anew(snapshot, job, _ended(snapshot, job) + ANSWER_LATE, Answer())
    again_at = _ended(snapshot, job) + FAILED_AGAIN
    return _made_anew(snapshot, job, again_at, Answer(failed=_failure(job, value), actions=keep))


def _lost_at(pods: list[Pod]) -> datetime | None:
    """When the pod of a running job counts as lost with its node.

    Nobody is left to say that it ended, and Kubernetes makes no other one before that, since the job tells final exits
    from others. Another job does: the bytes that arrived are on the volume, and its lock keeps two writers apart."""
    alive = [pod for pod in pods if pod.phase not in FINISHED_PHASES]
    due = [pod.gone_by for pod in alive if pod.gone_by]
    return max(due) + POD_OVERDUE if due and len(due) == len(alive) else None


def _ended(snapshot: Snapshot, job: Job) -> datetime:
    return job.ended_at or snapshot.now


def _made_anew(snapshot: Snapshot, job: Job, at: datetime, until_then: Answer) -> Answer:
    seconds = (at - snapshot.now).total_seconds()
    if seconds > 0:
        return Answer(None, until_then.failed, until_then.waits, until_then.actions, seconds)
    return Answer(None, until_then.failed, until_then.waits, (DeleteJob(job.identity),), 1.0)


def _failure(job: Job, value: Mapping[str, Any] | None) -> Refusal:
    said = str((value or {}).get("message", ""))
    try:
        return Refusal(Reason(str((value or {}).get("reason"))), said)
    except ValueError:
        what = said or job.failure or "it gave no reason"
        return Refusal(Reason.JOB_FAILED, f"Job {job.identity.name} failed: {what}")


def _last_message(pods: list[Pod]) -> str:
    ends = [
        (pod.created, container.last_end.message)
        for pod in pods
        for container in pod.containers
        if container.name == TASK_CONTAINER and container.last_end and container.last_end.message
    ]
    return max(ends)[1] if ends else ""


def _parsed(text: str) -> Mapping[str, Any] | None:
    """The log's tail stands in for a message that could not be written."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
