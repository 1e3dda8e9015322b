"""Whether replicas may be given up now, and how many.

never          while a ready serving replica is unknown, saturated or expired, or none is ready
never          inside a freeze, nor inside a rollout but for what has no place
at most        max(1 + W, a quarter) of them every 10 s; W: warm and ready, so many are back within seconds
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


def most_at_once(before: int, warm_ready: int, since_down_seconds: float | None, tuning: Tuning) -> int:
    if since_down_seconds is not None and since_down_seconds < tuning.down_every_seconds:
        return 0
    return max(1 + warm_ready, int(tuning.down_share * before))


def lowered(before: int, wanted: int, most: int, sight: Sight) -> Lowered:
    """The number after the gates of a removal of so many at once; nothing to do where it does not fall."""
    if wanted >= before:
        return Lowered(wanted)
    if sight.blind:
        return Lowered(before, Reason.SATURATED if sight.saturated else Reason.BLIND)
    least = before - most
    return Lowered(least, Reason.STEP) if wanted < least else Lowered(wanted)
