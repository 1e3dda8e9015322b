"""When a replica is asked next.

    interval ← busy_seconds                        while it, or its model, has requests, or came late
             ← min(idle_seconds, 1.5 · interval)   while it has none
             ← min(idle_seconds, 2 · interval)     while asking it fails

A replica is asked at its own points of time, n · interval + u · interval for n = 0, 1, …, with u from its uid, so that
a fleet that was found all at once is not asked all at once for ever.
"""

import zlib
from dataclasses import dataclass
from enum import StrEnum
from math import floor


class Went(StrEnum):
    """How a look went."""

    BUSY = "busy"
    IDLE = "idle"
    LATE = "late"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Pace:
    busy_seconds: float = 2.0
    idle_seconds: float = 10.0
    timeout_seconds: float = 1.0
    give_up_seconds: float = 5.0
    """How long an answer that is late is still waited for."""
    expire_seconds: float = 30.0
    keep_seconds: float = 60.0
    """How long a connection is kept after its replica was last busy."""
    most_asked: int = 512
    """Replicas that are being asked at once."""
    most_failing: int = 256
    """Of those, the ones that failed the last time, so that they leave room for the others."""
    most_kept: int = 8_000
    """Connections that are kept."""


def next_interval(interval_seconds: float, went: Went, pace: Pace) -> float:
    factor = {Went.IDLE: 1.5, Went.FAILED: 2.0}.get(went)
    if factor is None:
        return pace.busy_seconds
    return min(pace.idle_seconds, max(pace.busy_seconds, factor * interval_seconds))


def share_of(uid: str) -> float:
    """The same for the same uid, from 0 to below 1."""
    return zlib.crc32(uid.encode()) / 2**32


def next_time(now_seconds: float, interval_seconds: float, share: float) -> float:
    """The first of its points of time that is later than now."""
    passed = floor(now_seconds / interval_seconds - share) + 1
    at_seconds = (passed + share) * interval_seconds
    return at_seconds if at_seconds > now_seconds else at_seconds + interval_seconds
