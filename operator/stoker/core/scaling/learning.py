"""What this look adds to the memory: arrivals, start times, capacity."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stoker.core.scaling.arrivals import Arrived, History, record
from stoker.core.scaling.capacity import ENOUGH_WINDOWS, FIRST_CONFIDENCE, Capacity, Fit, estimate, taught, used
from stoker.core.scaling.lead_times import LeadTimes, between, learned
from stoker.core.scaling.memory import MOST_FITS, Memory, fit_key
from stoker.core.scaling.observation import STARTING_STAGES, Aims, Observation, Prior, Reading, Replica, Stage
from stoker.core.scaling.windows import Lesson, Seen, look

PROMPT_SECONDS = 10.0
"""A reading no older than this brings all its arrivals into the present tick."""
RENEWED_SECONDS = 10.0
"""The estimate of capacity is made anew so often."""
STRANGER_SHARE = 0.9
"""Of another revision's or product's capacity, where nothing else is known."""


@dataclass(frozen=True, slots=True)
class Learned:
    seen: dict[str, Seen]
    history: History
    lead_times: LeadTimes
    fits: dict[str, Fit]
    arrivals: float
    """Requests of this tick."""
    first_looks: int
    """Replicas that were read for the first time: whether anybody used them before is not known."""


def learn(observation: Observation, replicas: Sequence[Replica], memory: Memory, now_seconds: float) -> Learned:
    seen, arrived, lessons, first_looks = {}, [], [], 0
    lead_times = memory.lead_times
    for replica in replicas:
        before = memory.seen.get(replica.uid)
        looked = look(replica, before, now_seconds, nothing_known=_nothing_known(replica, memory, observation.prior))
        seen[replica.uid] = looked.seen
        first_looks += looked.seen.last is not None and (before is None or before.last is None)
        if before is not None and before.stage is not replica.stage and before.stage in STARTING_STAGES:
            lead_times = learned(lead_times, before.stage, replica.since_seconds - before.since_seconds)
            for skipped in between(before.stage, replica.stage):
                lead_times = learned(lead_times, skipped, 0.0)
        if looked.arrived is not None:
            arrived.append(looked.arrived)
        if looked.lesson is not None:
            lessons.append(looked.lesson)
    history = record(memory.history, _heard_until(replicas, now_seconds), arrived)
    elapsed = now_seconds - (memory.at_seconds if memory.at_seconds is not None else now_seconds)
    fits = _renewed(_taught(memory, lessons, observation.aims, now_seconds), observation, replicas, now_seconds)
    present = sum(_present(each, elapsed) for each in arrived)
    return Learned(seen, history, lead_times, fits, present, first_looks)


def _heard_until(replicas: Sequence[Replica], now_seconds: float) -> float:
    """The moment up to which arrivals are known: what came since the last readings is unknown, and not none."""
    ages = [
        min(max(0.0, now_seconds - replica.load.at_seconds), PROMPT_SECONDS)
        for replica in replicas
        if replica.stage is Stage.READY and replica.reading is Reading.KNOWN and replica.load is not None
    ]
    return now_seconds - sum(ages) / len(ages) if ages else now_seconds


def _nothing_known(replica: Replica, memory: Memory, prior: Prior) -> bool:
    fit = memory.fits.get(fit_key(replica.revision, replica.product))
    return not prior.guesses and (fit is None or fit.weight < ENOUGH_WINDOWS)


def _present(arrived: Arrived, elapsed_seconds: float) -> float:
    """An answer that was long missing brings the past with it, which is no burst of now."""
    span = arrived.until_seconds - arrived.after_seconds
    whole = max(PROMPT_SECONDS, elapsed_seconds)
    return arrived.count if span <= whole else arrived.count * whole / span


def _taught(memory: Memory, lessons: Sequence[Lesson], aims: Aims, now_seconds: float) -> dict[str, Fit]:
    fits = dict(memory.fits)
    for lesson in lessons:
        key = fit_key(lesson.replica.revision, lesson.replica.product)
        fits[key] = taught(fits.get(key, Fit()), lesson, aims, now_seconds)
    return fits


def _renewed(
    fits: dict[str, Fit], observation: Observation, replicas: Sequence[Replica], now_seconds: float
) -> dict[str, Fit]:
    present = {fit_key(replica.revision, replica.product) for replica in replicas}
    others_learned = any(fit.weight >= ENOUGH_WINDOWS for fit in fits.values())
    for key in present | fits.keys():
        fit = fits.get(key, Fit(at_seconds=now_seconds))
        if fit.used is None and fit.weight < ENOUGH_WINDOWS and others_learned:
            continue  # a neighbour that was measured says more than the guess
        since = now_seconds - fit.used_seconds if fit.used_seconds is not None else None
        if since is not None and since < RENEWED_SECONDS:
            continue
        target = estimate(fit, observation.aims, observation.prior)
        if target is None:
            continue
        # What one window said is no reason to rise slowly to what several say.
        first = fit.used is not None and fit.used.confidence <= FIRST_CONFIDENCE and not observation.prior.guesses
        capacity = used(None if first else fit.used, target, fit.best_rate, since or 0.0)
        fits[key] = replace(fit, used=capacity, used_seconds=now_seconds)
    if len(fits) > MOST_FITS:
        latest = sorted(fits, key=lambda key: (key in present, fits[key].at_seconds, key))[-MOST_FITS:]
        fits = {key: fits[key] for key in latest}
    return fits


@dataclass(frozen=True, slots=True)
class Believed:
    capacity: Capacity | None
    best_rate: float


def believed(fits: dict[str, Fit], replicas: Sequence[Replica], observation: Observation) -> Believed:
    """The mean replica; one of which nothing is known carries a little less than the others."""
    keys = [fit_key(replica.revision, replica.product) for replica in replicas]
    best = max((fits[key].best_rate for key in keys if key in fits), default=0.0)
    known = [fit.used for key in keys if (fit := fits.get(key)) is not None and fit.used is not None]
    if known and len(known) == len(keys):
        return Believed(_mean(known), best)
    others = [fit.used for fit in fits.values() if fit.used is not None]
    stranger = _stranger(others, observation.aims, observation.prior)
    if stranger is None:
        return Believed(None, best)
    return Believed(_mean([*known, *[stranger] * max(1, len(keys) - len(known))]), best)


def _stranger(others: Sequence[Capacity], aims: Aims, prior: Prior) -> Capacity | None:
    if others:
        mean = _mean(others)
        rate = STRANGER_SHARE * mean.rate_per_second
        return Capacity(STRANGER_SHARE * mean.n_star, rate, mean.likely_per_second, 0.0)
    return estimate(Fit(), aims, prior)


def _mean(capacities: Sequence[Capacity]) -> Capacity:
    if len(capacities) == 1:
        return capacities[0]
    count = len(capacities)
    return Capacity(
        sum(each.n_star for each in capacities) / count,
        sum(each.rate_per_second for each in capacities) / count,
        sum(each.likely_per_second for each in capacities) / count,
        sum(each.confidence for each in capacities) / count,
    )
