"""What waits beyond capacity, and what will when a replica ordered now would be ready.

B_i = max(0, F_i - n*)                       beyond the concurrency of replica i, which holds it: others cannot help
B   = Σ min(B_i, μ·D_max)                    what a new replica can relieve by taking the arrivals
projected: at each expected ready time of an ordered replica
B   ← max(0, B + (λ - μ·c)·Δt), c ← c + 1
D*  = √(p·B·(L + H) / (μ·λ))                 drain time that balances late requests against GPU time, clamped
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from stoker.core.scaling.tuning import Tuning


@dataclass(frozen=True, slots=True)
class Backlog:
    movable: float
    stuck: float
    """Beyond what more replicas could relieve."""


def backlog(in_flight: Sequence[int], n_star: float, rate_per_second: float, longest_drain_seconds: float) -> Backlog:
    movable = stuck = 0.0
    most = rate_per_second * longest_drain_seconds
    for count in in_flight:
        beyond = max(0.0, count - n_star)
        movable += min(beyond, most)
        stuck += max(0.0, beyond - most)
    return Backlog(movable, stuck)


@dataclass(frozen=True, slots=True)
class Flow:
    """What comes, and what one replica carries away."""

    arrivals_per_second: float
    rate_per_second: float

    def net(self, replicas: int) -> float:
        return self.arrivals_per_second - self.rate_per_second * replicas


def projected(
    waiting: float, flow: Flow, ready: int, ready_in_seconds: Sequence[float], horizon_seconds: float
) -> float:
    """The backlog at the horizon. Every ordered replica counts once, from when it is expected."""
    capacity, at = ready, 0.0
    for expected in sorted(seconds for seconds in ready_in_seconds if seconds < horizon_seconds):
        waiting = max(0.0, waiting + flow.net(capacity) * (expected - at))
        capacity, at = capacity + 1, expected
    return max(0.0, waiting + flow.net(capacity) * (horizon_seconds - at))


def drain_seconds(waiting: float, flow: Flow, kept_seconds: float, tuning: Tuning) -> float:
    if waiting <= 0.0 or flow.arrivals_per_second <= 0.0:
        return tuning.longest_drain_seconds
    worth = tuning.drain_price * flow.rate_per_second * flow.arrivals_per_second
    balanced = sqrt(waiting * kept_seconds / worth)
    return min(max(balanced, tuning.shortest_drain_seconds), tuning.longest_drain_seconds)
