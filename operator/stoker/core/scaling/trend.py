"""The rate that a lasting growth will have come to when a replica ordered now is ready.

    s_v  = (n₁ - n₀) / v²                        n₁ arrivals of the last v seconds, n₀ of the v seconds before them
    f_v  = n₁/v + (s_v ± z·√(n₁ + n₀)/v²)·(v/2 + L)
    f    = min(f⁻_300, f⁺_150, f⁺_75)            minus for the longest, plus for the shorter ones

So a ramp is met ahead of it, and a step is not drawn out into the sky: the shorter windows say that it is over.
"""

from math import sqrt

from stoker.core.scaling.arrivals import History, arrived_within

LONGEST_SECONDS = 300.0
LEAST_SECONDS = 240.0
SHORTER_PARTS = (2.0, 4.0)


def forecast(history: History, lead_seconds: float, deviations: float) -> float | None:
    """Requests per second; None where too little was watched to say."""
    covered = history.times[-1] - history.times[0] if history.times else 0.0
    if covered < LEAST_SECONDS:
        return None
    longest = min(LONGEST_SECONDS, covered / 2.0)
    found = _drawn_out(history, longest, lead_seconds, -deviations * LONGEST_SECONDS / longest)
    return min(found, *(_drawn_out(history, longest / part, lead_seconds, deviations) for part in SHORTER_PARTS))


def _drawn_out(history: History, window: float, lead_seconds: float, deviations: float) -> float:
    late = arrived_within(history, window)
    early = arrived_within(history, 2.0 * window) - late
    slope = (late - early + deviations * sqrt(late + early)) / window**2
    return max(0.0, late / window + slope * (window / 2.0 + lead_seconds))
