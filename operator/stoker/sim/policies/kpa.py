"""Knative's pod autoscaler on concurrency.

N_w     ceil(mean in flight over window w / T),  T = target · 0.7
stable  clamp(N_60s, floor(ready/2), ceil(1000·ready))
panic   begins where N_6s / ready ≥ 2 and ends 60 s after it was last so; no decrease meanwhile
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil, floor, inf
from typing import ClassVar

from stoker.sim.policy import Order, View, in_flight

_STABLE_SECONDS = 60.0
_PANIC_SHARE = 0.1
_PANIC_AT = 2.0
_UTILIZATION = 0.7
_RATE_UP = 1_000.0
_RATE_DOWN = 2.0


@dataclass
class Kpa:
    name: ClassVar[str] = "kpa"
    target: float = 100.0
    tick_seconds: float = 2.0
    sample_seconds: float = 2.0
    _seen: deque[tuple[float, float]] = field(default_factory=deque)
    _panics_since: float = -inf
    _most: int = 0

    def decide(self, view: View) -> Order:
        now = view.now_seconds
        if loads := view.loads:
            self._seen.append((now, in_flight(loads) + view.held))
        while self._seen and self._seen[0][0] <= now - _STABLE_SECONDS:
            self._seen.popleft()
        stable = self._mean(now - _STABLE_SECONDS)
        panic = self._mean(now - _STABLE_SECONDS * _PANIC_SHARE)
        if stable is None or panic is None:
            return Order(view.current, view.warm)  # no data, no decision
        return Order(self._wanted(now, max(1, view.ready), stable, panic), view.warm)

    def _wanted(self, now: float, ready: int, stable: float, panic: float) -> int:
        each = self.target * _UTILIZATION
        least, most = floor(ready / _RATE_DOWN), ceil(ready * _RATE_UP)
        by_stable = min(max(ceil(stable / each), least), most)
        by_panic = min(max(ceil(panic / each), least), most)
        if ceil(panic / each) / ready >= _PANIC_AT:
            if self._panics_since == -inf:
                self._most = 0
            self._panics_since = now
        elif now - self._panics_since > _STABLE_SECONDS:
            self._panics_since = -inf
        if self._panics_since == -inf:
            return by_stable
        self._most = max(self._most, by_stable, by_panic)
        return self._most

    def _mean(self, since: float) -> float | None:
        values = [value for at, value in self._seen if at > since]
        return sum(values) / len(values) if values else None
