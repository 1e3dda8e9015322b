"""Whether replicas may be given up now, and how many.

never          while a ready serving replica is unknown, saturated or expired, or none is ready
never          inside a freeze, nor inside a rollout but for what has no place
at most        max(1, a quarter) of them every 10 s
"""

from dataclasses import dataclass

from stoker.core.scaling.demands import Reason
from stoker.core.scaling.tuning import Tuning


@dataclass(frozen=True, slots=True)
class Sight:
    """How much of the serving replicas is seen."""

    ready: int
    known: int
    saturated: int

    @property
    def blind(self) -> bool:
        return self.known < self.ready or not self.ready


@dataclass(frozen=True, slots=True)
class Lowered:
    serving: int
    reason: Reason | None = None


def lowered(before: int, wanted: int, sight: Sight, since_down_seconds: float | None, tuning: Tuning) -> Lowered:
    """The number after the gates of a removal; nothing to do where it does not fall."""
    if wanted >= before:
        return Lowered(wanted)
    if sight.blind:
        return Lowered(before, Reason.SATURATED if sight.saturated else Reason.BLIND)
    if since_down_seconds is not None and since_down_seconds < tuning.down_every_seconds:
        return Lowered(before, Reason.STEP)
    least = before - max(1, int(tuning.down_share * before))
    return Lowered(least, Reason.STEP) if wanted < least else Lowered(wanted)
