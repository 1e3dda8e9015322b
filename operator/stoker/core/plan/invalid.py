"""What is said of an object that cannot be understood, though the API server stored it. Its replicas are left alone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stoker.api.v1alpha1.condition import ConditionType
from stoker.api.v1alpha1.modeldeployment import LONGEST_NAME
from stoker.api.v1alpha1.status import Status
from stoker.core.engine import Refusal
from stoker.core.plan.conditions import Statement, conditions_from


def too_long(name: str) -> str | None:
    """The CRD refuses such a name; a CRD without its rules does not."""
    if len(name) <= LONGEST_NAME:
        return None
    return (
        f"The name {name} is {len(name)} characters long, and names of pods and revisions are made from it:"
        f" make the ModelDeployment anew under a name of at most {LONGEST_NAME} characters."
    )


def invalid_status(manifest: Mapping[str, Any], before: Status, why: Refusal, now: datetime) -> Status:
    """What the status said of replicas stays: nobody has looked since."""
    generation = int(manifest["metadata"].get("generation", 0))
    statements = (
        Statement(ConditionType.READY, "False", why.reason, why.message),
        Statement(ConditionType.RECONCILING, "False", why.reason, why.message),
        Statement(ConditionType.STALLED, "True", why.reason, why.message),
    )
    known = {condition.type: condition for condition in before.conditions}
    said = conditions_from(statements, known, generation, now)
    return before.model_copy(update={"observed_generation": generation, "conditions": said})
