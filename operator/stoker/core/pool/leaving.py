"""When a replica that was taken off traffic may go.

drained                                it may
orders were never heard                floor + PATIENCE seconds after it left, since it drains by itself at its end
floor + grace seconds after it left    it may, whatever runs there
without an agent                       floor seconds after it left
unready, and nothing is known to run   it may
"""

from dataclasses import dataclass

from stoker.core.pool.report import Report, again_seconds

PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Leaver:
    """A replica off traffic."""

    off_traffic_seconds: float  # how long it is
    ready: bool
    report: Report | None  # None: its agent takes no orders


@dataclass(frozen=True, slots=True)
class Farewell:
    """`wait_seconds` until it should be looked at again; zero: it may go."""

    wait_seconds: float
    drain: bool = False  # its agent should be told (again)


def farewell(leaver: Leaver, floor_seconds: float, grace_seconds: float) -> Farewell:
    report, gone_seconds = leaver.report, leaver.off_traffic_seconds
    if report is None:
        return Farewell(max(0.0, floor_seconds - gone_seconds) if leaver.ready else 0.0)
    if report.drained:
        return Farewell(0.0)
    unheard = report.in_flight is None
    if not leaver.ready and unheard and report.failures:
        return Farewell(0.0)
    patience_seconds = PATIENCE_SECONDS if unheard and report.failures else max(PATIENCE_SECONDS, grace_seconds)
    left_seconds = floor_seconds + patience_seconds - gone_seconds
    if left_seconds <= 0:
        return Farewell(0.0)
    return Farewell(min(left_seconds, again_seconds(report.failures)), drain=True)
