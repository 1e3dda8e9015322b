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
    met: float = 0.0
    """Requests that decode at once, as the mean gap between tokens met them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One replica as it was at the last look."""

    stage: Stage
    since_seconds: float
    last: Counters | None = None
    fit_from: Counters | None = None
    served_from: Counters | None = None
    met: float = 0.0
    """Gaps between tokens since `fit_from`, each times the requests that decoded at once."""
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
        met = seen.met + _met(before, now) if seen.fit_from else 0.0
        return _watched(replica, met, seen, _Step(now, fit_from, served_from, moved, arrived))
    return Look(Seen(seen.stage, seen.since_seconds, now, moved_seconds=moved), arrived)


def _met(before: Counters, now: Counters) -> float:
    """By Little's law from look to look: a burst between two of them is in no gauge, and not in the window's mean."""
    gaps, seconds = now.itl_count - before.itl_count, now.itl_sum_seconds - before.itl_sum_seconds
    return max(0.0, gaps * seconds) / (now.at_seconds - before.at_seconds)


class _Step(NamedTuple):
    """From the last look to this one, and where the windows began."""

    now: Counters
    fit_from: Counters
    served_from: Counters
    moved_seconds: float
    arrived: Arrived


def _watched(replica: Replica, met: float, seen: Seen, step: _Step) -> Look:
    """The windows of a replica that may teach, one of them full now and then."""
    now, fit_from, served_from, moved, arrived = step
    fit = served = None
    if now.at_seconds - fit_from.at_seconds >= FIT_SECONDS:
        fit = passed(fit_from, now)
        fit = fit._replace(met=met / fit.itl_count if fit.itl_count > 0.0 else 0.0)
        fit_from, met = now, 0.0
    if now.at_seconds - served_from.at_seconds >= SERVED_SECONDS:
        served, served_from = passed(served_from, now), now
    after = Seen(seen.stage, seen.since_seconds, now, fit_from, served_from, met, moved)
    return Look(after, arrived, Lesson(replica, fit, served) if fit or served else None)
