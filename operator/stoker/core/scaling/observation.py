"""What is known of one model at one instant. All times are seconds of one clock, whatever its origin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Reading(StrEnum):
    """What a look at a replica's load gave."""

    KNOWN = "known"
    SATURATED = "saturated"
    """It is alive and answers too late."""
    UNKNOWN = "unknown"
    """There is no answer yet, or the look failed."""
    EXPIRED = "expired"
    """The last answer is too old to say anything."""


class Stage(StrEnum):
    """Where a replica is between its order and its first token."""

    QUEUED = "queued"
    PROVISIONING = "provisioning"
    PULLING = "pulling"
    LOADING = "loading"
    READY = "ready"


STARTING_STAGES = (Stage.QUEUED, Stage.PROVISIONING, Stage.PULLING, Stage.LOADING)
PENDING_STAGES = (Stage.QUEUED, Stage.PROVISIONING)
"""Not on a node yet."""


@dataclass(frozen=True, slots=True)
class Load:
    """One answer of a replica. Counters run since `boot`; None is what the engine does not say."""

    at_seconds: float
    boot: str
    in_flight: int
    waiting: int
    """Of those in flight, the requests without a first byte."""
    arrivals: int
    finished: int
    failed: int = 0
    running: int | None = None
    queued: int | None = None
    kv_share: float | None = None
    preemptions: int | None = None
    prompt_tokens: int | None = None
    output_tokens: int = 0
    ttft_count: int = 0
    ttft_sum_seconds: float = 0.0
    itl_count: int = 0
    itl_sum_seconds: float = 0.0
    asleep: bool = False


@dataclass(frozen=True, slots=True)
class Replica:
    uid: str
    revision: str
    product: str
    """The GPU product of its node; empty where that is unknown."""
    tier: str
    """One of core.names.Tier."""
    stage: Stage
    since_seconds: float
    """When the stage began."""
    created_seconds: float
    reading: Reading = Reading.UNKNOWN
    load: Load | None = None


class Rolling(StrEnum):
    """What a rollout leaves to the load."""

    NO = "no"
    BESIDE = "beside"
    """New replicas start beside the old ones: more may be ordered, and none is given up."""
    INSTEAD = "instead"
    """There is no room beside the old ones: none is ordered, and only what has found no place is given up."""


@dataclass(frozen=True, slots=True)
class Limits:
    floor: int
    maximum: int
    """Of serving, warm and asleep replicas together."""
    warm: int = 0
    asleep: int = 0
    max_pending: int | None = None
    """Most replicas that may wait for a node at once; None: no limit."""
    frozen: bool = False
    """A person froze the fleet."""
    rolling: Rolling = Rolling.NO


@dataclass(frozen=True, slots=True)
class Aims:
    ttft_seconds: float = 2.0
    itl_seconds: float = 0.1
    percentile: int = 95
    queue_wait_seconds: float = 1.0
    kv_share: float = 0.85
    down_delay_seconds: float = 120.0
    idle_seconds: float = 600.0


GUESSED_LEAD_SECONDS: Mapping[Stage, float] = MappingProxyType(
    {Stage.QUEUED: 2.0, Stage.PROVISIONING: 0.0, Stage.PULLING: 30.0, Stage.LOADING: 60.0}
)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before anything is measured; None is unknown."""

    n_star: float | None = None
    """Requests that a replica runs at once inside the objective."""
    rate_per_second: float | None = None
    """Requests that it then finishes."""
    max_concurrency: int | None = None
    lead_seconds: Mapping[Stage, float] = field(default_factory=lambda: GUESSED_LEAD_SECONDS)

    @property
    def guesses(self) -> bool:
        """Whether it says what a replica carries."""
        return self.n_star is not None and self.rate_per_second is not None


@dataclass(frozen=True, slots=True)
class Observation:
    now_seconds: float
    replicas: tuple[Replica, ...]
    limits: Limits
    aims: Aims = Aims()
    prior: Prior = Prior()
