"""What a replica's counters say happened between two readings.

A replica that was never read before has no past: its counters begin here, whatever they show. So do those of another
boot, and those that went back: of what they count, only the requests in flight are sure to have come since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import NamedTuple

from stoker.core.names import Tier
from stoker.core.scaling.arrivals import Arrived
from stoker.core.scaling.observation import Load, Reading, Replica, Stage

FIT_SECONDS = 20.0
SERVED_SECONDS = 60.0
EVEN_TIMES = 2.5
EVEN_REQUESTS = 4
"""Where the load of a window varied more than this, the mean over it says nothing of any n."""
SETTLING_SECONDS = 60.0
"""A replica's first seconds teach nothing: caches are cold, graphs are captured."""
FIRST_SETTLING_SECONDS = 20.0
"""Where nothing is known at all, a replica that is still slow says more than no belief, and errs to the safe side."""


class Counters(NamedTuple):
    at_seconds: float
    boot: str
    arrivals: float
    finished: float
    preemptions: float
    output_tokens: float
    ttft_count: float
    ttft_sum_seconds: float
    itl_count: float
    itl_sum_seconds: float


class Passed(NamedTuple):
    """The work of one replica over some seconds."""

    seconds: float
    finished: float
    preemptions: float
    ttft_count: float
    ttft_sum_seconds: float
    itl_count: float
    itl_sum_seconds: float


@dataclass(frozen=True, slots=True)
class Seen:
    """One replica as it was at the last look."""

    stage: Stage
    since_seconds: float
    last: Counters | None = None
    fit_from: Counters | None = None
    served_from: Counters | None = None
    least_in_flight: int = 0
    """Of the looks since `fit_from`."""
    most_in_flight: int = 0
    moved_seconds: float = 0.0
    """When one of its counters last moved."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A whole window of one replica, fit to learn from."""

    replica: Replica
    fit: Passed | None
    served: Passed | None


@dataclass(frozen=True, slots=True)
class Look:
    """A replica's record after this look, and what it brought."""

    seen: Seen
    arrived: Arrived | None = None
    lesson: Lesson | None = None


def believable(load: Load) -> bool:
    """No field that is counted on may be negative or no number; NaN compares false with everything."""
    return (
        0.0 <= load.in_flight < inf
        and 0.0 <= load.waiting < inf
        and 0.0 <= load.arrivals < inf
        and 0.0 <= load.finished < inf
        and 0.0 <= load.itl_sum_seconds < inf
        and 0.0 <= load.ttft_sum_seconds < inf
        and isfinite(load.at_seconds)
    )


def trusted(replicas: Sequence[Replica]) -> tuple[Replica, ...]:
    """Each replica once, the best reading of it; what cannot be believed is not known."""
    found: dict[str, Replica] = {}
    for replica in replicas:
        load = replica.load
        if replica.reading is Reading.KNOWN and (load is None or not believable(load)):
            replica = _unknown(replica)  # noqa: PLW2901
        other = found.get(replica.uid)
        if other is None or _trust(replica) > _trust(other):
            found[replica.uid] = replica
    return tuple(found[uid] for uid in sorted(found))


def _unknown(replica: Replica) -> Replica:
    return Replica(
        replica.uid,
        replica.revision,
        replica.product,
        replica.tier,
        replica.stage,
        replica.since_seconds,
        replica.created_seconds,
    )


def _trust(replica: Replica) -> tuple[bool, float, str, str]:
    at = replica.load.at_seconds if replica.load and isfinite(replica.load.at_seconds) else float("-inf")
    return replica.reading is Reading.KNOWN, at, replica.tier, replica.stage


def counters_of(load: Load, now_seconds: float) -> Counters:
    """A reading from the future was made now."""
    return Counters(
        min(load.at_seconds, now_seconds),
        load.boot,
        load.arrivals,
        load.finished,
        load.preemptions or 0,
        load.output_tokens,
        load.ttft_count,
        load.ttft_sum_seconds,
        load.itl_count,
        load.itl_sum_seconds,
    )


def restarted(before: Counters, after: Counters) -> bool:
    return before.boot != after.boot or after.arrivals < before.arrivals or after.finished < before.finished


def passed(before: Counters, after: Counters) -> Passed:
    return Passed(
        after.at_seconds - before.at_seconds,
        after.finished - before.finished,
        after.preemptions - before.preemptions,
        after.ttft_count - before.ttft_count,
        after.ttft_sum_seconds - before.ttft_sum_seconds,
        after.itl_count - before.itl_count,
        after.itl_sum_seconds - before.itl_sum_seconds,
    )


def look(replica: Replica, seen: Seen | None, now_seconds: float, *, nothing_known: bool = False) -> Look:
    if seen is None or seen.stage is not replica.stage:
        seen = Seen(replica.stage, replica.since_seconds, seen.last if seen else None, moved_seconds=now_seconds)
    if replica.reading is not Reading.KNOWN or replica.load is None:
        return Look(seen)
    now = counters_of(replica.load, now_seconds)
    before = seen.last
    if before is None:
        return Look(Seen(seen.stage, seen.since_seconds, now, moved_seconds=now_seconds))
    if now.at_seconds <= before.at_seconds:
        return Look(seen)  # the same reading again, or an older one
    if restarted(before, now):
        arrived = Arrived(before.at_seconds, now.at_seconds, min(now.arrivals, replica.load.in_flight))
        return Look(Seen(seen.stage, seen.since_seconds, now, moved_seconds=now_seconds), arrived)
    arrived = Arrived(before.at_seconds, now.at_seconds, now.arrivals - before.arrivals)
    moved = now_seconds if now[2:] != before[2:] else seen.moved_seconds
    settling_seconds = FIRST_SETTLING_SECONDS if nothing_known else SETTLING_SECONDS
    settled = replica.stage is Stage.READY and now_seconds - replica.since_seconds >= settling_seconds
    if settled and replica.tier == Tier.SERVING:
        fit_from, served_from = seen.fit_from or now, seen.served_from or now
        step = _Step(now, fit_from, served_from, moved, arrived, nothing_known)
        return _watched(replica, _at_work(replica.load), seen, step)
    return Look(Seen(seen.stage, seen.since_seconds, now, moved_seconds=moved), arrived)


def _at_work(load: Load) -> int:
    """Requests that queue inside the engine slow nobody down: a full engine is even, however long its queue grows."""
    return load.in_flight if load.running is None else min(load.running, load.in_flight)


class _Step(NamedTuple):
    """From the last look to this one, and where the windows began."""

    now: Counters
    fit_from: Counters
    served_from: Counters
    moved_seconds: float
    arrived: Arrived
    nothing_known: bool


def _watched(replica: Replica, in_flight: int, seen: Seen, step: _Step) -> Look:
    """The windows of a replica that may teach, one of them full now and then."""
    now, fit_from, served_from, moved, arrived, nothing_known = step
    least, most = min(seen.least_in_flight, in_flight), max(seen.most_in_flight, in_flight)
    if fit_from is now:
        least = most = in_flight
    fit = served = None
    if now.at_seconds - fit_from.at_seconds >= FIT_SECONDS:
        if nothing_known or most <= EVEN_TIMES * least + EVEN_REQUESTS:
            fit = passed(fit_from, now)
        fit_from, least, most = now, in_flight, in_flight
    if now.at_seconds - served_from.at_seconds >= SERVED_SECONDS:
        served, served_from = passed(served_from, now), now
    after = Seen(seen.stage, seen.since_seconds, now, fit_from, served_from, least, most, moved)
    return Look(after, arrived, Lesson(replica, fit, served) if fit or served else None)
