"""What goes wrong, and when."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    begins: float
    ends: float

    def holds(self, now: float) -> bool:
        return self.begins <= now < self.ends


@dataclass(frozen=True)
class SlowStarts:
    span: Span
    factor: float


@dataclass(frozen=True)
class Faults:
    metrics_gaps: tuple[Span, ...] = ()
    unschedulable: tuple[Span, ...] = ()
    slow_starts: tuple[SlowStarts, ...] = ()
    crashes: tuple[float, ...] = ()  # of the busiest serving replica, each

    def start_factor(self, now: float) -> float:
        factor = 1.0
        for slow in self.slow_starts:
            if slow.span.holds(now):
                factor *= slow.factor
        return factor


def any_holds(spans: Iterable[Span], now: float) -> bool:
    return any(span.holds(now) for span in spans)
