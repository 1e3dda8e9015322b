"""What one could do who knows the arrivals: a bound, not a peer.

    need(t)   ceil(A[t - w/2, t + w/2] / (w·r·μ))
    level k   on where need ≥ k; gaps shorter than L + drain are kept; ordered L before it is needed

μ is a replica's rate inside the objective, L the time from an order to the first request.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from math import ceil
from typing import ClassVar

from stoker.sim.policy import Order, View
from stoker.sim.trace import Trace

_BIN_SECONDS = 2.0


@dataclass
class Clairvoyant:
    name: ClassVar[str] = "clairvoyant"
    trace: Trace
    rate_per_second: float  # μ
    lead_seconds: float
    utilization: float = 0.9  # r
    window: float = 30.0  # w
    drain_seconds: float = 15.0
    tick_seconds: float = _BIN_SECONDS
    sample_seconds: float = 600.0
    _plan: list[int] = field(init=False)

    def __post_init__(self) -> None:
        levels = spans_by_level(self.needs(), self.lead_seconds + self.drain_seconds)
        bins = int(self.trace.duration_seconds / _BIN_SECONDS) + 1
        self._plan = [1] * bins
        for level, spans in enumerate(levels, start=1):
            for begins, ends in spans:
                first = max(0, int((begins - self.lead_seconds) / _BIN_SECONDS))
                for index in range(first, min(bins, int(ends / _BIN_SECONDS) + 1)):
                    self._plan[index] = max(self._plan[index], level)

    def needs(self) -> list[int]:
        return needs(self.trace, self.window, self.utilization * self.rate_per_second)

    def decide(self, view: View) -> Order:
        index = min(len(self._plan) - 1, int(view.now_seconds / _BIN_SECONDS))
        return Order(self._plan[index], 0)


def needs(trace: Trace, window_seconds: float, rate_per_second: float) -> list[int]:
    """Replicas needed in each bin of two seconds."""
    arrivals = trace.arrivals
    found = []
    for index in range(int(trace.duration_seconds / _BIN_SECONDS) + 1):
        middle = (index + 0.5) * _BIN_SECONDS
        first = bisect_left(arrivals, middle - window_seconds / 2)
        count = bisect_left(arrivals, middle + window_seconds / 2, first) - first
        found.append(ceil(count / (window_seconds * rate_per_second)))
    return found


def spans_by_level(needed: list[int], keeps_seconds: float) -> list[list[tuple[float, float]]]:
    """For each level when it is on, gaps shorter than `keeps_seconds` included."""
    levels: list[list[tuple[float, float]]] = []
    for level in range(1, max(needed, default=0) + 1):
        spans: list[tuple[float, float]] = []
        for index, need in enumerate(needed):
            if need < level:
                continue
            begins, ends = index * _BIN_SECONDS, (index + 1) * _BIN_SECONDS
            if spans and begins - spans[-1][1] < keeps_seconds:
                spans[-1] = (spans[-1][0], ends)
            else:
                spans.append((begins, ends))
        levels.append(spans)
    return levels


def reactive_ceiling(trace: Trace, rate_per_second: float, lead_seconds: float) -> float:
    """The best share of one who orders when the need shows, and keeps nothing beyond the last need.

    1 - Σ λ_j·min(L, d_j) / A over the times j that a level is needed anew, of length d_j and rate λ_j.
    """
    late = 0.0
    for spans in spans_by_level(needs(trace, 10.0, rate_per_second), lead_seconds):
        for begins, ends in spans:
            if begins > 0:
                late += rate_per_second * min(lead_seconds, ends - begins)
    return max(0.0, 1 - late / max(1, len(trace)))
