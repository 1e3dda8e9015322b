"""What is to happen, in the order of time."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf

Action = Callable[[float], None]


class Agenda:
    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Action]] = []
        self._numbers = count()

    def at(self, moment: float, action: Action) -> None:
        heappush(self._heap, (moment, next(self._numbers), action))

    @property
    def next_at(self) -> float:
        return self._heap[0][0] if self._heap else inf

    def pop(self) -> tuple[float, Action]:
        moment, _, action = heappop(self._heap)
        return moment, action
