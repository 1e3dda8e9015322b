"""How many requests arrive per second: the longest mean that the shorter ones do not contradict.

    λ_v  = arrivals of the last v seconds / v          v in {10, 20, 40, 80, 160, 320, 600} s
    low  = λ_v - z↑·√n_v / v      high = λ_v + z↓·√(n_v + 1) / v
    λ    = λ_600, then clamped into [low, high] of each shorter window in turn, the shortest last

A constant load is so averaged over ten minutes, a step is followed within seconds, and more arrivals at any time never
give a lower rate: clamping is monotone in all three of its arguments.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

WINDOWS_SECONDS = (600.0, 320.0, 160.0, 80.0, 40.0, 20.0, 10.0)
FINE_SECONDS = 40.0
FINE_STEP_SECONDS = 1.0
COARSE_STEP_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """Requests that came between two readings of one replica."""

    after_seconds: float
    until_seconds: float
    count: float


@dataclass(frozen=True, slots=True)
class History:
    """The running total of arrivals, in coarse steps with fine ones at the end."""

    times: tuple[float, ...] = ()
    totals: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    per_second: float
    window_seconds: float
    """The longest window that agreed with the result."""
    recent_per_second: float
    """Of the shortest window."""


def record(history: History, now_seconds: float, arrived: Sequence[Arrived]) -> History:
    """The history with what came since; a late answer is spread over the time that it was missing for."""
    if not history.times:
        return History((now_seconds,), (0.0,))
    times, totals = history.times, history.totals
    added = 0.0
    for each in arrived:
        added += each.count
        if each.after_seconds < times[-1] - FINE_STEP_SECONDS and each.count:
            totals = _spread(times, totals, each)
    total = history.totals[-1] + added
    if now_seconds <= times[-1]:
        return History(times, (*totals[:-1], total)) if added else history
    return _thinned((*times, now_seconds), (*totals, total))


def _spread(times: tuple[float, ...], totals: tuple[float, ...], late: Arrived) -> tuple[float, ...]:
    first = bisect_right(times, late.after_seconds)
    span = late.until_seconds - late.after_seconds
    earlier = [
        total + late.count * min(1.0, (at - late.after_seconds) / span)
        for at, total in zip(times[first:], totals[first:], strict=True)
    ]
    return (*totals[:first], *earlier)


def _thinned(times: tuple[float, ...], totals: tuple[float, ...]) -> History:
    now = times[-1]
    if len(times) > 2 and now - times[-3] < FINE_STEP_SECONDS:
        return History((*times[:-2], now), (*totals[:-2], totals[-1]))
    fine = bisect_right(times, now - FINE_SECONDS)
    # The newest of the coarse steps goes if those beside it are close enough.
    if fine >= 3 and times[fine - 1] - times[fine - 3] < COARSE_STEP_SECONDS:
        times, totals = times[: fine - 2] + times[fine - 1 :], totals[: fine - 2] + totals[fine - 1 :]
    if len(times) > 2 and times[1] <= now - WINDOWS_SECONDS[0]:
        times, totals = times[1:], totals[1:]
    return History(times, totals)


def arrived_within(history: History, seconds: float) -> float:
    """Requests of the last so many seconds, or of all the time that is known."""
    times, totals = history.times, history.totals
    if len(times) < 2:
        return 0.0
    begin = times[-1] - seconds
    after = bisect_right(times, begin)
    if after == 0:
        return totals[-1] - totals[0]
    if after >= len(times):
        return 0.0
    share = (begin - times[after - 1]) / (times[after] - times[after - 1])
    return totals[-1] - totals[after - 1] - share * (totals[after] - totals[after - 1])


def rate(history: History, rise_deviations: float, fall_deviations: float) -> Rate | None:
    """None where nothing was watched long enough to say."""
    if len(history.times) < 2:
        return None
    covered = history.times[-1] - history.times[0]
    if covered < WINDOWS_SECONDS[-1]:
        return None
    estimate, agreeing, recent = -1.0, 0.0, 0.0
    for window in WINDOWS_SECONDS:
        if window > covered and estimate >= 0.0:
            continue
        seconds = min(window, covered)
        count = arrived_within(history, seconds)
        recent = count / seconds
        lowest = max(0.0, count - rise_deviations * sqrt(count)) / seconds
        highest = (count + fall_deviations * sqrt(count + 1.0)) / seconds
        if estimate < 0.0:
            estimate, agreeing = recent, seconds
        elif not lowest <= estimate <= highest:
            estimate, agreeing = min(max(estimate, lowest), highest), seconds
    return Rate(estimate, agreeing, recent)
