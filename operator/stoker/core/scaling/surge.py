"""What stands ready for a load that multiplies faster than a replica starts, and that no reading announces.

    m ← m + (λ - m)·Δt/τ          the mean, τ = 1 h
    u ← u + (λ' - u)·Δt/τ         what lasts: τ = 1 h upwards, after the first two minutes, and 5 min downwards
                                  λ' = min(λ, max(2·u, m/2))
    p ← max(λ, p·e^{-Δt/6 h})     the highest
    μ ← μ + (now - μ)·Δt/τ        what a replica carries, τ = 15 min
    x = max(u/h, min(m·(1/h - 1/s), p/s)) / μ       h: headroom, s: what serving counts on of μ, h < s

So the load that lasts may grow to 1/h times itself, and a peak that was seen finds its replicas again where the mean
says that peaks are common. A load of more than twice what lasts is the surge that was prepared for, and no base from
which another is to be expected: it counts as twice at most, or as half of the mean, by which a load that stays becomes
usual. While less than τ is known, τ is what is known. The number that stands moves only when x is a dead band of some
per cent away from it.
"""

from dataclasses import dataclass, replace
from math import ceil, exp

from stoker.core.scaling.tuning import Tuning

MEMORY_SECONDS = 3600.0
FIRST_SECONDS = 120.0
FALL_SECONDS = 300.0
PEAK_SECONDS = 6 * 3600.0
CAPACITY_SECONDS = 900.0
BAND_SHARE = 0.08
MEAN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Usual:
    """The load of the last hours, in requests per second."""

    watched_seconds: float = 0.0
    mean: float = 0.0
    lasting: float = 0.0
    peak: float = 0.0
    rate_each: float = 0.0
    """What a replica carries inside the objective."""
    standing: int = 0


def noted(usual: Usual, rate_per_second: float, rate_each: float, seconds: float) -> Usual:
    """The memory after some more seconds of this load."""
    if usual.watched_seconds <= 0.0:
        return Usual(max(seconds, 1e-3), rate_per_second, rate_per_second, rate_per_second, rate_each)
    watched = usual.watched_seconds + seconds

    def moved(value: float, towards: float, within_seconds: float) -> float:
        return value + (1.0 - exp(-seconds / within_seconds)) * (towards - value)

    rising = rate_per_second > usual.lasting and watched > FIRST_SECONDS
    lasts = min(rate_per_second, max(2.0 * usual.lasting, MEAN_SHARE * usual.mean)) if rising else rate_per_second
    return Usual(
        watched,
        moved(usual.mean, rate_per_second, min(MEMORY_SECONDS, watched)),
        moved(usual.lasting, lasts, MEMORY_SECONDS if rising else min(FALL_SECONDS, watched)),
        max(rate_per_second, usual.peak * exp(-seconds / PEAK_SECONDS)),
        moved(usual.rate_each, rate_each, min(CAPACITY_SECONDS, watched)),
        usual.standing,
    )


def stood(usual: Usual, tuning: Tuning) -> Usual:
    """With the replicas that are to be there whatever the load is now."""
    headroom, share = tuning.headroom, tuning.serving_share
    if headroom >= share or usual.rate_each <= 0.0:
        return replace(usual, standing=0)
    again = min(usual.mean * (1.0 / headroom - 1.0 / share), usual.peak / share)
    exact = max(usual.lasting / headroom, again) / usual.rate_each
    band = tuning.dead_band_replicas + BAND_SHARE * exact
    least, most = ceil(max(0.0, exact - band)), ceil(exact + band)
    return replace(usual, standing=min(max(usual.standing, least), most))
