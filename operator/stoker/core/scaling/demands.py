"""What one model asks for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from stoker.core.scaling.explain import Explanation


class Reason(StrEnum):
    """Why it is this number; several may hold at once."""

    RATE = "Rate"
    QUEUE = "Queue"
    BACKLOG = "Backlog"
    CACHE = "Cache"
    WAIT = "Wait"
    BURSTS = "Bursts"
    HELD = "Held"
    FLOOR = "Floor"
    MAXIMUM = "Maximum"
    PENDING = "Pending"
    FROZEN = "Frozen"
    BLIND = "Blind"
    SATURATED = "Saturated"
    STEP = "Step"
    ASIDE = "Aside"
    IDLE = "Idle"


class Worth(NamedTuple):
    """What the k-th serving replica is for."""

    replicas: int
    late_per_hour: float
    """Requests that would come late without it."""
    floor: bool
    """It is asked for by the user, whatever the load."""


@dataclass(frozen=True, slots=True)
class Demand:
    serving: int
    warm: int
    floor: int
    lead_seconds: float
    curve: tuple[Worth, ...]
    """One entry for each serving replica, worth never rising."""
    reasons: tuple[Reason, ...]
    explanation: Explanation
    resting: tuple[str, ...] = ()
    """The uids of serving replicas that stand aside until their queue is worked off."""
