"""A fixed count."""

from dataclasses import dataclass
from typing import ClassVar

from stoker.sim.policy import Order, View


@dataclass
class Static:
    name: ClassVar[str] = "static"
    replicas: int = 1
    tick_seconds: float = 60.0
    sample_seconds: float = 60.0

    def decide(self, view: View) -> Order:
        return Order(self.replicas, view.warm)
