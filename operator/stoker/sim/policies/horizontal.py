"""The Kubernetes HorizontalPodAutoscaler around a proposal: tolerance, stabilization windows, rates.

proposal  Σ/T where |1 - Σ/(T·N)| > tolerance, else N
N ← proposal, no less than the least of the up-window, no more than the most of the down-window,
    up at most max(+4, +100 %) and down at most 100 % in 15 s
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil

SYNC_SECONDS = 15.0
_PODS_UP = 4
_RATE_UP = 2


@dataclass
class Horizontal:
    tolerance: float = 0.1
    up_window_seconds: float = 0.0
    down_window_seconds: float = 300.0
    _proposals: deque[tuple[float, int]] = field(default_factory=deque)

    def proposed(self, total: float, target: float, current: int) -> int:
        """For an external metric with an average value."""
        if current and abs(1 - total / (target * current)) <= self.tolerance:
            return current
        # The quotient of a float that is a multiple of the target must not round up.
        return ceil(round(total / target, 9))

    def next(self, now: float, current: int, proposal: int) -> int:
        """What is written at this sync."""
        earlier = self._proposals
        if not earlier:
            earlier.append((now, current))  # as at the start of the controller
        longest = max(self.up_window_seconds, self.down_window_seconds)
        while earlier and earlier[0][0] <= now - longest:
            earlier.popleft()
        least_up = min((count for at, count in earlier if at > now - self.up_window_seconds), default=proposal)
        most_down = max((count for at, count in earlier if at > now - self.down_window_seconds), default=proposal)
        least_up, most_down = min(least_up, proposal), max(most_down, proposal)
        earlier.append((now, proposal))
        stabilized = min(max(current, least_up), most_down)
        return min(stabilized, max(current + _PODS_UP, current * _RATE_UP))
