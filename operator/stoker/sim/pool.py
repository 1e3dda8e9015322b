"""The GPUs that models share: first come, first served."""

from collections import deque
from collections.abc import Callable

from stoker.sim.faults import Span, any_holds

Grant = Callable[[float], None]


class GpuPool:
    def __init__(self, gpus: int, unschedulable: tuple[Span, ...] = ()) -> None:
        self.gpus = gpus
        self.used = 0
        self._waiting: deque[tuple[object, Grant]] = deque()
        self._unschedulable = unschedulable

    @property
    def reopens(self) -> tuple[float, ...]:
        """When somebody must call `serve` although no GPU was given back."""
        return tuple(span.ends for span in self._unschedulable)

    def ask(self, who: object, grant: Grant, now: float) -> None:
        self._waiting.append((who, grant))
        self.serve(now)

    def withdraw(self, who: object) -> None:
        self._waiting = deque(item for item in self._waiting if item[0] is not who)

    def give_back(self, now: float) -> None:
        self.used -= 1
        self.serve(now)

    def serve(self, now: float) -> None:
        while self._waiting and self.used < self.gpus and not any_holds(self._unschedulable, now):
            _, grant = self._waiting.popleft()
            self.used += 1
            grant(now)
