"""What one simulation is of: a kind of traffic on a kind of ground, and a policy with its knob somewhere."""

from dataclasses import dataclass

from stoker.sim.capacity import Capacity


@dataclass(frozen=True, order=True)
class Cell:
    workload: str
    cold_seconds: float
    warm: int

    def __str__(self) -> str:
        return f"{self.workload}, cold {self.cold_seconds:g} s, {self.warm} warm"


@dataclass(frozen=True)
class Setting:
    """A policy with one of its knobs turned."""

    policy: str
    label: str = "default"
    knobs: tuple[tuple[str, float], ...] = ()
    of_concurrency: float | None = None  # the knob `target`, as a share of what a replica holds inside the objective

    def values(self, capacity: Capacity) -> dict[str, float]:
        values = dict(self.knobs)
        if self.of_concurrency is not None:
            values["target"] = self.of_concurrency * capacity.concurrency
        return values
