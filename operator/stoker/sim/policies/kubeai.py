"""KubeAI: ceil(mean of the last ten minutes' active requests / target), every 10 s.

Down only after ceil(scaleDownDelay / 10 s) lower results in a row. A history that is not full is averaged as it is.
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil
from typing import ClassVar

from stoker.sim.policy import Order, View, in_flight


@dataclass
class KubeAi:
    name: ClassVar[str] = "kubeai"
    target: float = 100.0
    window: float = 600.0
    scale_down_delay: float = 30.0
    tick_seconds: float = 10.0
    sample_seconds: float = 10.0
    _active: deque[int] = field(init=False)
    _lower: int = 0

    def __post_init__(self) -> None:
        self._active = deque(maxlen=max(1, ceil(self.window / self.tick_seconds)))

    def decide(self, view: View) -> Order:
        loads = view.loads
        if not loads:
            return Order(view.current, view.warm)  # no endpoint, no decision
        self._active.append(in_flight(loads) + view.held)
        wanted = ceil(sum(self._active) / len(self._active) / self.target)
        if wanted >= view.current:
            self._lower = 0
            return Order(wanted, view.warm)
        self._lower += 1
        if self._lower <= ceil(self.scale_down_delay / self.tick_seconds):
            return Order(view.current, view.warm)
        self._lower = 0
        return Order(wanted, view.warm)
