"""How long a replica takes from its order to its first token, learned per stage.

lead = Σ median of each stage
left = Σ medians of the stages to come + what is left of the present one:
       median - elapsed, and once that is past, p90 - elapsed, and past that half of the time elapsed
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stoker.core.scaling.observation import STARTING_STAGES, Prior, Replica, Stage

KEPT = 24
"""Durations that are remembered of each stage."""
LATE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LeadTimes:
    """The last durations of each stage, in seconds, oldest first."""

    seconds: Mapping[Stage, tuple[float, ...]]


def learned(times: LeadTimes, stage: Stage, seconds: float) -> LeadTimes:
    """With one more stage that a replica got through."""
    if stage not in STARTING_STAGES or not 0.0 <= seconds < 86_400.0:
        return times
    return LeadTimes({**times.seconds, stage: (*times.seconds.get(stage, ()), seconds)[-KEPT:]})


def between(before: Stage, after: Stage) -> tuple[Stage, ...]:
    """The stages that were over before anybody looked."""
    order = (*STARTING_STAGES, Stage.READY)
    return order[order.index(before) + 1 : order.index(after)]


def quantile(times: LeadTimes, prior: Prior, stage: Stage, share: float) -> float:
    seen = _ranked(times, prior, stage)
    return seen[min(len(seen) - 1, int(share * len(seen)))]


def _ranked(times: LeadTimes, prior: Prior, stage: Stage) -> list[float]:
    """One duration that was seen is worth more than any guess."""
    return sorted(times.seconds.get(stage, ()) or (prior.lead_seconds.get(stage, 0.0),))


@dataclass(frozen=True, slots=True)
class Expected:
    """Both quantiles of each stage, of one instant."""

    median_seconds: Mapping[Stage, float]
    late_seconds: Mapping[Stage, float]

    @property
    def lead_seconds(self) -> float:
        return sum(self.median_seconds.values())

    def left_seconds(self, replica: Replica, now_seconds: float) -> float:
        """Until it is ready, as far as one can know."""
        if replica.stage is Stage.READY:
            return 0.0
        elapsed = max(0.0, now_seconds - replica.since_seconds)
        later = STARTING_STAGES[STARTING_STAGES.index(replica.stage) + 1 :]
        rest = sum(self.median_seconds[stage] for stage in later)
        if elapsed < self.median_seconds[replica.stage]:
            return rest + self.median_seconds[replica.stage] - elapsed
        if elapsed < self.late_seconds[replica.stage]:
            return rest + self.late_seconds[replica.stage] - elapsed
        return rest + max(LATE_SECONDS, elapsed / 2)


def expected(times: LeadTimes, prior: Prior) -> Expected:
    ranked = {stage: _ranked(times, prior, stage) for stage in STARTING_STAGES}
    return Expected(
        {stage: seen[len(seen) // 2] for stage, seen in ranked.items()},
        {stage: seen[len(seen) * 9 // 10] for stage, seen in ranked.items()},
    )
