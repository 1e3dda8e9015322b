"""How urgent it is to write a status that differs from the stored one."""

from enum import Enum

from stoker.api.v1alpha1.status import Status


class Change(Enum):
    """How urgent it is to write a status."""

    NONE = "none"
    ROUTINE = "routine"  # only texts and load: it can wait
    PROGRESS = "progress"  # a download that somebody may be watching
    WEIGHTY = "weighty"


def change(before: Status, after: Status) -> Change:
    if _comparable(before) == _comparable(after):
        return Change.NONE
    if _weighty_part(before) != _weighty_part(after):
        return Change.WEIGHTY
    return Change.ROUTINE if before.weights == after.weights else Change.PROGRESS


def _comparable(status: Status) -> Status:
    """The API server may keep the entries of a list in another order."""
    return status.model_copy(
        update={
            "conditions": tuple(sorted(status.conditions, key=lambda condition: condition.type)),
            "revisions": tuple(sorted(status.revisions, key=lambda revision: revision.name)),
        }
    )


def _weighty_part(status: Status) -> Status:
    status = _comparable(status)
    conditions = tuple(condition.model_copy(update={"message": ""}) for condition in status.conditions)
    weights = status.weights
    if weights and weights.message:
        weights = weights.model_copy(update={"fetched_bytes": None, "message": ""})
    passing = {"waiting_requests": None, "running_requests": None, "weights": weights, "scaling": None}
    return status.model_copy(update={"conditions": conditions} | passing)
