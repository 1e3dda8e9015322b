"""GPU time by tier, and what a policy did."""

from dataclasses import dataclass, field

BUCKETS = ("serving", "starting", "warm", "asleep", "draining")


@dataclass
class Ledger:
    """Only what lies between `begins` and `ends` counts."""

    begins: float
    ends: float
    gpu_seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(BUCKETS, 0.0))
    actions: int = 0
    reversals: int = 0
    direction_changes: int = 0
    preempted: int = 0
    _last_target: int | None = None
    _last_direction: int = 0
    _last_change: float = float("-inf")

    def charge(self, bucket: str, since: float, until: float) -> None:
        self.gpu_seconds[bucket] += max(0.0, min(until, self.ends) - max(since, self.begins))

    def ordered(self, target: int, now: float, reversal_seconds: float = 300.0) -> None:
        """A reversal is a change of direction within five minutes of the change before."""
        last, self._last_target = self._last_target, target
        if last is None or last == target:
            return
        direction = 1 if target > last else -1
        if self.begins <= now < self.ends:
            self.actions += 1
            if direction == -self._last_direction:
                self.direction_changes += 1
                self.reversals += now - self._last_change <= reversal_seconds
        self._last_direction, self._last_change = direction, now
