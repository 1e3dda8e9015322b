"""Dynamo's planner, the loop on throughput: every 180 s ceil(predicted rate / rate of an engine inside its objective).

The prediction is the last interval's rate and lengths; an engine's rate comes from its performance model, here the true
one. The loop on load is off by default.
"""

from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from stoker.sim.capacity import capacity
from stoker.sim.policy import Order, View
from stoker_runtime.simulated.timing import Replica


@dataclass
class Dynamo:
    name: ClassVar[str] = "dynamo"
    replica: Replica
    itl: float = 0.05
    tick_seconds: float = 180.0
    sample_seconds: float = 180.0
    _last: tuple[int, int, int] = (0, 0, 0)
    _decided_at: float | None = None

    def decide(self, view: View) -> Order:
        now, seen = view.now_seconds, (view.arrived, view.prompt_tokens, view.output_tokens)
        count, prompts, outputs = (one - other for one, other in zip(seen, self._last, strict=True))
        before = self._decided_at
        self._last, self._decided_at = seen, now
        if before is None or count <= 0:
            return Order(view.current, view.warm)
        each = capacity(self.replica, prompts / count, max(1.0, outputs / count), self.itl / 0.75)
        return Order(max(1, ceil(count / (now - before) / each.rate_per_second)), view.warm)
