"""status.conditions: what a person, kstatus, Argo CD or an alert reads first."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from stoker.api.declaration import ApiModel, Format, Unit
from stoker.api.v1alpha1.reason import Reason


class ConditionType(StrEnum):
    """Every condition that a ModelDeployment may have."""

    READY = "Ready"
    WEIGHTS_READY = "WeightsReady"
    FITS_GPU = "FitsGPU"
    SCHEDULED = "Scheduled"
    PROGRESSING = "Progressing"
    SCALING_ACTIVE = "ScalingActive"
    SCALING_LIMITED = "ScalingLimited"
    UPDATE_AVAILABLE = "UpdateAvailable"
    DEGRADED = "Degraded"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


ConditionStatus = Literal["True", "False", "Unknown"]
Timestamp = Annotated[str, Field(min_length=1, max_length=64), Format("date-time")]


class Condition(ApiModel):
    """One statement about the object, as in meta/v1."""

    type: Annotated[str, Field(min_length=1, max_length=64)] = Field(examples=["Ready"])
    """What the statement is about: Ready, WeightsReady, FitsGPU, Scheduled, Progressing, ScalingActive, ScalingLimited,
    UpdateAvailable, Degraded, Reconciling or Stalled."""

    status: ConditionStatus = Field(examples=["True"])
    """Whether it holds. Unknown means that nobody could tell yet, never that it does not hold."""

    reason: Annotated[str, Field(min_length=1, max_length=128)] = Field(examples=["WaitingForOperator"])
    """One word out of the documented list of reasons."""

    message: Annotated[str, Field(max_length=4096)] = Field("", examples=["No operator has looked at this object yet."])
    """A sentence for a person: what was found and what to do."""

    last_transition_time: Timestamp = Field(examples=["2026-11-21T08:00:00Z"])
    """When the status of the condition last changed."""

    observed_generation: Annotated[int | None, Unit("generation")] = Field(None, ge=0, examples=[3])
    """The metadata.generation that the statement is about."""


def _untouched(condition: ConditionType, status: ConditionStatus) -> Condition:
    return Condition(
        type=condition,
        status=status,
        reason=Reason.WAITING_FOR_OPERATOR,
        message="No operator has looked at this object yet."
        " If this stays, check that Stoker runs and watches this namespace.",
        last_transition_time="1970-01-01T00:00:00Z",
    )


# What the API server writes into a fresh object, so that no client takes it for finished.
DEFAULT_CONDITIONS = (
    _untouched(ConditionType.READY, "Unknown"),
    _untouched(ConditionType.RECONCILING, "True"),
)
