"""AIBrix' APA: x = mean over 60 s of requests in flight for each replica, over the target. Every 10 s:

    up     x > 1.1:  min(ceil(N·x), 2·N)
    down   x < 0.9:  max(ceil(N·x), floor(N/2)), and no sooner than 300 s after a larger proposal

A look that failed reads 0.
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil
from typing import ClassVar

from stoker.sim.policy import Order, View, in_flight

_WINDOW_SECONDS = 60.0
_TOLERANCE = 0.1
_RATE = 2


@dataclass
class Aibrix:
    name: ClassVar[str] = "aibrix"
    target: float = 50.0  # it has no default
    down_cooldown: float = 300.0
    tick_seconds: float = 10.0
    sample_seconds: float = 10.0
    _means: deque[tuple[float, float]] = field(default_factory=deque)
    _proposals: deque[tuple[float, int]] = field(default_factory=deque)

    def decide(self, view: View) -> Order:
        now, loads = view.now_seconds, view.loads
        self._means.append((now, (in_flight(loads) + view.held) / max(1, len(loads))))
        while self._means[0][0] <= now - _WINDOW_SECONDS:
            self._means.popleft()
        x = sum(mean for _, mean in self._means) / len(self._means) / self.target
        proposal = self._proposal(view.current, x)
        self._proposals.append((now, proposal))
        while self._proposals[0][0] < now - self.down_cooldown:
            self._proposals.popleft()
        if proposal < view.current:
            proposal = min(view.current, max(count for _, count in self._proposals))
        return Order(max(1, proposal), view.warm)

    @staticmethod
    def _proposal(current: int, x: float) -> int:
        if x > 1 + _TOLERANCE:
            return min(ceil(current * x), _RATE * current)
        if x < 1 - _TOLERANCE:
            return max(ceil(current * x), current // _RATE)
        return current
