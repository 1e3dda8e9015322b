"""HorizontalPodAutoscaler v2 on the requests in flight, an external metric with an average value."""

from dataclasses import dataclass, field
from typing import ClassVar

from stoker.sim.policies.horizontal import SYNC_SECONDS, Horizontal
from stoker.sim.policy import Order, View, in_flight


@dataclass
class Hpa:
    name: ClassVar[str] = "hpa"
    target: float = 50.0  # requests in flight for each replica; it has no default
    down_window: float = 300.0
    tick_seconds: float = SYNC_SECONDS
    sample_seconds: float = SYNC_SECONDS
    _horizontal: Horizontal = field(init=False)

    def __post_init__(self) -> None:
        self._horizontal = Horizontal(down_window_seconds=self.down_window)

    def decide(self, view: View) -> Order:
        loads = view.loads
        if not loads:
            return Order(view.current, view.warm)  # no value, no change
        total = in_flight(loads) + view.held
        proposal = self._horizontal.proposed(total, self.target, view.current)
        return Order(self._horizontal.next(view.now_seconds, view.current, proposal), view.warm)
