"""What a simulation is told: the replica, its start, the objective, the way of a request, and what goes wrong."""

from dataclasses import dataclass, field
from enum import StrEnum

from stoker.sim.capacity import GPUS
from stoker.sim.faults import Faults
from stoker_runtime.simulated.timing import Replica


class Routing(StrEnum):
    LEAST_LOAD = "least-load"  # a gateway that knows what is in flight
    RANDOM = "random"  # a Service, a connection for each request
    STICKY = "sticky"  # a Service, connections that are kept
    POOLED = "pooled"  # a Service, half of the requests by a pool of connections, half by one of their own


@dataclass(frozen=True)
class Starting:
    cold_seconds: float = 60.0
    spread: float = 0.15  # of the logarithm
    scheduling_seconds: float = 2.0
    pulling_share: float = 0.25  # of what follows the scheduling
    wake_seconds: float = 3.0
    sleep_seconds: float = 2.0
    first_step_seconds: float = 0.5  # what the first step of a new process takes longer


@dataclass(frozen=True)
class Way:
    """Of a request from its client to a replica."""

    routing: Routing = Routing.LEAST_LOAD
    connections: int = 64
    requests_of_a_connection: float = 200.0  # mean, before it is opened anew
    lets_go_seconds: float = 1.0  # a stream's wait from which on its replica lets go of pooled connections
    join_seconds: float = 0.05  # from the label to the first request
    leave_seconds: float = 1.0  # from the label to the last
    patience_seconds: float | None = None  # without a first token; None: clients wait for ever
    retries: int = 0
    prefixes_kept: int = 400  # in a replica's cache


@dataclass(frozen=True)
class Sampling:
    delay_seconds: float = 0.2
    loss: float = 0.0  # share of looks without an answer
    expires_seconds: float = 15.0  # or two looks that failed, if that is longer


@dataclass(frozen=True)
class Objective:
    ttft_seconds: float = 2.0
    itl_seconds: float = 0.1
    percentile: int = 95


@dataclass(frozen=True)
class Setup:
    replica: Replica = GPUS["l40s-8b"]
    product: str = "l40s"
    objective: Objective = Objective()
    floor: int = 1
    maximum: int = 40
    warm: int = 0
    asleep: int = 0
    initial: int | None = None  # None: what the first minutes of the trace need
    starting: Starting = Starting()
    way: Way = Way()
    sampling: Sampling = Sampling()
    drain_seconds: float = 300.0
    exclude_seconds: float = 300.0
    grace_seconds: float = 60.0  # for what is in flight when the trace ends
    faults: Faults = field(default_factory=Faults)
