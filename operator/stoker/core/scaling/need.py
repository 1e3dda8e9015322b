"""How many serving replicas the load asks for.

    up   = max(r, ⌈f/(s·μ) - δ⌉, ⌈λ/(s·μ) + B/(μ·D*) - δ⌉)     r: the least sufficing level; f: see trend;
                                                               s: serving share; B, D*: see backlog
    hold = max(r, ⌈max(λ/(s·μ), F/n*) + δ⌉)        enough not to be given up where it is there; F: in flight, the
                                               lesser of now and its mean of 20 s, since chance makes peaks of a moment
    KV   = ⌈Σ fill / KV objective⌉                 the fill moves with the requests, whatever the number of replicas
    wait = ready + 1, once nothing is on its way   where at least half of the replicas queued longer than the objective
           at every look of the last five seconds

Without any belief about capacity the wait alone orders, one replica per lead time, and room alone gives up:

    hold = N - 1  where nobody waits and F ≤ (N - 1)·max(1, half of the maximum concurrency), else N
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, exp, isfinite

from stoker.core.scaling.backlog import Backlog, Flow, backlog, drain_seconds, projected
from stoker.core.scaling.capacity import BEYOND_BEST, Capacity
from stoker.core.scaling.levels import sufficing
from stoker.core.scaling.observation import Aims, Load
from stoker.core.scaling.tuning import Tuning

ROUNDING = 1e-9
QUEUEING_SECONDS = 5.0
PROMOTION_SECONDS = 5.0
IN_FLIGHT_SECONDS = 20.0
FILLED_SHARE = 0.5
"""Of what an engine runs at once: no more is taken for certain to be carried."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the need is computed from."""

    rate_per_second: float | None
    coming_per_second: float
    """When a replica that is ordered now is ready, if the growth lasts."""
    loads: tuple[Load, ...]
    """Of the ready serving replicas that are known and not stuck."""
    in_flight_mean: float
    ready: int
    warm_ready: int
    starting_seconds: tuple[float, ...]
    """Until each starting replica is expected."""
    wanted_before: int
    since_up_seconds: float | None
    queueing_seconds: float
    """For how long most replicas have queued without a break."""
    lead_seconds: float
    hold_seconds: float
    capacity: Capacity | None
    best_rate: float
    max_concurrency: int | None
    owed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Need:
    queue: int = 0
    rate: int = 0
    up: int = 0
    hold: int = 0
    cache: int = 0
    wait: int = 0
    backlog: Backlog = field(default_factory=lambda: Backlog(0.0, 0.0))
    projected: float = 0.0
    drain_seconds: float | None = None


def need(facts: Facts, aims: Aims, tuning: Tuning) -> Need:
    cache = _cache(facts.loads, aims)
    wait = facts.ready + 1 if facts.queueing_seconds >= QUEUEING_SECONDS and _may_step(facts) else 0
    if facts.capacity is None:
        return _unknown_capacity(facts, cache, wait)
    capacity, rate = facts.capacity, facts.rate_per_second or 0.0
    held = backlog(
        [load.in_flight for load in facts.loads],
        capacity.n_star,
        capacity.rate_per_second,
        tuning.longest_drain_seconds,
    )
    counted_on = tuning.serving_share * capacity.rate_per_second
    level = sufficing(facts.owed, counted_on, tuning.wait_share * aims.ttft_seconds)
    steady = rate / counted_on
    later, drain = _draining(facts, held, rate, steady, tuning)
    draining = later / (capacity.rate_per_second * drain)
    in_flight = min(facts.in_flight_mean, sum(load.in_flight for load in facts.loads))
    band = tuning.dead_band_replicas
    by_rate = _up(max(steady, facts.coming_per_second / counted_on) - band)
    hold = _up(max(steady, in_flight / capacity.n_star) + band) if steady > 0.0 or in_flight else 0
    return Need(
        queue=level,
        rate=by_rate,
        up=max(level, by_rate, _up(steady + draining - band)),
        hold=max(level, hold),
        cache=cache,
        wait=wait,
        backlog=held,
        projected=later,
        drain_seconds=drain if later > 0.0 else None,
    )


def _draining(facts: Facts, held: Backlog, rate: float, steady: float, tuning: Tuning) -> tuple[float, float]:
    """The backlog when help comes, and the time to drain it. Warm replicas come at once, as far as they suffice."""
    # Where none is ready a forecast would be about nothing. One that cannot be read carries on with what comes.
    if facts.capacity is None or not facts.ready:
        return 0.0, tuning.longest_drain_seconds
    flow, later, drain = Flow(rate, facts.capacity.likely_per_second), 0.0, tuning.longest_drain_seconds
    there = facts.ready + len(facts.starting_seconds) + facts.warm_ready
    for horizon in (PROMOTION_SECONDS, facts.lead_seconds) if facts.warm_ready else (facts.lead_seconds,):
        later = projected(held.movable, flow, facts.ready, facts.starting_seconds, horizon)
        drain = drain_seconds(later, flow, horizon + facts.hold_seconds, tuning)
        if steady + later / (facts.capacity.rate_per_second * drain) <= there:
            break
    return later, drain


def in_flight_mean(before: float | None, now: int, seconds: float) -> float:
    """Exponential, over the last seconds."""
    return now if before is None else now + exp(-seconds / IN_FLIGHT_SECONDS) * (before - now)


def _up(replicas: float) -> int:
    return max(0, ceil(replicas - ROUNDING))


def _cache(loads: Sequence[Load], aims: Aims) -> int:
    fills = [load.kv_share for load in loads if load.kv_share is not None and isfinite(load.kv_share)]
    return _up(sum(min(max(fill, 0.0), 1.0) for fill in fills) / aims.kv_share)


def queues(loads: Sequence[Load], recent_per_second: float, aims: Aims) -> bool:
    """A queue of q at an arrival rate of x per replica waits q/x (Little); skew between replicas is no lack of them."""
    if not loads:
        return False
    per_replica = recent_per_second / len(loads)
    waits = [
        (load.queued if load.queued is not None else load.waiting) > max(1.0, aims.queue_wait_seconds * per_replica)
        for load in loads
    ]
    return 2 * sum(waits) >= len(waits)


def _may_step(facts: Facts) -> bool:
    """One blind step per lead time, and none while one is on its way."""
    waited = facts.since_up_seconds is None or facts.since_up_seconds >= facts.lead_seconds
    return waited and not facts.starting_seconds


def _unknown_capacity(facts: Facts, cache: int, wait: int) -> Need:
    in_flight = sum(load.in_flight for load in facts.loads)
    hold = facts.wanted_before if in_flight else 0
    if in_flight and not any(load.waiting > 1 for load in facts.loads):
        # There is no replica that does not carry a request at a time.
        carried = max(1.0, FILLED_SHARE * (facts.max_concurrency or 1))
        hold = min(hold, max(hold - 1, _up(in_flight / carried)))
        if facts.best_rate > 0.0 and facts.rate_per_second is not None:
            hold = min(hold, _up(facts.rate_per_second / (BEYOND_BEST * facts.best_rate)) + 1)
    return Need(up=wait, hold=hold, cache=cache, wait=wait)
