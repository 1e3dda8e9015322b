"""spec.rollout and spec.drain: how replicas are exchanged and how one leaves."""

from enum import StrEnum

from pydantic import Field

from stoker.api.declaration import ApiModel
from stoker.api.v1alpha1.names import RevisionName


class RolloutStrategy(StrEnum):
    """How a new revision takes over."""

    AUTO = "Auto"
    SURGE = "Surge"
    REPLACE = "Replace"
    BLUE_GREEN = "BlueGreen"


class Rollout(ApiModel):
    """How a new revision takes over from the old one."""

    strategy: RolloutStrategy = Field(RolloutStrategy.AUTO, examples=["Auto"])
    """Auto: a new replica first, and where no GPU is free one replica is exchanged after its drain. Surge: always a new
    one first. Replace: always exchange. BlueGreen: a second full set, and all traffic moves at once."""

    deadline_seconds: int = Field(1800, ge=60, le=86_400, examples=[1800])
    """Time that a new replica may take to load before the revision counts as failed. Waiting for a node does
    not count."""

    auto_rollback: bool = Field(default=True, examples=[True])
    """Whether a failed revision goes back to the last good one by itself."""

    paused: bool = Field(default=False, examples=[False])
    """Holds the rollout where it is. Replicas that fail are still replaced."""

    revision: RevisionName | None = Field(None, examples=["3f9a1c07be"])
    """Pins this revision, one of status.revisions, instead of what the rest of the spec describes. Unset it to
    go on."""


class Drain(ApiModel):
    """How a replica leaves."""

    grace_seconds: int = Field(300, ge=0, le=86_400, examples=[600])
    """Time for running requests to finish after the replica is off traffic. It covers the longest answer that users
    wait for."""
