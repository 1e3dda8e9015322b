"""What came of a simulation."""

from collections.abc import Sequence
from dataclasses import dataclass

from stoker.sim.ledger import Ledger
from stoker.sim.request import NEVER, Request
from stoker.sim.setup import Objective, Setup
from stoker.sim.traffic import Traffic

_HOUR = 3_600.0


@dataclass(frozen=True)
class Moment:
    """A point of the time line."""

    at_seconds: float
    target: int
    ready: int
    held_gpus: int
    in_flight: int
    arrived: int


@dataclass(frozen=True)
class Result:
    policy: str
    trace: str
    seed: int
    measured: int  # requests that count: those after the first minutes
    share: float  # of them inside the objective, by the mean gap between their tokens
    share_by_p95_gap: float  # the same, by the 95th percentile of the gaps
    ttft_p50_seconds: float | None  # of those that had a first token
    ttft_p95_seconds: float | None
    ttft_p99_seconds: float | None
    gpu_hours: float
    gpu_hours_by_tier: dict[str, float]
    actions: int
    reversals: int
    direction_changes: int
    hours: float
    arrived: int  # of all requests, also those of the first minutes
    finished: int
    cut: int
    unfinished: int
    abandoned: int
    preemptions: int
    moments: tuple[Moment, ...] = ()


def excluded_seconds(setup: Setup, duration_seconds: float) -> float:
    """A short trace gives a quarter of itself for the start."""
    return min(setup.exclude_seconds, duration_seconds / 4)


def is_inside(request: Request, objective: Objective) -> bool:
    if request.ended == NEVER or request.gone or request.first - request.arrived > objective.ttft_seconds:
        return False
    gaps = request.output_tokens - 1
    return gaps <= 0 or (request.ended - request.first) / gaps <= objective.itl_seconds


def has_few_slow_gaps(request: Request, objective: Objective) -> bool:
    return request.slow_gaps * 100 <= (request.output_tokens - 1) * (100 - objective.percentile)


def _ttft_inside(request: Request, objective: Objective) -> bool:
    ended = request.ended != NEVER and not request.gone
    return ended and request.first - request.arrived <= objective.ttft_seconds


@dataclass(frozen=True)
class Named:
    policy: str
    trace: str
    seed: int
    duration_seconds: float


def result_of(named: Named, setup: Setup, traffic: Traffic, ledger: Ledger, moments: Sequence[Moment]) -> Result:
    objective = setup.objective
    requests = traffic.requests
    measured = [request for request in requests if request.arrived >= ledger.begins]
    waits = sorted(request.first - request.arrived for request in measured if request.first != NEVER)
    count = max(1, len(measured))
    by_tail = sum(_ttft_inside(request, objective) and has_few_slow_gaps(request, objective) for request in measured)
    finished = sum(request.ended != NEVER and not request.gone for request in requests)
    hours = {bucket: seconds / _HOUR for bucket, seconds in ledger.gpu_seconds.items()}
    return Result(
        policy=named.policy,
        trace=named.trace,
        seed=named.seed,
        measured=len(measured),
        share=sum(is_inside(request, objective) for request in measured) / count,
        share_by_p95_gap=by_tail / count,
        ttft_p50_seconds=_percentile(waits, 50),
        ttft_p95_seconds=_percentile(waits, 95),
        ttft_p99_seconds=_percentile(waits, 99),
        gpu_hours=sum(hours.values()),
        gpu_hours_by_tier=hours,
        actions=ledger.actions,
        reversals=ledger.reversals,
        direction_changes=ledger.direction_changes,
        hours=(named.duration_seconds - ledger.begins) / _HOUR,
        arrived=len(requests),
        finished=finished,
        cut=len(traffic.cut),
        unfinished=sum(request.ended == NEVER and not request.gone for request in requests),
        abandoned=len(traffic.abandoned),
        preemptions=ledger.preempted,
        moments=tuple(moments),
    )


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """The nearest rank of sorted values."""
    if not values:
        return None
    return values[min(len(values) - 1, max(0, -(-len(values) * percent // 100) - 1))]
