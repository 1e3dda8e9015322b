"""What the status says of each revision, and keeps of one that failed."""

from collections.abc import Mapping

from stoker.api.v1alpha1.status import RevisionStatus
from stoker.core.plan.replicas import RevisionReplicas
from stoker.core.plan.rollout.course import Course
from stoker.core.plan.snapshot import Pod, Snapshot
from stoker.core.plan.target import Target

MOST_REVISIONS = 10
_LONGEST_FAILURE = 1024


def revision_rows(
    snapshot: Snapshot, target: Target, replicas: Mapping[str, RevisionReplicas], course: Course
) -> tuple[RevisionStatus, ...]:
    """The newest, but first those that a rollout has to remember something of."""
    first = never_forgotten(snapshot, target, replicas)
    by_use = sorted(snapshot.revisions, key=lambda revision: (revision.name not in first, -revision.number))
    rows = []
    for revision in by_use[: max(MOST_REVISIONS, len(first))]:
        held = replicas.get(revision.name)
        failed_reason, failed_message = _failure(snapshot, target, course, revision.name)
        state = _state(target, course, held, revision.name)
        rows.append(
            RevisionStatus(
                name=revision.name,
                number=revision.number,
                state="Failed" if failed_reason else state,
                wanted_replicas=course.counts.get(revision.name, 0),
                replicas=len(held.replicas) if held else 0,
                ready_replicas=held.ready if held else 0,
                image=_image(held.pods) if held else None,
                failed_reason=failed_reason,
                failed_message=failed_message,
            )
        )
    return tuple(rows)


def never_forgotten(snapshot: Snapshot, target: Target, replicas: Mapping[str, RevisionReplicas]) -> set[str]:
    names = {target.rendered.name if target.rendered else None, target.given_up.revision if target.given_up else None}
    return {*replicas, *(name for name in (*names, snapshot.live.deployment.status.good_revision) if name)}


def _state(target: Target, course: Course, held: RevisionReplicas | None, revision: str) -> str:
    if target.rendered and revision == target.rendered.name:
        return (course.step or "Current") if course.begun else "Waiting"
    return "Old" if held and held.replicas else "Kept"


def _failure(snapshot: Snapshot, target: Target, course: Course, revision: str) -> tuple[str | None, str | None]:
    """Kept while the spec asks for the revision that failed, or cannot be read."""
    name = target.rendered.name if target.rendered else None
    if course.failure and course.back_to and revision == name:
        return course.failure.reason, course.failure.message[:_LONGEST_FAILURE]
    asked_for = target.given_up.revision if target.given_up else name
    if target.refusal is None and revision != asked_for:
        return None, None
    before = {entry.name: entry for entry in snapshot.live.deployment.status.revisions}.get(revision)
    return (before.failed_reason, before.failed_message) if before else (None, None)


def _image(pods: tuple[Pod, ...]) -> str | None:
    """By digest, as the first node that tells it found it."""
    return next((pod.server.image_id[:256] for pod in pods if pod.server and pod.server.image_id), None)
