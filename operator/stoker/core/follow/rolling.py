"""Whether a rollout is under way, as the load has to heed it."""

from collections.abc import Set as AbstractSet

from stoker.api.v1alpha1.status import Status
from stoker.core.plan.rollout.steps import Step
from stoker.core.scaling.observation import Rolling


def rolling_of(revisions: AbstractSet[str], status: Status) -> Rolling:
    """`revisions` have replicas. What the status does not tell yet is taken for a rollout with room."""
    if len(revisions) < 2 and status.current_revision == status.update_revision:
        return Rolling.NO
    exchanging = any(entry.state == Step.EXCHANGING for entry in status.revisions)
    return Rolling.INSTEAD if exchanging else Rolling.BESIDE
