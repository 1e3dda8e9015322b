"""What is told of a rollout: a step that it takes, and a failure, which its author alone can mend."""

from collections.abc import Iterator

from stoker.api.v1alpha1.reason import Reason
from stoker.core.plan.actions import Note
from stoker.core.plan.diagnosis import Finding
from stoker.core.plan.rollout.course import Course
from stoker.core.plan.rollout.steps import Step
from stoker.core.plan.snapshot import Snapshot
from stoker.core.plan.target import Target

_TOLD = {
    (
        Step.SURGING,
        Step.EXCHANGING,
    ): "found no room beside the old replicas, so each of its replicas takes the place of one",
    (Step.HOLDING, Step.SWITCHED): "is ready as a whole, so traffic moves to it",
}


def notes_on_step(course: Course, revision: str | None) -> Iterator[Note]:
    """Of what the cluster decided; what the spec asks for needs no Event."""
    if course.before and course.step and (what := _TOLD.get((course.before, course.step))):
        yield Note(course.step.value, f"Revision {revision} {what}.")


def outcome(snapshot: Snapshot, target: Target, course: Course) -> Finding | None:
    if target.rendered is None:
        return None
    name = target.rendered.name
    if target.given_up:
        failed = target.given_up
        return Finding(Reason.ROLLED_BACK, f"{_gave_up(failed.revision, failed.reason, failed.message)} {_next(name)}")
    if course.failure is None:
        return None
    told = _gave_up(name, course.failure.reason, course.failure.message)
    if course.back_to:
        return Finding(Reason.ROLLED_BACK, f"{told} {_next(course.back_to)}")
    why = (
        "No revision before it came to the end of its rollout, so there is none to go back to: mend the spec."
        if snapshot.live.deployment.spec.rollout.auto_rollback
        else "spec.rollout.autoRollback is false, so it stays where it is: mend the spec, or go back with"
        " `stoker rollback`."
    )
    return Finding(Reason.ROLLOUT_FAILED, f"{told} {why}")


def _gave_up(revision: str, reason: str, message: str) -> str:
    said = message.rstrip()
    return f"Revision {revision} failed ({reason}): {said}{'' if said.endswith('.') else '.'}"


def _next(good: str) -> str:
    return (
        f"Revision {good} serves, and the failed one is not tried again until the spec changes; to try the same spec"
        " again, set the annotation stoker.dev/restarted-at to the time of day."
    )
