"""One job for one question: made when it is first asked, read when it has ended, made anew when it failed."""

import hashlib
import json
from collections.abc import Iterator

from stoker.api.v1alpha1.reason import Reason
from stoker.core.engine import Refusal
from stoker.core.plan.actions import CreateJob, DeleteJob
from stoker.core.plan.fetch.answers import Answer, answer_of
from stoker.core.plan.fetch.jobs import Errand, Task, job_body
from stoker.core.plan.snapshot import Snapshot

NOTHING_IS_FETCHED = Refusal(Reason.SUSPENDED, "spec.suspend is true, so nothing is fetched.")


def job_name(model: str, task: Task, *subject: object) -> str:
    """Another question is another job."""
    text = json.dumps(subject, sort_keys=True, separators=(",", ":"))
    return f"{model}-{task.value}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def asked(snapshot: Snapshot, errand: Errand) -> Answer:
    job = next((job for job in snapshot.jobs if job.identity.name == errand.name), None)
    if job is None:
        if snapshot.live.deployment.spec.suspend:
            return Answer(waits=NOTHING_IS_FETCHED)
        return Answer(actions=(CreateJob(job_body(snapshot.live.deployment, snapshot.cluster, errand)),))
    if job.owner_uid not in ("", snapshot.uid):
        return Answer(look_again_seconds=2.0)  # of a namesake that was deleted; it goes by itself
    return answer_of(snapshot, job)


def forgotten(snapshot: Snapshot, wanted: frozenset[str]) -> Iterator[DeleteJob]:
    """Jobs whose answer nobody asks for any more, also those that still run for an older spec. They go before others
    are made: a download may remove what is no longer kept, and then an old job's answer would not be true."""
    for job in snapshot.jobs:
        if job.identity.name not in wanted and job.owner_uid in ("", snapshot.uid) and not job.deleting:
            yield DeleteJob(job.identity)
