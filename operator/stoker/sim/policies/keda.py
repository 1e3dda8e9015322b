"""KEDA's Prometheus trigger on the requests that wait in engines, threshold 5, which the HPA then reads.

Its cooldown concerns the step to zero alone. A query without a result is 0 (ignoreNullValues is true by default).
"""

from dataclasses import dataclass, field
from typing import ClassVar

from stoker.sim.policies.horizontal import SYNC_SECONDS, Horizontal
from stoker.sim.policy import Order, View


@dataclass
class Keda:
    name: ClassVar[str] = "keda"
    threshold: float = 5.0
    tick_seconds: float = SYNC_SECONDS
    sample_seconds: float = SYNC_SECONDS
    _horizontal: Horizontal = field(default_factory=Horizontal)

    def decide(self, view: View) -> Order:
        waiting = sum(load.queued or 0 for load in view.loads)
        proposal = self._horizontal.proposed(waiting, self.threshold, view.current)
        return Order(max(1, self._horizontal.next(view.now_seconds, view.current, proposal)), view.warm)
