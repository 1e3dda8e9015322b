"""Bursts that are over before a replica could start. Ordering never meets them: only standing replicas do.

    episode of k   from V_k > θ·μ·k, where λ ≤ 0.6·μ·k, until V_k ≤ 0.1·θ·μ·k
    S_k            arrivals inside episodes of k no longer than 2·L, forgotten over an hour
    A              all arrivals, forgotten alike
    standing       1 + max{k : S_k > ε·A}, over levels with at least two episodes

The price of it: level k stands for nothing unless more than the share ε of all requests would else come late.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from stoker.core.scaling.tuning import Tuning

LEAST_EPISODES = 1.2
"""Of an hour's memory: one burst is no habit."""
END_SHARE = 0.1
CALM_SHARE = 0.6
"""A level that the lasting load nearly fills meets noise, not bursts."""


@dataclass(frozen=True, slots=True)
class Level:
    late: float = 0.0
    """S_k"""
    episodes: float = 0.0
    inside_since: float | None = None
    inside: float = 0.0
    """Arrivals of the episode under way."""


CALM = Level()


@dataclass(frozen=True, slots=True)
class Bursts:
    arrivals: float = 0.0
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True)
class Happened:
    """One tick."""

    now_seconds: float
    seconds: float
    arrivals: float
    rate_per_second: float
    """As it is believed to last."""
    rate_each: float
    """μ"""
    limit_each: float
    """θ·μ, the virtual queue per replica that is still in time."""
    lead_seconds: float


def watched(bursts: Bursts, owed: Sequence[float], tick: Happened, tuning: Tuning) -> Bursts:
    """`owed` are the virtual queues after the arrivals of the tick."""
    kept = exp(-tick.seconds / tuning.burst_memory_seconds)
    known, queues = len(bursts.levels), len(owed)
    levels = []
    for index in range(max(queues, known)):
        level = bursts.levels[index] if index < known else CALM
        queue = owed[index] if index < queues else 0.0
        if level is CALM and queue <= tick.limit_each * (index + 1):
            levels.append(CALM)
        else:
            levels.append(_after(level, index + 1, queue, tick, kept))
    while levels and levels[-1].inside_since is None and levels[-1].late < 0.01:
        levels.pop()
    return Bursts(kept * bursts.arrivals + tick.arrivals, tuple(levels))


def _after(level: Level, number: int, queue: float, tick: Happened, kept: float) -> Level:
    limit = tick.limit_each * number
    late, episodes = kept * level.late, kept * level.episodes
    if level.inside_since is None:
        if queue > limit and tick.rate_per_second <= CALM_SHARE * tick.rate_each * number:
            return Level(late, episodes, tick.now_seconds, tick.arrivals)
        return Level(late, episodes)
    if queue > END_SHARE * limit:
        return Level(late, episodes, level.inside_since, kept * level.inside + tick.arrivals)
    if tick.now_seconds - level.inside_since <= 2.0 * tick.lead_seconds:
        return Level(late + level.inside, episodes + 1.0)
    return Level(late, episodes)


def standing(bursts: Bursts, tuning: Tuning) -> int:
    """How many replicas are worth keeping for bursts; 0 where there are none."""
    least = tuning.late_burst_share * bursts.arrivals
    for index in range(len(bursts.levels), 0, -1):
        level = bursts.levels[index - 1]
        if level.late > least and level.episodes >= LEAST_EPISODES:
            return index + 1
    return 0
