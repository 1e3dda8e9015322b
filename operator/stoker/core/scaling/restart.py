"""What of the memory lives in status, and what it becomes after a restart: windows are lost, decisions are not.

A capacity comes back as windows that would teach it, as many as it was sure of: half of them at n*, half at n*/2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stoker.api.v1alpha1.status import LearnedCapacity, LearnedStage
from stoker.core.scaling.capacity import PRIOR_BASE, Capacity, Fit, itl_aim_seconds
from stoker.core.scaling.lead_times import KEPT, LeadTimes, quantile
from stoker.core.scaling.memory import MOST_FITS, Memory, fit_key
from stoker.core.scaling.observation import STARTING_STAGES, Aims, Prior, Stage

SURE_WINDOWS = 10.0
"""Windows that make half of the confidence, see capacity."""
MOST_WINDOWS = 60.0
NO_PRODUCT = "unknown"


@dataclass(frozen=True, slots=True)
class Kept:
    """The part of the memory that status holds."""

    wanted: int | None
    capacities: tuple[LearnedCapacity, ...]
    stages: tuple[LearnedStage, ...]


def kept(memory: Memory, prior: Prior) -> Kept:
    return Kept(
        memory.wanted,
        tuple(_capacity(key, fit, fit.used) for key, fit in sorted(memory.fits.items()) if fit.used is not None),
        tuple(
            LearnedStage(
                name=stage.value,
                p50_milliseconds=round(1000 * quantile(memory.lead_times, prior, stage, 0.5)),
                p90_milliseconds=round(1000 * quantile(memory.lead_times, prior, stage, 0.9)),
            )
            for stage in STARTING_STAGES
            if memory.lead_times.seconds.get(stage)
        ),
    )


def _capacity(key: str, fit: Fit, used: Capacity) -> LearnedCapacity:
    revision, _, product = key.partition(" ")
    return LearnedCapacity(
        revision=revision or NO_PRODUCT,
        product=product or NO_PRODUCT,
        concurrency=int(used.n_star),
        milli_requests_per_second=int(1000 * used.rate_per_second),
        confidence_percent=int(100 * min(1.0, max(0.0, used.confidence if fit.weight else 0.0))),
        observed_seconds=int(fit.observed_seconds),
    )


def recalled(found: Kept, aims: Aims) -> Memory:
    """The memory that an operator starts with. What status says wrongly is worth no more than nothing."""
    fits = {}
    for capacity in found.capacities[:MOST_FITS]:
        if capacity.concurrency > 0 and capacity.milli_requests_per_second > 0 and capacity.confidence_percent > 0:
            product = "" if capacity.product == NO_PRODUCT else capacity.product
            fits[fit_key(capacity.revision, product)] = _fit(capacity, aims)
    return Memory(wanted=found.wanted, fits=fits, lead_times=_lead_times(found.stages))


def _fit(capacity: LearnedCapacity, aims: Aims) -> Fit:
    sure = min(capacity.confidence_percent, 99) / 100
    windows = min(MOST_WINDOWS, SURE_WINDOWS * sure / (1.0 - sure))
    rate, most = capacity.milli_requests_per_second / 1000, float(capacity.concurrency)
    full = itl_aim_seconds(aims)
    points = ((most, full), (most / 2, full * (PRIOR_BASE + (1.0 - PRIOR_BASE) / 2)))
    each = windows / 2
    requests = 100.0 * windows
    return Fit(
        weight=windows,
        n=sum(each * n for n, _ in points),
        nn=sum(each * n * n for n, _ in points),
        t=sum(each * t for _, t in points),
        nt=sum(each * n * t for n, t in points),
        tt=sum(each * t * t for _, t in points),
        gaps=requests * most / (rate * full),
        requests=requests,
        most_seen=most,
        best_rate=rate,
        observed_seconds=float(capacity.observed_seconds),
        used=Capacity(most, rate, rate, sure),
    )


def _lead_times(stages: Sequence[LearnedStage]) -> LeadTimes:
    """Six of eight at the median, two at p90: both quantiles read back as they were."""
    known = {stage.value: stage for stage in STARTING_STAGES}
    return LeadTimes(
        {
            known[stage.name]: _durations(stage)[-KEPT:]
            for stage in stages
            if stage.name in known and known[stage.name] is not Stage.READY
        }
    )


def _durations(stage: LearnedStage) -> tuple[float, ...]:
    median, late = stage.p50_milliseconds / 1000, stage.p90_milliseconds / 1000
    return (median,) * 6 + (max(median, late),) * 2
