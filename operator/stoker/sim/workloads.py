"""Kinds of traffic, each from a seed. Where a peak stands, how high and how long it is, is drawn as well."""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stoker.sim.trace import Trace

Rate = Callable[[float], float]


@dataclass(frozen=True)
class Sizes:
    """Lengths of chat traffic: log-normal around these means."""

    prompt_mean: float = 1_150.0
    output_mean: float = 210.0
    prompt_spread: float = 0.8
    output_spread: float = 0.7
    prompt_most: int = 16_000
    output_most: int = 2_000


CHAT = Sizes()
CODE = Sizes(prompt_mean=1_200.0, output_mean=28.0, prompt_spread=0.9, output_spread=0.8, output_most=300)
HEAVY = Sizes(prompt_mean=1_400.0, prompt_spread=1.6, prompt_most=30_000)


@dataclass(frozen=True)
class Workload:
    name: str
    duration_seconds: float
    phase_seconds: float  # how long the rate stays about what it is
    make: Callable[["Workload", random.Random], Trace]

    def trace(self, seed: int) -> Trace:
        return self.make(self, random.Random(f"{self.name} {seed}"))  # noqa: S311 - to repeat, not to hide


def _lengths(sizes: Sizes, chance: random.Random) -> tuple[int, int]:
    # The mean of a log-normal is exp(m + s²/2).
    def one(mean: float, spread: float, most: int) -> int:
        drawn = chance.lognormvariate(math.log(mean) - spread * spread / 2, spread)
        return max(1, min(most, round(drawn)))

    return (
        one(sizes.prompt_mean, sizes.prompt_spread, sizes.prompt_most),
        one(sizes.output_mean, sizes.output_spread, sizes.output_most),
    )


def _trace(workload: Workload, arrivals: list[float], sizes: Sizes, chance: random.Random) -> Trace:
    lengths = [_lengths(sizes, chance) for _ in arrivals]
    return Trace(
        workload.name,
        workload.duration_seconds,
        tuple(arrivals),
        tuple(prompt for prompt, _ in lengths),
        tuple(output for _, output in lengths),
    )


def poisson(rate: Rate, highest: float, duration_seconds: float, chance: random.Random) -> list[float]:
    """Arrivals at a rate that changes, by thinning those at its highest."""
    arrivals, now = [], 0.0
    while (now := now + chance.expovariate(highest)) < duration_seconds:
        if chance.random() * highest < rate(now):
            arrivals.append(now)
    return arrivals


def _steady(workload: Workload, chance: random.Random) -> Trace:
    level = chance.uniform(6.0, 12.0)
    return _trace(workload, poisson(lambda _: level, level, workload.duration_seconds, chance), CHAT, chance)


def _diurnal(workload: Workload, chance: random.Random) -> Trace:
    high, low, shift = chance.uniform(12.0, 18.0), chance.uniform(1.0, 2.5), chance.random()

    def rate(now: float) -> float:
        return low + (high - low) * (0.5 - 0.5 * math.cos(2 * math.pi * (now / workload.phase_seconds / 2 + shift)))

    return _trace(workload, poisson(rate, high, workload.duration_seconds, chance), CHAT, chance)


def _spike(workload: Workload, chance: random.Random) -> Trace:
    base = chance.uniform(2.5, 4.5)
    peak = base * chance.uniform(5.0, 7.0)
    begins = chance.uniform(500.0, 900.0)
    ends = begins + workload.phase_seconds * chance.uniform(0.7, 1.3)

    def rate(now: float) -> float:
        return peak if begins <= now < ends else base

    return _trace(workload, poisson(rate, peak, workload.duration_seconds, chance), CHAT, chance)


def _flash_crowd(workload: Workload, chance: random.Random) -> Trace:
    """Up within half a minute, and half of it is gone again every few minutes."""
    base = chance.uniform(2.0, 4.0)
    peak = base * chance.uniform(6.0, 10.0)
    begins = chance.uniform(500.0, 900.0)
    fades = workload.phase_seconds * chance.uniform(0.7, 1.4)

    def rate(now: float) -> float:
        if now < begins:
            return base
        rise = min(1.0, (now - begins) / 30.0)
        return base + (peak - base) * rise * math.pow(0.5, max(0.0, now - begins - 30.0) / fades)

    return _trace(workload, poisson(rate, peak, workload.duration_seconds, chance), CHAT, chance)


def _bursty_code(workload: Workload, chance: random.Random) -> Trace:
    """Short answers in bursts of seconds; the intervals' coefficient of variation is about 13."""
    arrivals: list[float] = []
    now = 0.0
    while (now := now + chance.expovariate(1 / 60.0)) < workload.duration_seconds:
        size = min(160.0, chance.paretovariate(1.4) * 24.0)
        pace = chance.uniform(25.0, 70.0)
        moment = now
        for _ in range(round(size)):
            moment += chance.expovariate(pace)
            if moment < workload.duration_seconds:
                arrivals.append(moment)
    arrivals.sort()
    return _trace(workload, arrivals, CODE, chance)


def _slow_ramp(workload: Workload, chance: random.Random) -> Trace:
    low, high = chance.uniform(1.5, 3.0), chance.uniform(14.0, 20.0)
    top = chance.uniform(0.55, 0.75) * workload.duration_seconds

    def rate(now: float) -> float:
        if now < top:
            return low + (high - low) * now / top
        return high - (high - low) * (now - top) / (workload.duration_seconds - top)

    return _trace(workload, poisson(rate, high, workload.duration_seconds, chance), CHAT, chance)


def _on_off(workload: Workload, chance: random.Random) -> Trace:
    low, high = chance.uniform(0.3, 1.0), chance.uniform(9.0, 15.0)
    switches, now = [], chance.uniform(0.3, 1.0) * workload.phase_seconds
    while now < workload.duration_seconds:
        switches.append(now)
        now += workload.phase_seconds * chance.uniform(0.6, 1.4)

    def rate(at: float) -> float:
        return high if bisect_right(switches, at) % 2 else low

    return _trace(workload, poisson(rate, high, workload.duration_seconds, chance), CHAT, chance)


def _heavy_prompts(workload: Workload, chance: random.Random) -> Trace:
    level = chance.uniform(4.0, 8.0)
    return _trace(workload, poisson(lambda _: level, level, workload.duration_seconds, chance), HEAVY, chance)


_HOUR = 3_600.0
WORKLOADS: Mapping[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload("steady", 2_400.0, math.inf, _steady),
        Workload("diurnal", 1.5 * _HOUR, 0.75 * _HOUR, _diurnal),
        Workload("spike", 2_100.0, 420.0, _spike),
        Workload("flash-crowd", 2_400.0, 300.0, _flash_crowd),
        Workload("bursty-code", _HOUR, 10.0, _bursty_code),
        Workload("slow-ramp", _HOUR, 2_000.0, _slow_ramp),
        Workload("on-off", _HOUR, 420.0, _on_off),
        Workload("heavy-prompts", 2_400.0, math.inf, _heavy_prompts),
    )
}
