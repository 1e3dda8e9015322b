"""For each number of replicas k: would it have sufficed, and when was it last needed?

    V_k ← min(cap, max(0, V_k + a - μ·k·Δt))     a: arrivals of the last Δt; V_k: what k replicas would owe
    r   = min{k : V_k ≤ θ·μ·k}                   θ: of the TTFT objective; cap = μ·k·(2·θ + a share of the lead)

    last_k ← t for every k ≤ hold                t - last_k is how long level k has not been needed
    timers = max{k : t - last_k < H_k}           H_k = H · 2^(regrets of k), H = max(down delay, 1.5·lead)
    held   = max(timers - W, the same with H = down delay)       W: warm replicas that are ready

Noise around a constant load touches the top level only, and that at most once per H. A level that is ordered again
shortly after its removal was worth keeping: its H doubles, and halves after every quiet hour. A level is held because
it takes a start to have it back; as many of the highest as are warm are back at once.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from stoker.core.scaling.tuning import Tuning

MOST_REGRETS = 6


@dataclass(frozen=True, slots=True)
class Level:
    """What is remembered of one number of replicas beyond when it was needed."""

    removed_seconds: float | None = None
    regrets: int = 0
    regret_seconds: float = 0.0


FRESH = Level()


@dataclass(frozen=True, slots=True)
class Levels:
    owed: tuple[float, ...] = ()
    """V_1, V_2, … as far as they are above zero."""
    needed_seconds: tuple[float, ...] = ()
    """last_1, last_2, …; never rising with k."""
    history: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True)
class Pouring:
    """What came and what each replica could carry away meanwhile."""

    arrivals: float
    served_each: float
    deepest_each: float
    """Requests per replica that a virtual queue remembers at most."""


def poured(owed: tuple[float, ...], pouring: Pouring, most: int) -> tuple[float, ...]:
    """The virtual queues after some time; of the levels above `most` none is kept."""
    arrivals, served, deepest = pouring.arrivals, pouring.served_each, pouring.deepest_each
    known, queues = len(owed), []
    for level in range(1, most + 1):
        queue = (owed[level - 1] if level <= known else 0.0) + arrivals - served * level
        if queue <= 0.0:
            break
        deep = deepest * level
        queues.append(min(deep, queue))
    return tuple(queues)


def sufficing(owed: Sequence[float], rate_per_second: float, wait_seconds: float) -> int:
    """r: the least level whose virtual queue waits no longer than that."""
    for level, queue in enumerate(owed, 1):
        if queue <= wait_seconds * rate_per_second * level:
            return level
    return len(owed) + 1 if owed else 0


def touched(levels: Levels, count: int, now_seconds: float) -> Levels:
    """All levels up to `count` are needed now."""
    if count <= 0:
        return levels
    return replace(levels, needed_seconds=(now_seconds,) * count + levels.needed_seconds[count:])


def postponed(levels: Levels, seconds: float) -> Levels:
    """Time in which nothing could be seen makes no level older."""
    return replace(levels, needed_seconds=tuple(at + seconds for at in levels.needed_seconds))


def hold_seconds(levels: Levels, level: int, base_seconds: float, tuning: Tuning) -> float:
    regrets = levels.history[level - 1].regrets if level <= len(levels.history) else 0
    return max(base_seconds, min(base_seconds * 2.0**regrets, tuning.longest_hold_seconds))


@dataclass(frozen=True, slots=True)
class Holding:
    """How long levels are kept after they were last needed."""

    whole_seconds: float
    """For what it takes a start to have back."""
    short_seconds: float
    warm_ready: int


def held(levels: Levels, now_seconds: float, holding: Holding, tuning: Tuning) -> int:
    """The highest level that is not to be given up yet."""
    highest = _needed(levels, now_seconds, holding.whole_seconds, tuning)
    if not holding.warm_ready:
        return highest
    return max(highest - holding.warm_ready, _needed(levels, now_seconds, holding.short_seconds, tuning))


def _needed(levels: Levels, now_seconds: float, base_seconds: float, tuning: Tuning) -> int:
    """The highest level that was needed too lately to be given up. None is kept for longer than the longest hold: those
    above, of a peak long ago, are not looked through at each tick."""
    oldest = now_seconds - max(base_seconds, tuning.longest_hold_seconds)
    recent = bisect_left(levels.needed_seconds, -oldest, key=lambda at: -at)
    for level in range(recent, 0, -1):
        if now_seconds - levels.needed_seconds[level - 1] < hold_seconds(levels, level, base_seconds, tuning):
            return level
    return 0


@dataclass(frozen=True, slots=True)
class Change:
    before: int
    after: int
    needed: int
    """What lies above this stands by, and was not needed."""


def moved(levels: Levels, change: Change, now_seconds: float, tuning: Tuning) -> Levels:
    """The levels after the decision to go from one count to another."""
    before, after = change.before, change.after
    if after == before:
        return levels
    history = list(levels.history) + [FRESH] * (max(before, after) - len(levels.history))
    if after > before:
        history[before:after] = [_ordered(level, now_seconds, tuning) for level in history[before:after]]
        return replace(touched(levels, min(after, change.needed), now_seconds), history=tuple(history))
    history[after:before] = [replace(level, removed_seconds=now_seconds) for level in history[after:before]]
    return replace(levels, history=tuple(history))


def _ordered(level: Level, now_seconds: float, tuning: Tuning) -> Level:
    regrets = level.regrets
    if regrets and now_seconds - level.regret_seconds >= tuning.quiet_seconds:
        quiet_hours = int((now_seconds - level.regret_seconds) / tuning.quiet_seconds)
        regrets = max(0, regrets - quiet_hours)
    if level.removed_seconds is not None and now_seconds - level.removed_seconds <= tuning.regret_seconds:
        return Level(None, min(MOST_REGRETS, regrets + 1), now_seconds)
    return Level(None, regrets, level.regret_seconds)


def pruned(levels: Levels, most: int) -> Levels:
    """Bounded by the most replicas that are allowed."""
    if len(levels.needed_seconds) <= most and len(levels.history) <= most:
        return levels
    return Levels(levels.owed[:most], levels.needed_seconds[:most], levels.history[:most])
