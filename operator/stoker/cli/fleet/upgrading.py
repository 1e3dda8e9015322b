"""How far a model is with the newer defaults that it was told to take."""

from dataclasses import dataclass
from enum import Enum

from stoker.cli.fleet.seen import Seen, objects_in, part
from stoker.cli.fleet.why import why


class Step(Enum):
    UNDER_WAY = "under way"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class At:
    """Where a model is, and a person's words for it."""

    step: Step
    message: str


def has_update(model: Seen) -> bool:
    return model.says("UpdateAvailable", "True")


def step(before: Seen, now: Seen | None) -> At:
    """Done is what the operator says of the new revision; what it said of the old one proves nothing."""
    if now is None or _uid(now) != _uid(before):
        return At(Step.FAILED, "was deleted meanwhile")
    revision = _target(now)
    if revision is None or revision == _target(before):
        return At(Step.UNDER_WAY, "waits for the operator")
    if given_up := _given_up(now, revision):
        return At(Step.FAILED, f"revision {revision} was given up: {given_up}")
    said = why(now)
    if now.says("Stalled", "True"):
        return At(Step.FAILED, f"{said.reason}: {said.message}")
    if now.stale or now.says("Progressing", "True") or not (now.is_ready or now.aims.suspended):
        return At(Step.UNDER_WAY, f"{said.reason}: {said.message}")
    return At(Step.DONE, f"is Ready with revision {revision}")


def _uid(model: Seen) -> object:
    return part(model.raw, "metadata").get("uid")


def _target(model: Seen) -> str | None:
    revision = part(model.raw, "status").get("updateRevision")
    return str(revision) if revision else None


def _given_up(model: Seen, revision: str) -> str | None:
    for one in objects_in(part(model.raw, "status"), "revisions"):
        if one.get("name") == revision and one.get("failedReason"):
            return str(one["failedReason"])
    return None
