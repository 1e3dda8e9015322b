"""llm-d's workload-variant-autoscaler, version 1, behind an HPA with a window of 240 s. Every 60 s:

saturated      KV ≥ 0.8 or queue ≥ 5
spare          mean over the others of 0.8 - KV and 5 - queue
up by one      spare KV < 0.1 or spare queue < 3
down by one    at least 2 are not saturated, and with load·N/(N - 1) both would still hold
hold           while replicas with metrics are not those that were ordered, or there are none
"""

from dataclasses import dataclass, field
from typing import ClassVar

from stoker.core.scaling.observation import Load
from stoker.sim.policies.horizontal import SYNC_SECONDS, Horizontal
from stoker.sim.policy import Order, View

_EVERY_SECONDS = 60.0


@dataclass
class Wva:
    name: ClassVar[str] = "wva"
    kv_threshold: float = 0.8
    queue_threshold: float = 5.0
    kv_spare: float = 0.1
    queue_spare: float = 3.0
    tick_seconds: float = SYNC_SECONDS
    sample_seconds: float = SYNC_SECONDS
    _horizontal: Horizontal = field(default_factory=lambda: Horizontal(up_window_seconds=240, down_window_seconds=240))
    _wanted: int | None = None
    _due: float = 0.0

    def decide(self, view: View) -> Order:
        if view.now_seconds >= self._due:
            self._due = view.now_seconds + _EVERY_SECONDS - 1e-6
            self._wanted = view.current + self._step(view.loads, view.current)
        wanted = view.current if self._wanted is None else self._wanted
        return Order(self._horizontal.next(view.now_seconds, view.current, wanted), view.warm)

    def _step(self, loads: list[Load], current: int) -> int:
        if not loads or len(loads) != current:
            return 0
        free = [
            (load.kv_share or 0.0, float(load.queued or 0))
            for load in loads
            if (load.kv_share or 0.0) < self.kv_threshold and (load.queued or 0) < self.queue_threshold
        ]
        count = len(free)
        if not count:
            return 1
        kv = sum(kv for kv, _ in free) / count
        queue = sum(queue for _, queue in free) / count
        if self._tight(kv, queue):
            return 1
        if count < 2:
            return 0
        spread = count / (count - 1)
        return 0 if self._tight(kv * spread, queue * spread) else -1

    def _tight(self, kv: float, queue: float) -> bool:
        return self.kv_threshold - kv < self.kv_spare or self.queue_threshold - queue < self.queue_spare
